package console

import (
	"errors"
	"strings"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

func (c *Console) keyPages() []Page {
	if c.Guard == nil {
		return nil
	}
	return []Page{
		{Pattern: "GET /settings/keys", Right: auth.KeysSee, Do: c.keys},
		{Pattern: "GET /settings/keys/new", Right: auth.KeysChange, Do: c.newKey},
		{Pattern: "POST /settings/keys", Right: auth.KeysChange, Do: c.makeKey},
		{Pattern: "POST /settings/keys/{id}/{act}", Right: auth.KeysChange, Do: c.actOnKey},
	}
}

func (c *Console) keys(q *Request) error {
	list, err := c.Guard.Keys.List(q.Context(), "")
	if err != nil {
		return err
	}
	return q.Render("settings/keys", map[string]any{"Keys": list, "Soon": c.Now().Add(30 * 24 * time.Hour)})
}

// programRoles are those that a program's key may have.
var programRoles = []auth.Role{auth.Downstream, auth.ThirdParty, auth.TownshipUser, auth.DepartmentUser, auth.Steward, auth.CreditOffice, auth.Auditor, auth.Administrator}

func (c *Console) newKey(q *Request) error {
	return q.keyForm(auth.Key{Kind: auth.Bearer, Roles: []auth.Role{auth.Downstream}}, nil)
}

func (q *Request) keyForm(k auth.Key, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		q.Status = statusOf(err)
	} else if err != nil {
		return err
	}
	role := auth.Downstream
	if len(k.Roles) > 0 {
		role = k.Roles[0]
	}
	return q.Render("settings/key", map[string]any{"Key": k, "Fault": f, "Role": role, "Roles": programRoles, "Client": strings.TrimPrefix(k.Owner, "client:"), "Networks": strings.Join(k.Networks, "\n"),
		"Areas": strings.Join(k.Scope.Areas, " "), "Industries": strings.Join(k.Scope.Industries, " "), "Entities": strings.Join(k.Scope.Entities, "\n"),
		"Policies": q.console.Desk.Catalog.Policies, "InPolicies": inList(k.Scope.Policies), "Departments": q.console.Desk.Catalog.Departments, "In": inList(k.Scope.Departments), "Purposes": auth.Purposes})
}

func (c *Console) makeKey(q *Request) error {
	if err := q.readForm(); err != nil {
		return err
	}
	k := auth.Key{Owner: auth.ClientID(strings.TrimSpace(q.PostFormValue("client"))), Title: strings.TrimSpace(q.PostFormValue("title")), Kind: q.PostFormValue("kind"),
		Roles: []auth.Role{auth.Role(q.PostFormValue("role"))}, Networks: strings.Fields(q.PostFormValue("networks"))}
	var err error
	var text string
	if k.Scope, k.From, k.Until, err = q.readScope(); err == nil {
		var made auth.Key
		if made, text, err = c.Guard.Keys.Make(q.Context(), k); err == nil {
			k = made
		}
	}
	if err != nil {
		return q.keyForm(k, err)
	}
	return q.keyMade(k, text)
}

// keyMade shows the text of a key, once.
func (q *Request) keyMade(k auth.Key, text string) error {
	return q.Render("settings/secret", map[string]any{"Tab": "keys", "What": k.Kind, "Whose": k.Owner, "ID": k.ID, "Secret": text, "Back": "/settings/keys"})
}

func (c *Console) actOnKey(q *Request) error {
	id := q.PathValue("id")
	switch q.PathValue("act") {
	case "revoke":
		if err := c.Guard.Keys.Revoke(q.Context(), id); err != nil {
			return err
		}
		return q.See("/settings/keys", q.Say("key.revoked"))
	case "rotate":
		k, text, err := c.Guard.Keys.Rotate(q.Context(), id, 7*24*time.Hour, time.Time{})
		if err != nil {
			return err
		}
		return q.keyMade(k, text)
	}
	return nowhere(q)
}
