package restapi

import (
	"testing"
	"time"

	"xinshu/connectors/connectortest"
)

const vectorSecret = "0123456789abcdef0123456789abcdef"

// The vectors of facts.md 4.1 and 4.2.
func TestSignaturesMatchThePlatformsVectors(t *testing.T) {
	at := time.UnixMilli(1700000000000)
	for _, c := range []struct{ profile, id, sid, secret, nonce, header, want string }{
		{"national", "demo-requester-0001", "s_demo_0001", vectorSecret, "", "gjgxjhpt_sign", "GCdVPR7OlgqFXHoqNzXfukTfrGRhWzHaJwCmGLn+2vY="},
		{"national", "demo-requester-0001", "s_demo_0001", vectorSecret, "", "gjgxjhpt_rtime", "1700000000000"},
		{"openapi", "demo-client", "", vectorSecret, "abc123", "X-Signature", "gAGps+tuTUkI8+pG+SRbvSL/lbLoHWqivuLQkDLkTUc="},
		{"tif", "paas", "", "tok", "abc123", "x-tif-signature", "0914dee6ecc3bee83db6ee6655adbc4223e5ededc90d8f0b06f38d1674aef5e1"},
		{"tif", "paas", "", "tok", "abc123", "x-tif-timestamp", "1700000000"},
		{"bearer", "", "", "tok", "", "Authorization", "Bearer tok"},
	} {
		if got := profiles[c.profile].sign(c.id, c.sid, c.secret, c.nonce, at)[c.header]; got != c.want {
			t.Errorf("%s %s = %s, want %s", c.profile, c.header, got, c.want)
		}
	}
	if headers := profiles["plain"].sign("id", "sid", "secret", "n", at); len(headers) != 0 {
		t.Errorf("plain sends %v", headers)
	}
	if _, ok := profiles["tif"].sign("paas", "", "tok", "n", at)["x-tif-serviceId"]; ok {
		t.Error("an empty service id is sent")
	}
}

// A secret that looks like a template must not be filled in.
func TestTemplatesAreFilledOnce(t *testing.T) {
	if got := profiles["bearer"].sign("me", "", "{id}", "", time.Time{})["Authorization"]; got != "Bearer {id}" {
		t.Errorf("got %s", got)
	}
}

func TestAWorkingSecretIsUnsealedInThreeWays(t *testing.T) {
	const sealed = "hEu62l0S309bwiDlLNcJjVR+5EzKhdO2HNX8Senw/9U="
	if got, err := unseal("sha1prng", vectorSecret, sealed); err != nil || got != "demo-secret-0001" {
		t.Errorf("sha1prng: %q, %v", got, err)
	}
	derived := sha1prng([]byte(vectorSecret))
	if got, err := unseal("raw", string(derived), sealed); err != nil || got != "demo-secret-0001" {
		t.Errorf("raw with the derived key: %q, %v", got, err)
	}
	if got, err := unseal("none", vectorSecret, "plain"); err != nil || got != "plain" {
		t.Errorf("none: %q, %v", got, err)
	}
	for name, bad := range map[string][2]string{
		"another key":                   {vectorSecret[:31] + "0", sealed},
		"no Base64":                     {vectorSecret, "***"},
		"a cut block":                   {vectorSecret, sealed[:20] + "=="},
		"nothing":                       {vectorSecret, ""},
		"padding that is none":          {vectorSecret, "AAAAAAAAAAAAAAAAAAAAAA=="},
		"a raw key of the wrong length": {"short", sealed},
	} {
		mode := "sha1prng"
		if bad[0] == "short" {
			mode = "raw"
		}
		if got, err := unseal(mode, bad[0], bad[1]); err == nil {
			t.Errorf("%s gave %q", name, got)
		}
	}
}

func TestTheEndOfASecretIsReadInBothForms(t *testing.T) {
	want := time.Date(2026, 1, 12, 9, 30, 0, 0, time.FixedZone("", 8*3600))
	for _, text := range []string{"1768181400000", "2026-01-12 09:30:00"} {
		if got, err := parseEnd(text); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	if _, err := parseEnd("tomorrow"); err == nil {
		t.Error("tomorrow was taken for a time")
	}
}

func TestSettingsAreDeclaredWhole(t *testing.T) { connectortest.Settings(t, Driver(time.Now)) }
