package restapi

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"hash"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/catalog"
)

// profile is one way of proving who calls (facts.md 4.1 and 4.2): header templates, and a function
// over a message template. Templates know {id} {sid} {secret} {time} {nonce} {sign}. Each profile has
// a file of its own and a line in profiles.
type profile struct {
	about                catalog.Text // for the help of the setting
	needsID, needsSecret bool
	headers              [][2]string
	message              string
	sum                  func(secret, message []byte) []byte
	encode               func([]byte) string
	clock                func(time.Time) string
	defaults             map[string]string            // settings that stand otherwise on these platforms
	form                 func(call signedCall) []byte // puts parameters and signature into a form; nil: they travel as usual
	working              func(*conn, opening) keeper  // fetches what calls are signed with; nil: the secret itself
	sealed               bool                         // messages travel in the envelope of sealer
}

var profiles = map[string]profile{
	"plain":       {about: catalog.Text{ZH: "不签名", EN: "none"}},
	"bearer":      bearer,
	"oauth2":      oauth2,
	"national":    national,
	"openapi":     openapi,
	"openapi-sm3": openapiSM3,
	"tif":         tif,
	"city":        city,
	"zhejiang":    zhejiang,
	"changzhou":   changzhou,
	"sm":          smEnvelope,
}

// usedBy names the profiles beside which a setting matters.
func usedBy(uses func(profile) bool) string {
	var names []string
	for _, name := range profileNames() {
		if p := profiles[name]; uses(p) {
			names = append(names, name)
		}
	}
	return "profile=" + strings.Join(names, ",")
}

func profileNames() []string { return slices.Sorted(maps.Keys(profiles)) }

// profileHelp lists what each profile is for.
func profileHelp() catalog.Text {
	var zh, en []string
	for _, name := range profileNames() {
		zh = append(zh, name+" "+profiles[name].about.ZH)
		en = append(en, name+": "+profiles[name].about.EN)
	}
	return catalog.Text{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")}
}

// signedCall is what one call's signature is made of, and what it came to.
type signedCall struct {
	id, sid, secret, nonce, time, sign string
	params                             url.Values
	body                               []byte
}

func (p profile) call(id, sid, secret, nonce string, at time.Time) signedCall {
	c := signedCall{id: id, sid: sid, secret: secret, nonce: nonce}
	if p.clock != nil {
		c.time = p.clock(at)
	}
	if p.sum != nil {
		c.sign = p.encode(p.sum([]byte(secret), []byte(c.fill(p.message))))
	}
	return c
}

// fill puts the values into a template, once: a value that looks like a template stays as it is.
func (c signedCall) fill(template string) string {
	return strings.NewReplacer("{id}", c.id, "{sid}", c.sid, "{secret}", c.secret, "{nonce}", c.nonce, "{time}", c.time, "{sign}", c.sign).Replace(template)
}

// sign gives the headers of one call. A header whose value is empty is left out.
func (p profile) sign(id, sid, secret, nonce string, at time.Time) map[string]string {
	return p.headersOf(p.call(id, sid, secret, nonce, at))
}

func (p profile) headersOf(c signedCall) map[string]string {
	headers := make(map[string]string, len(p.headers))
	for _, h := range p.headers {
		if value := c.fill(h[1]); value != "" {
			headers[h[0]] = value
		}
	}
	return headers
}

// members gives what a call says as one JSON object: its parameters, and the members of its body.
func (c signedCall) members() map[string]any {
	all := map[string]any{}
	for name := range c.params {
		all[name] = c.params.Get(name)
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(c.body, &body) == nil { // a body that is no object has no members
		for name, value := range body {
			all[name] = value
		}
	}
	return all
}

func keyed(h func() hash.Hash) func(secret, message []byte) []byte {
	return func(secret, message []byte) []byte {
		mac := hmac.New(h, secret)
		mac.Write(message)
		return mac.Sum(nil)
	}
}

func unkeyed(h func() hash.Hash) func(secret, message []byte) []byte {
	return func(_, message []byte) []byte {
		sum := h()
		sum.Write(message)
		return sum.Sum(nil)
	}
}

func millis(t time.Time) string  { return strconv.FormatInt(t.UnixMilli(), 10) }
func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func nonce() string { return strings.ToLower(rand.Text()) }
