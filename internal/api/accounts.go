package api

import (
	"context"
	"time"

	"xinshu/internal/auth"
)

// Account is somebody who may sign in.
type Account struct {
	Name     string      `json:"name" minLength:"1" maxLength:"64" doc:"to sign in with"`
	Title    string      `json:"title" maxLength:"100" doc:"as people call them"`
	Roles    []auth.Role `json:"roles" nullable:"false" maxItems:"8"`
	Scope    Scope       `json:"scope,omitzero"`
	Subject  string      `json:"subject,omitempty" maxLength:"300" doc:"at the OIDC provider; empty: signs in with a password"`
	From     time.Time   `json:"from,omitzero" doc:"the term; absent: open at that end"`
	Until    time.Time   `json:"until,omitzero"`
	Disabled bool        `json:"disabled" required:"false"`
	Version  int64       `json:"version" readOnly:"true" required:"false"`
}

// Scope narrows which data an account may see; an empty member does not narrow.
type Scope struct {
	Departments []string `json:"departments,omitempty" maxItems:"100"`
	Areas       []string `json:"areas,omitempty" maxItems:"1000" doc:"beginnings of division codes"`
	Industries  []string `json:"industries,omitempty" maxItems:"1000"`
	Policies    []string `json:"policies,omitempty" maxItems:"100"`
	Fields      []string `json:"fields,omitempty" maxItems:"50" doc:"of a result"`
	Entities    []string `json:"entities,omitempty" maxItems:"5000"`
	Purpose     string   `json:"purpose,omitempty" maxLength:"210" doc:"the access was approved for it alone"`
}

func accountOf(u auth.User) Account {
	return Account{Name: u.Name, Title: u.Title, Roles: u.Roles, Scope: Scope(u.Scope), Subject: u.Subject, From: u.From, Until: u.Until, Disabled: u.Disabled, Version: u.Version}
}

// Temporary is a password that opens an account only to be changed.
type Temporary struct {
	Password string `json:"password,omitempty" doc:"shown once"`
}

// NameOf names a user.
type NameOf struct {
	Name string `path:"name" minLength:"1" maxLength:"64" doc:"Name to sign in with."`
}

func (a *API) users() {
	const base, one, tag = "/v1/users", "/v1/users/{name}", "accounts"
	get(a, op{Path: base, ID: "listUsers", Tag: tag, Right: auth.UsersSee, Words: "Users", ZH: "用户列表。"},
		func(ctx context.Context, _ *Empty) (List[Account], error) {
			users, err := a.Accounts.List(ctx)
			out := listOf[Account](nil)
			for _, u := range users {
				out.Items = append(out.Items, accountOf(u))
			}
			return out, err
		})
	register(a, op{Method: "GET", Path: one, ID: "getUser", Tag: tag, Right: auth.UsersSee, Words: "One user", ZH: "一个用户。"},
		func(ctx context.Context, in *NameOf) (*versioned[Account], error) {
			u, err := a.Accounts.Get(ctx, in.Name)
			return &versioned[Account]{ETag: versionTag(u.Version), Body: accountOf(u)}, err
		})
	type addInput struct{ Body Account }
	post(a, op{Path: base, ID: "addUser", Tag: tag, Right: auth.UsersChange, Status: 201, Secret: true, Words: "Add a user; the temporary password is shown once", ZH: "新增用户；临时密码只显示一次。"},
		func(ctx context.Context, in *addInput) (Temporary, error) {
			password, err := a.Accounts.Add(ctx, in.Body.user(0), "")
			return Temporary{Password: password}, err
		})
	type changeInput struct {
		NameOf
		IfMatch
		Body Account
	}
	register(a, op{Method: "PUT", Path: one, ID: "changeUser", Tag: tag, Right: auth.UsersChange, Versioned: true, Words: "Change a user's title, roles, scope or term", ZH: "修改用户的名称、角色、范围或期限。"},
		func(ctx context.Context, in *changeInput) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			if in.Body.Name != in.Name {
				return nil, newProblem("invalid", "the name in the body is not the one in the path")
			}
			return nil, changed(a.Accounts.Change(ctx, in.Body.user(version)))
		})
	type disableInput struct {
		NameOf
		Body struct {
			Disabled bool `json:"disabled"`
		}
	}
	register(a, op{Method: "POST", Path: one + "/disable", ID: "disableUser", Tag: tag, Right: auth.UsersChange, Words: "Let a user sign in no more, or again", ZH: "停用或恢复用户。"},
		func(ctx context.Context, in *disableInput) (*struct{}, error) {
			return nil, a.Accounts.Disable(ctx, in.Name, in.Body.Disabled)
		})
	register(a, op{Method: "POST", Path: one + "/unlock", ID: "unlockUser", Tag: tag, Right: auth.UsersChange, Words: "Unlock a user", ZH: "解除锁定。"},
		func(ctx context.Context, in *NameOf) (*struct{}, error) { return nil, a.Accounts.Unlock(ctx, in.Name) })
	post(a, op{Path: one + "/reset", ID: "resetUser", Tag: tag, Right: auth.UsersChange, Secret: true, Words: "Give a user a temporary password, shown once", ZH: "重置密码；临时密码只显示一次。"},
		func(ctx context.Context, in *NameOf) (Temporary, error) {
			password, err := a.Accounts.Reset(ctx, in.Name)
			return Temporary{Password: password}, err
		})
}

func (u Account) user(version int64) auth.User {
	return auth.User{Name: u.Name, Title: u.Title, Roles: u.Roles, Scope: auth.Scope(u.Scope), Subject: u.Subject, From: u.From, Until: u.Until, Disabled: u.Disabled, Version: version}
}
