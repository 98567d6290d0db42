package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"xinshu/internal/fault"
)

// User is a person's account.
type User struct {
	Name       string    // to sign in with; never given to somebody else
	Title      string    // as people call them
	Roles      []Role    //
	Scope      Scope     //
	Subject    string    // at the OIDC provider; empty: signs in with a password
	Disabled   bool      //
	MustChange bool      // the password was set by somebody else and opens the account only to be changed
	From       time.Time // the term; zero: open at that end
	Until      time.Time //
	Created    time.Time
	Seen       time.Time // last sign-in; zero: never
	Version    int64     // grows with every change
}

// ID is the user's name among all actors.
func (u User) ID() string { return "user:" + u.Name }

// InForce says whether the account may be used at a time.
func (u User) InForce(now time.Time) bool { return !u.Disabled && inTerm(u.From, u.Until, now) }

func inTerm(from, until, now time.Time) bool {
	return (from.IsZero() || !now.Before(from)) && (until.IsZero() || now.Before(until))
}

// Actor is the user at work. Who must change the password first may do nothing else.
func (u User) Actor(way, address string) Actor {
	a := Actor{ID: u.ID(), Name: u.Title, Roles: slices.Clone(u.Roles), Scope: u.Scope, Way: way, Address: address}
	if a.Name == "" {
		a.Name = u.Name
	}
	if u.MustChange {
		a.Only = []Right{}
	}
	return a
}

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{1,63}$`)

// check says everything that is wrong with an account.
func (u User) check() error {
	var faults []error
	if !userName.MatchString(u.Name) {
		faults = append(faults, errors.New("a name has 2 to 64 of a-z, 0-9 and . _ - @, and begins with a letter or digit"))
	}
	if n := utf8.RuneCountInString(u.Title); n > 100 || strings.ContainsFunc(u.Title, isControl) {
		faults = append(faults, errors.New("the title has at most 100 characters and no control characters"))
	}
	faults = append(faults, checkGrant(u.Roles, u.Scope, u.From, u.Until)...)
	if slices.Contains(u.Roles, Downstream) {
		faults = append(faults, errors.New("the role downstream is a program's: make a key for it"))
	}
	if err := errors.Join(faults...); err != nil {
		return &fault.Error{Op: "save user " + u.Name, Code: fault.Invalid, Err: err}
	}
	return nil
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f || c == utf8.RuneError }

// alone are the roles that no account has beside another: the scope of the first three holds for the
// whole account, an auditor may not watch over the own acts, and a platform is no person.
var alone = []Role{DepartmentUser, TownshipUser, ThirdParty, Auditor, Downstream}

// checkGrant says what is wrong with roles and the scope that narrows them. A narrowed role without its
// scope would see everything: it is refused.
func checkGrant(roles []Role, s Scope, from, until time.Time) (faults []error) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(roles) == 0 {
		add("there is no role")
	}
	for i, r := range roles {
		switch {
		case !r.Known():
			add("there is no role %q", string(r))
		case slices.Contains(roles[:i], r):
			add("the role %s stands there twice", r)
		case slices.Contains(alone, r) && len(roles) > 1:
			add("the role %s stands alone; make another account for the others", r)
		}
	}
	if !from.IsZero() && !until.IsZero() && !from.Before(until) {
		add("the term ends before it begins")
	}
	switch {
	case slices.Contains(roles, DepartmentUser) && len(s.Departments) == 0:
		add("a department user wants the own department")
	case slices.Contains(roles, TownshipUser) && len(s.Areas) == 0:
		add("a township user wants the own area, the beginning of a division code")
	case slices.Contains(roles, ThirdParty):
		if until.IsZero() {
			add("a third party wants the day its access ends")
		}
		if s.Purpose == "" {
			add("a third party wants the purpose it was approved for")
		}
		if len(s.Policies) == 0 {
			add("a third party wants the policies it was approved for")
		}
		if len(s.Areas)+len(s.Industries)+len(s.Entities) == 0 {
			add("a third party wants areas, industries or entities")
		}
	}
	return append(faults, s.check()...)
}

var digits = regexp.MustCompile(`^[0-9]{2,12}$`)

func (s Scope) check() (faults []error) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, a := range s.Areas {
		if !digits.MatchString(a) {
			add("area %q is no beginning of a division code: 2 to 12 digits", a)
		}
	}
	for _, list := range []struct {
		what   string
		values []string
		most   int
	}{{"departments", s.Departments, 100}, {"industries", s.Industries, 200}, {"policies", s.Policies, 100}, {"fields", s.Fields, 100}, {"entities", s.Entities, 10_000}} {
		if len(list.values) > list.most {
			add("%s has %d items; at most %d", list.what, len(list.values), list.most)
		}
		if slices.Contains(list.values, "") {
			add("%s has an empty item", list.what)
		}
	}
	if s.Purpose != "" {
		if err := KnownPurpose(s.Purpose); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// Networks says what is wrong with a list of addresses and networks, and gives them as prefixes.
func Networks(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, aerr := netip.ParseAddr(text)
			if aerr != nil {
				return nil, fmt.Errorf("%q is no address and no network such as 10.1.0.0/16", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
