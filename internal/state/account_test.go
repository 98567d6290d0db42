package state

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

const (
	oak   = "an old oak by the river"
	birch = "a young birch on the hill"
)

// people are accounts over a real database, with hashes that cost little.
func (f *fixture) people(rules auth.Rules) (*auth.Accounts, *audit.Trail) {
	trail := f.trail()
	rules.Cost = auth.Cost{Time: 1, MemoryKB: 64, Threads: 1}
	return auth.NewAccounts(f.State, trail, rules, func() time.Time { return f.clock }), trail
}

// settled makes an account that has changed its first password to oak.
func (f *fixture) settled(a *auth.Accounts, name string, roles ...auth.Role) {
	f.t.Helper()
	temporary, err := a.Add(f.t.Context(), auth.User{Name: name, Roles: roles}, "")
	f.ok(err)
	_, err = a.ChangePassword(f.t.Context(), name, temporary, oak, "10.0.0.1", "test")
	f.ok(err)
}

func (f *fixture) code(err error, want fault.Code, what string) {
	f.t.Helper()
	if fault.CodeOf(err) != want {
		f.t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func TestTheFirstAdministratorIsMadeWithATokenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, trail := f.people(auth.Rules{})
		ctx := t.Context()
		empty, err := a.Empty(ctx)
		f.ok(err)
		if !empty {
			t.Fatal("a new hub has users")
		}
		old, err := a.SetupToken(ctx)
		f.ok(err)
		f.clock = f.clock.Add(auth.SetupFor)
		first, err := a.SetupToken(ctx)
		f.ok(err)
		second, err := a.SetupToken(ctx) // of another node
		f.ok(err)
		for what, token := range map[string]string{"a guess": "x", "nothing": "", "one too old": old} {
			_, err := a.SetUp(ctx, token, "boss", "", oak, "10.0.0.1", "test")
			f.code(err, fault.Unauthorized, what)
		}
		_, err = a.SetUp(ctx, second, "boss", "", "short", "10.0.0.1", "test")
		f.code(err, fault.Invalid, "a bad password")
		session, err := a.SetUp(ctx, second, "Boss", "王局", oak, "10.0.0.1", "test")
		f.ok(err)
		actor, err := a.BySession(ctx, session, "10.0.0.1")
		f.ok(err)
		if actor.ID != "user:boss" || !actor.May(auth.UsersChange) || actor.May(auth.GradesSee) {
			t.Errorf("signed in as %+v", actor)
		}
		for what, token := range map[string]string{"the used token": second, "the other node's token": first} {
			_, err := a.SetUp(ctx, token, "thief", "", oak, "10.0.0.1", "test")
			f.code(err, fault.Unauthorized, what)
		}
		page, _, err := trail.List(ctx, audit.Filter{Action: "setup"})
		f.ok(err)
		if len(page) != 6 || page[2].Outcome != auth.Done || page[2].Actor != "user:boss" {
			t.Errorf("the trail has %+v", page)
		}
	})
}

func TestOfManyWhoSetUpAtOnceOneDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{})
		var (
			all  sync.WaitGroup
			mu   sync.Mutex
			made int
		)
		for _, name := range []string{"a1", "a2", "a3", "a4", "a5", "a6"} {
			token, err := a.SetupToken(t.Context())
			f.ok(err)
			all.Go(func() {
				if _, err := a.SetUp(t.Context(), token, name, "", oak, "10.0.0.1", ""); err == nil {
					mu.Lock()
					made++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		users, err := a.List(t.Context())
		f.ok(err)
		if made != 1 || len(users) != 1 {
			t.Errorf("%d made, %d users", made, len(users))
		}
	})
}

func TestSignInTellsNobodyWhatWasWrong(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, trail := f.people(auth.Rules{})
		ctx := t.Context()
		f.settled(a, "li", auth.Steward)
		f.settled(a, "gone", auth.Steward)
		f.ok(a.Disable(ctx, "gone", true))
		_, err := a.Add(ctx, auth.User{Name: "past", Roles: []auth.Role{auth.Steward}, Until: f.clock}, oak)
		f.ok(err)
		var said []string
		for _, c := range [][2]string{{"li", birch}, {"nobody", oak}, {"gone", oak}, {"past", oak}, {"", ""}, {"li", strings.Repeat("x", 5000)}} {
			_, err := a.SignIn(ctx, c[0], c[1], "10.0.0.1", "test")
			f.code(err, fault.Unauthorized, c[0])
			said = append(said, err.Error())
		}
		if slices.Sort(said); said[0] != said[len(said)-1] {
			t.Errorf("it says %q", said)
		}
		page, _, err := trail.List(ctx, audit.Filter{Action: "sign_in", Outcome: auth.Refused})
		f.ok(err)
		for _, e := range page {
			if strings.Contains(e.ID, "nobody") {
				t.Error("what somebody typed as a name is in the trail: it may be a password")
			}
		}
		if _, err := a.SignIn(ctx, " LI ", oak, "10.0.0.1", "test"); err != nil {
			t.Errorf("the right one: %v", err)
		}
	})
}

func TestFailuresShutAnAccountForLongerEachTime(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{Failures: 3})
		ctx := t.Context()
		f.settled(a, "li", auth.Steward)
		try := func(name, password string) error {
			_, err := a.SignIn(ctx, name, password, "10.0.0.1", "test")
			return err
		}
		for _, name := range []string{"li", "nobody"} { // the same for a name that nobody has
			for range 3 {
				f.code(try(name, birch), fault.Unauthorized, name)
			}
			err := try(name, oak)
			f.code(err, fault.TooMany, name+" shut, right password")
			if auth.RetryAfter(err) != "60" {
				t.Errorf("%s: wait %s", name, auth.RetryAfter(err))
			}
		}
		f.clock = f.clock.Add(time.Minute)
		f.code(try("li", birch), fault.Unauthorized, "open again")
		if err := try("li", oak); auth.RetryAfter(err) != "120" {
			t.Errorf("the second time: %v", err)
		}
		f.ok(a.Unlock(ctx, "li"))
		f.ok(try("li", oak))
		for range 2 {
			f.code(try("li", birch), fault.Unauthorized, "counted from the start")
		}
		f.ok(try("li", oak))
		for range 2 {
			f.code(try("li", birch), fault.Unauthorized, "a success forgives")
		}
		f.ok(try("li", oak))
	})
}

func TestAnAddressThatTriesManyNamesIsShutAndOthersAreNot(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{})
		ctx := t.Context()
		f.settled(a, "li", auth.Steward)
		for i := range 50 {
			_, err := a.SignIn(ctx, "n"+strings.Repeat("x", i), oak, "2001:db8::"+string("123456789a"[i%10]), "test")
			f.code(err, fault.Unauthorized, "a guess")
		}
		_, err := a.SignIn(ctx, "li", oak, "2001:db8::77", "test")
		f.code(err, fault.TooMany, "the same network")
		if _, err := a.SignIn(ctx, "li", oak, "2001:db8:1::77", "test"); err != nil {
			t.Errorf("another network: %v", err)
		}
		f.clock = f.clock.Add(25 * time.Hour)
		a.Tidy(ctx)
		var n int
		f.ok(f.db.QueryRowContext(ctx, `select count(*) from sign_in_failure where failures > 0`).Scan(&n))
		if n != 0 {
			t.Errorf("%d failures are remembered for ever", n)
		}
	})
}

