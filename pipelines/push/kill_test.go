package push

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
	"xinshu/internal/state"
)

// childEnv names the folder that this test binary, started again as a child, pushes from.
const childEnv = "PUSH_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := pushOnce(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A kill at any instant of pushing loses no row and leaves each row once at the receiver.
func TestKilledWhilePushing(t *testing.T) {
	quiet := killed(t, "")
	for _, point := range []string{fault.BeforeSend, fault.AfterSend, fault.BeforeReceipt} {
		for n := 1; n <= 5; n++ {
			at := fmt.Sprintf("%s:%d", point, 2*n-1)
			t.Run("at "+at, func(t *testing.T) {
				if got := killed(t, at); !maps.Equal(got, quiet) {
					t.Errorf("the receivers hold %d rows, unkilled %d", len(got), len(quiet))
				}
			})
		}
	}
}

// killed publishes, pushes in a child that is killed at a crash point, publishes a correction, and
// pushes again and again until nothing is open. It gives what the receivers hold: target and row id
// to body.
func killed(t *testing.T, at string) map[string]string {
	t.Helper()
	h := newHub(t, "direct", "later")
	grades := map[string]string{}
	for i := range 40 {
		grades[fmt.Sprintf("91%02d", i)] = "中"
	}
	h.publish("grade", 1, grades)
	dir := filepath.Dir(h.file)
	child(t, dir, at)
	h.publish("correction", 2, map[string]string{"9107": "良", "9139": "良"})
	for range 3 {
		child(t, dir, "")
	}
	counts, err := h.state.Counts(t.Context())
	h.ok(err)
	for _, c := range counts {
		if c.Open != 0 || c.Rejected != 0 || c.Acknowledged+c.Superseded != 42 {
			t.Errorf("left with %+v", c)
		}
	}
	held := map[string]string{}
	for _, target := range []string{"direct", "later"} {
		rows, err := (&folder{dir: filepath.Join(dir, target)}).received()
		h.ok(err)
		for id, body := range rows {
			if strings.HasSuffix(id, "/9107/1") || strings.HasSuffix(id, "/9139/1") {
				continue // overtaken by the correction before or after it was sent, as the kill would have it
			}
			held[target+" "+id] = body
		}
	}
	if len(held) != 2*40 {
		t.Errorf("%d rows held", len(held))
	}
	return held
}

func child(t *testing.T, dir, at string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, fault.CrashEnv+"="+at)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if at != "" && errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
			return
		}
	}
	if err != nil || at != "" {
		t.Fatalf("child with crash point %q ended with %v: %s", at, err, out)
	}
}

// pushOnce is the child: it opens run state and pushes to two folders, one of which answers later.
func pushOnce(dir string) error {
	ctx := context.Background()
	now := func() time.Time { return time.Date(2025, 10, 28, 9, 0, 0, 0, time.UTC) }
	s, err := state.Open(ctx, filepath.Join(dir, "state.db"), now)
	if err != nil {
		return err
	}
	sender := Sender{Outbox: s, Now: now}
	// One after the other, so that the count of a crash point means the same in every run.
	for _, t := range []Target{
		{ID: "direct", Batch: 7, Pusher: &folder{dir: filepath.Join(dir, "direct")}},
		{ID: "later", Batch: 7, Pusher: &answeringFolder{folder{dir: filepath.Join(dir, "later"), answers: true}}},
	} {
		if _, err := sender.Push(ctx, []Target{t}); err != nil {
			return err
		}
	}
	return s.Close()
}

// folder is a receiver that keeps one record per row id in a folder, and so survives a kill.
type folder struct {
	dir     string
	answers bool
}

func (f *folder) Push(_ context.Context, d connectors.Delivery) (connectors.Receipt, error) {
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		return connectors.Receipt{}, err
	}
	file, err := os.OpenFile(filepath.Join(f.dir, "received.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return connectors.Receipt{}, err
	}
	for _, row := range d.Rows {
		if _, err := fmt.Fprintf(file, "%s\t%s\n", row.ID, row.Body); err != nil {
			return connectors.Receipt{}, errors.Join(err, file.Close())
		}
	}
	receipt := connectors.Receipt{Code: "0", Accepted: int64(len(d.Rows))}
	if !f.answers {
		return receipt, file.Close()
	}
	answer, err := json.Marshal(connectors.Answer{DeliveryID: d.ID, Receipt: receipt, Handle: d.ID + ".fb"})
	if err != nil {
		return connectors.Receipt{}, errors.Join(err, file.Close())
	}
	return connectors.Receipt{Pending: true}, errors.Join(os.WriteFile(filepath.Join(f.dir, d.ID+".fb"), answer, 0o600), file.Close())
}

// received reads what came: by row id. Another body under the same id is an error.
func (f *folder) received() (map[string]string, error) {
	file, err := os.Open(filepath.Join(f.dir, "received.jsonl"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	rows := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		id, body, _ := strings.Cut(lines.Text(), "\t")
		if before, seen := rows[id]; seen && before != body {
			return nil, fmt.Errorf("%s came as %s and as %s", id, before, body)
		}
		rows[id] = body
	}
	return rows, lines.Err()
}

// answeringFolder lays an answer file down for each delivery.
type answeringFolder struct{ folder }

func (f *answeringFolder) Answers(context.Context) iter.Seq2[connectors.Answer, error] {
	return func(yield func(connectors.Answer, error) bool) {
		names, err := filepath.Glob(filepath.Join(f.dir, "*.fb"))
		if err != nil {
			yield(connectors.Answer{}, err)
			return
		}
		slices.Sort(names)
		for _, name := range names {
			var a connectors.Answer
			text, err := os.ReadFile(name)
			if err == nil {
				err = json.Unmarshal(text, &a)
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

func (f *answeringFolder) Taken(_ context.Context, a connectors.Answer) error {
	return os.Remove(filepath.Join(f.dir, a.Handle))
}
