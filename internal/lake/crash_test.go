package lake_test

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// stores are the two kinds, each with the words that let a child process open the same one.
var stores = map[string]func(t *testing.T) (lake.Store, string){
	"folder": func(t *testing.T) (lake.Store, string) {
		dir := t.TempDir()
		s, err := lake.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s, "folder " + dir
	},
	"s3": func(t *testing.T) (lake.Store, string) {
		c := s3Server(t).Config(newBucket())
		s, err := lake.OpenS3(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return s, "s3 " + c.Endpoint + " " + c.Bucket
	},
}

func onBoth(t *testing.T, run func(t *testing.T, s lake.Store, words string)) {
	for _, kind := range []string{"folder", "s3"} {
		t.Run(kind, func(t *testing.T) {
			s, words := stores[kind](t)
			run(t, s, words)
		})
	}
}

func reader(t *testing.T, s lake.Store) *lake.Lake {
	t.Helper()
	l, err := lake.New(s, lake.Options{Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A process is killed at a crash point and started again. The kill leaves no half commit behind, and
// after the second start each run is committed once.
func TestKilledWriterLosesAndDoublesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s lake.Store, words string) {
		var committed int64
		for _, c := range []struct {
			at     string
			counts int64 // entries the killed process leaves
		}{
			{fault.BeforeObjects, 0},
			{fault.MidObject, 0},
			{fault.MidObject + ":2", 0},
			{fault.AfterObjects, 0},
			{fault.AfterLog, 1},
		} {
			run := "run-" + strings.ReplaceAll(c.at, ":", "-")
			out, err := startChild(t, words, "commit "+run, fault.CrashEnv+"="+c.at)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%s: the child was not killed: %v %s", c.at, err, out)
			}
			head, err := reader(t, s).Head(t.Context(), killedChain)
			if err != nil || head.N != committed+c.counts {
				t.Errorf("killed at %s: head %d, %v; want %d", c.at, head.N, err, committed+c.counts)
			}
			committed++
			for range 2 { // the second start after the kill finds the work done
				if out, err := startChild(t, words, "commit "+run); err != nil || out != "won" {
					t.Fatalf("%s, started again: %v %s", c.at, err, out)
				}
			}
			l := reader(t, s)
			head, err = l.Head(t.Context(), killedChain)
			if err != nil || head.N != committed || int64(len(head.Files)) != 2*committed {
				t.Errorf("%s, started again: entry %d lists %d files, %v", c.at, head.N, len(head.Files), err)
			}
			if _, err := l.Verify(t.Context(), true); err != nil {
				t.Errorf("%s: %v", c.at, err)
			}
		}
	})
}

func TestOf16ProcessesOneWins(t *testing.T) {
	onBoth(t, func(t *testing.T, s lake.Store, words string) {
		out := make([]string, 16)
		var wg sync.WaitGroup
		for w := range out {
			wg.Go(func() {
				out[w], _ = startChild(t, words, fmt.Sprintf("put log/settled/000000000001.json writer-%d", w))
			})
		}
		wg.Wait()
		winner := slices.Index(out, "won")
		slices.Sort(out)
		if want := append(slices.Repeat([]string{"lost"}, 15), "won"); !slices.Equal(out, want) {
			t.Fatalf("answers: %q", out)
		}
		body, err := s.Get(t.Context(), "log/settled/000000000001.json")
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		stands := make([]byte, 20)
		n, _ := body.Read(stands)
		if want := fmt.Sprintf("writer-%d", winner); string(stands[:n]) != want {
			t.Errorf("%s won, %s stands", want, stands[:n])
		}
	})
}

// A file-size limit is the full disk that needs no mount: the kernel refuses the write half way.
func TestFullDiskLeavesNothingBehind(t *testing.T) {
	s, words := stores["folder"](t)
	out, err := startChild(t, words, "full")
	if err == nil || !strings.HasPrefix(out, string(fault.Unavailable)) || !strings.Contains(out, "nothing was committed") {
		t.Errorf("the child said %q, %v", out, err)
	}
	dir := strings.TrimPrefix(words, "folder ")
	left, err := filepath.Glob(filepath.Join(dir, "seal", "p", "2025-10-31", "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(dir, "seal", "p", "2025-10-31", ".*"))
	if err != nil {
		t.Fatal(err)
	}
	if left = append(left, hidden...); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := reader(t, s).Seal(t.Context(), "p", "2025-10-31", []byte("{}")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
