package restapi

import (
	"bytes"
	"crypto/md5" // the platform asks for it
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/connectors/gm"
	"xinshu/internal/fault"
)

func TestTheSM3VariantSignsTheSameText(t *testing.T) {
	got := profiles["openapi-sm3"].sign("demo-client", "", vectorSecret, "abc123", time.UnixMilli(1700000000000))["X-Signature"]
	// printf 'demo-client1700000000000abc123' | openssl dgst -sm3 -hmac 0123456789abcdef0123456789abcdef -binary | base64
	if want := "C59SP6uDvpfqSMToGZ7fdqe6fD5vTOGQboVjKM9yMJo="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheCitysSignature(t *testing.T) {
	// printf 'appdemosecret1700000000000' | openssl sha1
	if got := profiles["city"].sign("appdemo", "", "secret", "", time.UnixMilli(1700000000000))["signature"]; got != "90ec3887b095e4d54efb94ae5a7136cd737c5bf1" {
		t.Errorf("got %s", got)
	}
}

func TestZhejiangSendsOneFormField(t *testing.T) {
	p := startPlatform(t)
	var form url.Values
	var kind string
	p.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		kind = r.Header.Get("Content-Type")
		_ = r.ParseForm()
		form = r.PostForm
		envelopeOf(w, "0", "", map[string]any{"total": 0, "rows": []any{}})
		return true
	}
	now := time.Date(2023, 11, 15, 6, 13, 20, 0, connectors.Shanghai)
	c, err := open(connectors.Values{"url": p.URL + "/share", "profile": "zhejiang", "id": "app-1", "secret": token, "rate": "10000"},
		clock{now: func() time.Time { return now }, sleep: (&waits{}).sleep})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pull(t, p.source(t, c, connectors.Values{"query": "tyxydm=91410000MA40000000&q=a%26b<"})); err != nil {
		t.Fatal(err)
	}
	if kind != "application/x-www-form-urlencoded" || len(form) != 1 {
		t.Fatalf("%s with %d fields", kind, len(form))
	}
	var data map[string]string
	if err := json.Unmarshal([]byte(form.Get("data")), &data); err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte("app-1" + token + "20231115061320")) // the platform asks for it
	for name, want := range map[string]string{"appKey": "app-1", "requestTime": "20231115061320", "sign": hex.EncodeToString(sum[:]),
		"tyxydm": "91410000MA40000000", "q": "a&b<", "page": "1", "rows": "2"} {
		if data[name] != want {
			t.Errorf("%s is %q, want %q", name, data[name], want)
		}
	}
	if strings.Contains(form.Get("data"), token) {
		t.Error("the secret itself travels")
	}
}

func TestChangzhouCountsItsCodesElsewhere(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if n == 1 {
			body(`{"errcode":0,"errmsg":"ok","data":{"total":1,"rows":[{"id":"r1","op_time":"2025-10-28 09:00:00"}]}}`)(w)
			return true
		}
		body(`{"errcode":40001,"errmsg":"令牌过期"}`)(w)
		return true
	}
	c, _ := p.open(t, connectors.Values{"profile": "changzhou"})
	if rows, err := pull(t, p.source(t, c, nil)); err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "令牌过期") {
		t.Fatalf("got %v", err)
	}
}

// sealedPlatform is the other side of the SM envelope, with keys of its own.
type sealedPlatform struct {
	*platform
	us    *sealer // what the hub holds
	them  *sealer // what the platform holds
	asked []byte  // what the last request said
	spoil func(data map[string]any)
}

func startSealed(t *testing.T, more connectors.Values) (*sealedPlatform, *conn) {
	t.Helper()
	own, err := gm.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &sealedPlatform{platform: startPlatform(t)}
	private, err := gm.ParsePrivateKey(hubKey)
	if err != nil {
		t.Fatal(err)
	}
	values := connectors.Values{"url": p.URL + "/share", "profile": "sm", "id": "app-1", "rate": "10000", "push_path": "/push", "sm4_key": "0123456789abcdeffedcba9876543210",
		"sm2_key": hubKey, "sm2_platform_key": own.Public().Hex()}
	maps.Copy(values, more)
	c, err := open(values, clock{now: time.Now, sleep: (&waits{}).sleep})
	if err != nil {
		t.Fatal(err)
	}
	p.us = c.client.sealer
	them := *p.us
	them.private, them.platform = own, private.Public()
	p.them = &them
	p.instead = p.answer
	return p, c
}

// hubKey is the private key of the standard's example.
const hubKey = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"

