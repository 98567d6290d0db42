//go:build acceptance

package acceptance

import (
	"database/sql"
	"strings"

	"github.com/go-sql-driver/mysql"

	"xinshu/internal/chain"
	"xinshu/internal/mariatest"
)

// school is a text that only four bytes of UTF-8 a character can hold.
const school = "助学（𠮷林小学）"

// mariaTypes are the types of columns that are not text in the front-end database on MariaDB.
var mariaTypes = map[string]string{"source_record_id": "varchar(190) not null primary key", "donate_date": "date", "publish_date": "date", "valid_from": "date",
	"amount": "decimal(18,2)", "op_time": "datetime(6)"}

// startMaria opens the second front-end database.
func (w *world) startMaria() {
	w.t.Helper()
	w.mariaAt = mariatest.Start(w.t)
	dsn := mysql.NewConfig()
	dsn.Net, dsn.Addr, dsn.DBName, dsn.User, dsn.Passwd = "unix", w.mariaAt.Socket, w.mariaAt.Database, mariatest.User, mariatest.Password
	dsn.Params = map[string]string{"charset": "utf8mb4"}
	var err error
	w.maria, err = sql.Open("mysql", dsn.FormatDSN())
	w.must(err)
	w.t.Cleanup(func() { _ = w.maria.Close() })
	var version string
	w.must(w.maria.QueryRowContext(w.t.Context(), "select version()").Scan(&version))
	w.t.Logf("MariaDB %s", version)
}

// fillMaria writes rows into a table of it, each value in the type of its column.
func (w *world) fillMaria(f *feed, rows []row) {
	w.t.Helper()
	quoted, definition := make([]string, len(f.columns)), make([]string, 0, len(f.columns)+1)
	for i, name := range f.columns {
		quoted[i] = "`" + name + "`"
		kind := mariaTypes[name]
		if kind == "" {
			kind = "varchar(500)"
		}
		definition = append(definition, quoted[i]+" "+kind)
	}
	if f.gives == once {
		definition = append(definition, "state integer not null default 0")
	}
	name := "`" + tableOf(f.dataset) + "`"
	_, err := w.maria.ExecContext(w.t.Context(), "create table if not exists "+name+" ("+strings.Join(definition, ", ")+") character set utf8mb4")
	w.must(err)
	insert := "insert into " + name + " (" + strings.Join(quoted, ", ") + ") values (?" + strings.Repeat(", ?", len(quoted)-1) + ")"
	tx, err := w.maria.BeginTx(w.t.Context(), nil)
	w.must(err)
	defer func() { _ = tx.Rollback() }()
	for _, r := range rows {
		values := make([]any, len(f.columns))
		for i, column := range f.columns {
			if r[column] != "" {
				values[i] = r[column]
			}
		}
		_, err := tx.ExecContext(w.t.Context(), insert, values...)
		w.must(err)
	}
	w.must(tx.Commit())
}

// checkMaria: donations are marked as taken, once each, and came as they stand there: a decimal with
// its cents, a character outside the basic plane, a day without a shift.
func (s *story) checkMaria() {
	s.Helper()
	f := s.w.feeds[mariaFront+" civil.donate"]
	var taken, waiting int
	s.w.must(s.w.maria.QueryRowContext(s.Context(), "select coalesce(sum(state = 1), 0), coalesce(sum(state <> 1), 0) from civil_donate").Scan(&taken, &waiting))
	if taken != len(f.rows) || waiting != 0 {
		s.Errorf("MariaDB: %d of %d donations are marked as taken, %d wait", taken, len(f.rows), waiting)
	}
	days := map[string]int{}
	for _, r := range f.rows {
		days[r["donate_date"]]++
	}
	for _, r := range s.h.rows(s.h.head(chain.Stage(f.dataset)), "rows", "select title, amount_fen, cast(awarded_on as varchar) from held") {
		if r[0] != school || r[1] != "5000037" || days[r[2]] == 0 {
			s.Fatalf("a donation is staged as %v", r)
		}
		days[r[2]]--
	}
	for day, missing := range days {
		if missing != 0 {
			s.Errorf("%d donations of %s are not staged", missing, day)
		}
	}
	s.Logf("MariaDB: %d donations taken by flag and marked in the table", taken)
}
