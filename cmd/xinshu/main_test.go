package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

// asCommand makes the test binary behave as xinshu, so that a test can kill a real process.
const asCommand = "XINSHU_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// xinshu runs a command line in a process of its own. killed says that the process died of SIGKILL.
func xinshu(t testing.TB, env string, args ...string) (out []byte, killed bool) {
	t.Helper()
	out, killed, err := try(t, 0, env, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out, killed
}

// try is xinshu that may fail; a delay above zero kills the process after that long.
func try(t testing.TB, delay time.Duration, env string, args ...string) (out []byte, killed bool, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	if env != "" {
		cmd.Env = append(cmd.Env, env)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if delay > 0 {
		timer := time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return stdout.Bytes(), true, nil
		}
	}
	if err != nil {
		err = fmt.Errorf("xinshu %s: %w\n%s", strings.Join(args, " "), err, lastLines(stderr.String()))
	}
	return stdout.Bytes(), false, err
}

// full says that the long form of a test is asked for: make acceptance does.
func full() bool { return os.Getenv("XINSHU_FULL") != "" }

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// summaryOf reads what `demo --json` printed.
func summaryOf(t testing.TB, out []byte) Summary {
	t.Helper()
	var s Summary
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("the summary is no JSON: %v\n%s", err, out)
	}
	return s
}

// holdings is everything a hub came to, as a sorted list of statements: rows staged and refused,
// records and marks settled, grades published with their versions. Equal lists are equal hubs.
func holdings(t testing.TB, dir string) []string {
	t.Helper()
	store, err := lake.OpenFolder(filepath.Join(dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	return holdingsIn(t, store, lake.Options{Node: "test"})
}

func holdingsIn(t testing.TB, store lake.Store, o lake.Options) []string {
	t.Helper()
	var all []string
	visitChains(t, store, o, func(head chain.Entry, query func(question) []string) {
		for _, q := range statements(head.Chain) {
			all = append(all, query(q)...)
		}
	})
	slices.Sort(all)
	return all
}

// eachChain visits the head of each chain of a hub's lake with a way to query its tables.
func eachChain(t testing.TB, dir string, visit func(head chain.Entry, query func(question) []string)) {
	t.Helper()
	store, err := lake.OpenFolder(filepath.Join(dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	visitChains(t, store, lake.Options{Node: "test"}, visit)
}

func visitChains(t testing.TB, store lake.Store, o lake.Options, visit func(head chain.Entry, query func(question) []string)) {
	t.Helper()
	l, err := lake.New(store, o)
	if err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	chains, err := l.Chains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range chains {
		head, err := l.Head(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		visit(head, func(q question) []string { return ask(t, l, db, head, q) })
	}
}

// question is one query over one table of a chain; distinct where a repeated pull may bring a row again.
type question struct{ table, sql string }

func statements(chainName string) []question {
	switch {
	case strings.HasPrefix(chainName, "stage/"):
		return []question{
			{"rows", "select distinct concat_ws('|', record_id, row_sha, op) from held"},
			{"quarantine", "select distinct concat_ws('|', reason, column_name, original) from held"},
			{"corrected", "select concat_ws('|', original_n, original_row, outcome, row_no, corrected_by, way) from held"},
			{"gone", "select concat_ws('|', record_id, row_sha) from held"},
			{"absent", "select concat_ws('|', record_id, row_sha) from held"},
		}
	case chainName == chain.Settled:
		return []question{
			{"record", "select concat_ws('|', record_id, version, row_sha, uscc, kind, level, status, valid_until) from held"},
			{"mark", "select distinct concat_ws('|', mark_id, kind, target_record_id, effective_on) from held"},
			{"entity", "select distinct concat_ws('|', uscc, name, in_scope_from, in_scope_until) from held"},
			{"alias", "select distinct concat_ws('|', number, kind, uscc, dataset, record_id, version, says, status) from held"},
			{"judgement", "select concat_ws('|', judgement_id, kind, uscc, successor, dataset, record_id, undoes, decided_by, reason, evidence) from held"},
		}
	case strings.HasPrefix(chainName, "published/"):
		return []question{{"grade", "select concat_ws('|', uscc, version, grade, score) from held"}}
	}
	return nil
}

func ask(t testing.TB, l *lake.Lake, db *duck.DB, head chain.Entry, q question) []string {
	t.Helper()
	files := head.Table(q.table)
	if len(files) == 0 {
		return nil
	}
	var paths []string
	for _, f := range files {
		path, err := l.Local(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, duck.Text(path))
	}
	if err := db.Exec(t.Context(), "create or replace view held as select * from read_parquet(["+strings.Join(paths, ", ")+"])"); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), q.sql)
	if err != nil {
		t.Fatalf("%s: %v", head.Chain, err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		got = append(got, head.Chain+" "+q.table+" "+s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

// differences gives the first few statements that only one of two sorted lists holds.
func differences(want, got []string) string {
	missing, extra := minus(want, got), minus(got, want)
	if len(missing)+len(extra) == 0 {
		return ""
	}
	return fmt.Sprintf("%d lost, %d too many\nlost: %s\ntoo many: %s", len(missing), len(extra), first(missing), first(extra))
}

// first shows the beginning of the first statements.
func first(list []string) string {
	var b strings.Builder
	for _, s := range list[:min(3, len(list))] {
		fmt.Fprintf(&b, "\n  %.300s", s)
	}
	return b.String()
}

func minus(a, b []string) []string {
	left := map[string]int{}
	for _, s := range b {
		left[s]++
	}
	var only []string
	for _, s := range a {
		if left[s]--; left[s] < 0 {
			only = append(only, s)
		}
	}
	return only
}

// crashPoints are the named points of the commit protocol.
var crashPoints = []string{fault.BeforeObjects, fault.MidObject, fault.AfterObjects, fault.AfterLog, fault.AfterState,
	fault.MidAck, fault.AfterAck, fault.BeforeSend, fault.AfterSend, fault.BeforeReceipt}
