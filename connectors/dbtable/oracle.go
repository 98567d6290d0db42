package dbtable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	goora "github.com/sijms/go-ora"

	"xinshu/catalog"
	"xinshu/connectors"
)

func init() {
	register("oracle", opener{needs: []string{"host", "user"},
		settings: []connectors.Setting{{Name: "sid", When: "engine=oracle", Title: catalog.Text{ZH: "实例名 SID", EN: "SID"},
			Help: catalog.Text{ZH: "旧库用 SID 代替服务名时填写；否则填库名（服务名）", EN: "for old databases reached by SID; otherwise give the service name as database name"}}},
		open: func(r *connectors.Reader) func(context.Context) (engine, error) {
			s, sid := readAddress(r, 1521), r.Text("sid")
			if sid == "" && s.database == "" {
				r.Fault("neither database (service name) nor sid is set, engine oracle needs one")
			}
			if s.sslmode == "verify-ca" || s.ca != "" {
				r.Fault("the Oracle driver checks certificates against the system's alone: sslmode is disable, prefer, require or verify-full, tls_ca is empty")
			}
			return func(ctx context.Context) (engine, error) { return openOracle(ctx, s, sid) }
		}})
}

// oracleFetch is how many rows come in one answer; the driver's 25 would make a pull wait on the network.
const oracleFetch = "1000"

// oracleSession is said at the beginning of each transaction: a point is a point, whatever the server's language.
const oracleSession = `alter session set nls_numeric_characters = '.,' time_zone = '+08:00' nls_date_format = 'YYYY-MM-DD HH24:MI:SS' nls_timestamp_format = 'YYYY-MM-DD HH24:MI:SS.FF'`

func openOracle(ctx context.Context, s address, sid string) (engine, error) {
	options := map[string]string{"PREFETCH_ROWS": oracleFetch, "CONNECTION TIMEOUT": strconv.Itoa(max(int(s.wait.Seconds()), 1))}
	if sid != "" {
		options["SID"] = sid
	}
	if s.sslmode == "require" || s.sslmode == "verify-full" { // Oracle listens for TLS on a port of its own: nothing to prefer
		options["SSL"], options["SSL VERIFY"] = "enable", strconv.FormatBool(s.sslmode == "verify-full")
	}
	inner, err := (&goora.OracleDriver{}).OpenConnector(goora.BuildUrl(s.host, s.port, s.database, s.user, s.password, options))
	if err != nil {
		return nil, hide(err, s.password)
	}
	db := sql.OpenDB(oracleConnector{inner, s})
	db.SetMaxIdleConns(0) // a connection for each pull: servers close idle ones, and this driver does not see it
	e := oracleEngine(db, s.zone)
	if _, err := e.ping(ctx); err != nil {
		_ = e.close()
		return nil, err
	}
	return e, nil
}

// oracleConnector bounds connecting. The driver keeps the deadline of the context it connects with for
// the life of the connection, so it gets one without, and is waited for from outside.
type oracleConnector struct {
	driver.Connector
	at address
}

func (c oracleConnector) Connect(ctx context.Context) (driver.Conn, error) {
	type outcome struct {
		conn driver.Conn
		err  error
	}
	ended := make(chan outcome, 1)
	go func() {
		conn, err := c.Connector.Connect(context.WithoutCancel(ctx))
		ended <- outcome{conn, err}
	}()
	patience := time.NewTimer(c.at.wait)
	defer patience.Stop()
	select {
	case o := <-ended:
		if o.err != nil && strings.Contains(o.err.Error(), "no available servers") {
			o.err = errors.New("the listener refused the connection: it does not know the service name or SID, or takes no connections now; its log says which (ORA-12514, ORA-12505, ORA-12528)")
		}
		if o.err != nil {
			o.err = hide(o.err, c.at.password)
		}
		return o.conn, o.err
	case <-ctx.Done():
		go release(ended, func(o outcome) driver.Conn { return o.conn })
		return nil, ctx.Err()
	case <-patience.C:
		go release(ended, func(o outcome) driver.Conn { return o.conn })
		return nil, fmt.Errorf("the server took the connection and said nothing for %s", c.at.wait)
	}
}

// release closes a connection that came after nobody waited for it any more.
func release[T any](ended <-chan T, conn func(T) driver.Conn) {
	if c := conn(<-ended); c != nil {
		_ = c.Close()
	}
}

// hide keeps a password out of an error of a driver that takes it in its address.
func hide(err error, password string) error {
	if password == "" {
		return err
	}
	text := err.Error()
	for _, shown := range []string{password, url.PathEscape(password), url.QueryEscape(password)} {
		text = strings.ReplaceAll(text, shown, "***")
	}
	if text == err.Error() {
		return err
	}
	return fmt.Errorf("%s", text)
}

func oracleEngine(db *sql.DB, zone *time.Location) *sqlEngine {
	return &sqlEngine{db: db, speak: oracleDialect, hello: "select banner from v$version where rownum = 1",
		list: func(ctx context.Context, c *sql.Conn, schema, table string) ([]column, error) {
			return oracleColumns(ctx, c, schema, table, zone)
		},
		begin: oracleBegin}
}

func oracleBegin(ctx context.Context, c *sql.Conn, write bool) (ender, error) {
	if _, err := c.ExecContext(ctx, oracleSession); err != nil {
		return nil, err
	}
	tx, err := beginTx(ctx, c, sql.LevelDefault)
	if err != nil || write {
		return tx, err
	}
	if _, err := tx.ExecContext(ctx, "set transaction read only"); err != nil { // every query sees the same instant
		_ = tx.Rollback()
		return nil, err
	}
	return tx, nil
}

