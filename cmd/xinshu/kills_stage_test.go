package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

// stageWrites are the writes that bring rows in, mend them or let them go.
var stageWrites = []durable{
	{name: "file ingested", points: commitPoints, repeats: true, open: func(t *testing.T, _ int) place {
		dir := t.TempDir()
		b := place{data: filepath.Join(dir, "data")}
		b.before = func(i int) { listings(t, fmt.Sprintf("%s/%d.csv", dir, i), i, 3) }
		b.do = command(t, func(i int) []string {
			return []string{"ingest", fmt.Sprintf("%s/%d.csv", dir, i), "--dataset", "amr.severe", "--data", b.data}
		})
		b.holds = func() []string {
			var sum quarantine.Summary
			out, _ := xinshu(t, "", "quarantine", "summary", "--json", "--data", b.data)
			decode(t, out, &sum)
			return []string{fmt.Sprint("refused ", sum.Total.Refused, " open ", sum.Total.Open)}
		}
		return b
	}},
	{name: "batch posted", points: commitPoints, open: func(t *testing.T, pieces int) place {
		config, data := doorConfig(t)
		receipts := make([]string, pieces)
		return place{data: data, do: func(i int, env string) bool {
			d := openDoor(t, config, data, env)
			defer d.close()
			status, answer, err := post{no: fmt.Sprint("k-", i), body: registrations(10 + i)}.send(t, d)
			if err != nil {
				<-d.done
				return true
			}
			taken(t, status, answer, err)
			receipts[i] = string(answer)
			return false
		}, holds: func() []string { return receipts }}
	}},
	{name: "workbook resubmitted", points: commitPoints, open: func(t *testing.T, pieces int) place {
		dir := t.TempDir()
		b := place{data: filepath.Join(dir, "data")}
		file, book := filepath.Join(dir, "a.csv"), func(i int) string { return fmt.Sprintf("%s/退回%d.xlsx", dir, i) }
		writeRows(t, file, pieces+6, pieces+3)
		xinshu(t, "", "ingest", file, "--dataset", "amr.severe", "--data", b.data)
		b.before = func(i int) {
			xinshu(t, "", "quarantine", "export", "--department", "amr", "--out", book(i), "--data", b.data)
			mend(t, book(i), 1)
		}
		b.do = command(t, func(i int) []string {
			return []string{"quarantine", "resubmit", book(i), "--by", "王五", "--data", b.data}
		})
		b.holds = func() []string { return books(t, b.data) }
		return b
	}},
	{name: "refused rows retried", points: commitPoints, open: func(t *testing.T, pieces int) place {
		dir := t.TempDir()
		b := place{data: filepath.Join(dir, "data")}
		file := filepath.Join(dir, "a.csv")
		var text strings.Builder
		text.WriteString("uscc,entity_name,list_reason,list_date,remove_date\n")
		for i := range pieces {
			fmt.Fprintf(&text, "%s,一号公司,伪造材料,2025-03-01,\n", wrongCode(i))
		}
		lay(t, file, text.String())
		xinshu(t, "", "ingest", file, "--dataset", "amr.severe", "--data", b.data)
		b.before = func(i int) {
			xinshu(t, "", "uscc", "override", wrongCode(i), "--by", "李四", "--reason", "公示", "--data", b.data)
		}
		b.do = command(t, func(int) []string { return []string{"quarantine", "retry", "--by", "李四", "--data", b.data} })
		b.holds = func() []string { return books(t, b.data) }
		return b
	}},
	{name: "feed released", points: commitPoints, open: func(t *testing.T, pieces int) place {
		c := newCounty(t)
		var sources strings.Builder
		for i := range pieces {
			fmt.Fprintf(&sources, "  - {name: p%d, kind: dbtable, values: {engine: sqlite, path: %s/front.db}, datasets: {prov-credit.honour: {table: honour%d, key: source_record_id}}}\n", i, c.dir, i)
			c.exec(fmt.Sprintf("create table honour%d as select source_record_id || '-%d' as source_record_id, uscc, entity_name, title, level, award_date, awarded_by from honour limit 4", i, i))
		}
		c.write("xinshu.yaml", fmt.Sprintf("data: %s/hub\ncatalog: %s/own\nsources:\n%s", c.dir, c.dir, sources.String()))
		xinshu(t, "", "pull", "-c", c.conf)
		for i := range pieces {
			c.exec(fmt.Sprintf("delete from honour%d", i))
		}
		xinshu(t, "", "pull", "-c", c.conf)
		b := place{data: filepath.Join(c.dir, "hub")}
		b.do = command(t, func(i int) []string {
			return []string{"feed", "release", fmt.Sprint("p", i), "prov-credit.honour", "--by", "王五", "--reason", "名单已清空", "-c", c.conf}
		})
		b.holds = func() []string { return []string{"held " + c.held()} }
		return b
	}},
	{name: "stretch read again", points: commitPoints, passes: map[string]int{fault.BeforeObjects: 2, fault.AfterObjects: 2, fault.AfterLog: 2, fault.AfterState: 2},
		open: func(t *testing.T, pieces int) place {
			c := newCounty(t)
			c.write("xinshu.yaml", fmt.Sprintf("data: %s/hub\nsources:\n  - {name: court, kind: dbtable, values: {engine: sqlite, path: %s/front.db}, datasets: {court.debtor: {table: debtor, key: case_no, mode: watermark}}}\n", c.dir, c.dir))
			c.exec("delete from debtor")
			c.exec("alter table debtor add column op_time text")
			day := func(n int) string { return hubClock().AddDate(-1, 0, n).Format("2006-01-02") }
			for n := range 2 * pieces {
				c.exec("insert into debtor values (?, '样例有限公司', ?, '某市人民法院', '2025-09-01', '全部未履行', ?)", c.codes[n%companies], fmt.Sprintf("（2025）执%d号", n), day(n)+" 10:00:00")
			}
			b := place{data: filepath.Join(c.dir, "hub")}
			b.do = command(t, func(i int) []string { // two slices of a day
				return []string{"pull", "--source", "court", "--dataset", "court.debtor", "--from", day(2 * i), "--until", day(2*i + 2), "-c", c.conf}
			})
			b.holds = func() []string {
				head := headOf(t, b.data, chain.Stage("court.debtor"))
				return []string{fmt.Sprint("cursor ", head.Cursor.After, " done ", head.Feeds["court"].Done)}
			}
			return b
		}},
	{name: "files taken", points: pullPoints, passes: map[string]int{fault.MidAck: 2}, open: func(t *testing.T, _ int) place {
		dir := t.TempDir()
		conf, in := filepath.Join(dir, "xinshu.yaml"), filepath.Join(dir, "in")
		lay(t, conf, fmt.Sprintf("data: %s/data\nsources:\n  - {name: amr, kind: files, values: {root: %s}, datasets: {amr.severe: {pattern: \"*.csv\", done: done}}}\n", dir, in))
		b := place{data: filepath.Join(dir, "data")}
		b.before = func(i int) {
			for n := range 2 {
				listings(t, fmt.Sprintf("%s/%d-%d.csv", in, i, n), 2*i+n, 2)
			}
		}
		b.do = command(t, func(int) []string { return []string{"pull", "-c", conf} })
		b.holds = func() []string { return found(t, in, "done/*", "*.csv") }
		return b
	}},
	{name: "flags set", points: pullPoints, passes: map[string]int{fault.MidAck: 2}, open: func(t *testing.T, _ int) place {
		dir := t.TempDir()
		conf, db := filepath.Join(dir, "xinshu.yaml"), frontDB(t, dir, "create table severe (id integer primary key, uscc text, entity_name text, list_reason text, list_date text, state text)")
		lay(t, conf, fmt.Sprintf("data: %s/data\nsources:\n  - {name: amr, kind: dbtable, values: {engine: sqlite, path: %s/front.db}, datasets: {amr.severe: {table: severe, mode: flag, page_rows: \"1\"}}}\n", dir, dir))
		b := place{data: filepath.Join(dir, "data")}
		b.before = func(i int) {
			for n := range 2 {
				alter(t, db, "insert into severe (uscc, entity_name, list_reason, list_date, state) values (?, '一号公司', ?, '2025-03-01', '0')", codeOf(2*i+n), fmt.Sprint("伪造材料", 2*i+n))
			}
		}
		b.do = command(t, func(int) []string { return []string{"pull", "-c", conf} })
		b.holds = func() []string { return asked(t, db, "select 'flag ' || id || ' ' || state from severe") }
		return b
	}},
}

