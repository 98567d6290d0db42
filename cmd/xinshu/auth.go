package main

import (
	"context"
	"strings"
	"time"

	"xinshu/internal/auth"
)

// AuthConfig says who may use the service and how long, and how often anybody may ask.
type AuthConfig struct {
	// SessionIdle ends a browser's session that was not used for so long. Default: 30m.
	SessionIdle string `yaml:"session_idle,omitempty"`
	// SessionLongest ends every session after so long. Default: 12h.
	SessionLongest string `yaml:"session_longest,omitempty"`
	// PasswordDays is the age at which a password must be changed. Default: 0, never.
	PasswordDays int `yaml:"password_days,omitempty"`
	// Failures are wrong passwords in a row that shut an account, for a minute and then longer each time. Default: 5.
	Failures int `yaml:"failures,omitempty"`
	// TrustedProxies are addresses and networks of proxies whose X-Forwarded-For and -Proto are believed. Default: none.
	TrustedProxies []string `yaml:"trusted_proxies,omitempty"`
	// ClientRate bounds the requests a second of one user or program, on each node. Default: 50.
	ClientRate int `yaml:"client_rate,omitempty"`
	// AddressRate bounds the requests a second from one address, on each node. Default: 200.
	AddressRate int `yaml:"address_rate,omitempty"`
	// OIDC lets people sign in at a provider too. Without an issuer it is off.
	OIDC OIDCConfig `yaml:"oidc,omitempty"`
}

// OIDCConfig is the provider at which people sign in.
type OIDCConfig struct {
	// Issuer is the provider's address, as its own discovery page writes it. Default: none.
	Issuer string `yaml:"issuer,omitempty"`
	// ClientID and ClientSecret are the hub's at the provider.
	ClientID     string `yaml:"client_id,omitempty"`
	ClientSecret string `yaml:"client_secret,omitempty"`
	// Redirect is the hub's address for the answer, such as https://hub.example.gov.cn/sign-in/oidc.
	Redirect string `yaml:"redirect,omitempty"`
	// CAFile is the certificate of the authority that signed the provider's. Empty: those of the system.
	CAFile string `yaml:"ca_file,omitempty"`
	// Scopes are asked for beside openid. Default: profile.
	Scopes []string `yaml:"scopes,omitempty"`
	// NameClaim, TitleClaim and RolesClaim hold the account's name, what people call it, and the groups
	// that Grants speak of; a.b looks into nested claims. Defaults: preferred_username, name, roles.
	NameClaim  string `yaml:"name_claim,omitempty"`
	TitleClaim string `yaml:"title_claim,omitempty"`
	RolesClaim string `yaml:"roles_claim,omitempty"`
	// Grants say what a value of the roles claim gives.
	Grants []OIDCGrant `yaml:"grants,omitempty"`
}

// OIDCGrant gives a role to everybody whose roles claim holds a value.
type OIDCGrant struct {
	Claim string `yaml:"claim,omitempty"`
	Role  string `yaml:"role,omitempty"`
	// Departments narrow a department_user, Areas a township_user.
	Departments []string `yaml:"departments,omitempty"`
	Areas       []string `yaml:"areas,omitempty"`
}

func (c AuthConfig) check(f *configFaults) {
	at := func(steps ...any) []any { return append([]any{"auth"}, steps...) }
	for name, text := range map[string]string{"session_idle": c.SessionIdle, "session_longest": c.SessionLongest} {
		if d, err := time.ParseDuration(text); text != "" && (err != nil || d < time.Minute) {
			f.add(at(name), "auth.%s is %q, no time of a minute or more such as 30m", name, text)
		}
	}
	for name, n := range map[string]int{"password_days": c.PasswordDays, "failures": c.Failures, "client_rate": c.ClientRate, "address_rate": c.AddressRate} {
		if n < 0 {
			f.add(at(name), "auth.%s is %d; it is 0 or more", name, n)
		}
	}
	if _, err := auth.Networks(c.TrustedProxies); err != nil {
		f.add(at("trusted_proxies"), "auth.trusted_proxies: %s", err)
	}
	if c.OIDC.on() {
		if err := c.OIDC.provider().Check(); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				name, _, _ := strings.Cut(line, " ") // each begins with the setting's name
				f.add(at("oidc", strings.TrimSuffix(name, ":")), "auth.oidc.%s", line)
			}
		}
	}
}

func (c OIDCConfig) on() bool {
	return c.Issuer != "" || c.ClientID != "" || c.Redirect != "" || len(c.Grants) > 0
}

func (c OIDCConfig) provider() auth.OIDCConfig {
	p := auth.OIDCConfig{Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret, Redirect: c.Redirect, CAFile: c.CAFile, Scopes: c.Scopes,
		NameClaim: c.NameClaim, TitleClaim: c.TitleClaim, RolesClaim: c.RolesClaim}
	for _, g := range c.Grants {
		p.Grants = append(p.Grants, auth.OIDCGrant{Claim: g.Claim, Role: auth.Role(g.Role), Scope: auth.Scope{Departments: g.Departments, Areas: g.Areas}})
	}
	return p
}

func (c AuthConfig) rules() auth.Rules {
	idle, _ := time.ParseDuration(c.SessionIdle) // empty; anything else was checked when the config was read
	longest, _ := time.ParseDuration(c.SessionLongest)
	return auth.Rules{Idle: idle, Longest: longest, PasswordAge: time.Duration(c.PasswordDays) * 24 * time.Hour, Failures: int64(c.Failures)}
}

// newGuard wires who a request is made by.
func (a *app) newGuard() (*auth.Guard, error) {
	c := a.config.Auth
	proxies, err := auth.Networks(c.TrustedProxies)
	if err != nil {
		return nil, err
	}
	g := &auth.Guard{Accounts: a.accounts, Keys: a.keys, Proxies: proxies, Limits: auth.NewLimits(float64(c.ClientRate), float64(c.AddressRate), time.Now)}
	if c.OIDC.on() {
		if g.OIDC, err = auth.NewOIDC(c.OIDC.provider(), a.accounts, a.vault, time.Now); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// welcome prints the token with which the first administrator is made, where nobody has an account yet.
func (t *terminal) welcome(ctx context.Context, a *app, address string) error {
	empty, err := a.accounts.Empty(ctx)
	if err != nil || !empty {
		return err
	}
	token, err := a.accounts.SetupToken(ctx)
	if err != nil {
		return err
	}
	t.say("还没有用户。请在 %s/setup 用此一次性令牌建立第一个管理员（24 小时内有效）：\nthere is no user yet: make the first administrator at %s/setup with this token, which is good once and for 24 hours:\n\n    %s\n", address, address, token)
	return nil
}
