package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"xinshu/internal/fault"
)

// Actor is who a request is made by. The zero value is nobody.
type Actor struct {
	ID      string  // unique: a user's or a client's name
	Name    string  // as people call them
	Roles   []Role  //
	Only    []Right // of a key: at most these; nil: all that the roles give
	Scope   Scope   //
	Address string  // where the request came from
	Way     string  // session, bearer, signature, shell
}

// Scope narrows which data an actor may see. An empty member does not narrow.
type Scope struct {
	Departments []string // ids; datasets of these
	Areas       []string // beginnings of division codes
	Industries  []string // beginnings of industry codes
	Policies    []string // ids
	Fields      []string // of a result
	Entities    []string // codes
	Purpose     string   // that the access was approved for; queries may name no other
}

// Shell is the actor of a command line: whoever may read the data folder is the installation itself.
func Shell(name string) Actor {
	return Actor{ID: "shell:" + name, Name: name, Roles: slices.Clone(Roles), Way: WayShell}
}

type actorKey struct{}

// With gives a context in which a is the actor.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From gives the actor; nobody where none was set.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// Require says why the actor of the context may not do what the right names; nil where they may.
func Require(ctx context.Context, r Right) error {
	a := From(ctx)
	switch {
	case a.May(r):
		return nil
	case a.ID == "":
		return &fault.Error{Op: "ask for " + string(r), Code: fault.Unauthorized, Err: errors.New("nobody has signed in"), Hint: "sign in, or send a key"}
	}
	return &fault.Error{Op: "ask for " + string(r), Code: fault.Forbidden, Err: errors.New("this account does not have the right"), Hint: "an administrator can give the role that has it"}
}

// InArea says whether a division code lies in the actor's areas.
func (s Scope) InArea(division string) bool { return within(s.Areas, division) }

// InIndustry says whether an industry code lies in the actor's industries.
func (s Scope) InIndustry(industry string) bool { return within(s.Industries, industry) }

// HasDepartment says whether a department's data may be seen.
func (s Scope) HasDepartment(id string) bool {
	return len(s.Departments) == 0 || slices.Contains(s.Departments, id)
}

// HasPolicy says whether results of a policy may be seen.
func (s Scope) HasPolicy(id string) bool {
	return len(s.Policies) == 0 || slices.Contains(s.Policies, id)
}

func within(prefixes []string, code string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(code, p) })
}
