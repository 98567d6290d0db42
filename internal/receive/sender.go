package receive

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors/gm"
)

// The headers of a post.
const (
	HeaderTime      = "X-Timestamp" // epoch milliseconds
	HeaderNonce     = "X-Nonce"     // 8 to 64 characters, never used before
	HeaderDigest    = "X-Digest"    // of the body, hex: SHA-256, or SM3 under an SM signature
	HeaderSignature = "X-Signature" // Base64, or hex
	HeaderBatch     = "X-Batch-No"  // or the member batch_no of the body
	HeaderTotal     = "X-Total"     // or the member total of the body
)

// Signatures are the ways a sender may prove itself.
var Signatures = []string{"hmac-sha256", "hmac-sm3", "sm2"}

// Sender is one department that posts.
type Sender struct {
	Name     string
	Datasets []string

	signature, userID string
	secret            []byte
	public            *gm.PublicKey
}

// Proof is how a sender signs: a secret for the HMACs, a public key for SM2.
type Proof struct{ Signature, Secret, PublicKey, UserID string }

// NewSender makes a sender, and says everything that is wrong with its settings without showing them.
func NewSender(name string, datasets []string, p Proof) (*Sender, error) {
	s := &Sender{Name: name, Datasets: datasets, signature: p.Signature, userID: p.UserID, secret: []byte(p.Secret)}
	if s.signature == "" {
		s.signature = Signatures[0]
	}
	var faults []error
	if !slices.Contains(Signatures, s.signature) {
		faults = append(faults, fmt.Errorf("signature is none of %s", strings.Join(Signatures, ", ")))
	}
	if s.signature != "sm2" && len(p.Secret) < 16 {
		faults = append(faults, errors.New("secret is shorter than 16 characters"))
	}
	if s.signature == "sm2" {
		var err error
		if s.public, err = gm.ParsePublicKey(p.PublicKey); err != nil {
			faults = append(faults, fmt.Errorf("public_key: %w", err))
		}
	}
	if len(datasets) == 0 {
		faults = append(faults, errors.New("datasets names none"))
	}
	return s, errors.Join(faults...)
}

// Statement is what is signed: every part that decides what becomes of the body stands in it, each on
// its own line, so that no two posts have the same.
func Statement(at, nonce, source, dataset, batchNo, total, digest string) []byte {
	return []byte(strings.Join([]string{"xinshu-receive-1", at, nonce, source, dataset, batchNo, total, digest}, "\n"))
}

func (s *Sender) hash() hash.Hash {
	if s.signature == "hmac-sha256" {
		return sha256.New()
	}
	return gm.NewSM3()
}

// verify looks at a signature in constant time. Base64 and hex are both understood, and some texts are
// both: then either may fit.
func (s *Sender) verify(statement []byte, signature string) bool {
	fits := false
	for _, decode := range []func(string) ([]byte, error){base64.StdEncoding.DecodeString, hex.DecodeString} {
		sig, err := decode(signature)
		if err != nil {
			continue
		}
		switch s.signature {
		case "sm2":
			fits = fits || s.public.Verify(statement, s.userID, sig)
		case "hmac-sm3":
			fits = fits || hmac.Equal(gm.HMACSM3(s.secret, statement), sig)
		default:
			mac := hmac.New(sha256.New, s.secret)
			mac.Write(statement)
			fits = fits || hmac.Equal(mac.Sum(nil), sig)
		}
	}
	return fits
}

func refused(zh, en string) *Problem {
	return &Problem{Status: http.StatusUnauthorized, Code: "signature", Title: catalog.Text{ZH: zh, EN: en}}
}

// admit looks at everything that can be looked at before a byte of the body is read: a stranger is
// sent away without costing disk. Whether a sender exists is not told.
func (h *Handler) admit(ctx context.Context, r *http.Request) *Problem {
	if r.ContentLength > h.bounds.Body {
		return tooLarge(h.bounds.Body)
	}
	get := r.Header.Get
	sender, ok := h.senders[r.PathValue("source")]
	statement := Statement(get(HeaderTime), get(HeaderNonce), r.PathValue("source"), r.PathValue("dataset"), get(HeaderBatch), get(HeaderTotal), get(HeaderDigest))
	if !ok || !sender.verify(statement, get(HeaderSignature)) {
		return refused("签名不符或报送方未登记", "the signature does not fit, or the sender is not known")
	}
	ms, err := strconv.ParseInt(get(HeaderTime), 10, 64)
	if err != nil {
		return refused("时间戳无法识别", "the timestamp is no number of milliseconds")
	}
	if off := h.now().Sub(time.UnixMilli(ms)); off.Abs() > h.bounds.Window {
		p := refused("时间戳超出允许范围", "the timestamp is too far from the hub's clock")
		p.Code, p.Detail = "time", fmt.Sprintf("the hub's clock says %d; %s either way are taken", h.now().UnixMilli(), h.bounds.Window)
		return p
	}
	if n := len(get(HeaderNonce)); n < 8 || n > 64 {
		return refused("随机串须为8至64个字符", "the nonce has 8 to 64 characters")
	}
	fresh, err := h.taker.Fresh(ctx, sender.Name, get(HeaderNonce), 2*h.bounds.Window+time.Minute)
	if err != nil {
		return problemOf(err)
	}
	if !fresh {
		p := refused("随机串已用过", "the nonce was used before")
		p.Code = "nonce"
		return p
	}
	return nil
}
