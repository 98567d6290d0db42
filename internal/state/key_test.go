package state

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/vault"
)

// door is a guard over a real database with everything that it needs.
type door struct {
	*fixture
	*auth.Guard
	trail *audit.Trail
}

func newDoor(f *fixture) *door {
	f.t.Helper()
	a, trail := f.people(auth.Rules{})
	k, _ := vault.NewKey()
	v, err := vault.New(k)
	f.ok(err)
	now := func() time.Time { return f.clock }
	return &door{fixture: f, trail: trail, Guard: &auth.Guard{Accounts: a, Keys: auth.NewKeys(f.State, f.State, v, trail, now), Limits: auth.NewLimits(0, 0, now)}}
}

func (d *door) key(k auth.Key) (auth.Key, string) {
	d.t.Helper()
	if k.Until.IsZero() {
		k.Until = d.clock.Add(24 * time.Hour)
	}
	if k.Title == "" {
		k.Title = "test"
	}
	if k.Kind == "" {
		k.Kind = auth.Bearer
	}
	by := auth.Actor{ID: "user:boss"}
	if strings.HasPrefix(k.Owner, "user:") {
		by.ID = k.Owner
	}
	k, text, err := d.Keys.Make(auth.With(d.t.Context(), by), k)
	d.ok(err)
	return k, text
}

func platform(name string) auth.Key {
	return auth.Key{Owner: "client:" + name, Roles: []auth.Role{auth.Downstream}, Scope: auth.Scope{Policies: []string{"lingyuan-2021"}, Areas: []string{"41"}, Fields: []string{"name"}}}
}

func ask(method, target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "10.0.0.7:4711"
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return r
}

func TestABearerKeyIsItsOwnersActorAsLongAsItIsGood(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		k, text := d.key(platform("dc"))
		use := func(text string) (auth.Actor, error) {
			return d.Program(ask("GET", "/v1/grades/x", "", "Authorization: Bearer "+text))
		}
		a, err := use(text)
		f.ok(err)
		if a.ID != "client:dc" || !a.May(auth.GradesExport) || a.May(auth.RunsSee) || !a.Scope.HasPolicy("lingyuan-2021") || a.Scope.HasPolicy("henan-2020") || a.Way != auth.WayBearer || a.Address != "10.0.0.7" {
			t.Errorf("it is %+v", a)
		}
		kept, err := d.Keys.Get(t.Context(), k.ID)
		f.ok(err)
		if !kept.Used.Equal(f.clock) || kept.UsedAddress != "10.0.0.7" || kept.CreatedBy != "user:boss" {
			t.Errorf("kept as %+v", kept)
		}
		for _, wrong := range []string{"", "x", text + "x", text[:len(text)-1] + "*", strings.Replace(text, "xsk_", "xsk-", 1), "xsk_" + strings.Repeat("a", 16) + text[20:]} {
			_, err := use(wrong)
			f.code(err, fault.Unauthorized, "a wrong key")
		}
		_, err = d.Program(ask("GET", "/", "", "Authorization: Basic dTpw"))
		f.code(err, fault.Unauthorized, "another way")
		f.clock = f.clock.Add(24 * time.Hour)
		_, err = use(text)
		f.code(err, fault.Unauthorized, "beyond its end")
		k, text = d.key(platform("dc2"))
		f.ok(d.Keys.Revoke(t.Context(), k.ID))
		_, err = use(text)
		f.code(err, fault.Unauthorized, "revoked")
	})
}

func TestAKeyWorksFromItsAddressesOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		d.Proxies = []netip.Prefix{netip.MustParsePrefix("192.168.0.0/24")}
		k := platform("dc")
		k.Networks = []string{"10.0.0.0/24", "2001:db8::1"}
		_, text := d.key(k)
		for _, c := range []struct {
			peer, forwarded string
			ok              bool
		}{
			{"10.0.0.7:1", "", true}, {"[2001:db8::1]:1", "", true}, {"[::ffff:10.0.0.7]:1", "", true}, {"10.0.1.7:1", "", false},
			{"10.0.1.7:1", "10.0.0.7", false}, // not by a proxy that is trusted
			{"192.168.0.2:1", "10.0.0.7", true}, {"192.168.0.2:1", "9.9.9.9, 10.0.0.7", true}, {"192.168.0.2:1", "10.0.0.7, 9.9.9.9", false},
			{"192.168.0.2:1", "10.0.0.7, 192.168.0.3", true}, {"192.168.0.2:1", "", false}, {"192.168.0.2:1", "nonsense", false}, {"", "", false},
		} {
			r := ask("GET", "/", "", "Authorization: Bearer "+text)
			r.RemoteAddr = c.peer
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if _, err := d.Program(r); (err == nil) != c.ok {
				t.Errorf("from %s for %q: %v", c.peer, c.forwarded, err)
			}
		}
	})
}