// answer opens a request, lets the ordinary platform answer it, and seals that.
func (p *sealedPlatform) answer(_ int, w http.ResponseWriter, r *http.Request) bool {
	in := &content{}
	var buf bytes.Buffer
	_, _ = buf.ReadFrom(r.Body)
	in.mem = buf.Bytes()
	if err := p.them.open("", in, envelope{}); err != nil {
		envelopeOf(w, "E-106", "验签失败", nil)
		return true
	}
	var outer struct{ Data json.RawMessage }
	_ = json.Unmarshal(in.mem, &outer)
	p.asked = outer.Data
	var params map[string]json.RawMessage
	_ = json.Unmarshal(outer.Data, &params)
	q := url.Values{}
	for name, raw := range params {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			q.Set(name, text)
		}
	}
	inner := &recorder{header: http.Header{}}
	request := r.Clone(r.Context())
	request.URL.RawQuery, request.Method, request.Form, request.PostForm = q.Encode(), http.MethodGet, nil, nil
	request.Body = http.NoBody
	if r.URL.Path == "/share/push" {
		request, _ = http.NewRequestWithContext(r.Context(), http.MethodPost, r.URL.String(), bytes.NewReader(outer.Data))
		request.Header = r.Header
		p.take(inner, request)
	} else {
		p.serve(inner, request)
	}
	var plain struct {
		Code, Message string
		Data          json.RawMessage
	}
	_ = json.Unmarshal(inner.body.Bytes(), &plain)
	sealed, err := p.them.seal("", signedCall{body: plain.Data, time: "1700000000000"})
	if err != nil {
		panic(err)
	}
	var answer map[string]map[string]any
	dec := json.NewDecoder(bytes.NewReader(sealed))
	dec.UseNumber()
	_ = dec.Decode(&answer)
	if p.spoil != nil {
		p.spoil(answer["data"])
	}
	envelopeOf(w, plain.Code, plain.Message, answer["data"])
	return true
}

type recorder struct {
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(int)             {}

func TestTheSMEnvelopeInBothDirections(t *testing.T) {
	for _, values := range []connectors.Values{
		{}, {"sm4_mode": "cbc", "sm_encoding": "hex", "sm2_form": "der"}, {"sm4_mode": "gcm", "sm_signs": "sealed", "sm2_user_id": "部门一"},
	} {
		p, c := startSealed(t, values)
		rows, err := pull(t, p.source(t, c, nil))
		if err != nil || len(rows) != 7 {
			t.Fatalf("%v: %d rows, %v", values, len(rows), err)
		}
		if !bytes.Contains(p.asked, []byte(`"page":"4"`)) {
			t.Errorf("the last request said %s", p.asked)
		}
		receipt, err := c.Push(t.Context(), connectors.Delivery{ID: "d-1", Target: "t", Kind: "grades", Made: time.Now(),
			Rows: []connectors.Row{{ID: "p/u/1", Body: []byte(`{"id":"p/u/1","uscc":"91410000MA40000000","n":12345678901234567890.10}`)}}})
		if err != nil || receipt.Accepted != 1 {
			t.Errorf("%v: receipt %+v, %v", values, receipt, err)
		}
		if got := string(p.known["p/u/1"]); !strings.Contains(got, "12345678901234567890.10") {
			t.Errorf("the platform got %s", got)
		}
		if p.calls[0].URL.RawQuery != "" {
			t.Error("parameters travel open")
		}
	}
}

func TestAnAnswerThatThePlatformDidNotSignIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(map[string]any){
		"another signature": func(d map[string]any) { d["signData"] = "AAAA" + d["signData"].(string)[4:] },
		"another text":      func(d map[string]any) { d["encData"] = "AAAA" + d["encData"].(string)[4:] },
		"another time":      func(d map[string]any) { d["timestamp"] = json.Number("1700000000001") },
		"no signature":      func(d map[string]any) { delete(d, "signData") },
		"no seal":           func(d map[string]any) { delete(d, "encData") },
		"another algorithm": func(d map[string]any) { d["encType"] = "AES" },
	} {
		p, c := startSealed(t, nil)
		p.spoil = spoil
		rows, err := pull(t, p.source(t, c, nil))
		if !fault.Is(err, fault.Unauthorized) || len(rows) != 0 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
	p, c := startSealed(t, nil)
	stranger, _ := gm.GenerateKey()
	p.them.private = stranger
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Unauthorized) || !strings.Contains(err.Error(), "not signed by the platform") {
		t.Errorf("a stranger's answer: %v", err)
	}
	p, c = startSealed(t, nil)
	p.them.platform = stranger.Public() // the platform does not know the hub
	if _, err := pull(t, p.source(t, c, nil)); !strings.Contains(err.Error(), "验签失败") {
		t.Errorf("a refusal that comes open: %v", err)
	}
}

