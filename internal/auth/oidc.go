package auth

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"xinshu/internal/fault"
	"xinshu/internal/vault"
)

// OIDCConfig says at which provider people sign in, and what its claims mean here.
type OIDCConfig struct {
	Issuer, ClientID, ClientSecret string
	Redirect                       string   // this hub's address of the answer: https://hub/sign-in/oidc
	CAFile                         string   // of the authority that signed the provider's certificate; empty: those of the system
	Scopes                         []string // beside openid; empty: profile
	NameClaim                      string   // default preferred_username
	TitleClaim                     string   // default name
	RolesClaim                     string   // default roles; a.b looks into nested claims
	Grants                         []OIDCGrant
}

// OIDCGrant is what one value of the roles claim gives.
type OIDCGrant struct {
	Claim string
	Role  Role
	Scope Scope
}

// OIDC signs people in at a provider. It asks the provider when the first of them comes, so that the hub
// starts while the provider is down.
type OIDC struct {
	config   OIDCConfig
	client   *http.Client
	accounts *Accounts
	vault    *vault.Vault
	now      func() time.Time

	mu       sync.Mutex
	provider *oidc.Provider
}

// NewOIDC says everything that is wrong with a config.
func NewOIDC(c OIDCConfig, accounts *Accounts, v *vault.Vault, now func() time.Time) (*OIDC, error) {
	c.NameClaim, c.TitleClaim, c.RolesClaim = cmp.Or(c.NameClaim, "preferred_username"), cmp.Or(c.TitleClaim, "name"), cmp.Or(c.RolesClaim, "roles")
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile"}
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // the library's own
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			return nil, &fault.Error{Op: "read auth.oidc.ca_file", Code: fault.Invalid, Err: cmp.Or(err, errors.New("there is no certificate in it"))}
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &OIDC{config: c, client: &http.Client{Transport: transport, Timeout: 15 * time.Second}, accounts: accounts, vault: v, now: now}, nil
}

// Check says everything that is wrong with a config, a line each that begins with the setting.
func (c OIDCConfig) Check() error {
	var faults []error
	for _, s := range []struct{ name, value string }{{"issuer", c.Issuer}, {"client_id", c.ClientID}, {"redirect", c.Redirect}} {
		if s.value == "" {
			faults = append(faults, fmt.Errorf("%s is not set", s.name))
		}
	}
	for _, s := range []struct{ name, value string }{{"issuer", c.Issuer}, {"redirect", c.Redirect}} {
		if s.value != "" && !strings.HasPrefix(s.value, "https://") && !strings.HasPrefix(s.value, "http://127.0.0.1") && !strings.HasPrefix(s.value, "http://localhost") {
			faults = append(faults, fmt.Errorf("%s does not begin with https://", s.name))
		}
	}
	if len(c.Grants) == 0 {
		faults = append(faults, errors.New("grants names none: nobody could sign in"))
	}
	for i, g := range c.Grants {
		wrong := checkGrant([]Role{g.Role}, g.Scope, time.Time{}, time.Time{})
		if g.Role == ThirdParty || g.Role == Downstream {
			wrong = []error{fmt.Errorf("the role %s is not given by claims", g.Role)}
		}
		if g.Claim == "" {
			wrong = append(wrong, errors.New("claim is not set"))
		}
		for _, err := range wrong {
			faults = append(faults, fmt.Errorf("grants: number %d: %w", i+1, err))
		}
	}
	return errors.Join(faults...)
}

// ask gives the provider's addresses and keys, asking for them once.
func (o *OIDC) ask(ctx context.Context) (*oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider != nil {
		return o.provider, nil
	}
	// The provider keeps the context for its keys: it may not end with this request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.client), o.config.Issuer)
	if err != nil {
		return nil, &fault.Error{Op: "reach the sign-in provider", Code: fault.Unavailable, Err: err, Hint: "check auth.oidc.issuer and the network; local accounts still sign in"}
	}
	o.provider = p
	return p, nil
}

func (o *OIDC) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: o.config.Redirect, Scopes: append([]string{oidc.ScopeOpenID}, o.config.Scopes...)}
}

