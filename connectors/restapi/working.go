package restapi

import (
	"context"
	"crypto/aes"
	"crypto/sha1" //nolint:gosec // the platform derives its key with it
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// workingSecret fetches the secret of the national platform with the application key.
type workingSecret struct {
	client                *client
	profile               profile
	clock                 clock
	id, key               string
	url, fetchSID, derive string
}

func newWorkingSecret(cn *conn, o opening) keeper {
	return &workingSecret{client: cn.client, profile: o.profile, clock: o.clock, id: o.Text("id"), key: o.Text("secret"),
		url: cn.at(o.Text("refresh_path")), fetchSID: o.Text("refresh_sid"), derive: o.Text("derive")}
}

// probe is the service id that the connection is tested with; empty when it cannot be.
func (w *workingSecret) probe() (sid string, ok bool) { return w.fetchSID, w.fetchSID != "" }

func (w *workingSecret) fetch(ctx context.Context, sid string) (string, time.Time, error) {
	const op = "refresh the working secret"
	if w.fetchSID != "" {
		sid = w.fetchSID
	}
	headers := w.profile.sign(w.id, sid, w.key, nonce(), w.clock.now())
	body, err := json.Marshal(headers) // the four values are sent as members of the body too
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%s: %w", op, err)
	}
	answer, err := w.client.retry(ctx, request{op: op, method: "POST", url: w.url, body: body, headers: headers, unsigned: true})
	if err != nil {
		return "", time.Time{}, err
	}
	defer answer.close()
	sealed, err := answer.member("data.secret")
	if err != nil || sealed == "" {
		return "", time.Time{}, fault.Newf(fault.Invalid, op, "the answer holds no data.secret")
	}
	secret, err := unseal(w.derive, w.key, sealed)
	if err != nil {
		return "", time.Time{}, &fault.Error{Op: op, Code: fault.Unauthorized, Hint: "check the appkey and the setting derive", Err: err}
	}
	end, _ := answer.member("data.secretEndTime")
	until, err := parseEnd(end)
	if err != nil {
		return "", time.Time{}, &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	return secret, until, nil
}

// parseEnd reads secretEndTime: epoch milliseconds or a Shanghai wall time. Empty is zero.
func parseEnd(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	if t, err := time.ParseInLocation(time.DateTime, text, connectors.Shanghai); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("secretEndTime %.40q is neither milliseconds nor a date and time", text)
}

var errUnseal = errors.New("the working secret does not decrypt")

// unseal decrypts AES/ECB/PKCS5 in Base64, as Java's Cipher.getInstance("AES") makes it (facts.md 4.1).
func unseal(derive, appKey, sealed string) (string, error) {
	if derive == "none" {
		return sealed, nil
	}
	key := []byte(appKey)
	if derive == "sha1prng" {
		key = sha1prng(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("the appkey is no AES key: %d bytes instead of 16, 24 or 32", len(key))
	}
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return "", errUnseal
	}
	for i := 0; i < len(text); i += aes.BlockSize {
		block.Decrypt(text[i:i+aes.BlockSize], text[i:i+aes.BlockSize])
	}
	pad := int(text[len(text)-1])
	if pad < 1 || pad > aes.BlockSize {
		return "", errUnseal
	}
	for _, c := range text[len(text)-pad:] {
		if int(c) != pad {
			return "", errUnseal
		}
	}
	return string(text[:len(text)-pad]), nil
}

// sha1prng is the 128-bit key of Java's KeyGenerator("AES") seeded by SHA1PRNG(seed).
func sha1prng(seed []byte) []byte {
	once := sha1.Sum(seed)     //nolint:gosec // see the import
	twice := sha1.Sum(once[:]) //nolint:gosec // see the import
	return twice[:16]
}
