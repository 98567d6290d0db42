package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/internal/vault"
)

// provider is an OIDC provider on loopback, over TLS: discovery, keys, sign-in page, token with PKCE.
type provider struct {
	*httptest.Server
	t      *testing.T
	key    *rsa.PrivateKey
	signer *rsa.PrivateKey // what tokens are signed with; another than key is a forger's
	mu     sync.Mutex
	asked  map[string]url.Values // by code: what the hub asked for
	claims map[string]any        // beside the standard ones
	change func(map[string]any)  // spoils a token
}

const clientSecret = "the hub's secret at the provider"

func newProvider(t *testing.T) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, signer: key, asked: map[string]url.Values{}, claims: map[string]any{}}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		code := rand.Text()
		p.mu.Lock()
		p.asked[code] = q
		p.mu.Unlock()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		asked := p.asked[r.FormValue("code")]
		delete(p.asked, r.FormValue("code"))
		p.mu.Unlock()
		id, secret, _ := r.BasicAuth()
		if secret, _ = url.QueryUnescape(secret); secret == "" {
			id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
		}
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if asked == nil || id != "xinshu" || secret != clientSecret || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("redirect_uri") != r.FormValue("redirect_uri") {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"error": "invalid_grant", "error_description": "secret words of the provider"})
			return
		}
		answer(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": p.token(asked.Get("nonce"))})
	})
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) token(nonce string) string {
	claims := map[string]any{"iss": p.URL, "aud": "xinshu", "sub": "4711", "nonce": nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(claims, p.claims)
	if p.change != nil {
		p.change(claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.signer, KeyID: "k1"}}, nil)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		p.t.Error(err)
	}
	return raw
}

// hub is a guard that signs people in at the provider.
type hub struct {
	*auth.Guard
	t     *testing.T
	p     *provider
	trail *audit.Trail
}

func newHub(t *testing.T) *hub {
	t.Helper()
	ok := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	p := newProvider(t)
	s, err := state.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), time.Now)
	ok(err)
	t.Cleanup(func() { _ = s.Close() })
	k, _ := vault.NewKey()
	v, err := vault.New(k)
	ok(err)
	trail := audit.New(s, v, time.Now)
	accounts := auth.NewAccounts(s, trail, auth.Rules{Cost: auth.Cost{Time: 1, MemoryKB: 64, Threads: 1}}, time.Now)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	ok(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}), 0o600))
	o, err := auth.NewOIDC(auth.OIDCConfig{Issuer: p.URL, ClientID: "xinshu", ClientSecret: clientSecret, Redirect: "http://127.0.0.1/sign-in/oidc", CAFile: ca, RolesClaim: "realm_access.roles",
		Grants: []auth.OIDCGrant{
			{Claim: "credit", Role: auth.CreditOffice}, {Claim: "data", Role: auth.Steward},
			{Claim: "tax", Role: auth.DepartmentUser, Scope: auth.Scope{Departments: []string{"tax"}}}, {Claim: "court", Role: auth.DepartmentUser, Scope: auth.Scope{Departments: []string{"court"}}},
		}}, accounts, v, time.Now)
	ok(err)
	return &hub{Guard: &auth.Guard{Accounts: accounts, Limits: auth.NewLimits(0, 0, time.Now), OIDC: o}, t: t, p: p, trail: trail}
}

// walk is a browser's way to the provider and back; between may spoil the answer's request.
func (h *hub) walk(between func(*http.Request)) (auth.Actor, string, error) {
	h.t.Helper()
	w := httptest.NewRecorder()
	to, err := h.Start(w, httptest.NewRequest(http.MethodGet, "/sign-in/oidc/start", nil), "/grades")
	if err != nil {
		return auth.Actor{}, "", err
	}
	browser := h.p.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := browser.Get(to)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = answer.Body.Close()
	back := httptest.NewRequest(http.MethodGet, answer.Header.Get("Location"), nil)
	for _, c := range w.Result().Cookies() {
		back.AddCookie(c)
	}
	if between != nil {
		between(back)
	}
	w = httptest.NewRecorder()
	page, err := h.Finish(w, back)
	if err != nil {
		return auth.Actor{}, "", err
	}
	first := httptest.NewRequest(http.MethodGet, page, nil)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge > 0 {
			first.AddCookie(c)
		}
	}
	a, err := h.Page(first)
	return a, page, err
}

func person(name string, roles ...any) map[string]any {
	return map[string]any{"preferred_username": name, "name": "李静", "realm_access": map[string]any{"roles": roles}}
}

