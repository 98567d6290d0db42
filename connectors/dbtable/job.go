package dbtable

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// job is a dataset's settings checked against the table they name.
type job struct {
	op, mode           string
	name, table        string // as the operator knows it, as statements name it
	columns            []column
	order              []string // qualified
	cursor             *column
	window             *connectors.Window
	nulls              string
	lookback           time.Duration
	zone               *time.Location
	zones              bool     // the watermark is text that names its zone
	flag, fresh, taken string   // flag quoted, values as literals
	place              []column // what finds a row again
	rows               int
	speak              *dialect
}

// readJob checks a job against the table it names.
func (c *conn) readJob(ctx context.Context, j connectors.Job, op string) (*job, error) {
	r := connectors.NewReader(jobSettings, j.Values)
	speak := c.engine.dialect()
	jb := &job{op: op, mode: r.Text("mode"), nulls: r.Text("null_cursor"), lookback: r.Duration("lookback"), rows: r.Int("page_rows", 1),
		fresh: speak.literal(r.Text("flag_new")), taken: speak.literal(r.Text("flag_taken")), window: j.Window, zone: c.zone, speak: speak}
	if jb.rows > connectors.PageRows {
		r.Fault("page_rows is above %d", connectors.PageRows)
	}
	if jb.window != nil && jb.mode != watermark {
		r.Fault("a window is a stretch of the watermark, and mode is %s", jb.mode)
	}
	if err := r.Err(); err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the dataset's settings on this source", Err: err}
	}
	schema, table := r.Text("schema"), r.Text("table")
	jb.name = table
	if schema != "" {
		jb.name = schema + "." + table
	}
	schema, table, columns, err := c.find(ctx, schema, table)
	if err != nil {
		return nil, failed(ctx, op, err)
	}
	if len(columns) == 0 {
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Hint: "check table and schema, and that the account may read it", Err: fmt.Errorf("there is no table %s", jb.name)}
	}
	jb.table = speak.name(schema, table)
	return jb, jb.choose(columns, r, j.Dataset.Key)
}

// find looks a table up as it is written, and where the database keeps names in capitals, in those.
func (c *conn) find(ctx context.Context, schema, table string) (string, string, []column, error) {
	columns, err := c.engine.columns(ctx, schema, table)
	if err != nil || len(columns) > 0 || !c.engine.dialect().capitals {
		return schema, table, columns, err
	}
	schema, table = strings.ToUpper(schema), strings.ToUpper(table)
	columns, err = c.engine.columns(ctx, schema, table)
	return schema, table, columns, err
}

// named finds a column as it is written, else by its letters whatever their case.
func named(columns []column, name string) (column, bool) {
	for _, col := range columns {
		if col.name == name {
			return col, true
		}
	}
	for _, col := range columns {
		if strings.EqualFold(col.name, name) {
			return col, true
		}
	}
	return column{}, false
}

// choose decides which columns are read, and in which order rows come.
func (jb *job) choose(columns []column, r *connectors.Reader, key []string) error {
	want := func(setting, name string) (column, error) {
		col, ok := named(columns, name)
		if !ok {
			return col, &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "check the setting " + setting, Err: fmt.Errorf("table %s has no column %s", jb.name, name)}
		}
		return col, nil
	}
	jb.columns = columns
	switch jb.mode {
	case watermark:
		col, err := want("cursor_column", r.Text("cursor_column"))
		if err != nil {
			return err
		}
		jb.cursor = &col
	case flag:
		col, err := want("flag_column", r.Text("flag_column"))
		if err != nil {
			return err
		}
		jb.flag = col.ref
		// The flag is the exchange's own bookkeeping.
		jb.columns = slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.name == col.name })
	}
	var declared []column
	for _, name := range r.List("key") {
		col, err := want("key", name)
		if err != nil {
			return err
		}
		declared = append(declared, col)
	}
	for _, name := range key {
		col, ok := named(columns, name)
		if len(r.List("key")) > 0 {
			break
		}
		if !ok {
			declared = nil
			break
		}
		declared = append(declared, col)
	}
	jb.sort(declared)
	if jb.mode == flag {
		return jb.find(declared, columns, len(r.List("key")) > 0)
	}
	return nil
}

// sort makes the order: the declared key first; then, where it may not tell rows apart, what does, so
// that a pull that goes on in the middle finds the rows in the same order.
func (jb *job) sort(declared []column) {
	primary := primaryKey(jb.columns)
	ties := primary
	if len(ties) == 0 {
		ties = jb.columns
	}
	for _, col := range slices.Concat(declared, ties) {
		if text := source + col.ref; !col.lob && !slices.Contains(jb.order, text) {
			jb.order = append(jb.order, text)
		}
	}
}

func primaryKey(columns []column) []column {
	var key []column
	for _, col := range columns {
		if col.key > 0 {
			key = append(key, col)
		}
	}
	slices.SortFunc(key, func(a, b column) int { return a.key - b.key })
	return key
}

// find decides what a row is found by when it is acknowledged: its place, where the database gives
// rows one, else the table's primary key, else the key that the operator set.
func (jb *job) find(declared, columns []column, chosen bool) error {
	switch key := primaryKey(columns); {
	case jb.speak.row != nil:
		jb.place = []column{*jb.speak.row}
	case len(key) > 0:
		jb.place = key
	case chosen:
		jb.place = declared
	default:
		return &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "give the table a primary key, or set key to the columns that tell its rows apart",
			Err: fmt.Errorf("table %s has no primary key, so a row that was taken could not be found again to be flagged", jb.name)}
	}
	return nil
}
