//go:build vendor_example

package dbtable

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	// A vendor's driver registers itself with database/sql when it is imported. Put it into go.mod of
	// your own build (a replace directive names the folder it lies in) and import it here:
	//
	//	_ "dm" // Dameng registers "dm"
)

// This file is the whole of what a vendor's database takes. Copy it under the vendor's name and tag
// (dameng.go, "//go:build dameng"), keep the parts that hold, and change those that differ. What is here
// suits databases that follow Oracle, as Dameng does: capitals for names that nobody quoted, merge, dual.
func init() {
	register("vendor", opener{needs: []string{"driver", "dsn"},
		settings: []connectors.Setting{
			{Name: "driver", When: "engine=vendor", Title: catalog.Text{ZH: "驱动名", EN: "driver"},
				Help: catalog.Text{ZH: "厂商驱动在 database/sql 中注册的名称，例如 dm", EN: "the name under which the vendor's driver registers, for example dm"}},
			{Name: "dsn", Secret: true, When: "engine=vendor", Title: catalog.Text{ZH: "连接串", EN: "address"},
				Help: catalog.Text{ZH: "按厂商手册填写，含口令", EN: "as the vendor's manual writes it, password included"}},
		},
		open: func(r *connectors.Reader) func(context.Context) (engine, error) {
			driver, dsn, zone := r.Text("driver"), r.Text("dsn"), readZone(r)
			return func(ctx context.Context) (engine, error) { return openVendor(ctx, driver, dsn, zone) }
		}})
}

func openVendor(ctx context.Context, driver, dsn string, zone *time.Location) (engine, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, hide(err, dsn)
	}
	e := vendorEngine(db, zone)
	if _, err := e.ping(ctx); err != nil {
		_ = e.close()
		return nil, hide(err, dsn)
	}
	return e, nil
}

func vendorEngine(db *sql.DB, zone *time.Location) *sqlEngine {
	return &sqlEngine{db: db, speak: vendorDialect,
		hello: "select 'vendor database' from dual", // the statement that gives the server's version
		list: func(ctx context.Context, c *sql.Conn, schema, table string) ([]column, error) {
			return vendorColumns(ctx, c, schema, table, zone)
		},
		begin: func(ctx context.Context, c *sql.Conn, write bool) (ender, error) {
			// A pull must see one state of the table: whatever the vendor calls a snapshot.
			if write {
				return beginTx(ctx, c, sql.LevelDefault)
			}
			return beginTx(ctx, c, sql.LevelSerializable)
		}}
}

// vendorDialect names rows by their primary key (row is nil); a vendor whose rows have a place may name it.
var vendorDialect = dialect{quote: doubled(`"`, `"`), literal: doubled("'", "'"), mark: func(int) string { return "?" }, alias: " ", locking: " for update", capitals: true,
	upsert: upsertMerge, merge: merging{dual: " from dual", matched: "then update set %[2]s where %[1]s"},
	ddl: ddl{key: "varchar(200)", short: "varchar(200)", text: "clob", number: "bigint", time: "timestamp(3)", serial: "bigint identity primary key"}}

// vendorColumns asks the catalogue that Oracle's followers keep.
func vendorColumns(ctx context.Context, c *sql.Conn, schema, table string, zone *time.Location) ([]column, error) {
	rows, err := c.QueryContext(ctx, `select c.column_name, c.data_type, coalesce((select max(k.position) from all_constraints p
		join all_cons_columns k on k.owner = p.owner and k.constraint_name = p.constraint_name
		where p.owner = c.owner and p.table_name = c.table_name and p.constraint_type = 'P' and k.column_name = c.column_name), 0)
		from all_tab_columns c where c.owner = coalesce(nullif(?, ''), user) and c.table_name = ? order by c.column_id`, schema, table)
	if err != nil {
		return nil, err
	}
	return described(rows, func(col column, declared string) column {
		return vendorColumn(col, strings.ToLower(sizes.ReplaceAllString(declared, "")), zone)
	})
}

// vendorColumn has the server write every value as text, so that the driver's idea of it does not matter.
func vendorColumn(col column, declared string, zone *time.Location) column {
	col.ref = vendorDialect.quote(col.name)
	col.text = "cast(" + col.ref + " as varchar(8000))"
	switch declared {
	case "varchar", "varchar2", "nvarchar", "nvarchar2":
		col.kind, col.text = words, col.ref
	case "char", "nchar":
		col.kind, col.text = words, "rtrim("+col.ref+")"
	case "number", "decimal", "numeric":
		col.decode, col.bind = leadingZero, "cast(%s as decimal(38, 10))"
	case "date", "datetime", "timestamp":
		col.text = "to_char(" + col.ref + ", 'YYYY-MM-DD HH24:MI:SS.FF6')"
		col.bind, col.param = "to_timestamp(%s, 'YYYY-MM-DD HH24:MI:SS.FF6')", rewritten("2006-01-02 15:04:05.000000")
		col.kind, col.decode = wall, then(shortTime, atZone(zone))
	case "clob", "text", "blob", "image":
		col.text, col.lob = col.ref, true
	}
	col.exact = col.text
	return col
}
