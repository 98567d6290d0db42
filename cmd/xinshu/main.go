// Command xinshu is the hub: it owns the wiring of all packages, the command line and the exit
// codes. It refuses to hold rules of the field; those live in catalog, sql and the steps.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // closed networks run on hosts without a zone database

	"xinshu/internal/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes, as the design names them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnfinished  = 3 // only with --strict: done, but rows were quarantined, a feed is on hold or deliveries are open
	exitInterrupted = 130
)

// errUnfinished is what a command returns under --strict when something of its work waits for a person.
var errUnfinished = errors.New("done, but rows were quarantined, a feed is on hold or deliveries are open (--strict)")

// usageError marks an error as the caller's: wrong flag, wrong config.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// exitCode is the one place where an error becomes an exit status.
func exitCode(ctx context.Context, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, errUnfinished):
		return exitUnfinished
	case errors.As(err, &usage):
		return exitUsage
	default:
		return exitFailed
	}
}

// report prints an error for a person: what was tried, the cause, what to do.
func report(w *os.File, err error) {
	var f *fault.Error
	if errors.As(err, &f) && f.Code != "" {
		fmt.Fprintf(w, "xinshu: %s [%s]\n", err, f.Code)
		return
	}
	fmt.Fprintf(w, "xinshu: %s\n", err)
}
