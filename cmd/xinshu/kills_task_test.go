package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines/schedule"
)

// taskWrites are what a hub that serves writes about its ticks and tasks, each beside what the step commits.
var taskWrites = []durable{
	{name: "tick taken and its task done", points: append([]string{fault.MidTick, fault.AfterTick, fault.AfterTake, fault.BeforeStep, fault.AfterStep, fault.BeforeFinish}, commitPoints...),
		passes: map[string]int{fault.BeforeStep: 2, fault.AfterStep: 2}, open: func(t *testing.T, pieces int) place {
			dir := t.TempDir()
			b := place{data: filepath.Join(dir, "data")}
			config := filepath.Join(dir, "xinshu.yaml")
			lay(t, config, fmt.Sprintf("data: %s\nsources:\n  - {name: amr, kind: files, values: {root: %s/in}, datasets: {amr.severe: {pattern: \"*.csv\"}, amr.abnormal: {pattern: \"none\"}}}\n"+
				"serve: {addr: \"127.0.0.1:0\", poll: 50ms, lease: 1s, grace: 5s}\n", b.data, dir))
			s, err := state.Open(t.Context(), filepath.Join(b.data, "state.db"), hubClock)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			book := &schedule.Book{Store: s, Now: hubClock}
			tick := time.Now().Truncate(time.Minute).Add(-time.Minute)
			b.before = func(i int) {
				listings(t, fmt.Sprintf("%s/in/%05d.csv", dir, i), i, 3)
				one, err := book.Validate(schedule.Schedule{ID: fmt.Sprint("s", i), Spec: "0 0 29 2 *", CatchUp: schedule.CatchUpAll, Attempts: 9,
					Work: schedule.Work{Do: schedule.DoPull, Source: "amr"}}, tick)
				if err != nil {
					t.Fatal(err)
				}
				one.NextAt, one.FiredAt = tick, tick // it is due
				if _, err := s.SaveSchedule(t.Context(), one); err != nil {
					t.Fatal(err)
				}
			}
			b.do = func(i int, env string) bool {
				return serveUntil(t, config, env, func() bool {
					page, err := s.Tasks(t.Context(), schedule.Filter{Schedule: fmt.Sprint("s", i), States: []string{schedule.Done}})
					if err != nil {
						t.Fatal(err)
					}
					return len(page.Tasks) > 0
				})
			}
			b.holds = func() (all []string) {
				for i := range pieces {
					page, err := s.Tasks(t.Context(), schedule.Filter{Schedule: fmt.Sprint("s", i)})
					if err != nil {
						t.Fatal(err)
					}
					for _, task := range page.Tasks {
						steps, err := s.Steps(t.Context(), task.ID)
						if err != nil {
							t.Fatal(err)
						}
						all = append(all, fmt.Sprintf("task %d of %s is %s", i, task.Schedule, task.State))
						for _, step := range steps {
							all = append(all, fmt.Sprintf("task %d: %s is %s", i, step.Key, step.State))
						}
					}
				}
				return all
			}
			return b
		}},
}

// serveUntil lets a hub serve until something is so; then it is told to stop. It says whether it was killed before.
func serveUntil(t *testing.T, config, env string, so func() bool) (killed bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "serve", "-c", config)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if env != "" {
		cmd.Env = append(cmd.Env, env)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	late := time.NewTimer(2 * time.Minute)
	defer late.Stop()
	for stopping := false; ; {
		select {
		case err := <-done:
			status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
			killed = status.Signaled() && status.Signal() == syscall.SIGKILL
			if !killed && (err != nil || !stopping) {
				t.Fatalf("xinshu serve ended: %v\n%s", err, lastLines(out.String()))
			}
			return killed
		case <-late.C:
			_ = cmd.Process.Kill()
			t.Fatalf("it does not come to its end\n%s", lastLines(out.String()))
		case <-look.C:
			if !stopping && so() {
				stopping = true
				_ = cmd.Process.Signal(syscall.SIGTERM) // an error says that it is gone already
			}
		}
	}
}
