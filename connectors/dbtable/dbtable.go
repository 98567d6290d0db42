// Package dbtable owns front-end databases: one table or view per dataset, read whole, by watermark
// or by flag column, and acknowledged by setting the flag. It refuses to write anything else, to
// build a statement from unquoted names, and to hold a table in memory. Pages go up to staging.
//
// # A database whose driver cannot be shipped
//
// Dameng, Kingbase, openGauss and their like bring their own driver for database/sql. Such a database
// is one file in this folder under a build tag: it imports the driver, says how columns are listed and
// how statements are written (a dialect), and calls register. sqlvendor.go is that file for any driver;
// copy it, name the driver in its import, and build the hub with the tag:
//
//	go build -tags dameng ./cmd/xinshu
//
// The new engine then appears among the choices of the setting "engine", in the form and in the manual.
package dbtable

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Driver is the kind dbtable.
func Driver() connectors.Driver {
	return connectors.Driver{Kind: "dbtable", Settings: settings(), Job: jobSettings,
		Title: catalog.Text{ZH: "前置库表", EN: "front-end database"},
		About: catalog.Text{ZH: "部门前置库中的表或视图：整表、按增量字段或按标志位抽取。", EN: "A table or view of a department's front-end database, read whole, by a column that grows, or by a flag."},
		Open:  func(ctx context.Context, values connectors.Values) (connectors.Conn, error) { return open(ctx, values) }}
}

type conn struct {
	engine engine
	zone   *time.Location // of times that carry none
	target target
}

func open(ctx context.Context, values connectors.Values) (*conn, error) {
	const op = "open dbtable"
	r := connectors.NewReader(settings(), values)
	kind, known := engines[r.Text("engine")]
	zone, target := readZone(r), readTarget(r)
	var open func(context.Context) (engine, error)
	if known {
		for _, name := range kind.needs {
			if r.Text(name) == "" {
				r.Fault("%s is not set, engine %s needs it", name, r.Text("engine"))
			}
		}
		open = kind.open(r)
	}
	if err := r.Err(); err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the source's settings", Err: err}
	}
	e, err := open(ctx)
	if err != nil {
		return nil, failed(ctx, op, err)
	}
	return &conn{engine: e, zone: zone, target: target}, nil
}

// Test says which server answered.
func (c *conn) Test(ctx context.Context) (connectors.Finding, error) {
	text, err := c.engine.ping(ctx)
	if err != nil {
		return connectors.Finding{}, &fault.Error{Op: "reach the database", Code: fault.Unavailable, Err: err}
	}
	return connectors.Finding{Code: connectors.FoundServer, Place: text}, nil
}

// Close ends the connection.
func (c *conn) Close() error { return c.engine.close() }

// failed gives an error of the database its code; a cancelled context stays what it is.
func failed(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	if fault.CodeOf(err) != fault.Internal {
		return err
	}
	return &fault.Error{Op: op, Code: fault.Unavailable, Hint: "check that the database is there, the account holds and the network lets it through", Err: err}
}

// engineNames are the choices of the setting engine.
func engineNames() []string { return slices.Sorted(maps.Keys(engines)) }
