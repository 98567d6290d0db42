// Package pgtest owns PostgreSQL for tests: one cluster per test binary, one empty database per call.
// It refuses to reach a server somebody else started, and it is imported by tests alone. The server
// is internal/pglocal's.
package pgtest

import (
	"testing"

	"xinshu/internal/pglocal"
)

// Start gives the address of a new empty database, dropped when the test ends.
func Start(tb testing.TB) (dsn string) {
	tb.Helper()
	c, err := pglocal.Start()
	if err != nil {
		tb.Fatalf("start PostgreSQL for the test: %v", err)
	}
	name, dsn, err := c.Create()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Drop(name); err != nil {
			tb.Error(err)
		}
	})
	return dsn
}
