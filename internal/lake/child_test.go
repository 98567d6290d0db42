package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/lake/s3test"
)

// childJob names what this test binary does when it is started again as a process of its own: a
// killed writer, one of several racing processes, a process whose disk is full.
const childJob = "XINSHU_LAKE_TEST_JOB"

// childStore says which store the child opens: "folder PATH" or "s3 ENDPOINT BUCKET".
const childStore = "XINSHU_LAKE_TEST_STORE"

func child(job string) int {
	words := strings.Fields(job)
	err := func() error {
		s, err := storeOf(strings.Fields(os.Getenv(childStore)))
		if err != nil {
			return err
		}
		switch words[0] {
		case "put": // put KEY BODY
			return s.Put(context.Background(), words[1], []byte(words[2]))
		case "commit": // commit RUN, in a fresh process with its own cache
			_, err := commitRun(context.Background(), s, words[1])
			return err
		case "full": // a PUT larger than any file may be
			signal.Ignore(syscall.SIGXFSZ) // the write's own error is wanted, not the signal's
			limit := syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
				return err
			}
			l, err := lake.New(s, lake.Options{})
			if err != nil {
				return err
			}
			_, err = l.Seal(context.Background(), "p", "2025-10-31", fmt.Appendf(nil, `{"text":"%s"}`, strings.Repeat("x", 1<<20)))
			return err
		}
		return fmt.Errorf("unknown job %q", job)
	}()
	switch {
	case err == nil:
		fmt.Println("won")
	case errors.Is(err, lake.ErrExists):
		fmt.Println("lost")
	default:
		fmt.Println(fault.CodeOf(err), err)
		return 1
	}
	return 0
}

func storeOf(words []string) (lake.Store, error) {
	if words[0] == "folder" {
		return lake.OpenFolder(words[1])
	}
	return lake.OpenS3(context.Background(), lake.S3Config{Endpoint: words[1], Bucket: words[2],
		AccessKey: s3test.AccessKey, SecretKey: s3test.SecretKey})
}

// commitRun does what a step does: two objects and one commit, unless its intent is there already.
func commitRun(ctx context.Context, s lake.Store, run string) (e chain.Entry, err error) {
	cache, err := os.MkdirTemp("", "xinshu-lake-cache-")
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cache)) }()
	l, err := lake.New(s, lake.Options{Cache: cache, Node: "child"})
	if err != nil {
		return e, err
	}
	intent := chain.Intent("stage", run)
	if e, ok, err := l.Find(ctx, killedChain, intent); ok || err != nil {
		return e, err
	}
	fault.At(fault.BeforeObjects)
	head, err := l.Head(ctx, killedChain)
	if err != nil {
		return e, err
	}
	d := chain.Draft{Base: head, Entry: chain.Entry{Chain: killedChain, Run: run, Intent: intent}}
	for _, table := range []string{"rows", "quarantine"} {
		path := l.TempDir() + "/" + newBucket() + "-" + fmt.Sprint(os.Getpid())
		if err := os.WriteFile(path, []byte(strings.Repeat(table+" of "+run+"\n", 10000)), 0o644); err != nil {
			return e, err
		}
		f, err := l.Put(ctx, chain.Object{Chain: killedChain, Run: run, Table: table, Range: chain.NoRange, Path: path, Rows: 10000})
		if err != nil {
			return e, err
		}
		d.Files = append(d.Files, f)
	}
	return l.Commit(ctx, d)
}

const killedChain = "stage/amr.severe"

// startChild runs a job in a process of its own and gives what it printed.
func startChild(t *testing.T, store, job string, env ...string) (string, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(append(os.Environ(), childJob+"="+job, childStore+"="+store), env...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
