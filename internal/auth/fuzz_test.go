package auth_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/internal/vault"
)

// Whatever a stranger sends as a proof: nobody is let in, nothing breaks.
func FuzzAStrangersProofLetsNobodyIn(f *testing.F) {
	for _, proof := range []string{"Bearer xsk_aaaaaaaaaaaaaaaa_" + strings.Repeat("a", 43), "Bearer ", auth.SignScheme + " aaaaaaaaaaaaaaaa", "Basic dTpw", "bearer \x00", "Bearer xsk__", strings.Repeat("x", 9000), ""} {
		f.Add(proof, strings.Repeat("a", 43), "1761642000000", "nonce-nonce", "ff")
	}
	f.Add("Bearer 密钥", "密钥", "-1", "", "zz")
	s, err := state.Open(f.Context(), filepath.Join(f.TempDir(), "state.db"), time.Now)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	k, _ := vault.NewKey()
	v, err := vault.New(k)
	if err != nil {
		f.Fatal(err)
	}
	trail := audit.New(s, v, time.Now)
	guard := &auth.Guard{Accounts: auth.NewAccounts(s, trail, auth.Rules{}, time.Now), Keys: auth.NewKeys(s, s, v, trail, time.Now), Limits: auth.NewLimits(1e9, 1e9, time.Now)}
	f.Fuzz(func(t *testing.T, proof, cookie, at, nonce, signature string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/runs", strings.NewReader(nonce))
		r.Header["Authorization"] = []string{proof}
		r.Header["Cookie"] = []string{"xinshu_session=" + cookie}
		r.Header[http.CanonicalHeaderKey(auth.HeaderTime)] = []string{at}
		r.Header[http.CanonicalHeaderKey(auth.HeaderNonce)] = []string{nonce}
		r.Header[http.CanonicalHeaderKey(auth.HeaderSignature)] = []string{signature}
		r.Header["X-Forwarded-For"] = []string{cookie}
		for _, who := range []func(*http.Request) (auth.Actor, error){guard.Program, guard.Page} {
			a, err := who(r)
			if a.ID != "" || err != nil && !fault.Is(err, fault.Unauthorized) {
				t.Errorf("%+v, %v", a, err)
			}
		}
	})
}