func TestAUsersKeyHasAtMostTheUsersRightsAndScope(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		ctx := t.Context()
		f.settled(d.Accounts, "boss", auth.Administrator)
		_, err := d.Accounts.Add(ctx, auth.User{Name: "town", Roles: []auth.Role{auth.TownshipUser}, Scope: auth.Scope{Areas: []string{"410481"}}}, birch)
		f.ok(err)
		_, err = d.Accounts.ChangePassword(ctx, "town", birch, oak, "", "")
		f.ok(err)
		mine := auth.Key{Owner: "user:town", Kind: auth.Bearer, Title: "t", Until: f.clock.Add(time.Hour), Rights: []auth.Right{auth.GradesSee}, Scope: auth.Scope{Areas: []string{"41048101"}}}
		for what, change := range map[string]func(*auth.Key){
			"a right the user has not": func(k *auth.Key) { k.Rights = []auth.Right{auth.RunsSee} },
			"roles of its own":         func(k *auth.Key) { k.Roles = []auth.Role{auth.Administrator} },
			"another area":             func(k *auth.Key) { k.Scope.Areas = []string{"410482"} },
			"a wider area":             func(k *auth.Key) { k.Scope.Areas = []string{"4104"} },
			"an end in ten years":      func(k *auth.Key) { k.Until = f.clock.AddDate(10, 0, 0) },
			"a network that is none":   func(k *auth.Key) { k.Networks = []string{"everywhere"} },
			"no title":                 func(k *auth.Key) { k.Title = "" },
			"a kind that is none":      func(k *auth.Key) { k.Kind = "golden" },
		} {
			k := mine
			change(&k)
			_, _, err := d.Keys.Make(auth.With(ctx, auth.Actor{ID: "user:town"}), k)
			f.code(err, fault.Invalid, what)
		}
		_, _, err = d.Keys.Make(auth.With(ctx, auth.Actor{ID: "user:boss", Roles: []auth.Role{auth.Administrator}}), mine)
		f.code(err, fault.Forbidden, "made by somebody else")
		for _, rights := range [][]auth.Right{nil, {auth.CasesDecide}} {
			program := auth.Key{Owner: "client:bot", Kind: auth.Bearer, Title: "t", Until: f.clock.Add(time.Hour), Roles: []auth.Role{auth.CreditOffice}, Rights: rights}
			_, _, err = d.Keys.Make(ctx, program)
			f.code(err, fault.Invalid, "a program that decides cases")
		}
		metrics := auth.Key{Owner: "client:prometheus", Roles: []auth.Role{auth.Auditor}, Rights: []auth.Right{auth.MetricsSee}}
		d.key(metrics)
		nobody := mine
		nobody.Owner = "user:nobody"
		_, _, err = d.Keys.Make(ctx, nobody)
		f.code(err, fault.NotFound, "nobody's")
		_, text := d.key(mine)
		use := func() (auth.Actor, error) {
			return d.Program(ask("GET", "/", "", "Authorization: Bearer "+text))
		}
		a, err := use()
		f.ok(err)
		if a.ID != "user:town" || !a.May(auth.GradesSee) || a.May(auth.GradesSum) || !a.Scope.InArea("41048101") || a.Scope.InArea("410481") {
			t.Errorf("it is %+v", a)
		}
		u, err := d.Accounts.Get(ctx, "town")
		f.ok(err)
		u.Scope.Areas = []string{"410482"}
		f.ok(d.Accounts.Change(ctx, u))
		_, err = use()
		f.code(err, fault.Unauthorized, "when the user moved to another area")
		u, _ = d.Accounts.Get(ctx, "town")
		u.Scope.Areas = []string{"410481"}
		u.Disabled = true
		f.ok(d.Accounts.Change(ctx, u))
		_, err = use()
		f.code(err, fault.Unauthorized, "when the user is disabled")
	})
}

