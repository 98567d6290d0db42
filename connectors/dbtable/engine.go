package dbtable

import (
	"context"
	"fmt"
	"strings"

	"xinshu/connectors"
)

// engine is what differs between the databases. Values cross it as text: exact numbers, times as
// Shanghai wall time, bytes as lower-case hexadecimal digits, bits as a number.
type engine interface {
	dialect() *dialect
	// columns lists a table's columns in order; none when there is no such table.
	columns(ctx context.Context, schema, table string) ([]column, error)
	// read runs queries on one snapshot of the database.
	read(ctx context.Context, work func(reader) error) error
	// write runs statements that become visible together.
	write(ctx context.Context, work func(writer) error) error
	ping(ctx context.Context) (string, error)
	close() error
}

type reader interface {
	count(ctx context.Context, query string, args ...any) (int64, error)
	// rows calls each for every row; the values hold until it returns. nil is null. The first values
	// are those of columns and come decoded; the rest are text already.
	rows(ctx context.Context, query string, args []any, columns []column, each func([][]byte) error) error
}

type writer interface {
	reader
	exec(ctx context.Context, query string, args ...any) error
}

// column is a column of a table, or the expression by which a database finds a row again.
type column struct {
	name  string
	ref   string // how a statement names it
	text  string // expression that gives the value as people write it
	exact string // the same without any rounding, for comparing
	bind  string // a parameter as a value of the column's type; %s stands for the parameter
	none  string // condition that the column holds nothing; empty: it is null
	kind  kind
	key   int  // its place in the primary key, from 1; 0: not part of it
	lob   bool // the database cannot order by it
	// decode appends the text of what came; nil: it came as text.
	decode func(dst, came []byte) ([]byte, error)
	// param brings a watermark into the form that bind reads; nil: it is taken as it is.
	param func(text string) string
}

// kind is what a watermark in a column says about time.
type kind int

const (
	other kind = iota
	words      // text, whatever it holds
	wall       // a wall time of the source's zone
	zoned      // an instant, written here as Shanghai wall time
)

// is makes a condition of the column and a parameter.
func (c column) is(operator, mark string) string {
	bind := mark
	if c.bind != "" {
		bind = strings.ReplaceAll(c.bind, "%s", mark)
	}
	return c.ref + " " + operator + " " + bind
}

// empty is the condition that the column holds nothing.
func (c column) empty() string {
	if c.none != "" {
		return c.none
	}
	return c.ref + " is null"
}

// dialect is how a database writes what every pull and push says.
type dialect struct {
	quote    func(name string) string                                // an identifier of any name
	literal  func(text string) string                                // a text literal of a setting
	mark     func(n int) string                                      // the n-th parameter, from 1
	alias    string                                                  // what stands between a table and its other name
	locked   string                                                  // behind a table's name: its rows stay as they are until the end
	locking  string                                                  // the same at the end of a query
	row      *column                                                 // the place of a row; nil: a row is found by its key
	capitals bool                                                    // names that nobody quoted are kept in capitals
	upsert   func(d *dialect, table string, columns []string) string // puts a row in, or over an older version of it
	merge    merging
	ddl      ddl
}

// merging is how an engine writes the one statement that upsert is made of.
type merging struct {
	locked  string // behind the table's name
	dual    string // behind a select of nothing but parameters
	matched string // what becomes of a row that is there: %s is the condition, then the assignments
	closing string
}

// name gives a table as a statement names it.
func (d *dialect) name(schema, table string) string {
	if schema == "" {
		return d.quote(table)
	}
	return d.quote(schema) + "." + d.quote(table)
}

// opener makes an engine out of a source's settings.
type opener struct {
	needs    []string // settings that must not be empty
	settings []connectors.Setting
	// open reads the settings, leaving what is wrong with the reader, and gives what connects.
	open func(r *connectors.Reader) func(ctx context.Context) (engine, error)
}

// engines are the databases that this build speaks to.
var engines = map[string]opener{}

// register adds a database; each file of one calls it once.
func register(name string, o opener) {
	if _, twice := engines[name]; twice {
		panic(fmt.Sprintf("engine %s is registered twice", name))
	}
	engines[name] = o
}

func doubled(open, closing string) func(string) string {
	return func(name string) string { return open + strings.ReplaceAll(name, closing, closing+closing) + closing }
}

func numbered(prefix string) func(int) string {
	return func(n int) string { return fmt.Sprintf("%s%d", prefix, n) }
}
