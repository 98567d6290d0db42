package quarantine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

// shelf is a lake of quarantine files that the test writes itself.
type shelf struct {
	dir   string
	files map[string][]chain.File
}

func (s *shelf) Head(_ context.Context, name string) (chain.Entry, error) {
	return chain.Entry{Chain: name, N: int64(len(s.files[name])), Files: s.files[name]}, nil
}

func (s *shelf) Local(_ context.Context, f chain.File) (string, error) {
	return filepath.Join(s.dir, f.SHA256), nil
}

// commit writes the rows that a query gives as the quarantine file of the chain's next entry.
func (s *shelf) commit(t *testing.T, db *duck.DB, dataset, run, query string) {
	t.Helper()
	s.table(t, db, dataset, run, "quarantine", query)
}

// table writes a table of the entry that a run made; the same run goes on with its entry.
func (s *shelf) table(t *testing.T, db *duck.DB, dataset, run, table, query string) {
	t.Helper()
	name := chain.Stage(dataset)
	n := int64(1)
	for _, f := range s.files[name] {
		n = f.N + 1
		if strings.Contains(f.Key, "/"+run+"/") {
			n = f.N
		}
	}
	f := chain.File{Table: table, N: n, SHA256: dataset + run + table, Key: "data/" + name + "/" + run + "/" + table + "/0-x.parquet"}
	if _, err := db.Copy(t.Context(), query, filepath.Join(s.dir, f.SHA256)); err != nil {
		t.Fatal(err)
	}
	s.files[name] = append(s.files[name], f)
}

// refused is a query that gives one refused row, as staging writes it.
func refused(no, reason string) string {
	return `select cast(` + no + ` as bigint) as row_no, 'a.csv' as origin_file, cast(` + no + ` + 1 as bigint) as origin_line,
		'` + reason + `' as reason, 'uscc' as column_name, '9141' as value, '{"名称":"甲","uscc":"9141"}' as original, md5('` + no + reason + `') as content,
		'9141' as uscc, date '2025-10-28' as received_on`
}

func openShelf(t *testing.T) (*shelf, *duck.DB) {
	t.Helper()
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: 128, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &shelf{dir: t.TempDir(), files: map[string][]chain.File{}}, db
}