func TestAKeyAndItsSuccessorAreBothGoodForAWhile(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		ctx := t.Context()
		for _, kind := range []string{auth.Bearer, auth.Signed} {
			k := platform("dc-" + kind)
			k.Kind = kind
			old, oldText := d.key(k)
			next, text, err := d.Keys.Rotate(ctx, old.ID, time.Hour, f.clock.AddDate(1, 0, 0))
			f.ok(err)
			_, _, err = d.Keys.Rotate(ctx, old.ID, time.Hour, f.clock.AddDate(1, 0, 0))
			f.code(err, fault.Conflict, "a third at the same time")
			good := func(id, text string) bool {
				r := ask("GET", "/", "", "Authorization: Bearer "+text)
				if kind == auth.Signed {
					auth.Sign(r, nil, id, text, fmt.Sprint("nonce-", id, f.clock.UnixNano()), f.clock)
				}
				_, err := d.Program(r)
				return err == nil
			}
			if !good(old.ID, oldText) || !good(next.ID, text) || next.Owner != old.Owner || !slices.Equal(next.Scope.Policies, old.Scope.Policies) {
				t.Errorf("%s: old and new are not both good: %+v", kind, next)
			}
			f.clock = f.clock.Add(time.Hour)
			if good(old.ID, oldText) || !good(next.ID, text) {
				t.Errorf("%s: an hour later the old one is good, or the new one is not", kind)
			}
			_, _, err = d.Keys.Rotate(ctx, old.ID, time.Hour, f.clock.AddDate(1, 0, 0))
			f.code(err, fault.Conflict, "a successor of one that has ended")
		}
	})
}

func TestASignedRequestIsTakenOnceAndAsItWasSigned(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		k := platform("dc")
		k.Kind = auth.Signed
		k, secret := d.key(k)
		n := 0
		signed := func() *http.Request {
			n++
			r := ask("POST", "/v1/receipts?a=1&b=%2F", `{"x":1}`)
			auth.Sign(r, []byte(`{"x":1}`), k.ID, secret, fmt.Sprint("nonce-number-", n), f.clock)
			return r
		}
		r := signed()
		a, err := d.Program(r)
		f.ok(err)
		body, err := io.ReadAll(r.Body)
		f.ok(err)
		if a.ID != "client:dc" || a.Way != auth.WaySignature || string(body) != `{"x":1}` {
			t.Errorf("%+v, body %s", a, body)
		}
		again := signed()
		again.Header = r.Header
		_, err = d.Program(again)
		f.code(err, fault.Unauthorized, "the same once more")
		for what, change := range map[string]func(*http.Request){
			"another method":      func(r *http.Request) { r.Method = "PUT" },
			"another path":        func(r *http.Request) { r.URL.Path = "/v1/receipts2" },
			"another query":       func(r *http.Request) { r.URL.RawQuery = "a=2&b=%2F" },
			"the query decoded":   func(r *http.Request) { r.URL.RawQuery = "a=1&b=/" },
			"another time":        func(r *http.Request) { r.Header.Set(auth.HeaderTime, fmt.Sprint(f.clock.UnixMilli()+1)) },
			"another nonce":       func(r *http.Request) { r.Header.Set(auth.HeaderNonce, "another-nonce") },
			"a short nonce":       func(r *http.Request) { r.Header.Set(auth.HeaderNonce, "x") },
			"another body":        func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"x":2}`)) },
			"a longer body":       func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"x":1} `)) },
			"a body without end":  func(r *http.Request) { r.Body = io.NopCloser(&endless{}) },
			"another digest":      func(r *http.Request) { r.Header.Set(auth.HeaderDigest, strings.Repeat("0", 64)) },
			"no signature":        func(r *http.Request) { r.Header.Del(auth.HeaderSignature) },
			"a signature of zero": func(r *http.Request) { r.Header.Set(auth.HeaderSignature, "") },
			"another key":         func(r *http.Request) { r.Header.Set("Authorization", auth.SignScheme+" aaaaaaaaaaaaaaaa") },
			"no time":             func(r *http.Request) { r.Header.Del(auth.HeaderTime) },
		} {
			r := signed()
			change(r)
			if _, err := d.Program(r); !fault.Is(err, fault.Unauthorized) && what != "a body without end" || err == nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, off := range []time.Duration{-6 * time.Minute, 6 * time.Minute} {
			r := ask("GET", "/", "")
			auth.Sign(r, nil, k.ID, secret, fmt.Sprint("nonce-off-", off), f.clock.Add(off))
			_, err := d.Program(r)
			f.code(err, fault.Unauthorized, "a clock that is off by "+off.String())
		}
		f.ok(d.Keys.Revoke(t.Context(), k.ID))
		_, err = d.Program(signed())
		f.code(err, fault.Unauthorized, "revoked")
		if _, found, err := f.Secret(t.Context(), "key/"+k.ID); err != nil || found {
			t.Errorf("the secret of a revoked key is still there: %v, %v", found, err)
		}
	})
}

type endless struct{}

func (*endless) Read(p []byte) (int, error) { return len(p), nil }

