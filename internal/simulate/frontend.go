package simulate

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the province's front-end machines run SQLite in the demo
)

// frontend is a department's front-end database: one table per dataset, columns named as the
// contract names them, and a state column that the taker sets from 0 to 1.
type frontend struct {
	path string
	db   *sql.DB
}

func openFrontend(dir, owner string) (*frontend, error) {
	path := filepath.Join(dir, owner+".db")
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open front-end database %s: %w", path, err)
	}
	return &frontend{path: path, db: db}, nil
}

// frontendTable is the table of a dataset: amr.reg lies in amr_reg.
func frontendTable(dataset string) string { return strings.ReplaceAll(dataset, ".", "_") }

// add writes one day's rows in one transaction; a day that was written before is left as it is.
func (f *frontend) add(dataset string, day int, columns []string, rows [][]string) (err error) {
	tx, err := f.db.Begin()
	if err != nil {
		return fmt.Errorf("fill front-end table %s: %w", dataset, err)
	}
	defer func() { _ = tx.Rollback() }()
	name := quote(frontendTable(dataset))
	cols := make([]string, len(columns))
	for i, c := range columns {
		cols[i] = quote(c) + " text"
	}
	for _, stmt := range []string{
		"create table if not exists " + name + " (row_id integer primary key, state integer not null default 0, " + strings.Join(cols, ", ") + ")",
		"create index if not exists " + quote(frontendTable(dataset)+"_state") + " on " + name + " (state)",
		"create table if not exists province_days (dataset text, day integer, primary key (dataset, day))",
	} {
		if _, err := tx.Exec(stmt); err != nil {
			return fmt.Errorf("fill front-end table %s: %w", dataset, err)
		}
	}
	done, err := tx.Exec("insert into province_days values ($1, $2) on conflict do nothing", dataset, day)
	if err != nil {
		return fmt.Errorf("fill front-end table %s: %w", dataset, err)
	}
	if n, _ := done.RowsAffected(); n == 0 {
		return nil
	}
	for i, c := range columns {
		cols[i] = quote(c)
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",")
	insert, err := tx.Prepare("insert into " + name + " (" + strings.Join(cols, ",") + ") values (" + marks + ")")
	if err != nil {
		return fmt.Errorf("fill front-end table %s: %w", dataset, err)
	}
	defer func() { _ = insert.Close() }()
	args := make([]any, len(columns))
	for _, row := range rows {
		for i, v := range row {
			args[i] = v
			if v == "" {
				args[i] = nil
			}
		}
		if _, err := insert.Exec(args...); err != nil {
			return fmt.Errorf("fill front-end table %s: %w", dataset, err)
		}
	}
	return tx.Commit()
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