func list(t *testing.T, s *shelf, db *duck.DB, q quarantine.Query) []quarantine.Row {
	t.Helper()
	var rows []quarantine.Row
	for r, err := range quarantine.List(t.Context(), s, db, q) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

func TestRowsAreListedInOrderOfArrivalWithTheirPlace(t *testing.T) {
	s, db := openShelf(t)
	s.commit(t, db, "cult.penalty", "r1", refused("2", "USCC_CHECK")+" union all "+refused("1", "REQUIRED"))
	s.commit(t, db, "cult.penalty", "r2", refused("1", "USCC_CHECK"))
	s.commit(t, db, "amr.reg", "r3", refused("1", "TYPE_DATE"))
	rows := list(t, s, db, quarantine.Query{Datasets: []string{"cult.penalty", "amr.reg", "never.pulled"}})
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	got, _ := json.Marshal(ids)
	if want := `["cult.penalty/1/1","cult.penalty/1/2","cult.penalty/2/1","amr.reg/1/1"]`; string(got) != want {
		t.Fatalf("ids %s, want %s", got, want)
	}
	first, err := json.Marshal(rows[0])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"cult.penalty/1/1","dataset":"cult.penalty","run":"r1","file":"a.csv","line":2,"column":"uscc","reason":"REQUIRED",` +
		`"value":"9141","received_on":"2025-10-28","values":{"名称":"甲","uscc":"9141"},` +
		`"state":"open","seen":1,"first_seen":"2025-10-28","last_seen":"2025-10-28"}`
	if string(first) != want {
		t.Errorf("row\n%s, want\n%s", first, want)
	}
}

func TestRowsAreChosenByRunAndReason(t *testing.T) {
	s, db := openShelf(t)
	s.commit(t, db, "cult.penalty", "r1", refused("2", "USCC_CHECK")+" union all "+refused("1", "REQUIRED"))
	s.commit(t, db, "cult.penalty", "r2", refused("1", "USCC_CHECK"))
	datasets := []string{"cult.penalty"}
	if rows := list(t, s, db, quarantine.Query{Datasets: datasets, Run: "r2"}); len(rows) != 1 || rows[0].Run != "r2" {
		t.Errorf("of run r2: %+v", rows)
	}
	if rows := list(t, s, db, quarantine.Query{Datasets: datasets, Reason: "USCC_CHECK"}); len(rows) != 2 {
		t.Errorf("of reason USCC_CHECK: %d rows, want 2", len(rows))
	}
}

func TestABrokenObjectIsNamed(t *testing.T) {
	s, db := openShelf(t)
	s.commit(t, db, "amr.reg", "r1", refused("1", "TYPE_DATE"))
	if err := os.WriteFile(filepath.Join(s.dir, "amr.regr1quarantine"), []byte("no parquet"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range quarantine.List(t.Context(), s, db, quarantine.Query{Datasets: []string{"amr.reg"}}) {
		var f *fault.Error
		if !errors.As(err, &f) || f.Hint == "" {
			t.Fatalf("error %v, want one that names the object and says what to do", err)
		}
		return
	}
	t.Error("a broken object was read without an error")
}

// corrections is a query that gives the links of a commit, as staging writes them.
func corrections(links ...string) string {
	var parts []string
	for _, l := range links {
		f := strings.Fields(l)
		parts = append(parts, `select cast(`+f[0]+` as bigint) as original_n, cast(`+f[1]+` as bigint) as original_row, '`+f[2]+`' as outcome, cast(1 as bigint) as row_no,
			'王五' as corrected_by, timestamp '2025-10-29 09:00:00' as corrected_at, 'workbook' as way, 'sha' as workbook, 'b.xlsx/表' as origin_file, cast(3 as bigint) as origin_line`)
	}
	return strings.Join(parts, " union all ")
}

func TestTheBooksBalanceOverTheLoop(t *testing.T) {
	s, db := openShelf(t)
	// Five things to mend; the source brings the first two again the next day.
	s.commit(t, db, "cult.penalty", "r1", refused("1", "A")+" union all "+refused("2", "A")+" union all "+refused("3", "A")+" union all "+refused("4", "A")+" union all "+refused("5", "A"))
	s.commit(t, db, "cult.penalty", "r2", refused("1", "A")+" union all "+refused("2", "A"))
	// One is corrected, one struck out, one given again and refused for another reason.
	s.table(t, db, "cult.penalty", "r3", "corrected", corrections("1 1 accepted", "1 3 withdrawn", "1 4 again"))
	s.table(t, db, "cult.penalty", "r3", "quarantine", refused("1", "B"))
	// The day after, the source brings the corrected one once more: it stays closed.
	s.commit(t, db, "cult.penalty", "r4", refused("1", "A"))

	sum, err := quarantine.Summarise(t.Context(), s, db, quarantine.Query{Datasets: []string{"cult.penalty", "never.pulled"}})
	if err != nil {
		t.Fatal(err)
	}
	want := quarantine.Sum{Quarantined: 9, Repeated: 3, Again: 1, Refused: 5, Open: 3, Corrected: 1, Withdrawn: 1}
	if sum.Total != want {
		t.Errorf("%+v, want %+v", sum.Total, want)
	}
	if c := sum.Total; c.Refused != c.Open+c.Corrected+c.Withdrawn || c.Quarantined != c.Refused+c.Repeated+c.Again {
		t.Errorf("the books do not balance: %+v", c)
	}
	datasets := []string{"cult.penalty"}
	var open []string
	for _, r := range list(t, s, db, quarantine.Query{Datasets: datasets}) {
		open = append(open, fmt.Sprint(r.ID, " ", r.Run, " ", r.Seen))
	}
	if got := strings.Join(open, "; "); got != "cult.penalty/1/5 r1 1; cult.penalty/1/2 r2 2; cult.penalty/3/1 r3 1" {
		t.Errorf("open: %s", got)
	}
	states := map[string]int{}
	all := list(t, s, db, quarantine.Query{Datasets: datasets, All: true})
	for _, r := range all {
		states[r.State]++
		if r.State == quarantine.Again && r.Closed.Became != "cult.penalty/3/1" {
			t.Errorf("%s became %+v", r.ID, r.Closed)
		}
	}
	if want := map[string]int{"open": 3, "corrected": 1, "withdrawn": 1, "again": 1, "repeat": 3}; !maps.Equal(states, want) {
		t.Errorf("states %v, want %v", states, want)
	}
	if c := all[0].Closed; c == nil || c.By != "王五" || c.At != "2025-10-29 09:00:00" || c.N != 3 {
		t.Errorf("the first row was closed by %+v", c)
	}
}

// A file of a hub that did not write the hash of a row's content yet.
func TestRowsOfAnOlderHubAreToldByWhatWasKept(t *testing.T) {
	s, db := openShelf(t)
	s.commit(t, db, "amr.reg", "r1", "select * exclude (content) from ("+refused("1", "A")+")")
	s.commit(t, db, "amr.reg", "r2", "select * exclude (content) from ("+refused("1", "A")+")")
	if rows := list(t, s, db, quarantine.Query{Datasets: []string{"amr.reg"}}); len(rows) != 1 || rows[0].Seen != 2 {
		t.Errorf("%+v", rows)
	}
}
