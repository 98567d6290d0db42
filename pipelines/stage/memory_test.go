package stage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"xinshu/connectors"
)

// rowsEnv makes the test binary stage so many rows and end: a child whose peak memory is its own.
const rowsEnv = "XINSHU_STAGE_ROWS"

// fullEnv asks for the sizes that the issue names, 1M and 4M rows; they take a minute.
const fullEnv = "XINSHU_FULL"

func TestMain(m *testing.M) {
	if n := os.Getenv(rowsEnv); n != "" {
		if err := stageInChild(n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(crashDirEnv); dir != "" {
		if err := pullInChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// stageInChild stages the rows and then the same rows again, so that every look-up of the second pull
// finds something; then a list that is whole and empty, so that every row has left.
func stageInChild(n string) error {
	rows, err := strconv.Atoi(n)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "stage-memory-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &Stager{Lake: &folder{dir: dir}, Words: words{}, Now: noon}
	first, err := s.Run(context.Background(), penalties(), stream(rows), Pull{Run: "r1", Source: "a"})
	if err != nil {
		return err
	}
	second, err := s.Run(context.Background(), penalties(), stream(rows), Pull{Run: "r2", Before: "end"})
	if err != nil {
		return err
	}
	if first.Ledger.Accepted != second.Ledger.Duplicate || first.Ledger.Accepted == 0 {
		return fmt.Errorf("first %+v, second %+v: not all rows were known again", first.Ledger, second.Ledger)
	}
	list := penalties()
	list.Stock = "whole"
	third, err := s.Run(context.Background(), list, pages(connectors.Page{Whole: true}), Pull{Run: "r3", Before: "end", Source: "a"})
	if err != nil {
		return err
	}
	if third.Gone == 0 || third.Gone > first.Ledger.Accepted {
		return fmt.Errorf("of %d rows %d have left", first.Ledger.Accepted, third.Gone)
	}
	return nil
}

// peak stages rows in a child and gives the most memory it held, in KiB.
func peak(t *testing.T, rows int) int64 {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", rowsEnv, rows))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%d rows: %v: %s", rows, err, out.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("the system tells no memory use")
	}
	return usage.Maxrss
}

// Memory must not grow with the number of rows: four times the rows, at most 1.2 times the memory.
func TestMemoryIsBounded(t *testing.T) {
	few := 150_000
	if os.Getenv(fullEnv) != "" {
		few = 1_000_000
	}
	small, large := peak(t, few), peak(t, 4*few)
	ratio := float64(large) / float64(small)
	t.Logf("peak memory: %d rows %d MB, %d rows %d MB, ratio %.2f", few, small>>10, 4*few, large>>10, ratio)
	if ratio > 1.2 {
		t.Errorf("four times the rows take %.2f times the memory, want at most 1.2", ratio)
	}
}
