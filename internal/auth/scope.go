package auth

import (
	"slices"
	"strings"
)

// narrow gives what lies in both scopes; ok is false when the second asks for something that the first
// does not have: an empty list would not narrow at all, so what is left over may not be taken for it.
func (s Scope) narrow(by Scope) (both Scope, ok bool) {
	equal := func(have, want string) bool { return have == want }
	ok = true
	part := func(have, want []string, covers func(have, want string) bool) []string {
		switch {
		case len(want) == 0:
			return have
		case len(have) == 0:
			return want
		}
		for _, w := range want {
			ok = ok && slices.ContainsFunc(have, func(h string) bool { return covers(h, w) })
		}
		return want
	}
	begins := func(have, want string) bool { return strings.HasPrefix(want, have) }
	both = Scope{
		Departments: part(s.Departments, by.Departments, equal), Areas: part(s.Areas, by.Areas, begins),
		Industries: part(s.Industries, by.Industries, begins), Policies: part(s.Policies, by.Policies, equal),
		Fields: part(s.Fields, by.Fields, equal), Entities: part(s.Entities, by.Entities, equal), Purpose: s.Purpose,
	}
	if both.Purpose == "" {
		both.Purpose = by.Purpose
	}
	return both, ok && (by.Purpose == "" || both.Purpose == by.Purpose)
}
