package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// childEnv names the lake from which this test binary, started again as a child, publishes what is scored.
const childEnv = "PUBLISH_TEST_CHILD"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childEnv); folder != "" {
		if err := publishNewest(folder, os.Getenv(childEnv+"_DAY")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var childPolicy = catalog.Policy{ID: "henan-2020", Cycle: "dynamic", SHA256: "policy"}

func publishNewest(folder, day string) error {
	ctx := context.Background()
	store, err := lake.OpenFolder(folder)
	if err != nil {
		return err
	}
	l, err := lake.New(store, lake.Options{})
	if err != nil {
		return err
	}
	head, err := l.Head(ctx, chain.Scored(childPolicy.ID))
	if err != nil {
		return err
	}
	at, err := catalog.ParseDate(day)
	if err != nil {
		return err
	}
	p := Publisher{Lake: l, Duck: duck.Options{Threads: 1, MemoryMB: 128, TempDir: folder}}
	_, err = p.Publish(ctx, "child", Scored{Policy: childPolicy, Entry: head, AsOf: at, CorrectedTo: at, Seal: "seal of " + day})
	return err
}

// A release that was killed anywhere and made again states each change once, under the same version.
func TestKilledWhilePublishing(t *testing.T) {
	quiet := released(t, "")
	if len(quiet) != 6 {
		t.Fatalf("unkilled: %q", quiet)
	}
	for _, at := range []string{fault.BeforeObjects, fault.MidObject, fault.MidObject + ":2", fault.AfterObjects, fault.AfterLog} {
		t.Run("at "+at, func(t *testing.T) {
			if got := released(t, at); !slices.Equal(got, quiet) {
				t.Errorf("stated %q, unkilled %q", got, quiet)
			}
		})
	}
}

// released publishes three days; each is first killed at the crash point, then made again.
func released(t *testing.T, at string) []string {
	t.Helper()
	w := newWorld(t, "dynamic")
	for i, grades := range [][]string{{"91A B 80000", "91B B 80000", "91C C 74000"}, {"91A C 74000", "91B B 80000", "91C C 74000"}, {"91A B 80000", "91B B 80000"}} {
		day := fmt.Sprintf("2025-11-%02d", i+3)
		w.score(day, day, grades...)
		if at != "" {
			child(t, w.folder, day, at)
		}
		child(t, w.folder, day, "")
	}
	head, err := w.lake.Head(t.Context(), chain.Published(w.policy.ID))
	w.ok(err)
	if head.N != 3 {
		t.Errorf("%d entries for three releases", head.N)
	}
	return w.stated(0)
}

func child(t *testing.T, folder, day, at string) {
	t.Helper()
	exe, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+folder, childEnv+"_DAY="+day, fault.CrashEnv+"="+at)
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
