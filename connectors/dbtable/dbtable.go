// Package dbtable owns front-end databases: one table or view per dataset, read whole, by watermark
// or by flag column, and acknowledged by setting the flag. It refuses to write anything else, to
// build a statement from unquoted names, and to hold a table in memory. Pages go up to staging.
package dbtable

import (
	"context"
	"fmt"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Driver is the kind dbtable.
func Driver() connectors.Driver {
	return connectors.Driver{Kind: "dbtable", Settings: settings, Job: jobSettings,
		Title: catalog.Text{ZH: "前置库表", EN: "front-end database"},
		About: catalog.Text{ZH: "部门前置库中的表或视图：整表、按增量字段或按标志位抽取。", EN: "A table or view of a department's front-end database, read whole, by a column that grows, or by a flag."},
		Open:  func(ctx context.Context, values connectors.Values) (connectors.Conn, error) { return open(ctx, values) }}
}

var settings = []connectors.Setting{
	{Name: "engine", Required: true, Choices: []string{"sqlite", "postgres"}, Title: catalog.Text{ZH: "数据库类型", EN: "database"},
		Help: catalog.Text{ZH: "sqlite 文件；postgres 及其兼容库", EN: "a SQLite file, or PostgreSQL and what speaks its protocol"}},
	{Name: "path", Title: catalog.Text{ZH: "数据库文件", EN: "database file"},
		Help: catalog.Text{ZH: "仅 sqlite；文件必须已存在", EN: "sqlite only; the file must exist"}},
	{Name: "host", Title: catalog.Text{ZH: "主机", EN: "host"},
		Help: catalog.Text{ZH: "仅 postgres；以 / 开头为本机套接字目录", EN: "postgres only; beginning with / it is a socket directory"}},
	{Name: "port", Default: "5432", Title: catalog.Text{ZH: "端口", EN: "port"}, Help: catalog.Text{ZH: "仅 postgres", EN: "postgres only"}},
	{Name: "database", Title: catalog.Text{ZH: "库名", EN: "database name"}, Help: catalog.Text{ZH: "仅 postgres", EN: "postgres only"}},
	{Name: "user", Title: catalog.Text{ZH: "用户", EN: "user"}, Help: catalog.Text{ZH: "仅 postgres", EN: "postgres only"}},
	{Name: "password", Secret: true, Title: catalog.Text{ZH: "口令", EN: "password"}, Help: catalog.Text{ZH: "仅 postgres", EN: "postgres only"}},
	{Name: "sslmode", Default: "prefer", Choices: []string{"disable", "prefer", "require", "verify-ca", "verify-full"}, Title: catalog.Text{ZH: "加密方式", EN: "TLS"},
		Help: catalog.Text{ZH: "仅 postgres；verify-full 同时核对主机名", EN: "postgres only; verify-full checks the host's name too"}},
	{Name: "connect_timeout", Default: "15s", Title: catalog.Text{ZH: "连接时限", EN: "time to connect"}, Help: catalog.Text{ZH: "例如 15s", EN: "for example 15s"}},
}

var jobSettings = []connectors.Setting{
	{Name: "table", Required: true, Title: catalog.Text{ZH: "表或视图", EN: "table or view"},
		Help: catalog.Text{ZH: "只写名称，模式另填", EN: "the name alone, without schema"}},
	{Name: "schema", Title: catalog.Text{ZH: "模式", EN: "schema"},
		Help: catalog.Text{ZH: "空为默认模式", EN: "empty: the default schema"}},
	{Name: "mode", Default: "full", Choices: []string{"full", "watermark", "flag"}, Title: catalog.Text{ZH: "抽取方式", EN: "mode"},
		Help: catalog.Text{ZH: "full 每次全部；watermark 按增量字段；flag 按标志位，取走后置位", EN: "full: everything each time; watermark: by a column that grows; flag: what is not flagged, flagged once taken"}},
	{Name: "key", Title: catalog.Text{ZH: "排序字段", EN: "columns of the order"},
		Help: catalog.Text{ZH: "逗号分隔；空为数据集主键，其列不全在表中时为全部列", EN: "comma separated; empty: the dataset's key, or all columns where the table lacks it"}},
	{Name: "cursor_column", Default: "op_time", Title: catalog.Text{ZH: "增量字段", EN: "watermark column"},
		Help: catalog.Text{ZH: "仅 watermark；等于上次最大值的行会再取一次", EN: "watermark only; rows equal to the last maximum are read again"}},
	{Name: "null_cursor", Default: "take", Choices: []string{"take", "refuse", "leave"}, Title: catalog.Text{ZH: "增量字段为空的行", EN: "rows without watermark"},
		Help: catalog.Text{ZH: "take 每次都取；refuse 拒绝抽取；leave 不取", EN: "take them each time, refuse the pull, or leave them out"}},
	{Name: "lookback", Title: catalog.Text{ZH: "回看时长", EN: "lookback"},
		Help: catalog.Text{ZH: "时间型增量字段向前多取，例如 24h", EN: "reads a time watermark again from that much earlier, for example 24h"}},
	{Name: "flag_column", Default: "state", Title: catalog.Text{ZH: "标志字段", EN: "flag column"}, Help: catalog.Text{ZH: "仅 flag", EN: "flag only"}},
	{Name: "flag_new", Default: "0", Title: catalog.Text{ZH: "未取标志", EN: "flag of new rows"}, Help: catalog.Text{ZH: "仅 flag", EN: "flag only"}},
	{Name: "flag_taken", Default: "1", Title: catalog.Text{ZH: "已取标志", EN: "flag of taken rows"}, Help: catalog.Text{ZH: "仅 flag", EN: "flag only"}},
	{Name: "page_rows", Default: "10000", Title: catalog.Text{ZH: "每页行数", EN: "rows of a page"}, Help: catalog.Text{ZH: "最多 10000", EN: "10000 at most"}},
}

// Modes of a job.
const (
	full      = "full"
	watermark = "watermark"
	flag      = "flag"
)

// engine is what differs between the databases. Values cross it as text: exact numbers, and times as
// Shanghai wall time.
type engine interface {
	// columns lists a table's columns in order; none when there is no such table.
	columns(ctx context.Context, schema, table string) ([]column, error)
	// read runs queries on one snapshot of the database.
	read(ctx context.Context, work func(reader) error) error
	// write runs statements that become visible together.
	write(ctx context.Context, work func(writer) error) error
	// place is the expression that finds a row again for acknowledgement.
	place() string
	ping(ctx context.Context) (string, error)
	close() error
}

type reader interface {
	count(ctx context.Context, query string, args ...any) (int64, error)
	// rows calls each for every row; the values hold until it returns. nil is null.
	rows(ctx context.Context, query string, args []any, each func([][]byte) error) error
}

type writer interface {
	reader
	exec(ctx context.Context, query string, args ...any) error
	// at is the condition that a row lies at one of so many places, given as parameters.
	at(places int) string
	// locking is what a query must end in for its rows to stay as they are.
	locking() string
}

type column struct {
	name  string
	text  string // expression that gives the value as people write it
	exact string // the same without any rounding, for comparing
}

type conn struct{ engine engine }

func open(ctx context.Context, values connectors.Values) (*conn, error) {
	const op = "open dbtable"
	r := connectors.NewReader(settings, values)
	wait := r.Duration("connect_timeout")
	need := []string{"path"}
	if r.Text("engine") == "postgres" {
		need = []string{"host", "database", "user"}
		r.Int("port", 1)
	}
	for _, name := range need {
		if r.Text(name) == "" {
			r.Fault("%s is not set, engine %s needs it", name, r.Text("engine"))
		}
	}
	if err := r.Err(); err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the source's settings", Err: err}
	}
	var (
		e   engine
		err error
	)
	if r.Text("engine") == "sqlite" {
		e, err = openSQLite(r.Text("path"))
	} else {
		e, err = openPostgres(ctx, r, wait)
	}
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Unavailable, Hint: "check that the database is there and the account holds", Err: err}
	}
	return &conn{engine: e}, nil
}

