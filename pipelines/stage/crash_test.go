package stage

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// crashDirEnv makes the test binary pull into the lake in this folder and end, if it is not killed.
const crashDirEnv = "XINSHU_STAGE_CRASH_DIR"

func openLake(dir string) (*lake.Lake, error) {
	store, err := lake.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	return lake.New(store, lake.Options{Node: "test"})
}

// pullInChild does what the hub does after a start: pull from the chain's cursor, under a new run.
func pullInChild(dir string) error {
	l, err := openLake(dir)
	if err != nil {
		return err
	}
	head, err := l.Head(context.Background(), chain.Stage("cult.penalty"))
	if err != nil {
		return err
	}
	s := &Stager{Lake: l, Words: words{}, Now: noon}
	if head.N > 0 { // the source has no more
		_, err = s.Run(context.Background(), penalties(), pages(), Pull{Run: "r2", Before: "after b.csv"})
		return err
	}
	first, second := pageOf("a.csv", clean("1"), clean("2", "uscc", "bad"), clean("1")), pageOf("b.csv", clean("3"), clean("4", "XDR_LB", "自然人"))
	first.Taken, second.Taken = []string{"a"}, []string{"b"}
	_, err = s.Run(context.Background(), penalties(), pages(first, second), Pull{Run: fmt.Sprintf("r%d", os.Getpid())})
	return err
}

// A kill at any point of the commit protocol leaves either nothing visible or all of it, and a second
// start brings the chain to where an unkilled one stands.
func TestAKilledPullLosesAndDoublesNothing(t *testing.T) {
	want := settledState(t, "")
	if n := len(want) - len(penalties().Fields); n != 3 { // beside the profile's fields
		t.Fatalf("an unkilled run leaves %v", want)
	}
	for _, point := range []string{fault.BeforeObjects, fault.MidObject, fault.MidObject + ":2", fault.MidObject + ":3", fault.AfterObjects, fault.AfterLog} {
		t.Run("killed at "+point, func(t *testing.T) {
			if got := settledState(t, point); !maps.Equal(got, want) {
				t.Errorf("left\n%v, an unkilled run leaves\n%v", got, want)
			}
		})
	}
}

// settledState pulls in a child that is killed at the point, looks, pulls again, and gives what the
// chain then holds: each row with its content's hash.
func settledState(t *testing.T, point string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := func(env ...string) error {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
		cmd.Env = append(append(os.Environ(), crashDirEnv+"="+dir), env...)
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(err.Error(), "killed") {
			t.Fatalf("child: %v: %s", err, out)
		}
		return err
	}
	if point != "" {
		if err := start(fault.CrashEnv + "=" + point); err == nil {
			t.Fatalf("nobody passes %s", point)
		}
		if half := visible(t, dir); len(half) != 0 && len(half) != 3+len(penalties().Fields) {
			t.Fatalf("a half batch is visible: %v", half)
		}
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	return visible(t, dir)
}

// visible reads what the chain's newest entry lists, as any reader does.
func visible(t *testing.T, dir string) map[string]string {
	t.Helper()
	l, err := openLake(dir)
	if err != nil {
		t.Fatal(err)
	}
	head, err := l.Head(t.Context(), chain.Stage("cult.penalty"))
	if err != nil {
		t.Fatal(err)
	}
	if head.N > 1 {
		t.Errorf("%d commits of one pull", head.N)
	}
	state := map[string]string{}
	for _, f := range head.Files {
		path, err := l.Local(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range parquetRows(t, path) {
			if f.Table == TakenTable {
				continue
			}
			key := filepath.Join(f.Table, row["record_key"], row["reason"], row["field"])
			if _, twice := state[key]; twice {
				t.Errorf("%s is there twice", key)
			}
			state[key] = row["row_sha"] + row["original"]
		}
	}
	return state
}
