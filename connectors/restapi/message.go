package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// message is a request as it goes over the line, signed for one try.
type message struct {
	method, url string
	headers     map[string]string
	body        []byte // nil for none
	kind        string // Content-Type
}

const jsonKind = "application/json"

// message signs a request and puts its parameters where the profile wants them: in the query of a
// GET, in the JSON of a POST, in a form, in an envelope.
func (c *client) message(ctx context.Context, req request) (message, error) {
	m := message{method: req.method, url: req.url, body: req.body, kind: req.kind}
	if m.kind == "" {
		m.kind = jsonKind
	}
	if req.unsigned {
		return m, nil
	}
	call, err := c.signer.call(ctx, req.sid)
	if err != nil {
		return m, err
	}
	m.headers = c.signer.profile.headersOf(call)
	call.params, call.body = req.params, req.body
	switch {
	case c.sealer != nil:
		m.method = http.MethodPost
		m.body, err = c.sealer.seal(req.op, call)
	case c.signer.profile.form != nil:
		m.method, m.kind = http.MethodPost, "application/x-www-form-urlencoded"
		m.body = c.signer.profile.form(call)
	case req.body != nil || req.method == http.MethodGet:
		m.url = withQuery(m.url, req.params)
	default:
		m.body, err = json.Marshal(flat(req.params))
	}
	return m, err
}

func withQuery(address string, params url.Values) string {
	if len(params) == 0 {
		return address
	}
	return address + "?" + params.Encode()
}

// flat gives each parameter its first value, as JSON bodies have them.
func flat(params url.Values) map[string]string {
	members := make(map[string]string, len(params))
	for name := range params {
		members[name] = params.Get(name)
	}
	return members
}