// Test says which server answered.
func (c *conn) Test(ctx context.Context) (string, error) {
	text, err := c.engine.ping(ctx)
	if err != nil {
		return "", &fault.Error{Op: "reach the database", Code: fault.Unavailable, Err: err}
	}
	return text, nil
}

// Close ends the connection.
func (c *conn) Close() error { return c.engine.close() }

// quote makes an identifier of any name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal makes a text literal of a setting.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

type job struct {
	op, table, mode    string
	name               string // table as the operator knows it
	columns            []column
	order              []string // quoted and qualified
	cursor             *column
	nulls              string
	lookback           time.Duration
	flag, fresh, taken string // flag quoted, values as literals
	place              string // expression that finds a row again
	rows               int
}

// readJob checks a job against the table it names.
func (c *conn) readJob(ctx context.Context, j connectors.Job, op string) (*job, error) {
	r := connectors.NewReader(jobSettings, j.Values)
	jb := &job{op: op, mode: r.Text("mode"), nulls: r.Text("null_cursor"), lookback: r.Duration("lookback"), rows: r.Int("page_rows", 1),
		place: c.engine.place(), fresh: literal(r.Text("flag_new")), taken: literal(r.Text("flag_taken"))}
	if jb.rows > connectors.PageRows {
		r.Fault("page_rows is above %d", connectors.PageRows)
	}
	if err := r.Err(); err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the dataset's settings on this source", Err: err}
	}
	schema, table := r.Text("schema"), r.Text("table")
	jb.name, jb.table = table, quote(table)
	if schema != "" {
		jb.name, jb.table = schema+"."+table, quote(schema)+"."+quote(table)
	}
	columns, err := c.engine.columns(ctx, schema, table)
	if err != nil {
		return nil, failed(ctx, op, err)
	}
	if len(columns) == 0 {
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Hint: "check table and schema", Err: fmt.Errorf("there is no table %s", jb.name)}
	}
	return jb, jb.choose(columns, r, j.Dataset.Key)
}

