package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

func (c *Console) userPages() []Page {
	if c.Guard == nil {
		return nil
	}
	return []Page{
		{Pattern: "GET /settings/users", Right: auth.UsersSee, Do: c.users},
		{Pattern: "GET /settings/users/new", Right: auth.UsersChange, Do: c.newUser},
		{Pattern: "POST /settings/users", Right: auth.UsersChange, Do: c.addUser},
		{Pattern: "GET /settings/users/{name}", Right: auth.UsersSee, Do: c.user},
		{Pattern: "POST /settings/users/{name}", Right: auth.UsersChange, Do: c.changeUser},
		{Pattern: "POST /settings/users/{name}/{act}", Right: auth.UsersChange, Do: c.actOnUser},
	}
}

func (c *Console) users(q *Request) error {
	list, err := c.Guard.Accounts.List(q.Context())
	if err != nil {
		return err
	}
	return q.Render("settings/users", map[string]any{"Users": list})
}

func (c *Console) newUser(q *Request) error {
	return q.userForm(auth.User{}, true, nil)
}

// personRoles are those that a person may have.
var personRoles = auth.Roles[:len(auth.Roles)-1]

// userForm shows the form; err is why what was sent was not taken.
func (q *Request) userForm(u auth.User, isNew bool, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		q.Status = statusOf(err)
	} else if err != nil {
		return err
	}
	given := map[auth.Role]bool{}
	for _, r := range u.Roles {
		given[r] = true
	}
	sessions := []auth.Session{}
	if !isNew {
		if sessions, err = q.console.Guard.Accounts.Sessions(q.Context(), u.Name); err != nil {
			return err
		}
	}
	return q.Render("settings/user", map[string]any{"User": u, "New": isNew, "Fault": f, "Roles": personRoles, "Given": given, "Sessions": sessions,
		"Departments": q.console.Desk.Catalog.Departments, "In": inList(u.Scope.Departments), "Purposes": auth.Purposes, "Policies": q.console.Desk.Catalog.Policies, "InPolicies": inList(u.Scope.Policies),
		"Areas": strings.Join(u.Scope.Areas, " "), "Industries": strings.Join(u.Scope.Industries, " "), "Entities": strings.Join(u.Scope.Entities, "\n")})
}

func inList(list []string) map[string]bool {
	in := map[string]bool{}
	for _, item := range list {
		in[item] = true
	}
	return in
}

// readUser takes over what the form says about an account.
func (q *Request) readUser(u *auth.User) error {
	if err := q.readForm(); err != nil {
		return err
	}
	u.Title, u.Roles = strings.TrimSpace(q.PostFormValue("title")), nil
	for _, r := range q.PostForm["role"] {
		u.Roles = append(u.Roles, auth.Role(r))
	}
	scope, from, until, err := q.readScope()
	if err != nil {
		return err
	}
	u.Scope, u.From, u.Until = scope, from, until
	return nil
}

// readScope reads what narrows an account or a key: lists in words, days of the term.
func (q *Request) readScope() (s auth.Scope, from, until time.Time, err error) {
	words := func(name string) []string {
		return strings.FieldsFunc(q.PostFormValue(name), func(r rune) bool { return strings.ContainsRune(" ,;，；、\r\n\t", r) })
	}
	s = auth.Scope{Departments: q.PostForm["department"], Areas: words("areas"), Industries: words("industries"), Policies: q.PostForm["policy"], Entities: words("entities"), Purpose: q.PostFormValue("purpose")}
	if from, err = q.day("from", 0); err == nil {
		until, err = q.day("until", 1) // a term includes its last day
	}
	return s, from, until, err
}

// day reads a date of a form as the midnight so many days after it; empty is the zero time.
func (q *Request) day(name string, after int) (time.Time, error) {
	t, err := dayOf(q.PostFormValue(name), name)
	if err != nil || t.IsZero() {
		return t, err
	}
	return t.AddDate(0, 0, after), nil
}

// dayOf reads a date as its midnight in Shanghai; empty is the zero time.
func dayOf(text, name string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, err := catalog.ParseDate(text)
	if err != nil {
		return time.Time{}, &fault.Error{Op: "read the day " + name, Code: fault.Invalid, Err: err, Hint: "write it as 2026-03-15"}
	}
	y, m, day := d.Time().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, zone), nil
}

func (c *Console) addUser(q *Request) error {
	u := auth.User{Name: strings.ToLower(strings.TrimSpace(q.PostFormValue("name")))}
	err := q.readUser(&u)
	var temporary string
	if err == nil {
		temporary, err = c.Guard.Accounts.Add(q.Context(), u, "")
	}
	if err != nil {
		return q.userForm(u, true, err)
	}
	return q.Render("settings/secret", map[string]any{"Tab": "users", "What": "password", "Whose": u.Name, "Secret": temporary, "Back": address("/settings/users", u.Name)})
}

func (c *Console) user(q *Request) error {
	u, err := c.Guard.Accounts.Get(q.Context(), q.PathValue("name"))
	if err != nil {
		return err
	}
	return q.userForm(u, false, nil)
}

func (c *Console) changeUser(q *Request) error {
	u, err := c.Guard.Accounts.Get(q.Context(), q.PathValue("name"))
	if err != nil {
		return err
	}
	if err = q.readUser(&u); err == nil {
		u.Version, err = q.version()
	}
	if err == nil {
		err = c.Guard.Accounts.Change(q.Context(), u)
	}
	if err != nil {
		return q.userForm(u, false, err)
	}
	return q.See(address("/settings/users", u.Name), q.Say("user.changed"))
}

// version is that of what the form showed, so that nobody overwrites what they did not see.
func (q *Request) version() (int64, error) {
	v, err := strconv.ParseInt(q.PostFormValue("version"), 10, 64)
	if err != nil {
		return 0, &fault.Error{Op: "read the form", Code: fault.Invalid, Err: errors.New("it does not say which version it changes"), Hint: "open the page again"}
	}
	return v, nil
}

// actOnUser does what a button of the account's page says.
func (c *Console) actOnUser(q *Request) error {
	name, act := q.PathValue("name"), q.PathValue("act")
	accounts := c.Guard.Accounts
	var err error
	switch act {
	case "reset":
		temporary, err := accounts.Reset(q.Context(), name)
		if err != nil {
			return err
		}
		return q.Render("settings/secret", map[string]any{"Tab": "users", "What": "password", "Whose": name, "Secret": temporary, "Back": address("/settings/users", name)})
	case "disable", "enable":
		err = accounts.Disable(q.Context(), name, act == "disable")
	case "unlock":
		err = accounts.Unlock(q.Context(), name)
	case "sign-out":
		err = accounts.SignOutEverywhere(q.Context(), name, "")
	default:
		q.Status = http.StatusNotFound
		return nowhere(q)
	}
	if err != nil {
		return err
	}
	return q.See(address("/settings/users", name), q.Say("user.did."+act))
}
