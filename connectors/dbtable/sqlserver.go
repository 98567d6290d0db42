package dbtable

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"xinshu/connectors"
)

func init() {
	register("sqlserver", opener{needs: []string{"host", "database", "user"},
		open: func(r *connectors.Reader) func(context.Context) (engine, error) {
			s := readAddress(r, 1433)
			return func(ctx context.Context) (engine, error) { return openSQLServer(ctx, s) }
		}})
}

// sqlserverHello also says whether a pull makes writers wait.
const sqlserverHello = `select N'SQL Server ' + cast(serverproperty('productversion') as nvarchar(60)) + case when snapshot_isolation_state = 1 then N''
	else N'; the database does not allow snapshot isolation, so writers wait while a table is pulled (alter database ... set allow_snapshot_isolation on mends that)' end
	from sys.databases where database_id = db_id()`

func openSQLServer(ctx context.Context, s address) (engine, error) {
	query := url.Values{"database": {s.database}, "app name": {"xinshu"}, "dial timeout": {strconv.Itoa(int(s.wait.Seconds()))}}
	host, instance, _ := strings.Cut(s.host, `\`)
	config, err := msdsn.Parse((&url.URL{Scheme: "sqlserver", Host: host + ":" + strconv.Itoa(s.port), Path: instance, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	config.User, config.Password = s.user, s.password // never part of a text that could be shown
	s.host = host
	switch config.TLSConfig, err = s.secured(); {
	case err != nil:
		return nil, err
	case s.sslmode == "disable":
		config.Encryption = msdsn.EncryptionDisabled
	case s.sslmode == "prefer":
		config.Encryption = msdsn.EncryptionOff // the login alone, unless the server wants more
	default:
		config.Encryption = msdsn.EncryptionRequired
	}
	if config.TLSConfig != nil {
		config.TLSConfig.DynamicRecordSizingDisabled = true // the server wants a packet of its own in one record
	}
	e := sqlserverEngine(sql.OpenDB(mssql.NewConnectorConfig(config)), s.zone)
	if _, err := e.ping(ctx); err != nil {
		_ = e.close()
		return nil, err
	}
	return e, nil
}

func sqlserverEngine(db *sql.DB, zone *time.Location) *sqlEngine {
	return &sqlEngine{db: db, speak: sqlserverDialect, hello: sqlserverHello,
		list: func(ctx context.Context, c *sql.Conn, schema, table string) ([]column, error) {
			return sqlserverColumns(ctx, c, schema, table, zone)
		},
		begin: sqlserverBegin}
}

// sqlserverBegin reads on a snapshot where the database allows one; elsewhere what was read is kept
// from changing until the pull ends, because a pull that saw two states could lose a row between them.
func sqlserverBegin(ctx context.Context, c *sql.Conn, write bool) (ender, error) {
	level := sql.LevelReadCommitted
	if !write {
		var snapshot bool
		if err := c.QueryRowContext(ctx, "select cast(case snapshot_isolation_state when 1 then 1 else 0 end as bit) from sys.databases where database_id = db_id()").Scan(&snapshot); err != nil {
			return nil, err
		}
		if level = sql.LevelSerializable; snapshot {
			level = sql.LevelSnapshot
		}
	}
	return beginTx(ctx, c, level)
}

var sqlserverDialect = dialect{quote: doubled("[", "]"), literal: doubled("N'", "'"), mark: numbered("@p"), alias: " as ", locked: " with (updlock, rowlock)", upsert: upsertMerge,
	merge: merging{locked: " with (holdlock)", matched: "and %s then update set %s", closing: ";"},
	ddl:   ddl{key: "nvarchar(200) collate Latin1_General_BIN2", short: "nvarchar(200)", text: "nvarchar(max)", number: "bigint", time: "datetime2(3)", serial: "bigint identity primary key"}}

func sqlserverColumns(ctx context.Context, c *sql.Conn, schema, table string, zone *time.Location) ([]column, error) {
	rows, err := c.QueryContext(ctx, `select c.name, lower(t.name), c.scale, coalesce(ic.key_ordinal, 0)
		from sys.columns as c join sys.types as t on t.user_type_id = case when c.system_type_id in (240) then c.user_type_id else c.system_type_id end
		left join sys.indexes as i on i.object_id = c.object_id and i.is_primary_key = 1
		left join sys.index_columns as ic on ic.object_id = c.object_id and ic.index_id = i.index_id and ic.column_id = c.column_id
		where c.object_id = object_id(@p1) order by c.column_id`, sqlserverDialect.name(schema, table))
	if err != nil {
		return nil, err
	}
	var scale int
	return described(rows, func(col column, declared string) column { return sqlserverColumn(col, declared, scale, zone) }, &scale)
}

// sqlserverColumn makes text of each type: numbers of 17 digits so that none is rounded, times in the
// order of ISO 8601, an instant as Shanghai wall time, bytes as hexadecimal digits.
func sqlserverColumn(col column, declared string, scale int, zone *time.Location) column {
	q := sqlserverDialect.quote(col.name)
	col.ref, col.text = q, "cast("+q+" as nvarchar(max))"
	switch declared {
	case "char", "nchar":
		col.kind, col.text = words, "rtrim("+col.text+")"
	case "varchar", "nvarchar", "sysname":
		col.kind = words
	case "text", "ntext", "xml":
		col.lob = true
	case "image":
		col.lob, col.text = true, "lower(convert(nvarchar(max), cast("+q+" as varbinary(max)), 2))"
	case "binary", "varbinary", "timestamp", "rowversion":
		col.text, col.bind = "lower(convert(nvarchar(max), cast("+q+" as varbinary(max)), 2))", "convert(varbinary(max), %s, 2)"
	case "money", "smallmoney":
		col.text, col.bind = "convert(nvarchar(60), "+q+", 2)", "cast(%s as money)"
	case "real", "float":
		col.text, col.bind, col.decode = "convert(nvarchar(60), "+q+", 3)", "cast(%s as float)", plainFloat(map[string]int{"real": 32, "float": 64}[declared])
	case "date":
		col.text, col.bind = "convert(nvarchar(30), "+q+", 23)", "cast(%s as date)"
	case "time":
		col.text, col.bind = "convert(nvarchar(30), "+q+", 121)", "cast(%s as time(7))"
	case "datetime", "smalldatetime", "datetime2":
		to := declared
		if declared == "datetime2" {
			to = fmt.Sprintf("datetime2(%d)", scale)
		}
		col.kind, col.decode = wall, then(shortTime, atZone(zone))
		col.text, col.bind = "convert(nvarchar(30), "+q+", 121)", "cast(%s as "+to+")"
	case "datetimeoffset":
		col.kind, col.decode = zoned, shortTime
		col.text = fmt.Sprintf("convert(nvarchar(30), cast(switchoffset(%s, '+08:00') as datetime2(%d)), 121)", q, scale)
		col.bind = "todatetimeoffset(cast(%s as datetime2(7)), '+08:00')"
	case "uniqueidentifier":
		col.text, col.bind = "lower(cast("+q+" as nvarchar(36)))", "cast(%s as uniqueidentifier)"
	case "tinyint", "smallint", "int", "bigint":
		col.text, col.bind = "cast("+q+" as nvarchar(60))", "cast(%s as bigint)"
	case "decimal", "numeric":
		col.text, col.bind = "cast("+q+" as nvarchar(60))", fmt.Sprintf("cast(%%s as decimal(38, %d))", scale)
	case "sql_variant":
		col.text = "cast(" + q + " as nvarchar(4000))"
	case "geometry", "geography":
		col.text, col.lob = q+".STAsText()", true
	}
	col.exact = col.text
	return col
}

// plainFloat writes a number with as many digits as tell it from its neighbours.
func plainFloat(bits int) func(dst, came []byte) ([]byte, error) {
	return func(dst, came []byte) ([]byte, error) {
		x, err := strconv.ParseFloat(strings.TrimSpace(string(came)), 64)
		if err != nil {
			return append(dst, came...), nil //nolint:nilerr // what is no number stays for the contract's check
		}
		return strconv.AppendFloat(dst, x, 'g', -1, bits), nil
	}
}
