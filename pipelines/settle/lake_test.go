package settle

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
	"xinshu/sql"
)

// row is a staged row: what a test says of it, by column. The rest is null, or made up by stageRows.
type row map[string]string

func openLake(t testing.TB, dir string) *lake.Lake {
	t.Helper()
	store, err := lake.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "test", Engine: chain.Engine{DuckDB: "test", Xinshu: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func settler(t testing.TB, l Lake) *Settler {
	t.Helper()
	return &Settler{Lake: l, Catalog: loadCatalog(t), SQL: sql.Files, Threads: 2,
		Now: func() time.Time { return time.Date(2026, 1, 12, 4, 0, 0, 0, time.UTC) }}
}

// stageRows commits rows to a dataset's stage chain as pipelines/stage would.
func stageRows(t testing.TB, l *lake.Lake, dataset string, rows ...row) {
	t.Helper()
	if _, err := l.Commit(t.Context(), draftRows(t, l, dataset, rows...)); err != nil {
		t.Fatal(err)
	}
}

// mendRows commits rows that a person gave in the place of refused ones; without any, rows were struck out.
func mendRows(t testing.TB, l *lake.Lake, dataset string, rows ...row) {
	t.Helper()
	draft := draftRows(t, l, dataset, rows...)
	path := filepath.Join(l.TempDir(), draft.Entry.Run+"-corrected")
	if err := os.WriteFile(path, []byte("links that settling does not read"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := l.Put(t.Context(), chain.Object{Chain: draft.Entry.Chain, Run: draft.Entry.Run, Table: "corrected", Range: chain.NoRange, Path: path, Rows: 1})
	if err != nil {
		t.Fatal(err)
	}
	draft.Files = append(draft.Files, file)
	if _, err := l.Commit(t.Context(), draft); err != nil {
		t.Fatal(err)
	}
}

func draftRows(t testing.TB, l *lake.Lake, dataset string, rows ...row) chain.Draft {
	t.Helper()
	d, found := loadCatalog(t).Dataset(dataset)
	if !found {
		t.Fatalf("no dataset %s", dataset)
	}
	f, _ := loadCatalog(t).Family(d.Family)
	columns := stagedColumns(f)
	columns = columns[:len(columns)-len(stagedPlace)]
	db, err := duck.Open(duck.Options{Threads: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Table(t.Context(), "rows", columns, nil); err != nil {
		t.Fatal(err)
	}
	head, err := l.Head(t.Context(), chain.Stage(dataset))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		key := cmp.Or(r["record_key"], fmt.Sprint(i))
		full := row{"row_no": fmt.Sprint(i + 1), "record_key": key, "op": "I", "kind": f.ID, "entity_name": "某公司",
			"record_id": fmt.Sprintf("=left(sha256(concat('%s', chr(31), '%s')), 32)", dataset, key), "source_time": r["received_on"]}
		maps.Copy(full, r)
		var names, values []string
		for _, c := range columns {
			v := full[c.Name]
			if v == "" {
				continue
			}
			if sql, computed := strings.CutPrefix(v, "="); computed {
				v = sql
			} else {
				v = "cast('" + v + "' as " + c.Type + ")"
			}
			names, values = append(names, duck.Ident(c.Name)), append(values, v)
		}
		if err := db.Exec(t.Context(), "insert into rows ("+strings.Join(names, ", ")+") values ("+strings.Join(values, ", ")+")"); err != nil {
			t.Fatal(err)
		}
		if err := db.Exec(t.Context(), "update rows set row_sha = $1 where row_no = $2", contentHash(r), i+1); err != nil {
			t.Fatal(err)
		}
	}
	run := fmt.Sprintf("stage-%s-%d", dataset, head.N+1)
	draft := chain.Draft{Base: head, Entry: chain.Entry{Chain: chain.Stage(dataset), Run: run, Intent: chain.Intent(run),
		Ledger: &chain.Ledger{Read: int64(len(rows)), Accepted: int64(len(rows))}}}
	if len(rows) > 0 {
		path := filepath.Join(l.TempDir(), run+".parquet")
		if _, err := db.Copy(t.Context(), "select * from rows order by row_no", path); err != nil {
			t.Fatal(err)
		}
		file, err := l.Put(t.Context(), chain.Object{Chain: chain.Stage(dataset), Run: run, Table: "rows", Range: chain.NoRange, Path: path, Rows: int64(len(rows))})
		if err != nil {
			t.Fatal(err)
		}
		draft.Files = []chain.File{file}
	}
	return draft
}

// contentHash stands for the hash of canonical values: the same for rows that say the same.
func contentHash(r row) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(r)) {
		if k != "received_on" {
			parts = append(parts, k, r[k])
		}
	}
	return chain.Intent(parts...)
}

func settleNow(t testing.TB, l Lake) Result {
	t.Helper()
	r, err := settler(t, l).Run(t.Context(), fmt.Sprintf("settle-%d", time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ask runs a query over the settled tables, which it sees as record, mark, entity, coverage, alias and judgement, and
// gives each row as its cells joined by a blank.
func ask(t testing.TB, l *lake.Lake, query string) []string {
	t.Helper()
	head, err := l.Head(t.Context(), chain.Settled)
	if err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(duck.Options{Threads: 1, TempDir: t.TempDir(), PreserveOrder: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	models := loadModels(t)
	for _, table := range []string{Record, Mark, Entity, Coverage, Alias, Judged} {
		var paths []string
		for _, f := range head.Table(table) {
			path, err := l.Local(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		columns := models["settled_"+table].Columns
		if table == Judged {
			columns = judgementColumns
		}
		if err := db.View(t.Context(), table, paths, columns); err != nil {
			t.Fatal(err)
		}
	}
	columns, err := db.Describe(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "coalesce(cast(" + duck.Ident(c.Name) + " as varchar), '-')"
	}
	rows, err := db.Query(t.Context(), "select concat_ws(' ', "+strings.Join(parts, ", ")+") from ("+query+")")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// wants compares what ask gives with the lines expected, in order.
func wants(t *testing.T, l *lake.Lake, query string, lines ...string) {
	t.Helper()
	got := ask(t, l, query)
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		t.Errorf("%s\ngot\n  %s\nwant\n  %s", query, strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// Codes that satisfy GB 32100, in ascending order.
var codes = makeCodes(40)

func makeCodes(n int) []string {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	var made []string
	for i := 0; len(made) < n; i++ {
		for _, check := range alphabet {
			code := fmt.Sprintf("91410481%08d1%c", i*7919, check)
			if catalog.CheckUSCC(code).Valid {
				made = append(made, code)
			}
		}
	}
	return made[:n]
}