// Guesses made at once gain nothing: each is counted before its password is looked at.
func TestGuessesAtOnceAreCountedEach(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{Failures: 5})
		f.settled(a, "li", auth.Steward)
		var (
			all    sync.WaitGroup
			mu     sync.Mutex
			looked int
		)
		for range 30 {
			all.Go(func() {
				if _, err := a.SignIn(t.Context(), "li", birch, "10.0.0.1", ""); fault.Is(err, fault.Unauthorized) {
					mu.Lock()
					looked++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if looked != 5 {
			t.Errorf("%d passwords were looked at", looked)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{Idle: 10 * time.Minute, Longest: time.Hour})
		ctx := t.Context()
		f.settled(a, "li", auth.Steward)
		in := func() string {
			token, err := a.SignIn(ctx, "li", oak, "10.0.0.1", "Firefox\n")
			f.ok(err)
			return token
		}
		alive := func(token string) bool {
			actor, err := a.BySession(ctx, token, "10.0.0.9")
			if err == nil && (actor.ID != "user:li" || actor.Address != "10.0.0.9") {
				t.Errorf("it is %+v", actor)
			}
			return err == nil
		}
		token := in()
		if !alive(token) || alive("") || alive("x") || alive(token[1:]+"A") {
			t.Error("a token opens its own session and no other")
		}
		for range 6 {
			f.clock = f.clock.Add(9 * time.Minute)
			if !alive(token) {
				t.Fatal("a session in use ends")
			}
		}
		if f.clock = f.clock.Add(9 * time.Minute); alive(token) {
			t.Error("it outlives its longest")
		}
		token = in()
		if f.clock = f.clock.Add(10 * time.Minute); alive(token) {
			t.Error("it outlives its idle time")
		}
		here, there := in(), in()
		sessions, err := a.Sessions(ctx, "li")
		f.ok(err)
		if len(sessions) != 2 || sessions[0].Agent != "Firefox" || sessions[0].Hash == here || sessions[0].Hash == there {
			t.Errorf("sessions: %+v", sessions)
		}
		f.ok(a.SignOutEverywhere(ctx, "li", here))
		if !alive(here) || alive(there) {
			t.Error("signing out elsewhere ends all but this one")
		}
		f.ok(a.SignOut(ctx, here))
		if alive(here) {
			t.Error("signed out, and still in")
		}
		for what, end := range map[string]func() error{
			"disabled": func() error { return a.Disable(ctx, "li", true) },
			"reset":    func() error { _, err := a.Reset(ctx, "li"); return err },
		} {
			token := in()
			f.ok(end())
			if alive(token) {
				t.Errorf("%s, and still in", what)
			}
			f.ok(a.Disable(ctx, "li", false))
			temporary, err := a.Reset(ctx, "li")
			f.ok(err)
			if _, err := a.ChangePassword(ctx, "li", temporary, what+" "+oak, "10.0.0.1", ""); err != nil {
				t.Fatal(err)
			}
			_, err = f.db.ExecContext(ctx, `delete from account_password where account = 'li' and n < (select max(n) from account_password)`)
			f.ok(err)
			temporary, err = a.Reset(ctx, "li")
			f.ok(err)
			_, err = a.ChangePassword(ctx, "li", temporary, oak, "10.0.0.1", "")
			f.ok(err)
		}
	})
}

func TestAResetPasswordOpensTheAccountOnlyToBeChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{})
		ctx := t.Context()
		f.settled(a, "li", auth.Steward)
		temporary, err := a.Reset(ctx, "li")
		f.ok(err)
		if _, err := a.SignIn(ctx, "li", oak, "10.0.0.1", ""); err == nil {
			t.Error("the password before the reset still opens")
		}
		token, err := a.SignIn(ctx, "li", temporary, "10.0.0.1", "")
		f.ok(err)
		actor, err := a.BySession(ctx, token, "10.0.0.1")
		f.ok(err)
		if actor.May(auth.RunsSee) || !actor.May(auth.Self) {
			t.Errorf("before the change it may %+v", actor)
		}
		_, err = a.ChangePassword(ctx, "li", temporary, oak, "10.0.0.1", "")
		f.code(err, fault.Invalid, "the password before")
		_, err = a.ChangePassword(ctx, "li", temporary, temporary, "10.0.0.1", "")
		f.code(err, fault.Invalid, "the same")
		_, err = a.ChangePassword(ctx, "li", "wrong", birch, "10.0.0.1", "")
		f.code(err, fault.Unauthorized, "without the old one")
		fresh, err := a.ChangePassword(ctx, "li", temporary, birch, "10.0.0.1", "")
		f.ok(err)
		if _, err := a.BySession(ctx, token, ""); err == nil {
			t.Error("the session from before the change goes on")
		}
		if actor, err := a.BySession(ctx, fresh, ""); err != nil || !actor.May(auth.RunsSee) {
			t.Errorf("after the change: %+v, %v", actor, err)
		}
		temporary, err = a.Reset(ctx, "li")
		f.ok(err)
		f.clock = f.clock.Add(24 * time.Hour)
		_, err = a.SignIn(ctx, "li", temporary, "10.0.0.1", "")
		f.code(err, fault.Unauthorized, "a day later")
	})
}

func TestTheLastFivePasswordsAreNotTakenAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{})
		ctx := t.Context()
		f.settled(a, "li", auth.Steward) // the made one, and oak
		present := oak
		for _, next := range []string{"first " + birch, "second " + birch, "third " + birch, "fourth " + birch} {
			_, err := a.ChangePassword(ctx, "li", present, oak, "", "")
			f.code(err, fault.Invalid, "oak behind "+present)
			_, err = a.ChangePassword(ctx, "li", present, next, "", "")
			f.ok(err)
			present = next
		}
		_, err := a.ChangePassword(ctx, "li", present, oak, "", "")
		f.code(err, fault.Invalid, "the fifth before")
		_, err = a.ChangePassword(ctx, "li", present, "fifth "+birch, "", "")
		f.ok(err)
		_, err = a.ChangePassword(ctx, "li", "fifth "+birch, oak, "", "")
		f.ok(err)
		hashes, _, err := f.Passwords(ctx, "li")
		f.ok(err)
		if len(hashes) != 5 {
			t.Errorf("%d are kept", len(hashes))
		}
	})
}

func TestAnOldPasswordMustBeChangedAndAnOldCostIsRenewed(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, trail := f.people(auth.Rules{PasswordAge: 90 * 24 * time.Hour})
		ctx := t.Context()
		f.settled(a, "li", auth.Steward)
		before, _, err := f.Passwords(ctx, "li")
		f.ok(err)
		f.clock = f.clock.Add(90 * 24 * time.Hour)
		token, err := a.SignIn(ctx, "li", oak, "", "")
		f.ok(err)
		if actor, err := a.BySession(ctx, token, ""); err != nil || actor.May(auth.RunsSee) || !actor.May(auth.Self) {
			t.Errorf("%+v, %v", actor, err)
		}
		token, err = a.ChangePassword(ctx, "li", oak, birch, "", "")
		f.ok(err)
		if actor, err := a.BySession(ctx, token, ""); err != nil || !actor.May(auth.RunsSee) {
			t.Errorf("after the change %+v, %v", actor, err)
		}
		dearer := auth.NewAccounts(f.State, trail, auth.Rules{Cost: auth.Cost{Time: 2, MemoryKB: 128, Threads: 1}}, func() time.Time { return f.clock })
		_, err = dearer.SignIn(ctx, "li", birch, "", "")
		f.ok(err)
		after, set, err := f.Passwords(ctx, "li")
		f.ok(err)
		if !strings.Contains(after[0], "m=128,t=2") || len(after) != len(before)+1 || !set.Equal(f.clock) {
			t.Errorf("stored as %q, set %v", after, set)
		}
		_, err = dearer.SignIn(ctx, "li", birch, "", "")
		f.ok(err)
	})
}

