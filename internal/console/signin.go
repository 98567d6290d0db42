package console

import (
	"errors"
	"net/http"
	"net/url"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

func (c *Console) signInPages() []Page {
	if c.Guard == nil {
		return nil
	}
	return []Page{
		{Pattern: "GET /sign-in", Right: auth.Anyone, Do: c.signInForm},
		{Pattern: "POST /sign-in", Right: auth.Anyone, Do: c.signIn},
		{Pattern: "GET /sign-in/provider", Right: auth.Anyone, Do: c.toProvider},
		{Pattern: "GET /sign-in/oidc", Right: auth.Anyone, Do: c.fromProvider},
		{Pattern: "GET /setup", Right: auth.Anyone, Do: c.setUpForm},
		{Pattern: "POST /setup", Right: auth.Anyone, Do: c.setUp},
		{Pattern: "POST /sign-out", Right: auth.Self, Do: c.signOut},
	}
}

// signInForm asks who it is; before anybody has an account it leads to the first set-up.
func (c *Console) signInForm(q *Request) error {
	empty, err := c.Guard.Accounts.Empty(q.Context())
	if err != nil {
		return err
	}
	if empty {
		return q.See("/setup", "")
	}
	to := auth.LocalPath(q.URL.Query().Get("to"))
	if q.Actor.ID != "" {
		return q.See(to, "")
	}
	return q.RenderAlone("signin/form", map[string]any{"To": to, "Provider": c.Guard.OIDC != nil})
}

func (c *Console) signIn(q *Request) error {
	name, to := q.PostFormValue("name"), auth.LocalPath(q.PostFormValue("to"))
	err := c.Guard.SignIn(q.w, q.Request, name, q.PostFormValue("password"))
	if err == nil {
		return q.See(to, "")
	}
	words := q.refused(err, "signin.wrong")
	if words == "" {
		return err
	}
	return q.RenderAlone("signin/form", map[string]any{"To": to, "Name": name, "Provider": c.Guard.OIDC != nil, "Refused": words})
}

// refused gives the words for an attempt that was not let through, and sets the answer's status;
// nothing for an error of another kind.
func (q *Request) refused(err error, wrong string) string {
	q.Status = statusOf(err)
	var soon *auth.TooSoon
	switch {
	case errors.As(err, &soon):
		q.w.Header().Set("Retry-After", auth.RetryAfter(err))
		return q.Say("signin.wait", int(soon.After.Seconds())+1)
	case fault.Is(err, fault.Unauthorized):
		q.Status = http.StatusUnprocessableEntity // 401 would have the browser believe that it may ask for a password itself
		return q.Say(wrong)
	}
	return ""
}

func (c *Console) toProvider(q *Request) error {
	address, err := c.Guard.Start(q.w, q.Request, auth.LocalPath(q.URL.Query().Get("to")))
	if err != nil {
		return err
	}
	http.Redirect(q.w, q.Request, address, http.StatusSeeOther)
	return nil
}

func (c *Console) fromProvider(q *Request) error {
	to, err := c.Guard.Finish(q.w, q.Request)
	if err != nil {
		var f *fault.Error
		if errors.As(err, &f) && statusOf(err) < http.StatusInternalServerError {
			q.Status = http.StatusForbidden
			return q.RenderAlone("signin/form", map[string]any{"To": "/", "Provider": true, "Refused": q.Say("signin.provider.refused"), "Fault": f})
		}
		return err
	}
	return q.See(to, "")
}

// setUpForm makes the first administrator; when there is somebody already it is gone.
func (c *Console) setUpForm(q *Request) error {
	if err := c.stillEmpty(q); err != nil {
		return err
	}
	return q.RenderAlone("signin/setup", map[string]any{})
}

func (c *Console) stillEmpty(q *Request) error {
	empty, err := c.Guard.Accounts.Empty(q.Context())
	if err == nil && !empty {
		err = &fault.Error{Op: "set up the hub", Code: fault.NotFound, Err: errors.New("it is set up already"), Hint: "sign in; an administrator can make more accounts"}
	}
	return err
}

func (c *Console) setUp(q *Request) error {
	if err := c.stillEmpty(q); err != nil {
		return err
	}
	form := func(words string, err error) error {
		var f *fault.Error
		errors.As(err, &f)
		return q.RenderAlone("signin/setup", map[string]any{"Name": q.PostFormValue("name"), "Title": q.PostFormValue("title"), "Refused": words, "Fault": f})
	}
	if q.PostFormValue("password") != q.PostFormValue("again") {
		q.Status = http.StatusUnprocessableEntity
		return form(q.Say("password.again.differs"), nil)
	}
	err := c.Guard.SetUp(q.w, q.Request, q.PostFormValue("token"), q.PostFormValue("name"), q.PostFormValue("title"), q.PostFormValue("password"))
	if err == nil {
		return q.See("/", q.Say("setup.done"))
	}
	if words := q.refused(err, "setup.token.wrong"); words != "" {
		return form(words, nil)
	}
	if fault.Is(err, fault.Invalid) {
		return form(q.Say("account.invalid"), err)
	}
	return err
}

func (c *Console) signOut(q *Request) error {
	if err := c.Guard.SignOut(q.w, q.Request); err != nil {
		return err
	}
	return q.See("/sign-in", q.Say("signin.out"))
}

// signInAt is where somebody without a session is sent, to come back to the page afterwards.
func signInAt(r *http.Request) string {
	return "/sign-in?" + url.Values{"to": {r.URL.RequestURI()}}.Encode()
}