func TestSMKeysAreJudgedAtTheDoor(t *testing.T) {
	_, err := open(connectors.Values{"url": "http://h", "profile": "sm", "id": "a", "sm4_key": token, "sm2_key": token, "sm2_platform_key": "04ab"}, clock{now: time.Now, sleep: sleep})
	for _, part := range []string{"sm4_key", "sm2_key", "sm2_platform_key"} {
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", part, err)
		}
	}
}

// tokens is an OAuth2 server beside a platform.
type tokens struct {
	given, refused int
	valid          string
	lives          string
	form           url.Values
	user, password string
}

func (k *tokens) guard(_ int, w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/oauth/token" {
		_ = r.ParseForm()
		k.form = r.PostForm
		user, password, ok := r.BasicAuth()
		if !ok {
			user, password = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
		}
		k.user, k.password = user, password
		if password != token {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
			return true
		}
		k.given++
		k.valid = "at-" + strings.Repeat("x", k.given)
		_, _ = w.Write([]byte(`{"access_token":"` + k.valid + `","token_type":"Bearer","expires_in":` + k.lives + `}`))
		return true
	}
	if r.Header.Get("Authorization") != "Bearer "+k.valid {
		k.refused++
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	return false
}

func startTokens(t *testing.T, more connectors.Values) (*platform, *tokens, *conn, *time.Time) {
	t.Helper()
	now := time.Date(2025, 10, 28, 9, 0, 0, 0, connectors.Shanghai)
	p, k := startPlatform(t), &tokens{lives: "600"}
	p.instead = k.guard
	values := connectors.Values{"url": p.URL + "/share", "profile": "oauth2", "id": "client a", "secret": token, "token_url": p.URL + "/oauth/token", "scope": "share", "rate": "10000"}
	maps.Copy(values, more)
	c, err := open(values, clock{now: func() time.Time { return now }, sleep: (&waits{}).sleep})
	if err != nil {
		t.Fatal(err)
	}
	return p, k, c, &now
}

func TestOAuth2TokensAreFetchedOnceAndRenewed(t *testing.T) {
	for _, style := range []string{"basic", "form"} {
		p, k, c, now := startTokens(t, connectors.Values{"client_auth": style})
		for range 2 {
			if rows, err := pull(t, p.source(t, c, nil)); err != nil || len(rows) != 7 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
		}
		if k.given != 1 || k.refused != 0 || k.form.Get("grant_type") != "client_credentials" || k.form.Get("scope") != "share" || k.password != token {
			t.Fatalf("%s: %+v", style, k)
		}
		if style == "basic" && k.user != "client+a" || style == "form" && k.user != "client a" {
			t.Errorf("%s: the client is %q", style, k.user)
		}
		*now = now.Add(9*time.Minute + 30*time.Second) // the last minute of the token
		if _, err := pull(t, p.source(t, c, nil)); err != nil || k.given != 2 || k.refused != 0 {
			t.Fatalf("%d tokens, %d refused, %v", k.given, k.refused, err)
		}
	}
	_, k, c, _ := startTokens(t, nil)
	if text, err := c.Test(t.Context()); err != nil || !strings.Contains(text.String(), "2025-10-28 09:10:00") || strings.Contains(text.String(), k.valid) {
		t.Errorf("%v, %v", text, err)
	}
}

func TestATokenServerThatRefuses(t *testing.T) {
	p, k, c, _ := startTokens(t, connectors.Values{"secret": "wrong-" + token})
	_, err := pull(t, p.source(t, c, nil))
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "token_url") || strings.Contains(err.Error(), token) || k.given != 0 {
		t.Errorf("got %v", err)
	}
	p.instead = answers(body(`{"token":"` + token + `"}`))
	_, _, c, _ = startTokens(t, connectors.Values{"token_url": p.URL + "/oauth/token"})
	if _, err := c.Test(t.Context()); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("an answer without token: %v", err)
	}
}

func TestEveryProfileSaysWhatItIsFor(t *testing.T) {
	for name, p := range profiles {
		if p.about.ZH == "" || p.about.EN == "" {
			t.Errorf("%s says nothing", name)
		}
	}
	connectortest.Settings(t, Driver(time.Now))
}