func TestChangesOfAccountsKeepTheirRules(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{})
		ctx := t.Context()
		f.settled(a, "boss", auth.Administrator)
		f.settled(a, "li", auth.Steward)
		get := func(name string) auth.User {
			u, err := a.Get(ctx, name)
			f.ok(err)
			return u
		}
		boss := get("boss")
		boss.Roles = []auth.Role{auth.Steward}
		f.code(a.Change(ctx, boss), fault.Conflict, "the last administrator")
		boss.Roles = []auth.Role{auth.Administrator, auth.Steward}
		f.code(a.Change(auth.With(ctx, boss.Actor("session", "")), boss), fault.Forbidden, "own roles")
		f.ok(a.Change(ctx, boss))
		f.code(a.Change(ctx, boss), fault.Conflict, "an old version")
		boss = get("boss")
		boss.Title = "王局"
		f.ok(a.Change(auth.With(ctx, boss.Actor("session", "")), boss))
		for what, change := range map[string]func(*auth.User){
			"no role":                   func(u *auth.User) { u.Roles = nil },
			"a role that is none":       func(u *auth.User) { u.Roles = []auth.Role{"king"} },
			"an auditor who acts":       func(u *auth.User) { u.Roles = []auth.Role{auth.Auditor, auth.Steward} },
			"a department user of none": func(u *auth.User) { u.Roles = []auth.Role{auth.DepartmentUser} },
			"a township user of all":    func(u *auth.User) { u.Roles = []auth.Role{auth.TownshipUser} },
			"an area of letters":        func(u *auth.User) { u.Roles = []auth.Role{auth.TownshipUser}; u.Scope.Areas = []string{"all"} },
			"an empty area":             func(u *auth.User) { u.Roles = []auth.Role{auth.TownshipUser}; u.Scope.Areas = []string{""} },
			"a platform":                func(u *auth.User) { u.Roles = []auth.Role{auth.Downstream} },
			"a third party without end": func(u *auth.User) {
				u.Roles = []auth.Role{auth.ThirdParty}
				u.Scope = auth.Scope{Policies: []string{"p"}, Areas: []string{"41"}, Purpose: "tender"}
			},
			"a term that ends before": func(u *auth.User) { u.From, u.Until = f.clock, f.clock.Add(-time.Hour) },
			"an unknown purpose":      func(u *auth.User) { u.Scope.Purpose = "curiosity" },
		} {
			u := get("li")
			change(&u)
			f.code(a.Change(ctx, u), fault.Invalid, what)
		}
		third := get("li")
		third.Roles, third.Until = []auth.Role{auth.ThirdParty}, f.clock.Add(time.Hour)
		third.Scope = auth.Scope{Policies: []string{"p"}, Areas: []string{"4104"}, Purpose: "tender"}
		f.ok(a.Change(ctx, third))
		token, err := a.SignIn(ctx, "li", oak, "", "")
		f.ok(err)
		if actor, err := a.BySession(ctx, token, ""); err != nil || !actor.May(auth.GradesSee) || actor.May(auth.RunsSee) || actor.Scope.Purpose != "tender" || !actor.Scope.InArea("410481") || actor.Scope.InArea("410202") {
			t.Errorf("a third party in its term: %+v, %v", actor, err)
		}
		f.clock = f.clock.Add(time.Hour)
		if _, err := a.BySession(ctx, token, ""); err == nil {
			t.Error("a third party beyond its term is still in")
		}
	})
}

func TestTwoChangesAtOnceDoNotOverwriteOneAnother(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		a, _ := f.people(auth.Rules{})
		f.settled(a, "li", auth.Steward)
		u, err := a.Get(t.Context(), "li")
		f.ok(err)
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() {
				mine := u
				mine.Title = strings.Repeat("x", i+1)
				errs[i] = a.Change(t.Context(), mine)
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				f.code(err, fault.Conflict, "a change that came late")
			}
		}
		if won != 1 {
			t.Errorf("%d of the changes were taken: %v", won, errors.Join(errs...))
		}
	})
}
