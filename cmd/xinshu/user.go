package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"xinshu/internal/auth"
)

func userCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "user", Short: "the people who may use the service"})
	cmd.AddCommand(userAdd(t, o), userList(t, o), userReset(t, o), userDisable(t, o, "disable", true), userDisable(t, o, "enable", false), userUnlock(t, o))
	return cmd
}

// grant are the flags that say what an account or a key may do and see.
type grant struct {
	roles, departments, areas, industries, policies, fields, entities []string
	purpose, from, until                                              string
}

func (g *grant) flags(cmd *cobra.Command) {
	roles := make([]string, len(auth.Roles))
	for i, r := range auth.Roles {
		roles[i] = string(r)
	}
	f := cmd.Flags()
	f.StringSliceVar(&g.roles, "role", nil, "roles: "+strings.Join(roles, ", "))
	f.StringSliceVar(&g.departments, "department", nil, "departments of a department user")
	f.StringSliceVar(&g.areas, "area", nil, "areas: beginnings of division codes")
	f.StringSliceVar(&g.industries, "industry", nil, "industries: beginnings of industry codes")
	f.StringSliceVar(&g.policies, "policy", nil, "policies whose results may be seen")
	f.StringSliceVar(&g.fields, "field", nil, "fields of a result that may be seen")
	f.StringSliceVar(&g.entities, "entity", nil, "credit codes that may be seen")
	f.StringVar(&g.purpose, "purpose", "", "the purpose the access was approved for")
	f.StringVar(&g.from, "from", "", "first day of the term (2006-01-02)")
	f.StringVar(&g.until, "until", "", "last day of the term (2006-01-02)")
}

func (g *grant) scope() auth.Scope {
	return auth.Scope{Departments: g.departments, Areas: g.areas, Industries: g.industries, Policies: g.policies, Fields: g.fields, Entities: g.entities, Purpose: g.purpose}
}

func (g *grant) given() []auth.Role {
	roles := make([]auth.Role, len(g.roles))
	for i, r := range g.roles {
		roles[i] = auth.Role(r)
	}
	return roles
}

// term gives the beginning of the first day and the end of the last, in Shanghai.
func (g *grant) term() (from, until time.Time, err error) {
	for _, d := range []struct {
		flag, text string
		days       int
		into       *time.Time
	}{{"--from", g.from, 0, &from}, {"--until", g.until, 1, &until}} {
		if d.text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, d.text, shanghai)
		if err != nil {
			return from, until, usageError{fmt.Errorf("%s is %q, no day such as 2006-01-02", d.flag, d.text)}
		}
		*d.into = day.AddDate(0, 0, d.days)
	}
	return from, until, nil
}

func userAdd(t *terminal, o *options) *cobra.Command {
	var (
		g         grant
		title     string
		fromStdin bool
	)
	cmd := &cobra.Command{Use: "add NAME", Short: "make an account; its password is asked for, and changed at the first sign-in", Args: usage(cobra.ExactArgs(1))}
	g.flags(cmd)
	cmd.Flags().StringVar(&title, "title", "", "what people call the account")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input; without it and without a terminal one is made and printed")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			u := auth.User{Name: args[0], Title: title, Roles: g.given(), Scope: g.scope()}
			var err error
			if u.From, u.Until, err = g.term(); err != nil {
				return err
			}
			password, err := t.newPassword(fromStdin)
			if err != nil {
				return err
			}
			temporary, err := a.accounts.Add(ctx, u, password)
			if err != nil {
				return err
			}
			return t.temporary(strings.ToLower(args[0]), temporary)
		})(cmd, nil)
	}
	return cmd
}

