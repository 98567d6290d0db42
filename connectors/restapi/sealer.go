package restapi

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors/gm"
	"xinshu/internal/fault"
)

// The SM envelope (facts.md 4.2, as the national medical insurance has it): what is said travels
// sealed with SM4 and signed with SM2 over SM3, in both directions.
var smEnvelope = profile{
	about:   catalog.Text{ZH: "国密信封（SM2 签名、SM4 加密）", EN: "SM envelope (SM2 signature, SM4)"},
	needsID: true, sealed: true, clock: millis,
}

// sealer seals requests and opens answers. id is the appCode.
type sealer struct {
	id, version, mode, signs, userID string
	key                              []byte // of SM4
	private                          *gm.PrivateKey
	platform                         *gm.PublicKey
	form                             gm.Form
	encode                           func([]byte) string
	decode                           func(string) ([]byte, error)
	now                              func() time.Time
}

// sealedData is the member data of a message in both directions.
type sealedData struct {
	AppCode   string      `json:"appCode"`
	EncData   string      `json:"encData"`
	EncType   string      `json:"encType"`
	SignData  string      `json:"signData,omitempty"`
	SignType  string      `json:"signType"`
	Timestamp json.Number `json:"timestamp"`
	Version   string      `json:"version"`
}

func newSealer(o opening) *sealer {
	s := &sealer{id: o.Text("id"), version: o.Text("sm_version"), mode: o.Text("sm4_mode"), signs: o.Text("sm_signs"), userID: o.Text("sm2_user_id"),
		now: o.clock.now, encode: base64.StdEncoding.EncodeToString, decode: base64.StdEncoding.DecodeString}
	if o.Text("sm_encoding") == "hex" {
		s.encode, s.decode = hex.EncodeToString, hex.DecodeString
	}
	if o.Text("sm2_form") == "raw" {
		s.form = gm.Raw
	}
	var err error
	if s.key, err = hex.DecodeString(o.Text("sm4_key")); err != nil || len(s.key) != gm.Block {
		if s.key = []byte(o.Text("sm4_key")); len(s.key) != gm.Block {
			o.Fault("sm4_key is no SM4 key: 32 hex digits or 16 characters")
		}
	}
	if s.private, err = gm.ParsePrivateKey(o.Text("sm2_key")); err != nil {
		o.Fault("sm2_key: %w", err)
	}
	if s.platform, err = gm.ParsePublicKey(o.Text("sm2_platform_key")); err != nil {
		o.Fault("sm2_platform_key: %w", err)
	}
	return s
}

// seal wraps what a call says: the JSON of its body, or of its parameters.
func (s *sealer) seal(op string, call signedCall) ([]byte, error) {
	said := call.body
	if said == nil {
		said, _ = json.Marshal(flat(call.params)) // a map of texts always encodes
	}
	d := sealedData{AppCode: s.id, EncType: "SM4", SignType: "SM2", Timestamp: json.Number(call.time), Version: s.version}
	sealed, err := s.close(said)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	d.EncData = s.encode(sealed)
	signed, err := s.signedText(d, said)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	sig, err := s.private.Sign(signed, s.userID, s.form)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	d.SignData = s.encode(sig)
	return json.Marshal(map[string]any{"data": d})
}

// open puts what was said in place of the envelope, once the signature is the platform's. An answer
// whose code is a failure may come without envelope: then it is only that failure.
func (s *sealer) open(op string, answer *content, e envelope) error {
	refuse := func(what string) error {
		return &fault.Error{Op: op, Code: fault.Unauthorized, Err: fmt.Errorf("the answer %s", what),
			Hint: "check sm2_platform_key, sm4_key, sm4_mode, sm_signs and sm_encoding; nothing was taken from it"}
	}
	if answer.file != nil {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: errTooLarge, Hint: fmt.Sprintf("a sealed answer may have %d MB; ask for smaller pages", inMemory>>20)}
	}
	var outer map[string]json.RawMessage
	if err := json.Unmarshal(answer.mem, &outer); err != nil {
		return refuse("is no envelope")
	}
	var d sealedData
	if json.Unmarshal(outer["data"], &d) != nil || d.EncData == "" || d.SignData == "" {
		if e.code != "" && slices.Contains(e.ok, answer.text(e.code)) || e.code == "" {
			return refuse("is neither sealed nor signed")
		}
		return nil // check will say which failure it is
	}
	sealed, err1 := s.decode(d.EncData)
	sig, err2 := s.decode(d.SignData)
	if err1 != nil || err2 != nil || !strings.EqualFold(d.EncType, "SM4") || !strings.EqualFold(d.SignType, "SM2") {
		return refuse("is not sealed and signed as the settings say")
	}
	said, err := s.unclose(sealed)
	if err != nil {
		return refuse("does not open with the SM4 key")
	}
	signed, err := s.signedText(d, said)
	if err != nil || !s.platform.Verify(signed, s.userID, sig) {
		return refuse("is not signed by the platform")
	}
	outer["data"] = said
	if answer.mem, err = json.Marshal(outer); err != nil {
		return refuse("holds no JSON inside its envelope")
	}
	answer.size = int64(len(answer.mem))
	return nil
}

// signedText is the canonical JSON that is signed: names sorted, no blanks, numbers as written. Under
// plain it holds what is said as its member data, under sealed the sealed text as encData.
func (s *sealer) signedText(d sealedData, said []byte) ([]byte, error) {
	all := map[string]any{"appCode": d.AppCode, "encType": d.EncType, "signType": d.SignType, "timestamp": d.Timestamp, "version": d.Version}
	if s.signs == "sealed" {
		all["encData"] = d.EncData
	} else {
		dec := json.NewDecoder(bytes.NewReader(said))
		dec.UseNumber()
		var data any
		if err := dec.Decode(&data); err != nil {
			return nil, err
		}
		all["data"] = data
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(all) // maps are written with sorted names
	return bytes.TrimRight(out.Bytes(), "\n"), err
}

// close seals a text; under CBC and GCM a fresh iv or nonce stands before it.
func (s *sealer) close(text []byte) ([]byte, error) {
	switch s.mode {
	case "cbc":
		iv := gm.Random(gm.Block)
		sealed, err := gm.SealCBC(s.key, iv, text)
		return append(iv, sealed...), err
	case "gcm":
		nonce := gm.Random(12)
		sealed, err := gm.SealGCM(s.key, nonce, text, nil)
		return append(nonce, sealed...), err
	}
	return gm.SealECB(s.key, text)
}

func (s *sealer) unclose(sealed []byte) ([]byte, error) {
	head := map[string]int{"cbc": gm.Block, "gcm": 12}[s.mode]
	if len(sealed) < head {
		return nil, gm.ErrSealed
	}
	switch s.mode {
	case "cbc":
		return gm.OpenCBC(s.key, sealed[:head], sealed[head:])
	case "gcm":
		return gm.OpenGCM(s.key, sealed[:head], sealed[head:], nil)
	}
	return gm.OpenECB(s.key, sealed)
}
