package auth

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// Guard says by whom a request is made: the one place where cookies, keys and signatures become actors.
// What the actor may do is asked by whoever serves the page or the operation, with Require.
type Guard struct {
	Accounts *Accounts
	Keys     *Keys
	Limits   *Limits
	OIDC     *OIDC          // nil: people sign in with passwords only
	Proxies  []netip.Prefix // whose word about the client's address and scheme is taken
}

// Page gives the actor of a request for a page: whoever signed in with this browser. Without a session
// it is nobody, and no error.
func (g *Guard) Page(r *http.Request) (Actor, error) {
	if err := g.Limits.Take("at:" + addressText(g.Address(r))); err != nil {
		return Actor{}, err
	}
	return g.bySession(r)
}

func (g *Guard) bySession(r *http.Request) (Actor, error) {
	token, address := g.token(r), addressText(g.Address(r))
	if token == "" {
		return Actor{Address: address}, nil
	}
	a, err := g.Accounts.BySession(r.Context(), token, address)
	if fault.Is(err, fault.Unauthorized) {
		return Actor{Address: address}, nil // the cookie outlived its session: sign in again
	}
	if err != nil {
		return Actor{}, err
	}
	return a, g.Limits.Take(a.ID)
}

// Program gives the actor of a request to the API: by bearer key, by signature, or by the session of a
// browser, which must then show that the request is its own and not another site's.
func (g *Guard) Program(r *http.Request) (Actor, error) {
	from := g.Address(r)
	if err := g.Limits.Take("at:" + addressText(from)); err != nil {
		return Actor{}, err
	}
	way, proof, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	var (
		a   Actor
		err error
	)
	switch {
	case way == "":
		if a, err = g.bySession(r); err == nil && a.ID != "" {
			err = g.ownScript(r)
		}
		return a, err
	case strings.EqualFold(way, "Bearer"):
		a, err = g.Keys.Bearer(r.Context(), strings.TrimSpace(proof), from)
	case way == SignScheme:
		a, err = g.Keys.Signed(r.Context(), r, strings.TrimSpace(proof), from)
	default:
		err = &fault.Error{Op: "use the API", Code: fault.Unauthorized, Err: errors.New("this kind of Authorization is not known"), Hint: "send Bearer and a key, or sign the request (" + SignScheme + ")"}
	}
	if err != nil {
		return Actor{}, errors.Join(err, g.Limits.Failed("at:"+addressText(from)))
	}
	return a, g.Limits.Take(a.ID)
}

// ownScript refuses a change that another site has the browser make: it must come from this origin and
// name the token of the session.
func (g *Guard) ownScript(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return nil
	}
	err := new(http.CrossOriginProtection).Check(r)
	if err == nil && !sameText(r.Header.Get(HeaderCSRF), g.CSRF(r)) {
		err = errors.New("the request does not name the token of the session in " + HeaderCSRF)
	}
	if err != nil {
		return &fault.Error{Op: "check where the request came from", Code: fault.Forbidden, Err: err, Hint: "a program sends a key and no cookie"}
	}
	return nil
}

// HeaderCSRF carries the token of the session where there is no form to carry it.
const HeaderCSRF = "X-Csrf-Token"

// CSRF gives the token that forms of this request's session carry; empty without a session.
func (g *Guard) CSRF(r *http.Request) string {
	if token := g.token(r); token != "" {
		return CSRF(token)
	}
	return ""
}

// Address is where a request comes from: the peer, or, when that is a trusted proxy, the last address in
// X-Forwarded-For that is none. What stands before it anybody can have written.
func (g *Guard) Address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := peer.Addr().Unmap().WithZone("")
	if !g.trusts(at) {
		return at
	}
	said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(said) {
		next, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			return at
		}
		if at = next.Unmap().WithZone(""); !g.trusts(at) {
			return at
		}
	}
	return at
}

