package dbtable

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"maps"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/text/encoding/simplifiedchinese"

	"xinshu/catalog"
	"xinshu/connectors"
)

func init() {
	register("mysql", opener{needs: []string{"host", "database", "user"},
		settings: []connectors.Setting{{Name: "latin1_holds", When: "engine=mysql", Default: "latin1", Choices: []string{"latin1", "gbk", "utf8"},
			Title: catalog.Text{ZH: "latin1 列中的实际编码", EN: "what latin1 columns hold"},
			Help:  catalog.Text{ZH: "旧系统常把 GBK 字节存入 latin1 列；按此解码", EN: "old systems keep GBK bytes in columns declared latin1; they are decoded as this"}}},
		open: func(r *connectors.Reader) func(context.Context) (engine, error) {
			s, holds := readAddress(r, 3306), r.Text("latin1_holds")
			return func(ctx context.Context) (engine, error) { return openMySQL(ctx, s, holds) }
		}})
}

// mysqlSession is said on each connection: timestamps come as Shanghai wall time, a backslash in a
// literal is what the dialect takes it for, writing never cuts a value short, and the server waits
// while staging takes its time over a page (it gives up after a minute otherwise).
var mysqlSession = map[string]string{"time_zone": "'+08:00'", "sql_mode": "'STRICT_ALL_TABLES'", "net_write_timeout": "3600"}

func openMySQL(ctx context.Context, s address, holds string) (engine, error) {
	config, err := mysql.ParseDSN("/?charset=utf8mb4,utf8") // servers before 5.5.3 know utf8 alone
	if err != nil {
		return nil, err
	}
	config.User, config.Passwd, config.DBName = s.user, s.password, s.database
	config.Net, config.Addr, config.Timeout = "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)), s.wait
	if s.socket() {
		config.Net, config.Addr = "unix", s.host
	} else if config.TLS, err = s.secured(); err != nil {
		return nil, err
	}
	config.AllowFallbackToPlaintext = s.sslmode == "prefer"
	config.Params = maps.Clone(mysqlSession)
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	e := &sqlEngine{db: sql.OpenDB(connector), speak: mysqlDialect, hello: "select concat(if(version() like '%MariaDB%', 'MySQL protocol, ', 'MySQL '), version())",
		list: func(ctx context.Context, c *sql.Conn, schema, table string) ([]column, error) {
			return mysqlColumns(ctx, c, schema, table, s.zone, holds)
		},
		begin: func(ctx context.Context, c *sql.Conn, write bool) (ender, error) {
			if write {
				return begin(ctx, c, "set transaction isolation level read committed", "start transaction")
			}
			return begin(ctx, c, "set transaction isolation level repeatable read", "start transaction with consistent snapshot, read only")
		}}
	if _, err := e.ping(ctx); err != nil {
		_ = e.close()
		return nil, err
	}
	return e, nil
}

var mysqlDialect = dialect{quote: doubled("`", "`"), literal: mysqlLiteral, mark: func(int) string { return "?" }, alias: " as ",
	locking: " for update", upsert: upsertOnDuplicate,
	ddl: ddl{key: "varchar(200) character set utf8mb4 collate utf8mb4_bin", short: "varchar(200) character set utf8mb4", text: "longtext character set utf8mb4", number: "bigint", time: "datetime(3)", serial: "bigint primary key auto_increment"}}

// mysqlLiteral holds whatever the session takes a backslash for.
func mysqlLiteral(text string) string {
	if strings.ContainsAny(text, `\'`) {
		return "_utf8mb4 0x" + hex.EncodeToString([]byte(text))
	}
	return "'" + text + "'"
}

func mysqlColumns(ctx context.Context, c *sql.Conn, schema, table string, zone *time.Location, holds string) ([]column, error) {
	// Where names keep no case, two tables cannot differ by it; where they do, the exact one is meant.
	rows, err := c.QueryContext(ctx, `select c.table_name, c.column_name, lower(c.data_type), coalesce(c.character_set_name, ''),
		coalesce((select max(s.seq_in_index) from information_schema.statistics as s where s.table_schema = c.table_schema
			and s.table_name = c.table_name and s.column_name = c.column_name and s.index_name = 'PRIMARY'), 0)
		from information_schema.columns as c where c.table_schema = coalesce(nullif(?, ''), database()) and c.table_name = ?
		order by cast(c.table_name as binary) = cast(? as binary) desc, c.table_name, c.ordinal_position`, schema, table, table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var columns []column
	var first string
	for rows.Next() {
		var col column
		var of, declared, charset string
		if err := rows.Scan(&of, &col.name, &declared, &charset, &col.key); err != nil {
			return nil, err
		}
		if first == "" {
			first = of
		}
		if of == first {
			columns = append(columns, mysqlColumn(col, declared, charset, zone, holds))
		}
	}
	return columns, rows.Err()
}

// mysqlColumn makes text of each type. A date of 0000-00-00 is MySQL's way of writing none and comes as
// null; one that lacks only its day stays as it is, for the contract's check to name.
func mysqlColumn(col column, declared, charset string, zone *time.Location, holds string) column {
	q := mysqlDialect.quote(col.name)
	col.ref, col.text = q, "cast("+q+" as char)"
	switch declared {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		col.kind, col.text = words, q
		if charset == "latin1" && holds != "latin1" {
			col.exact, col.text = q, "cast("+q+" as binary)"
			if holds == "gbk" {
				col.decode = fromGBK
			}
		}
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal":
		col.bind = "cast(%s as decimal(65, 30))"
		if declared != "decimal" {
			col.bind = "cast(%s as decimal(65))"
		}
	case "float", "double":
		// A float prints six digits; as a sum it keeps what it holds.
		col.text, col.bind = "cast("+q+" + 0e0 as char)", "(%s + 0e0)"
		col.exact = col.text
		if declared == "float" {
			col.decode = plainFloat(32)
		}
	case "bit":
		col.text, col.bind = "cast("+q+" + 0 as char)", "cast(%s as unsigned)"
	case "date", "datetime", "timestamp":
		col.exact = col.text
		col.text = "case when " + q + " = 0 then null else " + col.text + " end"
		col.none = "(" + q + " is null or " + q + " = 0)"
		switch declared {
		case "datetime":
			col.kind, col.decode = wall, then(shortTime, atZone(zone))
		case "timestamp":
			col.kind, col.decode = zoned, shortTime
		}
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		col.text, col.bind = "lower(hex("+q+"))", "unhex(%s)"
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		col.text, col.lob = "st_astext("+q+")", true
	}
	if col.exact == "" {
		col.exact = col.text
	}
	return col
}

// fromGBK reads GB18030, which holds all of GBK; bytes it does not have stay as they are and are named.
func fromGBK(dst, came []byte) ([]byte, error) {
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(came)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		text = came
	}
	return append(dst, text...), nil
}
