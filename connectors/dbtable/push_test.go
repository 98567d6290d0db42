package dbtable

import (
	"fmt"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// receiver makes the tables that results are pushed to, and a connection to them.
func (s server) receiver(t *testing.T, feedback bool) connectors.Conn {
	t.Helper()
	for _, statement := range DDL(s.values["engine"], "", "credit results", "credit feedback") {
		if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	s.values["push_table"], s.values["sender"] = "credit results", "410481-FGW"
	if feedback {
		s.values["feedback_table"] = "credit feedback"
	}
	return s.open(t)
}

func (s server) records(t *testing.T) map[string]int {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), `select rec_id, count(*) from "credit results" group by rec_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	held := map[string]int{}
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		held[id] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return held
}

func (s server) one(t *testing.T, query string) (text string) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), s.written(query)).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

func TestPushKeepsItsPromises(t *testing.T) {
	for name, start := range servers() {
		for _, feedback := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, feedback %v", name, feedback), func(t *testing.T) {
				connectortest.Push(t, func(t *testing.T) connectortest.Target {
					s := start(t)
					return connectortest.Target{Conn: s.receiver(t, feedback), Records: s.records, Secret: s.values["password"]}
				})
			})
		}
	}
}

func TestAPushedRowIsWholeAndAnOlderVersionNeverReplacesIt(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		c := s.receiver(t, false).(*conn)
		d := connectortest.Delivery(1)
		push := func(version int64, body string) {
			t.Helper()
			d.Rows[0].Version, d.Rows[0].Body = version, []byte(body)
			if r, err := c.Push(t.Context(), d); err != nil || r.Accepted != 1 {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		push(7, `{"grade":"优","a":"it's \\ \"𠀀\""}`)
		s.exec(t, `update "credit results" set state = 1`)
		push(6, `{"older":1}`)
		push(7, `{"same":1}`)
		if got := s.one(t, `select body from "credit results"`); got != `{"grade":"优","a":"it's \\ \"𠀀\""}` {
			t.Fatalf("the row holds %s", got)
		}
		if got := s.one(t, `select state from "credit results"`); got != "1" {
			t.Fatalf("the receiver's state became %s", got)
		}
		d.ID = "0199d1c2-0000-7000-8000-00000000ffff"
		push(8, `{"newer":1}`)
		row := s.one(t, `select batch_no || '|' || op || '|' || src_dept_code || '|' || state || '|' || uscc || '|' || version || '|' || body from "credit results"`)
		if row != d.ID+`|I|410481-FGW|0|91320281142243171E|8|{"newer":1}` {
			t.Fatalf("the row holds %s", row)
		}
		if at := s.one(t, `select cast(op_time as char(19)) from "credit results"`); !strings.HasPrefix(at, "2026-01-12") || !strings.Contains(at, "09:30:00") {
			t.Fatalf("made at %s, not in Shanghai's time", at)
		}
	})
}

func answers(t *testing.T, c *conn) (all []connectors.Answer) {
	t.Helper()
	for a, err := range c.Answers(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

func TestReceiptsAreReadFromTheFeedbackTable(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		c := s.receiver(t, true).(*conn)
		one, two := connectortest.Delivery(3), connectortest.Delivery(2)
		for i := range two.Rows {
			two.Rows[i].ID = "two/" + two.Rows[i].ID
		}
		for _, d := range []connectors.Delivery{one, two} {
			if r, err := c.Push(t.Context(), d); err != nil || !r.Pending {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if all := answers(t, c); len(all) != 0 {
			t.Fatalf("nobody answered, and there is %+v", all)
		}
		// To one row by row, without naming the batch; to two as a batch; one row is still in hand, one was never sent.
		feedback := `insert into "credit feedback" (rec_id, batch_no, state, err_code, err_msg) values ($1, $2, $3, $4, $5)`
		s.exec(t, feedback, one.Rows[0].ID, nil, 2, nil, nil)
		s.exec(t, feedback, one.Rows[1].ID, nil, 3, "E07", "代码不存在")
		s.exec(t, feedback, one.Rows[2].ID, "", 1, nil, nil)
		s.exec(t, feedback, "never sent", nil, 2, nil, nil)
		s.exec(t, feedback, nil, two.ID, 2, nil, nil)
		all := answers(t, c)
		if len(all) != 2 || all[0].DeliveryID != one.ID || all[1].DeliveryID != two.ID {
			t.Fatalf("got %+v", all)
		}
		r := all[0].Receipt
		if !r.Pending || r.Accepted != 1 || r.Rejected != 1 || len(r.Rows) != 2 || r.Rows[1] != (connectors.RowReceipt{ID: one.Rows[1].ID, Code: "E07", Message: "代码不存在"}) {
			t.Fatalf("the rows were answered %+v", r)
		}
		if r := all[1].Receipt; r.Pending || r.Accepted != 2 || r.Rejected != 0 || r.Code != "0" {
			t.Fatalf("the batch was answered %+v", r)
		}
		if again := answers(t, c); len(again) != 2 {
			t.Fatalf("not taken, %d came again", len(again))
		}
		for range 2 {
			for _, a := range all {
				if err := c.Taken(t.Context(), a); err != nil {
					t.Fatal(err)
				}
			}
		}
		if again := answers(t, c); len(again) != 0 {
			t.Fatalf("taken, there came again %+v", again)
		}
		s.exec(t, `update "credit feedback" set state = 3, err_code = 'E09' where rec_id = $1`, one.Rows[2].ID)
		if late := answers(t, c); len(late) != 1 || len(late[0].Receipt.Rows) != 1 || late[0].Receipt.Rows[0].Code != "E09" {
			t.Fatalf("the late answer is %+v", late)
		}
		// A hub that lost its database asks again and is told at once.
		if r, err := c.Push(t.Context(), two); err != nil || r.Pending || r.Accepted != 2 {
			t.Fatalf("pushed again: %+v, %v", r, err)
		}
		if err := c.Taken(t.Context(), connectors.Answer{Handle: "x.fb"}); !fault.Is(err, fault.Invalid) {
			t.Fatalf("a strange handle gave %v", err)
		}
	})
}

func TestPushMistakesAreNamed(t *testing.T) {
	s := startSQLite(t)
	s.exec(t, "create table other (id text)")
	if _, err := s.open(t).(*conn).Push(t.Context(), connectortest.Delivery(1)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "names no table to push to") {
		t.Errorf("got %v", err)
	}
	s.values["push_table"] = "none"
	c := s.open(t).(*conn)
	if _, err := c.Push(t.Context(), connectortest.Delivery(1)); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Push(t.Context(), connectors.Delivery{}); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
	if DDL("fox", "", "a", "b") != nil {
		t.Error("an unknown engine has tables")
	}
}