// listings writes a few listings that no other n has; the last of each file is refused.
func listings(t *testing.T, file string, n, rows int) {
	t.Helper()
	text := "uscc,entity_name,list_reason,list_date,remove_date\n"
	for i := range rows {
		text += fmt.Sprintf("%s,一号公司,伪造材料%d,2025-03-01,\n", codeOf(n), i)
	}
	lay(t, file, text+wrongCode(n)+",二号公司,伪造材料,2025-03-01,\n")
}

// wrongCode is the n-th code with a check character that is not its own.
func wrongCode(n int) string {
	code := codeOf(n)
	if strings.HasSuffix(code, "0") {
		return code[:17] + "1"
	}
	return code[:17] + "0"
}

func lay(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// found lists the files that match below a folder.
func found(t *testing.T, dir string, patterns ...string) (all []string) {
	t.Helper()
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			all = append(all, strings.TrimPrefix(f, dir))
		}
	}
	return all
}

// books are the sums of the quarantine.
func books(t *testing.T, data string) []string {
	t.Helper()
	out, _ := xinshu(t, "", "quarantine", "summary", "--data", data)
	return []string{"books " + string(out)}
}

func frontDB(t *testing.T, dir string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "front.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, s := range statements {
		alter(t, db, s)
	}
	return db
}

func alter(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func asked(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