// newPassword reads a password: a line of standard input, or typed twice where somebody sits before a
// terminal. Empty: the hub is to make one.
func (t *terminal) newPassword(fromStdin bool) (string, error) {
	if fromStdin {
		line, err := bufio.NewReader(io.LimitReader(t.in, 1024)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usageError{errors.New("standard input holds no password")}
		}
		return line, nil
	}
	in, ok := t.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", nil
	}
	var typed [2]string
	for i, ask := range []string{"密码（直接回车由系统生成） password (Enter: one is made): ", "再输一次 once more: "} {
		fmt.Fprint(t.err, ask)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(t.err)
		if err != nil {
			return "", err
		}
		if typed[i] = string(b); typed[0] == "" {
			return "", nil
		}
	}
	if typed[0] != typed[1] {
		return "", usageError{errors.New("the two passwords differ")}
	}
	return typed[0], nil
}

// temporary prints a password that the hub made: to standard output alone, and once.
func (t *terminal) temporary(name, password string) error {
	if password == "" {
		t.say("用户 %s 已就绪，首次登录时须更换密码 / user %s is ready; the password is changed at the first sign-in", name, name)
		return nil
	}
	t.say("用户 %s 的一次性密码（24 小时内登录并更换） / one-time password of %s, to be changed within 24 hours:", name, name)
	t.printf("%s\n", password)
	return nil
}

// userRow is an account as `user list --json` prints it.
type userRow struct {
	Name       string      `json:"name"`
	Title      string      `json:"title"`
	Roles      []auth.Role `json:"roles"`
	Scope      auth.Scope  `json:"scope"`
	By         string      `json:"by"` // password or oidc
	InForce    bool        `json:"in_force"`
	MustChange bool        `json:"must_change"`
	From       time.Time   `json:"from,omitzero"`
	Until      time.Time   `json:"until,omitzero"`
	Seen       time.Time   `json:"seen,omitzero"`
}

func userList(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "every account with its roles", Args: usage(cobra.NoArgs)})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		users, err := a.accounts.List(ctx)
		if err != nil {
			return err
		}
		rows := []userRow{}
		for _, u := range users {
			by := "password"
			if u.Subject != "" {
				by = "oidc"
			}
			rows = append(rows, userRow{Name: u.Name, Title: u.Title, Roles: u.Roles, Scope: u.Scope, By: by, InForce: u.InForce(a.now()), MustChange: u.MustChange, From: u.From, Until: u.Until, Seen: u.Seen})
		}
		if t.json {
			return t.printJSON(rows)
		}
		for _, r := range rows {
			status, seen := "in force", "never"
			if !r.InForce {
				status = "shut"
			}
			if !r.Seen.IsZero() {
				seen = r.Seen.In(shanghai).Format("2006-01-02 15:04")
			}
			t.printf("%-20s %-8s %-9s last seen %-16s %v %s\n", r.Name, r.By, status, seen, r.Roles, r.Title)
		}
		return nil
	})
	return cmd
}

func userReset(t *terminal, o *options) *cobra.Command {
	return &cobra.Command{Use: "reset NAME", Short: "give a user a one-time password, ending all sessions", Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.withApp(o, func(ctx context.Context, a *app) error {
				temporary, err := a.accounts.Reset(ctx, args[0])
				if err != nil {
					return err
				}
				return t.temporary(args[0], temporary)
			})(cmd, nil)
		}}
}

func userDisable(t *terminal, o *options, name string, disabled bool) *cobra.Command {
	short := "let a shut account sign in again"
	if disabled {
		short = "shut an account and end its sessions"
	}
	return &cobra.Command{Use: name + " NAME", Short: short, Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.withApp(o, func(ctx context.Context, a *app) error { return a.accounts.Disable(ctx, args[0], disabled) })(cmd, nil)
		}}
}

func userUnlock(t *terminal, o *options) *cobra.Command {
	return &cobra.Command{Use: "unlock NAME", Short: "let a user try again who failed too often", Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.withApp(o, func(ctx context.Context, a *app) error { return a.accounts.Unlock(ctx, args[0]) })(cmd, nil)
		}}
}

// shanghai is the zone of every day and hour that a person reads or types.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)