// An alias of a table stands without "as" in Oracle, and names that nobody quoted are capitals.
var oracleDialect = dialect{quote: doubled(`"`, `"`), literal: doubled("'", "'"), mark: numbered(":"), alias: " ", locking: " for update", capitals: true,
	row: &column{ref: "rowid", exact: "rowidtochar(rowid)", bind: "chartorowid(%s)"}, upsert: upsertMerge,
	merge: merging{dual: " from dual", matched: "then update set %[2]s where %[1]s"},
	ddl:   ddl{key: "varchar2(200 char)", short: "varchar2(200 char)", text: "clob", number: "number(19)", time: "timestamp(3)", serial: "number(19) generated by default as identity primary key"}}

func oracleColumns(ctx context.Context, c *sql.Conn, schema, table string, zone *time.Location) ([]column, error) {
	rows, err := c.QueryContext(ctx, `select c.column_name, c.data_type, nvl(c.data_scale, -1), nvl((select max(k.position) from all_constraints p
		join all_cons_columns k on k.owner = p.owner and k.constraint_name = p.constraint_name
		where p.owner = c.owner and p.table_name = c.table_name and p.constraint_type = 'P' and k.column_name = c.column_name), 0)
		from all_tab_columns c where c.owner = nvl(:1, sys_context('userenv', 'current_schema')) and c.table_name = :2 order by c.column_id`, schema, table)
	if err != nil {
		return nil, err
	}
	var scale int
	return described(rows, func(col column, declared string) column { return oracleColumn(col, declared, scale, zone) }, &scale)
}

// sizes are what stands in the name of a type: TIMESTAMP(6) WITH TIME ZONE.
var sizes = regexp.MustCompile(`\(\d+\)`)

// oracleColumn makes text of each type. An empty text is null in Oracle and comes as null; a DATE holds
// a time of day and comes with it.
func oracleColumn(col column, declared string, scale int, zone *time.Location) column {
	const second = "'YYYY-MM-DD HH24:MI:SS'"
	q := oracleDialect.quote(col.name)
	col.ref, col.text = q, q
	declared = sizes.ReplaceAllString(declared, "")
	fraction := "'YYYY-MM-DD HH24:MI:SS" + map[bool]string{true: ".FF" + strconv.Itoa(scale)}[scale > 0] + "'"
	switch declared {
	case "VARCHAR2", "VARCHAR", "NVARCHAR2":
		col.kind = words
	case "CHAR", "NCHAR":
		col.kind, col.text = words, "rtrim("+q+")"
	case "NUMBER", "FLOAT":
		col.text, col.bind, col.decode = "to_char("+q+", 'TM9', 'nls_numeric_characters=''.,''')", "to_number(%s)", leadingZero
	case "BINARY_FLOAT":
		col.text, col.bind, col.decode = "to_char("+q+", 'TM9', 'nls_numeric_characters=''.,''')", "to_binary_float(%s)", plainFloat(32)
	case "BINARY_DOUBLE":
		col.text, col.bind, col.decode = "to_char("+q+", 'TM9', 'nls_numeric_characters=''.,''')", "to_binary_double(%s)", plainFloat(64)
	case "DATE":
		col.kind, col.decode, col.param = wall, atZone(zone), rewritten("2006-01-02 15:04:05")
		col.text, col.bind = "to_char("+q+", "+second+")", "to_date(%s, "+second+")"
	case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE":
		col = oracleTimestamp(col, declared, fraction, zone)
	case "RAW":
		col.text, col.bind = "lower(rawtohex("+q+"))", "hextoraw(%s)"
	case "BLOB", "LONG RAW":
		col.lob, col.decode = true, pgBytes
	case "CLOB", "NCLOB", "LONG":
		col.lob = true
	case "XMLTYPE":
		col.text, col.lob = "xmlserialize(content "+q+" as clob)", true
	case "ROWID", "UROWID":
		col.text, col.bind = "rowidtochar("+q+")", "chartorowid(%s)"
	case "INTERVAL DAY TO SECOND", "INTERVAL YEAR TO MONTH":
		col.text = "to_char(" + q + ")"
	}
	col.exact = col.text
	return col
}

func oracleTimestamp(col column, declared, fraction string, zone *time.Location) column {
	const bind = "to_timestamp(%s, 'YYYY-MM-DD HH24:MI:SS.FF9')"
	col.param = rewritten("2006-01-02 15:04:05.000000000")
	if declared == "TIMESTAMP" {
		col.kind, col.decode = wall, then(shortTime, atZone(zone))
		col.text, col.bind = "to_char("+col.ref+", "+fraction+")", bind
		return col
	}
	col.kind, col.decode = zoned, shortTime
	col.text, col.bind = "to_char("+col.ref+" at time zone '+08:00', "+fraction+")", "from_tz("+bind+", '+08:00')"
	return col
}

// rewritten writes a watermark as a format model reads it.
func rewritten(layout string) func(string) string {
	return func(text string) string {
		if t, _, ok := connectors.ParseTime(text); ok {
			return t.Format(layout)
		}
		return text
	}
}

// leadingZero gives a number between -1 and 1 the zero that Oracle leaves out.
func leadingZero(dst, came []byte) ([]byte, error) {
	text := string(came)
	switch {
	case strings.HasPrefix(text, "."):
		return append(append(dst, '0'), text...), nil
	case strings.HasPrefix(text, "-."):
		return append(append(dst, '-', '0'), text[1:]...), nil
	}
	return append(dst, text...), nil
}
