package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/pipelines/schedule"
)

// served opens a hub in this process and lets its engine take tasks.
func served(t *testing.T, config string) *app {
	t.Helper()
	c, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c.Serve.Poll, c.Serve.Backoff = "20ms", "20ms"
	a, err := openApp(t.Context(), c, hubClock)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.engine().Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// done starts a piece of work and waits until it is over.
func (a *app) done(t *testing.T, w schedule.Work) schedule.Task {
	t.Helper()
	task, err := a.desk.Book.Start(t.Context(), w, "张三")
	if err != nil {
		t.Fatal(err)
	}
	return a.over(t, task.ID)
}

func (a *app) over(t *testing.T, id string) schedule.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		task, err := a.desk.Book.Task(ctx, id)
		if err != nil {
			t.Fatalf("%s is not over: %v", id, err)
		}
		if task.Finished() {
			return task
		}
		pass(ctx, 10*time.Millisecond)
	}
}

func (a *app) steps(t *testing.T, id string) string {
	t.Helper()
	steps, err := a.desk.Book.Steps(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range steps {
		all = append(all, s.Key.String()+" "+s.State)
	}
	return strings.Join(all, ", ")
}

func TestATaskDoesTheWholeJobAndIsRetriedFromTheStepThatFailed(t *testing.T) {
	config, _ := smallHub(t)
	in := filepath.Join(filepath.Dir(config), "in")
	if err := os.Rename(in, in+".away"); err != nil {
		t.Fatal(err)
	}
	a := served(t, config)
	task := a.done(t, schedule.Work{Do: schedule.DoRun, AsOf: "2025-12-31"})
	if task.State != schedule.Failed || !strings.HasPrefix(task.Step, "pull amr") {
		t.Fatalf("%+v: %s", task, a.steps(t, task.ID))
	}
	if err := os.Rename(in+".away", in); err != nil {
		t.Fatal(err)
	}
	if _, err := a.desk.Book.RetryTask(t.Context(), task.ID, "李四"); err != nil {
		t.Fatal(err)
	}
	task = a.over(t, task.ID)
	got := a.steps(t, task.ID)
	for _, step := range []string{"pull amr/amr.reg done", "pull amr/amr.severe done", "settle done", "score heilongjiang-2021 done", "publish lingyuan-2021 done", "push share done"} {
		if !strings.Contains(got, step) {
			t.Errorf("%s is not among %s", step, got)
		}
	}
	if task.State != schedule.Done || strings.Contains(got, schedule.Stale) || strings.Contains(got, schedule.Failed) {
		t.Errorf("%+v: %s", task, got)
	}
	packets := found(t, filepath.Join(filepath.Dir(config), "out"), "*.ok")
	if len(packets) == 0 {
		t.Error("nothing was pushed")
	}

	// Asked for once more, nothing is new: no chain grows.
	before := a.heads(t)
	if again := a.done(t, schedule.Work{Do: schedule.DoRun, AsOf: "2025-12-31"}); again.State != schedule.Done {
		t.Errorf("%+v: %s", again, a.steps(t, again.ID))
	}
	if after := a.heads(t); after != before {
		t.Errorf("the same work committed again:\n%s\n%s", before, after)
	}

	// Its runs say of which task they are, and each entry under which number it was committed.
	runs, err := a.state.Runs(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	mine := 0
	for _, r := range runs {
		if r.Task == task.ID {
			mine++
		}
	}
	head, err := a.lake.Head(t.Context(), chain.Settled)
	if err != nil || mine < 7 || head.Fence == 0 {
		t.Errorf("%d runs of the task, fence %d, %v", mine, head.Fence, err)
	}
}

// heads says where each chain stands.
func (a *app) heads(t *testing.T) string {
	t.Helper()
	names, err := a.lake.Chains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		head, err := a.lake.Head(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(name, " ", head.N))
	}
	return strings.Join(all, ", ")
}

func TestAStretchReadAgainAsATaskLeavesTheCursorAlone(t *testing.T) {
	dir := t.TempDir()
	db := frontDB(t, dir, "create table severe (uscc text, entity_name text, list_reason text, list_date text, op_time text)")
	for i := range 20 {
		if _, err := db.ExecContext(t.Context(), "insert into severe values (?, '样例有限公司', '伪造材料', '2025-03-01', ?)", codeOf(i), fmt.Sprintf("2025-03-%02d 08:00:00", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "xinshu.yaml")
	lay(t, config, fmt.Sprintf("data: %s/data\nsources:\n  - {name: front, kind: dbtable, values: {engine: sqlite, path: %s/front.db}, datasets: {amr.severe: {table: severe, mode: watermark, cursor_column: op_time}}}\n", dir, dir))
	a := served(t, config)
	if task := a.done(t, schedule.Work{Do: schedule.DoPull}); task.State != schedule.Done {
		t.Fatalf("%+v", task)
	}
	cursor := func() string {
		head, err := a.lake.Head(t.Context(), chain.Stage("amr.severe"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(head.Cursor.After)
		return string(text)
	}
	before := cursor()
	// Rows that the department filled in late, within days that were read long ago.
	if _, err := db.ExecContext(t.Context(), "insert into severe values (?, '样例有限公司', '伪造材料', '2025-03-01', '2025-03-05 09:00:00')", codeOf(99)); err != nil {
		t.Fatal(err)
	}
	task := a.done(t, schedule.Work{Do: schedule.DoPull, Source: "front", Datasets: []string{"amr.severe"}, Again: &schedule.Again{From: "2025-03-05", Until: "2025-03-07"}})
	steps, err := a.desk.Book.Steps(t.Context(), task.ID)
	if err != nil || task.State != schedule.Done || len(steps) == 0 {
		t.Fatalf("%+v, %v", task, err)
	}
	if after := cursor(); after != before {
		t.Errorf("the cursor moved from %s to %s", before, after)
	}
	rows := 0
	for _, s := range holdings(t, filepath.Join(dir, "data")) {
		if strings.HasPrefix(s, "stage/amr.severe rows ") {
			rows++
		}
	}
	if rows != 21 {
		t.Errorf("%d rows are held, not 21", rows)
	}
}
