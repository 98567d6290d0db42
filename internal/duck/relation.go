package duck

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// Column is a column of a table, view or model.
type Column struct {
	Name string
	Type string // as DuckDB writes it: BIGINT, VARCHAR, DATE
	Doc  string // what it means; empty outside model headers
}

// RowGroup is the number of rows in a Parquet row group that Copy writes: small enough that finding
// one entity in a sorted file reads little, large enough that a full scan does not pay for it.
const RowGroup = 61_440

// View names a relation over local Parquet files that all have the columns, in this order. Without
// files it is empty but typed, so that a model runs on the first day as well.
func (d *DB) View(ctx context.Context, name string, paths []string, columns []Column) error {
	return d.viewOf(ctx, name, paths, columns, func(string) bool { return len(paths) > 0 })
}

// OlderView is View over files of which some, or all, may have been written before a column came: it is
// null there. It costs a look at the files that View does without.
func (d *DB) OlderView(ctx context.Context, name string, paths []string, columns []Column) error {
	has := map[string]bool{}
	if len(paths) > 0 {
		there, err := d.Describe(ctx, "select * from "+Parquet(paths))
		if err != nil {
			return err
		}
		for _, c := range there {
			has[c.Name] = true
		}
	}
	return d.viewOf(ctx, name, paths, columns, func(column string) bool { return has[column] })
}

func (d *DB) viewOf(ctx context.Context, name string, paths []string, columns []Column, has func(column string) bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "create or replace view %s as select ", Ident(name))
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		source := Ident(c.Name)
		if !has(c.Name) {
			source = "null"
		}
		fmt.Fprintf(&b, "cast(%s as %s) as %s", source, c.Type, Ident(c.Name))
	}
	if len(paths) == 0 {
		b.WriteString(" where false")
	} else {
		fmt.Fprintf(&b, " from %s", Parquet(paths))
	}
	return d.Exec(ctx, b.String())
}

// Older is View over files of which all may be older than one of the columns, which is null then.
func (d *DB) Older(ctx context.Context, name string, paths []string, columns []Column) error {
	if len(paths) == 0 {
		return d.View(ctx, name, nil, columns)
	}
	there, err := d.Describe(ctx, "select * from "+Parquet(paths))
	if err != nil {
		return err
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		source := "null"
		for _, t := range there {
			if t.Name == c.Name {
				source = Ident(c.Name)
			}
		}
		parts[i] = fmt.Sprintf("cast(%s as %s) as %s", source, c.Type, Ident(c.Name))
	}
	return d.Exec(ctx, "create or replace view "+Ident(name)+" as select "+strings.Join(parts, ", ")+" from "+Parquet(paths))
}

// Parquet is the table function that reads the files. A folder named range=00001 is a place, not a
// column, so hive partitioning is off; a file written under an older contract may lack a column.
func Parquet(paths []string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = Text(p)
	}
	return "read_parquet([" + strings.Join(quoted, ", ") + "], hive_partitioning = false, union_by_name = true, filename = true)"
}

// Table makes a table and fills it; one that is there already is replaced. A cell is nil, string,
// bool, any integer, float64, time.Time or something with a Time method, such as catalog.Date.
func (d *DB) Table(ctx context.Context, name string, columns []Column, rows [][]any) error {
	if err := d.Exec(ctx, "create or replace table "+Ident(name)+" ("+Define(columns)+")"); err != nil {
		return err
	}
	return d.Append(ctx, name, columns, rows)
}

// Append adds rows to a table that Table made with the same columns.
func (d *DB) Append(ctx context.Context, name string, columns []Column, rows [][]any) error {
	err := d.raw(func(conn driver.Conn) error {
		appender, err := duckdb.NewAppenderFromConn(conn, "", name)
		if err != nil {
			return err
		}
		cells := make([]driver.Value, len(columns))
		for i, row := range rows {
			if err := fill(cells, columns, row); err != nil {
				_ = appender.Close() // the rows so far are of no use: the first error is the one to report
				return fmt.Errorf("row %d: %w", i+1, err)
			}
			if err := appender.AppendRow(cells...); err != nil {
				_ = appender.Close()
				return fmt.Errorf("row %d: %w", i+1, err)
			}
			if i%4096 == 0 && ctx.Err() != nil {
				_ = appender.Close()
				return ctx.Err()
			}
		}
		return appender.Close()
	})
	return failed("fill", "table "+name, err)
}

func fill(cells []driver.Value, columns []Column, row []any) error {
	if len(row) != len(columns) {
		return fmt.Errorf("has %d cells for %d columns", len(row), len(columns))
	}
	for i, v := range row {
		switch x := v.(type) {
		case interface{ Time() time.Time }:
			v = x.Time()
		case int:
			v = int64(x)
		}
		if x, isInt64 := v.(int64); isInt64 && columns[i].Type == "INTEGER" {
			v = int32(x) // an INTEGER column holds versions and sequence numbers
		}
		if x, isInt32 := v.(int32); isInt32 && columns[i].Type == "BIGINT" {
			v = int64(x)
		}
		cells[i] = v
	}
	return nil
}

// Copy writes the rows of a query to a Parquet file and says how many there were. The query's own
// ORDER BY decides their order.
func (d *DB) Copy(ctx context.Context, query, path string) (int64, error) {
	statement := fmt.Sprintf("copy (\n%s\n) to %s (format parquet, compression zstd, row_group_size %d)", query, Text(path), RowGroup)
	result, err := d.conn.ExecContext(ctx, statement)
	if err != nil {
		return 0, failed("copy", query, err)
	}
	rows, err := result.RowsAffected()
	return rows, failed("count", query, err)
}

// Describe gives the columns of a query without running it.
func (d *DB) Describe(ctx context.Context, query string) ([]Column, error) {
	rows, err := d.Query(ctx, "select column_name, column_type from (describe\n"+query+"\n)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	var columns []Column
	for rows.Next() {
		var c Column
		if err := rows.Scan(&c.Name, &c.Type); err != nil {
			return nil, failed("describe", query, err)
		}
		columns = append(columns, c)
	}
	return columns, failed("describe", query, rows.Err())
}

// Define writes columns as a table definition lists them.
func Define(columns []Column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = Ident(c.Name) + " " + c.Type
	}
	return strings.Join(parts, ", ")
}

// Ident quotes a name.
func Ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Text quotes a text value.
func Text(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }
