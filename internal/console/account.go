package console

import (
	"errors"
	"net/http"
	"strings"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

func (c *Console) accountPages() []Page {
	if c.Guard == nil {
		return nil
	}
	return []Page{
		{Pattern: "GET /account", Right: auth.Self, Do: c.account},
		{Pattern: "GET /account/password", Right: auth.Self, Do: c.passwordForm},
		{Pattern: "POST /account/password", Right: auth.Self, Do: c.changePassword},
		{Pattern: "POST /account/sign-out-elsewhere", Right: auth.Self, Do: c.signOutElsewhere},
	}
}

// ownName gives the account's name of the actor; a shell or a program has none.
func (q *Request) ownName() (string, error) {
	name, is := strings.CutPrefix(q.Actor.ID, "user:")
	if !is {
		return "", &fault.Error{Op: "open the account", Code: fault.NotFound, Err: errors.New("this session is not a user's")}
	}
	return name, nil
}

func (c *Console) account(q *Request) error {
	name, err := q.ownName()
	if err != nil {
		return err
	}
	user, err := c.Guard.Accounts.Get(q.Context(), name)
	if err != nil {
		return err
	}
	sessions, err := c.Guard.Accounts.Sessions(q.Context(), name)
	if err != nil {
		return err
	}
	return q.Render("account/show", map[string]any{"User": user, "Sessions": sessions})
}

func (c *Console) passwordForm(q *Request) error {
	return q.Render("account/password", map[string]any{"Must": mustChange(q.Actor)})
}

// mustChange says that the session opens nothing but a change of the password.
func mustChange(a auth.Actor) bool { return a.ID != "" && a.Only != nil && len(a.Only) == 0 }

func (c *Console) changePassword(q *Request) error {
	form := func(words string, err error) error {
		var f *fault.Error
		errors.As(err, &f)
		return q.Render("account/password", map[string]any{"Must": mustChange(q.Actor), "Refused": words, "Fault": f})
	}
	if q.PostFormValue("password") != q.PostFormValue("again") {
		q.Status = http.StatusUnprocessableEntity
		return form(q.Say("password.again.differs"), nil)
	}
	err := c.Guard.ChangePassword(q.w, q.Request, q.PostFormValue("old"), q.PostFormValue("password"))
	if err == nil {
		return q.See("/account", q.Say("password.changed"))
	}
	if words := q.refused(err, "password.old.wrong"); words != "" {
		return form(words, nil)
	}
	if fault.Is(err, fault.Invalid) {
		return form(q.Say("password.refused"), err)
	}
	return err
}

func (c *Console) signOutElsewhere(q *Request) error {
	if err := c.Guard.SignOutElsewhere(q.Request); err != nil {
		return err
	}
	return q.See("/account", q.Say("account.elsewhere.done"))
}