func (g *Guard) trusts(a netip.Addr) bool {
	for _, p := range g.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Encrypted says whether the browser speaks TLS, to the hub or to a trusted proxy before it.
func (g *Guard) Encrypted(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && g.trusts(peer.Addr().Unmap().WithZone("")) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// cookieName keeps other hosts of the same domain from setting the cookie, where TLS allows it.
func (g *Guard) cookieName(r *http.Request, name string) string {
	if g.Encrypted(r) {
		return "__Host-" + name
	}
	return name
}

const sessionCookie = "xinshu_session"

func (g *Guard) token(r *http.Request) string {
	c, err := r.Cookie(g.cookieName(r, sessionCookie))
	if err != nil {
		return ""
	}
	return c.Value
}

func (g *Guard) setCookie(w http.ResponseWriter, r *http.Request, name, value string, seconds int) {
	//nolint:gosec // Secure wherever the browser speaks TLS; a trial on loopback does not
	http.SetCookie(w, &http.Cookie{Name: g.cookieName(r, name), Value: value, Path: "/", MaxAge: seconds, Secure: g.Encrypted(r), HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// agent is what the browser says it is.
func agent(r *http.Request) string { return clipText(r.UserAgent(), 200) }

// SignIn signs a browser in with a name and a password.
func (g *Guard) SignIn(w http.ResponseWriter, r *http.Request, name, password string) error {
	if err := g.Limits.Failed("at:" + addressText(g.Address(r))); err != nil { // each costs a hash
		return err
	}
	token, err := g.Accounts.SignIn(r.Context(), name, password, addressText(g.Address(r)), agent(r))
	return g.begin(w, r, token, err)
}

// SetUp makes the first administrator and signs the browser in as that.
func (g *Guard) SetUp(w http.ResponseWriter, r *http.Request, token, name, title, password string) error {
	if err := g.Limits.Failed("at:" + addressText(g.Address(r))); err != nil { // tokens are not to be tried in a row
		return err
	}
	session, err := g.Accounts.SetUp(r.Context(), token, name, title, password, addressText(g.Address(r)), agent(r))
	return g.begin(w, r, session, err)
}

// ChangePassword changes the password of the actor, ends its other sessions and goes on under a new token.
func (g *Guard) ChangePassword(w http.ResponseWriter, r *http.Request, old, password string) error {
	a := From(r.Context())
	name, is := strings.CutPrefix(a.ID, "user:")
	if !is || a.Way != WaySession {
		return &fault.Error{Op: "change the password", Code: fault.Forbidden, Err: errors.New("only who signed in with a browser changes a password")}
	}
	token, err := g.Accounts.ChangePassword(r.Context(), name, old, password, a.Address, agent(r))
	return g.begin(w, r, token, err)
}

func (g *Guard) begin(w http.ResponseWriter, r *http.Request, token string, err error) error {
	if err != nil {
		return err
	}
	g.setCookie(w, r, sessionCookie, token, int(g.Accounts.rules.Longest/time.Second))
	return nil
}

// SignOut ends the session of the browser.
func (g *Guard) SignOut(w http.ResponseWriter, r *http.Request) error {
	token := g.token(r)
	g.setCookie(w, r, sessionCookie, "", -1)
	if token == "" {
		return nil
	}
	return g.Accounts.SignOut(r.Context(), token)
}

// SignOutElsewhere ends every other session of the actor.
func (g *Guard) SignOutElsewhere(r *http.Request) error {
	name, is := strings.CutPrefix(From(r.Context()).ID, "user:")
	if !is {
		return nil
	}
	return g.Accounts.SignOutEverywhere(r.Context(), name, g.token(r))
}

// RetryAfter gives what stands in the header Retry-After for an error that asks to wait; empty for others.
func RetryAfter(err error) string {
	var soon *TooSoon
	if !errors.As(err, &soon) {
		return ""
	}
	return strconv.FormatInt(int64((soon.After+time.Second-1)/time.Second), 10)
}

// LocalPath gives a page to go to after signing in, as a stranger's link may name it: one of this hub, or
// the first.
func LocalPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}
