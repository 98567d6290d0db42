package restapi

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // two platforms ask for it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// profile is one way of proving who calls (facts.md 4.1 and 4.2): header templates, and a function
// over a message template. Templates know {id} {sid} {secret} {time} {nonce} {sign}.
type profile struct {
	needsID, needsSecret bool
	refreshed            bool // the secret is fetched with the application key and expires
	headers              [][2]string
	message              string
	sum                  func(secret, message []byte) []byte
	encode               func([]byte) string
	clock                func(time.Time) string
}

var profiles = map[string]profile{
	"plain": {},
	"bearer": {needsSecret: true,
		headers: [][2]string{{"Authorization", "Bearer {secret}"}}},
	"national": {needsID: true, needsSecret: true, refreshed: true,
		headers: [][2]string{{"gjgxjhpt_rid", "{id}"}, {"gjgxjhpt_sid", "{sid}"}, {"gjgxjhpt_rtime", "{time}"}, {"gjgxjhpt_sign", "{sign}"}},
		message: "{sid}{id}{time}", sum: hmacSHA256, encode: base64.StdEncoding.EncodeToString, clock: millis},
	"openapi": {needsID: true, needsSecret: true,
		headers: [][2]string{{"X-Client-Id", "{id}"}, {"X-Timestamp", "{time}"}, {"X-Nonce", "{nonce}"}, {"X-Signature", "{sign}"}},
		message: "{id}{time}{nonce}", sum: hmacSHA256, encode: base64.StdEncoding.EncodeToString, clock: millis},
	"tif": {needsID: true, needsSecret: true,
		headers: [][2]string{{"x-tif-paasid", "{id}"}, {"x-tif-timestamp", "{time}"}, {"x-tif-nonce", "{nonce}"}, {"x-tif-signature", "{sign}"}, {"x-tif-serviceId", "{sid}"}},
		message: "{time}{secret}{nonce}{time}", sum: plainSHA256, encode: hex.EncodeToString, clock: seconds},
	"city": {needsID: true, needsSecret: true,
		headers: [][2]string{{"appKey", "{id}"}, {"timestamp", "{time}"}, {"signature", "{sign}"}},
		message: "{id}{secret}{time}", sum: plainSHA1, encode: hex.EncodeToString, clock: millis},
}

func profileNames() []string { return slices.Sorted(maps.Keys(profiles)) }

// sign gives the headers of one call. A header whose value is empty is left out.
func (p profile) sign(id, sid, secret, nonce string, at time.Time) map[string]string {
	parts := []string{"{id}", id, "{sid}", sid, "{secret}", secret, "{nonce}", nonce}
	if p.clock != nil {
		parts = append(parts, "{time}", p.clock(at))
	}
	if p.sum != nil {
		message := strings.NewReplacer(parts...).Replace(p.message)
		parts = append(parts, "{sign}", p.encode(p.sum([]byte(secret), []byte(message))))
	}
	fill := strings.NewReplacer(parts...)
	headers := make(map[string]string, len(p.headers))
	for _, h := range p.headers {
		if value := fill.Replace(h[1]); value != "" {
			headers[h[0]] = value
		}
	}
	return headers
}

func hmacSHA256(secret, message []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(message)
	return mac.Sum(nil)
}

func plainSHA256(_, message []byte) []byte {
	sum := sha256.Sum256(message)
	return sum[:]
}

func plainSHA1(_, message []byte) []byte {
	sum := sha1.Sum(message) //nolint:gosec // see the import
	return sum[:]
}

func millis(t time.Time) string  { return strconv.FormatInt(t.UnixMilli(), 10) }
func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func nonce() string { return strings.ToLower(rand.Text()) }