func TestAProvidersWordSignsAPersonInWithItsRoles(t *testing.T) {
	h := newHub(t)
	h.p.claims = person("Li.Jing", "credit", "unknown")
	a, page, err := h.walk(nil)
	if err != nil || a.ID != "user:li.jing" || a.Name != "李静" || !a.May(auth.CasesDecide) || a.May(auth.QuarantineMend) || page != "/grades" {
		t.Fatalf("%+v to %s, %v", a, page, err)
	}
	h.p.claims = person("li.jing", "data") // moved to another office
	if a, _, err = h.walk(nil); err != nil || a.May(auth.CasesDecide) || !a.May(auth.QuarantineMend) {
		t.Errorf("after the move: %+v, %v", a, err)
	}
	if _, err := h.Accounts.SignIn(t.Context(), "li.jing", "", "", ""); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("the account has a password: %v", err)
	}
	if _, err := h.Accounts.Reset(t.Context(), "li.jing"); !fault.Is(err, fault.Conflict) {
		t.Errorf("the account is given a password: %v", err)
	}
	if err := h.Accounts.Disable(t.Context(), "li.jing", true); err == nil {
		_, _, err := h.walk(nil)
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("disabled here, and let in: %v", err)
		}
	} else {
		t.Error(err)
	}
	h.p.claims = person("ma", "tax", "court")
	h.p.claims["sub"] = "4712"
	if a, _, err = h.walk(nil); err != nil || len(a.Scope.Departments) != 2 || !a.Scope.HasDepartment("court") || a.Scope.HasDepartment("amr") {
		t.Errorf("a department user: %+v, %v", a, err)
	}
}

func TestWhatAProviderDidNotSaySignsNobodyIn(t *testing.T) {
	h := newHub(t)
	h.p.claims = person("li", "credit")
	forger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(map[string]any){
		"for another client":      func(c map[string]any) { c["aud"] = "another" },
		"by another issuer":       func(c map[string]any) { c["iss"] = "https://evil.example" },
		"of yesterday":            func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"of another sign-in":      func(c map[string]any) { c["nonce"] = "x" },
		"without the nonce":       func(c map[string]any) { delete(c, "nonce") },
		"with a forged signature": func(map[string]any) { h.p.signer = forger },
	} {
		h.p.change = spoil
		if a, _, err := h.walk(nil); !fault.Is(err, fault.Unauthorized) {
			t.Errorf("a token %s: %+v, %v", what, a, err)
		}
		h.p.signer, h.p.change = h.p.key, nil
	}
	for what, spoil := range map[string]func(*http.Request){
		"another state":             func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "state=", "state=x", 1) },
		"another browser":           func(r *http.Request) { r.Header.Del("Cookie") },
		"another code":              func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "code=", "code=x", 1) },
		"the provider's refusal":    func(r *http.Request) { r.URL.RawQuery += "&error=access_denied" },
		"a cookie of one's own":     func(r *http.Request) { r.Header.Set("Cookie", "xinshu_oidc=xv1.00000000.AAAA") },
		"a state that is left away": func(r *http.Request) { r.URL.RawQuery = "code=x" },
	} {
		a, _, err := h.walk(spoil)
		if !fault.Is(err, fault.Unauthorized) {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret words") {
			t.Errorf("%s: the provider's answer is told: %v", what, err)
		}
	}
	users, err := h.Accounts.List(t.Context())
	if err != nil || len(users) != 0 {
		t.Errorf("accounts were made: %+v, %v", users, err)
	}
	if _, _, err := h.walk(nil); err != nil {
		t.Errorf("unspoiled: %v", err)
	}
}

func TestClaimsThatGiveNothingOrTakeAnothersNameAreRefused(t *testing.T) {
	h := newHub(t)
	h.p.claims = person("li", "cleaner")
	if _, _, err := h.walk(nil); !fault.Is(err, fault.Forbidden) {
		t.Errorf("without a role: %v", err)
	}
	if _, err := h.Accounts.Add(t.Context(), auth.User{Name: "boss", Roles: []auth.Role{auth.Administrator}}, ""); err != nil {
		t.Fatal(err)
	}
	h.p.claims = person("boss", "credit")
	if _, _, err := h.walk(nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("a local account's name: %v", err)
	}
	h.p.claims = person("../etc", "credit")
	if _, _, err := h.walk(nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("a name that is none: %v", err)
	}
	h.p.claims = person("li", "credit", "tax")
	if _, _, err := h.walk(nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("roles that do not stand beside one another: %v", err)
	}
}

func TestAProviderThatDoesNotAnswerIsSaidAndTriedAgain(t *testing.T) {
	h := newHub(t)
	h.p.claims = person("li", "credit")
	handler := h.p.Config.Handler
	h.p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	if _, _, err := h.walk(nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a provider that is down: %v", err)
	}
	h.p.Config.Handler = handler
	if _, _, err := h.walk(nil); err != nil {
		t.Errorf("up again: %v", err)
	}
}

func TestWithoutAProviderNobodyIsSentToOne(t *testing.T) {
	h := newHub(t)
	h.OIDC = nil
	r := httptest.NewRequest(http.MethodGet, "/sign-in/oidc?code=x&state=y", nil)
	if _, err := h.Start(httptest.NewRecorder(), r, "/"); !fault.Is(err, fault.NotFound) {
		t.Errorf("start: %v", err)
	}
	if _, err := h.Finish(httptest.NewRecorder(), r); !fault.Is(err, fault.NotFound) {
		t.Errorf("finish: %v", err)
	}
}
