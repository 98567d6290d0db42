// Package fault owns the house's errors and its named crash points. It refuses to know any other
// package: everything stands on it, it stands on the standard library only.
package fault

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an Error is. HTTP status, exit status and retry follow from it.
type Code string

// The codes. Only Unavailable is retried by itself. Unauthorized asks who it is; Forbidden knows, and says no.
const (
	Invalid      Code = "invalid"
	NotFound     Code = "not_found"
	Conflict     Code = "conflict"
	Unauthorized Code = "unauthorized"
	Forbidden    Code = "forbidden"
	TooMany      Code = "too_many" // requests or attempts: later it may do
	Unavailable  Code = "unavailable"
	Internal     Code = "internal"
)

// Error is a failed step: what was being tried, what kind of failure, and what the operator can do.
type Error struct {
	Op   string // what was being tried, lower case: "pull transport.permit"
	Code Code
	Hint string // what to do about it; empty when there is nothing to do
	Err  error  // the cause; nil when Op and Hint say everything
}

// Error gives one line: op, cause, hint.
func (e *Error) Error() string {
	s := e.Op
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Newf makes an Error whose cause is the formatted text.
func Newf(code Code, op, format string, args ...any) *Error {
	return &Error{Op: op, Code: code, Err: fmt.Errorf(format, args...)}
}

// CodeOf gives the code of the outermost Error in err's chain; Internal for any other error, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Is reports whether err carries code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