// started is what the browser carries, sealed, from the start to the answer.
type started struct {
	State, Nonce, Verifier, To string
	Until                      int64
}

const (
	oidcCookie = "xinshu_oidc"
	oidcWithin = 10 * time.Minute
)

var errNoProvider = &fault.Error{Op: "sign in elsewhere", Code: fault.NotFound, Err: errors.New("no provider is set up"), Hint: "sign in with a name and a password"}

// Start gives the provider's address to send the browser to. to is the page to go to afterwards.
func (g *Guard) Start(w http.ResponseWriter, r *http.Request, to string) (address string, err error) {
	o := g.OIDC
	if o == nil {
		return "", errNoProvider
	}
	p, err := o.ask(r.Context())
	if err != nil {
		return "", err
	}
	s := started{State: newToken(), Nonce: newToken(), Verifier: oauth2.GenerateVerifier(), To: LocalPath(to), Until: o.now().Add(oidcWithin).Unix()}
	text, err := json.Marshal(s)
	if err != nil {
		return "", fault.Newf(fault.Internal, "begin to sign in", "%w", err)
	}
	sealed, err := o.vault.Seal(oidcCookie, text)
	if err != nil {
		return "", err
	}
	g.setCookie(w, r, oidcCookie, sealed, int(oidcWithin/time.Second))
	return o.oauth(p).AuthCodeURL(s.State, oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier)), nil
}

// Finish takes the provider's answer, signs the browser in, and gives the page to go to.
func (g *Guard) Finish(w http.ResponseWriter, r *http.Request) (to string, err error) {
	o, address := g.OIDC, addressText(g.Address(r))
	if o == nil {
		return "", errNoProvider
	}
	s, err := g.started(w, r)
	if err != nil {
		return "", err
	}
	claims, subject, err := o.claims(r, s)
	if err != nil {
		return "", err
	}
	u, err := o.user(claims, subject)
	if err != nil {
		return "", err
	}
	token, err := g.Accounts.signInElsewhere(With(r.Context(), Actor{Way: WaySession, Address: address}), u, address, agent(r))
	return s.To, g.begin(w, r, token, err)
}

// started opens what Start gave the browser; it is good once.
func (g *Guard) started(w http.ResponseWriter, r *http.Request) (s started, err error) {
	wrong := &fault.Error{Op: "sign in", Code: fault.Unauthorized, Err: errors.New("the answer belongs to no sign-in begun in this browser, or came too late"), Hint: "begin again"}
	c, err := r.Cookie(g.cookieName(r, oidcCookie))
	if err != nil {
		return s, wrong
	}
	g.setCookie(w, r, oidcCookie, "", -1)
	text, err := g.OIDC.vault.Open(oidcCookie, c.Value)
	if err != nil || json.Unmarshal(text, &s) != nil || !sameText(s.State, r.URL.Query().Get("state")) || g.OIDC.now().Unix() >= s.Until {
		return s, wrong
	}
	return s, nil
}

// claims changes the code of the answer for the provider's word about the person, and proves it.
func (o *OIDC) claims(r *http.Request, s started) (claims map[string]any, subject string, err error) {
	const op = "sign in"
	if said := r.URL.Query().Get("error"); said != "" {
		return nil, "", &fault.Error{Op: op, Code: fault.Unauthorized, Err: fmt.Errorf("the provider says %q", clipText(said, 100)), Hint: "try again, or ask who runs the provider"}
	}
	p, err := o.ask(r.Context())
	if err != nil {
		return nil, "", err
	}
	ctx := oidc.ClientContext(r.Context(), o.client)
	token, err := o.oauth(p).Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		if answer := new(oauth2.RetrieveError); errors.As(err, &answer) { // its text holds the whole answer
			err = fmt.Errorf("it answers %q", clipText(answer.ErrorCode, 100))
		}
		return nil, "", &fault.Error{Op: op, Code: fault.Unauthorized, Err: fmt.Errorf("the provider does not take the code: %w", err), Hint: "begin again"}
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, "", fault.Newf(fault.Unauthorized, op, "the provider sent no identity")
	}
	id, err := p.VerifierContext(ctx, &oidc.Config{ClientID: o.config.ClientID, Now: o.now}).Verify(ctx, raw)
	if err != nil || !sameText(id.Nonce, s.Nonce) {
		return nil, "", &fault.Error{Op: op, Code: fault.Unauthorized, Err: cmp.Or(err, errors.New("the identity belongs to another sign-in")), Hint: "begin again; check the clocks of hub and provider"}
	}
	if err := id.Claims(&claims); err != nil {
		return nil, "", fault.Newf(fault.Unauthorized, op, "the identity cannot be read: %w", err)
	}
	return claims, id.Issuer + "|" + id.Subject, nil
}

