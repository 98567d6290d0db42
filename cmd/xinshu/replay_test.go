package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/pipelines/schedule"
)

// TestAReplayIsATaskAndGoesOutWithTheNextPush lets a target answer everything, asks for the window of today
// once more, and finds it in the packets of the next push.
func TestAReplayIsATaskAndGoesOutWithTheNextPush(t *testing.T) {
	config, _ := smallHub(t)
	a := served(t, config)
	if task := a.done(t, schedule.Work{Do: schedule.DoRun, AsOf: "2025-12-31", NoPush: true}); task.State != schedule.Done {
		t.Fatalf("%+v: %s", task, a.steps(t, task.ID))
	}
	answered := a.answerAll(t, "share")
	if answered == 0 {
		t.Fatal("nothing was published")
	}
	ctx := auth.With(t.Context(), auth.Shell("test"))
	window := schedule.Replay{From: a.now().Add(-time.Hour), Until: a.now().Add(time.Hour), Reason: "they restored an old backup"}
	task, err := a.desk.Replay(ctx, "share", nil, window)
	if err != nil {
		t.Fatal(err)
	}
	task = a.over(t, task.ID)
	steps, err := a.desk.Task(ctx, task.ID)
	if err != nil || task.State != schedule.Done {
		t.Fatalf("%+v: %s, %v", task, a.steps(t, task.ID), err)
	}
	var notes []string
	for _, s := range steps.Steps {
		if s.Of.Step != "replay" || s.Of.Subject != "share" || s.Of.Task != task.ID {
			t.Errorf("the step %s has the run %+v", s.Key, s.Of)
		}
		notes = append(notes, s.Subject+" "+s.Note)
	}
	if all := strings.Join(notes, "; "); !strings.Contains(all, "share/lingyuan-2021 lingyuan-2021: releases 1, rows due again 3") {
		t.Errorf("the steps say %s", all)
	}
	if task := a.done(t, schedule.Work{Do: schedule.DoPush}); task.State != schedule.Done {
		t.Fatalf("%+v", task)
	}
	sent, acknowledged, _, open, err := a.state.Totals(t.Context(), "share")
	if err != nil || sent != answered || acknowledged+open != answered || open == 0 {
		t.Errorf("sent %d, acknowledged %d, open %d of %d: a row counts once however often it goes out (%v)", sent, acknowledged, open, answered, err)
	}
	if packets := found(t, filepath.Join(filepath.Dir(config), "out"), "*.ok"); len(packets) == 0 {
		t.Error("nothing was pushed")
	}
}

// answerAll accepts what is due for a target and gives how many rows that was.
func (a *app) answerAll(t *testing.T, target string) (rows int64) {
	t.Helper()
	for {
		d, _, found, err := a.state.Claim(t.Context(), target, 500)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return rows
		}
		var answers []connectors.RowReceipt
		for _, r := range d.Rows {
			answers = append(answers, connectors.RowReceipt{ID: r.ID})
		}
		if err := a.state.Answered(t.Context(), d, connectors.Receipt{Accepted: int64(len(answers))}, answers, time.Time{}); err != nil {
			t.Fatal(err)
		}
		rows += int64(len(answers))
	}
}
