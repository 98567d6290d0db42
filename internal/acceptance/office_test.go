//go:build acceptance

package acceptance

import (
	"database/sql"
	"encoding/json"
	"testing"

	"xinshu/connectors/dbtable"
)

// The tables that an office's database administrator made from the statements the hub gives.
const (
	pushTable     = "credit_result"
	feedbackTable = "credit_feedback"
)

// office is a platform that results are laid down for in a database; it answers in a second table.
type office struct {
	db     *sql.DB
	refuse map[string]bool
}

func newOffice(w *world) *office {
	w.t.Helper()
	for _, statement := range dbtable.DDL("mysql", "", pushTable, feedbackTable) {
		_, err := w.maria.ExecContext(w.t.Context(), statement)
		w.must(err)
	}
	return &office{db: w.maria, refuse: map[string]bool{}}
}

// answer takes what is new: each batch as a whole, and the rows of it that are refused one by one.
func (o *office) answer(t *testing.T) (taken int64) {
	t.Helper()
	tx, err := o.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	exec := func(statement string, values ...any) int64 {
		t.Helper()
		r, err := tx.ExecContext(t.Context(), statement, values...)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		n, _ := r.RowsAffected() // MariaDB always knows
		return n
	}
	for code := range o.refuse {
		exec("insert into "+feedbackTable+" (rec_id, batch_no, state, err_code, err_msg) select rec_id, batch_no, 3, 'R-404', '本平台无此主体' from "+pushTable+" where state = 0 and uscc = ?", code)
	}
	exec("insert into " + feedbackTable + " (batch_no, state) select distinct batch_no, 2 from " + pushTable + " where state = 0")
	taken = exec("update " + pushTable + " set state = 1 where state = 0")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return taken
}

// held is what lies in the table, by id.
func (o *office) held(t *testing.T) map[string]statement {
	t.Helper()
	rows, err := o.db.QueryContext(t.Context(), "select rec_id, body from "+pushTable)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]statement{}
	for rows.Next() {
		var id, body string
		var s statement
		if err := rows.Scan(&id, &body); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(body), &s); err != nil || s.ID != id || all[id] != (statement{}) {
			t.Fatalf("the row %s holds %s (%v)", id, body, err)
		}
		all[id] = s
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// checkOffice: the database holds what the platform behind REST holds, row for row, each once, and the
// hub has an answer to every one.
func (s *story) checkOffice() {
	s.Helper()
	held := s.w.office.held(s.T)
	s.w.receiver.mu.Lock()
	defer s.w.receiver.mu.Unlock()
	var refused int64
	for id, want := range s.w.receiver.rows {
		if held[id] != want {
			s.Fatalf("the office's table holds %+v, the platform behind REST %+v", held[id], want)
		}
		if s.w.office.refuse[want.USCC] {
			refused++
		}
	}
	all := int64(len(s.w.receiver.rows))
	if int64(len(held)) != all {
		s.Errorf("the office's table holds %d rows, the platform behind REST %d", len(held), all)
	}
	if r := s.pushed()["office-db"]; r.Sent != all || r.Rejected != refused || r.Acknowledged != all-refused || r.Open != 0 || r.Failure != "" {
		s.Errorf("the hub says of the office's table %+v, want sent %d, rejected %d, the rest acknowledged", r, all, refused)
	}
	s.Logf("a target that is a database: %d rows in MariaDB, each once, %d refused in the feedback table, all answers read", all, refused)
}