// user is what the claims make of a person.
func (o *OIDC) user(claims map[string]any, subject string) (User, error) {
	name, _ := claims[o.config.NameClaim].(string)
	title, _ := claims[o.config.TitleClaim].(string)
	u := User{Name: strings.ToLower(name), Title: clipText(title, 100), Subject: subject}
	values := claimValues(claims, o.config.RolesClaim)
	for _, g := range o.config.Grants {
		if !slices.Contains(values, g.Claim) {
			continue
		}
		if !slices.Contains(u.Roles, g.Role) {
			u.Roles = append(u.Roles, g.Role)
		}
		u.Scope.Departments = union(u.Scope.Departments, g.Scope.Departments)
		u.Scope.Areas = union(u.Scope.Areas, g.Scope.Areas)
	}
	if len(u.Roles) == 0 {
		return u, &fault.Error{Op: "sign in", Code: fault.Forbidden, Err: errors.New("the provider gives this person no role of the hub"), Hint: "an administrator adds a grant in auth.oidc, or the person to a group"}
	}
	return u, u.check()
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// claimValues reads a claim that is a text or a list of texts, at a path of names.
func claimValues(claims map[string]any, path string) (values []string) {
	var at any = claims
	if whole, ok := claims[path]; ok { // some providers have names with dots
		at, path = whole, ""
	}
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		inner, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = inner[name]
	}
	switch v := at.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		for _, item := range v {
			if text, ok := item.(string); ok {
				values = append(values, text)
			}
		}
	}
	return values
}

// signInElsewhere begins a session for a person that a provider vouches for. Their roles are the
// provider's, each time; disabling stays ours.
func (a *Accounts) signInElsewhere(ctx context.Context, u User, address, agent string) (string, error) {
	was, found, err := a.store.UserOf(ctx, u.Subject)
	if err != nil {
		return "", err
	}
	switch {
	case !found:
		u.Created, u.Version = a.now(), 1
		if err := a.record(With(ctx, u.Actor(WaySession, address)), Act{Action: "user.add", Kind: "user", ID: u.Name, Detail: grantDetail(u.Roles, u.Scope, u.From, u.Until)}); err != nil {
			return "", err
		}
		if err := a.store.AddUser(ctx, u, ""); err != nil {
			return "", err
		}
	case !was.InForce(a.now()):
		if err := a.refuse(ctx, was.Name, "disabled or out of its term"); err != nil {
			return "", err
		}
		return "", &fault.Error{Op: "sign in", Code: fault.Forbidden, Err: errors.New("this account may not sign in"), Hint: "ask an administrator"}
	default:
		now := was
		now.Title, now.Roles, now.Scope = u.Title, u.Roles, u.Scope
		u = now
		if grantText(now) != grantText(was) || now.Title != was.Title {
			if err := a.record(With(ctx, now.Actor(WaySession, address)), Act{Action: "user.change", Kind: "user", ID: now.Name, Detail: grantDetail(now.Roles, now.Scope, now.From, now.Until)}); err != nil {
				return "", err
			}
			if err := a.store.ChangeUser(ctx, now); err != nil {
				return "", err
			}
		}
	}
	if err := a.record(With(ctx, u.Actor(WaySession, address)), Act{Action: "sign_in", Kind: "user", ID: u.Name, Detail: map[string]string{"by": "oidc"}}); err != nil {
		return "", err
	}
	return a.open(ctx, u, WaySession, address, agent)
}