// cookies gives a browser's request what an answer set.
func cookies(r *http.Request, answer *httptest.ResponseRecorder) *http.Request {
	for _, c := range answer.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

func TestABrowsersSessionIsItsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		d.Proxies = []netip.Prefix{netip.MustParsePrefix("192.168.0.1/32")}
		f.settled(d.Accounts, "li", auth.Steward)
		for _, tls := range []bool{false, true} {
			from := func(method, body string, header ...string) *http.Request {
				r := ask(method, "http://hub.local/x", body, header...)
				if tls {
					r.RemoteAddr = "192.168.0.1:1"
					r.Header.Set("X-Forwarded-Proto", "https")
					r.Header.Set("X-Forwarded-For", "10.0.0.7")
				}
				return r
			}
			w := httptest.NewRecorder()
			f.ok(d.SignIn(w, from("POST", ""), "li", oak))
			c := w.Result().Cookies()[0]
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != tls || strings.HasPrefix(c.Name, "__Host-") != tls {
				t.Errorf("TLS %v: the cookie is %+v", tls, c)
			}
			a, err := d.Page(cookies(from("GET", ""), w))
			f.ok(err)
			if a.ID != "user:li" || a.Address != "10.0.0.7" {
				t.Errorf("it is %+v", a)
			}
			if a, err := d.Page(from("GET", "")); err != nil || a.ID != "" {
				t.Errorf("without a cookie: %+v, %v", a, err)
			}
			page := cookies(from("GET", ""), w)
			token := d.CSRF(page)
			if token == "" || token == c.Value || d.CSRF(from("GET", "")) != "" {
				t.Errorf("the token is %q", token)
			}
			// The API takes a browser's session, and changes only when the request shows that it is the page's own.
			for what, r := range map[string]*http.Request{
				"without the token":   from("POST", ""),
				"another's token":     from("POST", "", "X-Csrf-Token: "+auth.CSRF("another")),
				"from another site":   from("POST", "", "X-Csrf-Token: "+token, "Sec-Fetch-Site: cross-site"),
				"from another origin": from("DELETE", "", "X-Csrf-Token: "+token, "Origin: http://evil.example"),
			} {
				_, err := d.Program(cookies(r, w))
				f.code(err, fault.Forbidden, what)
			}
			if a, err := d.Program(cookies(from("POST", "", "X-Csrf-Token: "+token, "Sec-Fetch-Site: same-origin"), w)); err != nil || a.ID != "user:li" {
				t.Errorf("its own: %+v, %v", a, err)
			}
			if a, err := d.Program(cookies(from("GET", ""), w)); err != nil || a.ID != "user:li" {
				t.Errorf("a look: %+v, %v", a, err)
			}
			out := httptest.NewRecorder()
			f.ok(d.SignOut(out, cookies(from("POST", ""), w)))
			if gone := out.Result().Cookies()[0]; gone.MaxAge >= 0 || gone.Value != "" {
				t.Errorf("signing out leaves %+v", gone)
			}
			if a, err := d.Page(cookies(from("GET", ""), w)); err != nil || a.ID != "" {
				t.Errorf("signed out: %+v, %v", a, err)
			}
		}
	})
}

// A cookie that somebody had before signing in is not the one after: who planted it gains nothing.
func TestSigningInMakesANewToken(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		f.settled(d.Accounts, "li", auth.Steward)
		planted := &http.Cookie{Name: "xinshu_session", Value: strings.Repeat("a", 43)}
		r := ask("POST", "/sign-in", "")
		r.AddCookie(planted)
		w := httptest.NewRecorder()
		f.ok(d.SignIn(w, r, "li", oak))
		if w.Result().Cookies()[0].Value == planted.Value {
			t.Error("the planted token is the session's")
		}
		old := ask("GET", "/", "")
		old.AddCookie(planted)
		if a, err := d.Page(old); err != nil || a.ID != "" {
			t.Errorf("the planted token is %+v, %v", a, err)
		}
	})
}

