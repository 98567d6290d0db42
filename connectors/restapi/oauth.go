package restapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"xinshu/internal/fault"
)

// tokenKeeper fetches tokens by OAuth2 client credentials (RFC 6749, 4.4).
type tokenKeeper struct {
	client            *client
	clock             clock
	url, scope, style string
	id, secret        string
}

func newTokenKeeper(cn *conn, o opening) keeper {
	bare := *cn.client
	bare.envelope = envelope{} // a token's answer has no result code
	return &tokenKeeper{client: &bare, clock: o.clock, url: o.Text("token_url"), scope: o.Text("scope"), style: o.Text("client_auth"),
		id: o.Text("id"), secret: o.Text("secret")}
}

func (k *tokenKeeper) probe() (string, bool) { return "", true }

func (k *tokenKeeper) fetch(ctx context.Context, _ string) (string, time.Time, error) {
	const op = "fetch an access token"
	form := url.Values{"grant_type": {"client_credentials"}}
	if k.scope != "" {
		form.Set("scope", k.scope)
	}
	headers := map[string]string{}
	if k.style == "basic" {
		pair := url.QueryEscape(k.id) + ":" + url.QueryEscape(k.secret) // RFC 6749, 2.3.1
		headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	} else {
		form.Set("client_id", k.id)
		form.Set("client_secret", k.secret)
	}
	answer, err := k.client.retry(ctx, request{op: op, method: http.MethodPost, url: k.url, headers: headers, unsigned: true,
		body: []byte(form.Encode()), kind: "application/x-www-form-urlencoded"})
	if fault.Is(err, fault.Invalid) { // a 400 is how a token server refuses a client
		return "", time.Time{}, &fault.Error{Op: op, Code: fault.Invalid, Hint: "check id, secret, scope, client_auth and token_url", Err: err}
	}
	if err != nil {
		return "", time.Time{}, err
	}
	defer answer.close()
	var token struct {
		Access  string      `json:"access_token"`
		Type    string      `json:"token_type"`
		Expires json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(answer.mem, &token); err != nil || token.Access == "" {
		return "", time.Time{}, fault.Newf(fault.Invalid, op, "the answer holds no access_token") // the decoder's error may quote the token
	}
	var until time.Time
	if s, err := token.Expires.Int64(); err == nil && s > 0 {
		until = k.clock.now().Add(time.Duration(min(s, 10*365*24*3600)) * time.Second)
	}
	return token.Access, until, nil
}
