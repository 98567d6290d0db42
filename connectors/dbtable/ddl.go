package dbtable

import (
	"fmt"
	"strings"
)

// ddl are the types by which an engine makes the tables that results are pushed to.
type ddl struct {
	key, short, text, number, time string
	serial                         string // a number the database gives, primary key
}

// pushColumns are those of the table that results are laid down in, in the order of the insert.
var pushColumns = []string{"rec_id", "op", "op_time", "batch_no", "src_dept_code", "state", "err_code", "err_msg", "recv_time", "uscc", "version", "body"}

// DDL gives the statements that make the push table and the feedback table on an engine, for the
// receiver's administrator to look at and run; empty for an engine this build does not know.
func DDL(engine, schema, push, feedback string) []string {
	speak, ok := dialects()[engine]
	if !ok {
		return nil
	}
	t := speak.ddl
	table := func(name string, lines ...string) string {
		return fmt.Sprintf("create table %s (\n  %s\n)", speak.name(schema, name), strings.Join(lines, ",\n  "))
	}
	statements := []string{
		table(push, speak.quote("rec_id")+" "+t.key+" not null primary key",
			speak.quote("op")+" "+t.short, speak.quote("op_time")+" "+t.time, speak.quote("batch_no")+" "+t.key+" not null",
			speak.quote("src_dept_code")+" "+t.short, speak.quote("state")+" "+t.number+" not null", speak.quote("err_code")+" "+t.short, speak.quote("err_msg")+" "+t.short,
			speak.quote("recv_time")+" "+t.time, speak.quote("uscc")+" "+t.short, speak.quote("version")+" "+t.number+" not null", speak.quote("body")+" "+t.text),
	}
	if feedback == "" { // receipts are the transaction's own then
		return statements
	}
	return append(statements,
		table(feedback, speak.quote("fb_id")+" "+t.serial, speak.quote("rec_id")+" "+t.key, speak.quote("batch_no")+" "+t.key, speak.quote("state")+" "+t.number+" not null",
			speak.quote("err_code")+" "+t.short, speak.quote("err_msg")+" "+t.short, speak.quote("taken")+" "+t.number+" default 0 not null"))
}

// dialects are those of the engines whose tables DDL makes.
func dialects() map[string]*dialect {
	return map[string]*dialect{"sqlite": &sqliteDialect, "postgres": &postgresDialect, "mysql": &mysqlDialect, "sqlserver": &sqlserverDialect, "oracle": &oracleDialect}
}

// newer are the columns that a row of a greater version replaces; its state begins anew.
func newer(columns []string) []string { return columns[1:] }

// upsertOnConflict is for SQLite and PostgreSQL. The older row is left as it is.
func upsertOnConflict(speak *dialect, table string, columns []string) string {
	insert, names := insertInto(speak, table+" as dst", columns)
	sets := make([]string, 0, len(columns))
	for _, name := range newer(names) {
		sets = append(sets, name+" = excluded."+name)
	}
	version := speak.quote("version")
	return fmt.Sprintf("%s on conflict (%s) do update set %s where excluded.%s > dst.%s", insert, names[0], strings.Join(sets, ", "), version, version)
}

// upsertOnDuplicate is for MySQL, which assigns from left to right: the version comes last, so that the
// comparison sees the old one throughout.
func upsertOnDuplicate(speak *dialect, table string, columns []string) string {
	insert, names := insertInto(speak, table, columns)
	version := speak.quote("version")
	var sets []string
	for _, name := range newer(names) {
		if name != version {
			sets = append(sets, fmt.Sprintf("%s = if(values(%s) > %s, values(%s), %s)", name, version, version, name, name))
		}
	}
	sets = append(sets, fmt.Sprintf("%s = greatest(%s, values(%s))", version, version, version))
	return insert + " on duplicate key update " + strings.Join(sets, ", ")
}

func insertInto(speak *dialect, table string, columns []string) (string, []string) {
	names, marks := make([]string, len(columns)), make([]string, len(columns))
	for i, name := range columns {
		names[i], marks[i] = speak.quote(name), speak.mark(i+1)
	}
	return fmt.Sprintf("insert into %s (%s) values (%s)", table, strings.Join(names, ", "), strings.Join(marks, ", ")), names
}

// upsertMerge is for SQL Server and Oracle.
func upsertMerge(speak *dialect, table string, columns []string) string {
	names, given, sets, values := make([]string, len(columns)), make([]string, len(columns)), []string{}, make([]string, len(columns))
	for i, name := range columns {
		names[i] = speak.quote(name)
		given[i], values[i] = speak.mark(i+1)+" as "+names[i], "src."+names[i]
	}
	for _, name := range newer(names) {
		sets = append(sets, "dst."+name+" = src."+name)
	}
	version := speak.quote("version")
	return fmt.Sprintf("merge into %s%s%sdst using (select %s%s)%ssrc on (dst.%s = src.%s) when matched %s when not matched then insert (%s) values (%s)%s",
		table, speak.merge.locked, speak.alias, strings.Join(given, ", "), speak.merge.dual, speak.alias, names[0], names[0],
		fmt.Sprintf(speak.merge.matched, "src."+version+" > dst."+version, strings.Join(sets, ", ")), strings.Join(names, ", "), strings.Join(values, ", "), speak.merge.closing)
}