// Everything secret is used once; then the database and all that was said are searched for it.
func TestNoSecretLiesInTheDatabaseOrInWhatIsSaid(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		ctx := t.Context()
		var said bytes.Buffer
		setup, err := d.Accounts.SetupToken(ctx)
		f.ok(err)
		first, err := d.Accounts.SetUp(ctx, setup, "boss", "", oak, "10.0.0.1", "test")
		f.ok(err)
		temporary, err := d.Accounts.Add(ctx, auth.User{Name: "li", Roles: []auth.Role{auth.Steward}}, "")
		f.ok(err)
		session, err := d.Accounts.SignIn(ctx, "boss", oak, "10.0.0.1", "test")
		f.ok(err)
		_, bearer := d.key(platform("dc"))
		k := platform("dc2")
		k.Kind = auth.Signed
		k, signing := d.key(k)
		r := ask("GET", "/", "")
		auth.Sign(r, nil, k.ID, signing, "nonce-nonce", f.clock)
		_, err = d.Program(r)
		f.ok(err)
		_, err = d.Accounts.SignIn(ctx, birch, birch, "10.0.0.1", "test") // typed into the field of the name
		fmt.Fprintln(&said, err)
		_, err = d.Accounts.SignIn(ctx, "boss", birch, "10.0.0.1", "test")
		fmt.Fprintln(&said, err)
		_, err = d.Program(ask("GET", "/", "", "Authorization: Bearer "+bearer+"x"))
		fmt.Fprintln(&said, err)
		users, err := d.Accounts.List(ctx)
		f.ok(err)
		keys, err := d.Keys.List(ctx, "")
		f.ok(err)
		fmt.Fprintf(&said, "%+v %#v %+v %#v", users, users, keys, keys)
		_, err = d.trail.Export(ctx, &said, audit.JSONLines, audit.Filter{})
		f.ok(err)
		f.dump(&said)
		for what, secret := range map[string]string{"the set-up token": setup, "a password": oak, "another": birch, "a temporary password": temporary, "a session": session, "the first session": first,
			"a bearer key": bearer, "its secret": bearer[len(bearer)-43:], "a signing secret": signing, "a form's token": auth.CSRF(session)} {
			if secret == "" || strings.Contains(said.String(), secret) {
				t.Errorf("%s can be read: %q", what, secret)
			}
		}
		if !strings.Contains(said.String(), "argon2id") || !strings.Contains(said.String(), "xv1.") {
			t.Error("the dump does not show the tables")
		}
	})
}

// dump writes every row of the tables of migration 9.
func (f *fixture) dump(w io.Writer) {
	f.t.Helper()
	for _, table := range []string{"account", "account_password", "account_session", "setup_token", "sign_in_failure", "access_key", "secret", "audit_entry", "audit_head", "nonce"} {
		f.dumpTable(w, table)
	}
}

func (f *fixture) dumpTable(w io.Writer, table string) {
	f.t.Helper()
	rows, err := f.db.QueryContext(f.t.Context(), "select * from "+table)
	f.ok(err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	f.ok(err)
	for rows.Next() {
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		f.ok(rows.Scan(into...))
		for _, c := range cells {
			fmt.Fprintf(w, "%s ", c)
		}
		fmt.Fprintln(w, table)
	}
	f.ok(rows.Err())
}

func TestAKeyThatIsGivenNoEndIsGoodForAYear(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		d := newDoor(f)
		ctx := auth.With(t.Context(), auth.Actor{ID: "user:boss"})
		k := platform("dc")
		k.Title, k.Kind = "t", auth.Bearer
		made, _, err := d.Keys.Make(ctx, k)
		f.ok(err)
		later := k
		later.Title, later.From = "later", f.clock.AddDate(0, 6, 0)
		then, _, err := d.Keys.Make(ctx, later)
		f.ok(err)
		f.clock = f.clock.AddDate(0, 1, 0)
		next, _, err := d.Keys.Rotate(ctx, made.ID, time.Hour, time.Time{})
		f.ok(err)
		for what, got := range map[string][2]time.Time{"made": {made.Until, f.clock.AddDate(0, 11, 0)}, "begins later": {then.Until, then.From.AddDate(1, 0, 0)}, "rotated": {next.Until, f.clock.AddDate(1, 0, 0)}} {
			if days := got[0].Sub(got[1]).Abs() / (24 * time.Hour); days > 3 { // months differ
				t.Errorf("%s: good until %s, not %s", what, got[0], got[1])
			}
		}
		k = auth.Key{Owner: "client:bank", Title: "t", Kind: auth.Bearer, Roles: []auth.Role{auth.ThirdParty}, Scope: auth.Scope{Policies: []string{"lingyuan-2021"}, Areas: []string{"41"}, Purpose: "service"}}
		if _, _, err := d.Keys.Make(ctx, k); !fault.Is(err, fault.Invalid) {
			t.Errorf("a third party's key without an end: %v", err)
		}
		k.Until = f.clock.AddDate(0, 3, 0)
		made, _, err = d.Keys.Make(ctx, k)
		f.ok(err)
		if next, _, err = d.Keys.Rotate(ctx, made.ID, time.Hour, time.Time{}); err != nil || !next.Until.Equal(made.Until) {
			t.Errorf("its successor is good until %s, not %s: %v", next.Until, made.Until, err)
		}
	})
}
