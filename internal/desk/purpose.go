package desk

import (
	"context"
	"unicode/utf8"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// read is passed by everyone who hands out results: a purpose must be named, and an account that was
// approved for one purpose may name no other.
func (d *Desk) read(ctx context.Context, op, kind, subject, purpose string) error {
	approved := auth.From(ctx).Scope.Purpose
	switch {
	case purpose == "" && approved == "":
		return &fault.Error{Op: op, Code: fault.Invalid, Hint: "name the purpose of the query; it is kept with your account"}
	case purpose != "" && approved != "" && purpose != approved:
		return &fault.Error{Op: op, Code: fault.Forbidden, Hint: "this account was approved for another purpose"}
	case utf8.RuneCountInString(purpose) > 100:
		return fault.Newf(fault.Invalid, op, "the purpose is longer than 100 characters")
	}
	return nil
}
