package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xinshu/catalog"
)

// county is a small installation whose departments hand over whole tables of one front-end database.
type county struct {
	t         *testing.T
	dir, conf string
	db        *sql.DB
	codes     []string
}

const companies = 12

// newCounty has companies that all won a provincial honour, the second half of which are on the
// court's list.
func newCounty(t *testing.T) *county {
	t.Helper()
	c := &county{t: t, dir: t.TempDir()}
	c.conf = filepath.Join(c.dir, "xinshu.yaml")
	const text = `data: HERE/hub
catalog: HERE/own
policies: [lingyuan-2021]
sources:
  - {name: amr, kind: dbtable, values: {engine: sqlite, path: HERE/front.db}, datasets: {amr.reg: {table: reg, key: uscc}}}
  - {name: court, kind: dbtable, values: {engine: sqlite, path: HERE/front.db}, datasets: {court.debtor: {table: debtor, key: case_no}}}
  - {name: prov, kind: dbtable, values: {engine: sqlite, path: HERE/front.db}, datasets: {prov-credit.honour: {table: honour, key: source_record_id}}}
`
	c.write("xinshu.yaml", strings.ReplaceAll(text, "HERE", c.dir))
	honour, err := fs.ReadFile(catalog.Files, "datasets/prov-credit/honour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.write("own/datasets/prov-credit/honour.yaml", string(honour)+"stock: whole\n")
	if c.db, err = sql.Open("sqlite3", filepath.Join(c.dir, "front.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.db.Close() })
	c.exec("create table reg (uscc text, entity_name text, est_date text)")
	c.exec("create table debtor (uscc text, entity_name text, case_no text, court text, publish_date text, performance text)")
	c.exec("create table honour (source_record_id text, uscc text, entity_name text, title text, level text, award_date text, awarded_by text)")
	for i := 0; len(c.codes) < companies; i++ {
		for _, check := range "0123456789ABCDEFGHJKLMNPQRTUWXY" {
			if code := fmt.Sprintf("91410481%08d1%c", i*7919, check); len(c.codes) < companies && catalog.CheckUSCC(code).Valid {
				c.codes = append(c.codes, code)
			}
		}
	}
	for i, code := range c.codes {
		c.exec("insert into reg values (?, '样例有限公司', '2015-03-02')", code)
		c.honour(i)
		if i >= companies/2 {
			c.debtor(i)
		}
	}
	return c
}

func (c *county) write(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *county) exec(query string, args ...any) {
	c.t.Helper()
	if _, err := c.db.ExecContext(c.t.Context(), query, args...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *county) debtor(i int) {
	c.exec("insert into debtor values (?, '样例有限公司', ?, '某市人民法院', '2025-09-01', '全部未履行')", c.codes[i], fmt.Sprintf("（2025）执%d号", i))
}

func (c *county) honour(i int) {
	c.exec("insert into honour values (?, ?, '样例有限公司', '守信企业', '省级', ?, '省发展改革委')", fmt.Sprint("h", i), c.codes[i], hubClock().AddDate(0, -2, 0).Format("2006-01-02"))
}

// run runs the whole main job and gives what is published of each company, in their order: a letter each.
func (c *county) run() string {
	c.t.Helper()
	xinshu(c.t, "", "run", "-c", c.conf)
	return c.grades()
}

func (c *county) grades() string {
	c.t.Helper()
	published := publishedGrades(c.t, filepath.Join(c.dir, "hub"))
	grades := make([]string, len(c.codes))
	for i, code := range c.codes {
		grades[i] = published["lingyuan-2021/"+code]
	}
	return strings.Join(grades, " ")
}

// held lists the feeds on hold with their alarms.
func (c *county) held() string {
	c.t.Helper()
	out, _ := xinshu(c.t, "", "feed", "list", "--json", "-c", c.conf)
	var lines []feedLine
	if err := json.Unmarshal(out, &lines); err != nil {
		c.t.Fatal(err)
	}
	held := map[string]string{}
	for _, l := range lines {
		if l.Hold != nil {
			held[l.Dataset] = l.Hold.Alarm
		}
	}
	var all []string
	for _, id := range slices.Sorted(maps.Keys(held)) {
		all = append(all, id+" "+held[id])
	}
	return strings.Join(all, ", ")
}

func (c *county) wants(what, got, want string) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s:\n got  %s\n want %s", what, got, want)
	}
}

// letters writes n times one grade and m times another, as grades does.
func letters(n int, a string, m int, b string) string {
	return strings.Join(append(slices.Repeat([]string{a}, n), slices.Repeat([]string{b}, m)...), " ")
}

// TestAFeedThatFallsSilentLowersNoGrade takes two lists of a county away and brings them back: what a
// feed does not bring changes a grade only when a named person says so, or when the feed is as usual.
func TestAFeedThatFallsSilentLowersNoGrade(t *testing.T) {
	c := newCounty(t)
	const half = companies / 2
	first := c.run()
	c.wants("with honours, half of them debtors", first, letters(half, "A-", half, "D"))

	c.exec("delete from debtor")
	c.exec("delete from honour")
	c.wants("both lists empty", c.run(), first)
	c.wants("held", c.held(), "court.debtor empty, prov-credit.honour empty")
	if code := c.exits("run", "--strict"); code != exitUnfinished {
		t.Errorf("with --strict the run ends with %d", code)
	}
	if out, _ := xinshu(t, "", "pull", "-c", c.conf); !strings.Contains(string(out), "2 pulls succeeded without a row") || !strings.Contains(string(out), "xinshu feed release court court.debtor") {
		t.Errorf("the pull's last words are\n%s", out)
	}

	// A tenth of a list, with somebody new on it: the new one counts at once, nobody else leaves.
	c.debtor(0)
	c.honour(5)
	listed := "D " + letters(half-1, "A-", half, "D")
	c.wants("a tenth, with a new debtor", c.run(), listed)
	c.wants("held", c.held(), "court.debtor few, prov-credit.honour few")

	// Released in a person's name.
	xinshu(t, "", "feed", "release", "prov", "prov-credit.honour", "--by", "王五", "--reason", "荣誉名单已重新公布", "-c", c.conf)
	c.wants("held", c.held(), "court.debtor few")
	xinshu(t, "", "source", "test", "prov", "--rows", "1", "-c", c.conf)
	if out, _ := xinshu(t, "", "source", "list", "-c", c.conf); !strings.Contains(string(out), "prov-credit.honour") {
		t.Errorf("the sources are %s", out)
	}
	if out, _ := xinshu(t, "", "audit", "list", "-c", c.conf); !strings.Contains(string(out), "feed.release") || !strings.Contains(string(out), "王五") || !strings.Contains(string(out), "source.try") {
		t.Errorf("the trail has %s", out)
	}
	for _, step := range []string{"settle", "score", "publish"} {
		xinshu(t, "", step, "-c", c.conf)
	}
	c.wants("honours released", c.grades(), "D "+letters(half-2, "B", 1, "A-")+" "+letters(half, "D", 0, ""))
	c.wants("pulled once more", c.run(), "D "+letters(half-2, "B", 1, "A-")+" "+letters(half, "D", 0, ""))
	if code := c.exits("feed", "release", "prov", "prov-credit.honour", "--by", "赵六", "--reason", "again"); code != exitFailed {
		t.Errorf("a feed that is not on hold was released: %d", code)
	}

	// The court's list comes back but for one: the hold ends by itself, and the one has left.
	for i := half; i < companies-1; i++ {
		c.debtor(i)
	}
	c.wants("the list is back", c.run(), "D "+letters(half-2, "B", 1, "A-")+" "+letters(half-1, "D", 1, "B"))
	c.wants("held", c.held(), "")
	c.debtor(companies - 1)
	c.wants("and so is the last", c.run(), "D "+letters(half-2, "B", 1, "A-")+" "+letters(half, "D", 0, ""))
	xinshu(t, "", "verify", "--read-data", "-c", c.conf)
}

func (c *county) exits(args ...string) int {
	c.t.Helper()
	_, _, err := try(c.t, 0, "", append(args, "-c", c.conf)...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return exitDone
}