// choose decides which columns are read, and in which order rows come.
func (jb *job) choose(columns []column, r *connectors.Reader, key []string) error {
	byName := make(map[string]column, len(columns))
	for _, col := range columns {
		byName[col.name] = col
	}
	want := func(setting, name string) (column, error) {
		col, ok := byName[name]
		if !ok {
			return col, &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "check the setting " + setting, Err: fmt.Errorf("table %s has no column %s", jb.name, name)}
		}
		return col, nil
	}
	for _, col := range columns {
		if jb.mode == flag && col.name == r.Text("flag_column") {
			continue // the flag is the exchange's own bookkeeping
		}
		jb.columns = append(jb.columns, col)
	}
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
		jb.flag = quote(col.name)
	}
	declared := r.List("key")
	for _, name := range declared {
		if _, err := want("key", name); err != nil {
			return err
		}
	}
	if len(declared) == 0 {
		declared = key
	}
	for _, name := range declared {
		if _, ok := byName[name]; !ok {
			declared = nil
			break
		}
	}
	for _, name := range declared {
		jb.order = append(jb.order, source+quote(name))
	}
	if len(jb.order) == 0 {
		for _, col := range jb.columns {
			jb.order = append(jb.order, source+quote(col.name))
		}
	}
	return nil
}

// failed gives an error of the database its code; a cancelled context stays what it is.
func failed(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	if fault.CodeOf(err) != fault.Internal {
		return err
	}
	return &fault.Error{Op: op, Code: fault.Unavailable, Hint: "the database refused or went away", Err: err}
}
