package state

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/pgtest"
)

// copied is a dump held in memory.
type copied struct {
	version int64
	tables  []Table
	rows    map[string][][]any
}

func dump(t *testing.T, s *State) copied {
	t.Helper()
	c := copied{rows: map[string][][]any{}}
	var err error
	c.version, err = s.Dump(t.Context(), func(table Table, rows iter.Seq2[[]any, error]) error {
		c.tables = append(c.tables, table)
		for row, err := range rows {
			if err != nil {
				return err
			}
			c.rows[table.Name] = append(c.rows[table.Name], row)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c copied) each(yield func(Dumped, error) bool) {
	for _, t := range c.tables {
		d := Dumped{Table: t, Rows: func(yield func([]any, error) bool) {
			for _, row := range c.rows[t.Name] {
				if !yield(row, nil) {
					return
				}
			}
		}}
		if !yield(d, nil) {
			return
		}
	}
}

// lines are a dump's rows in an order of their own, columns named: what must survive a move.
func (c copied) lines() []string {
	var lines []string
	for _, t := range c.tables {
		for _, row := range c.rows[t.Name] {
			var named []string
			for i, column := range t.Columns {
				named = append(named, fmt.Sprintf("%s=%v", column, row[i]))
			}
			slices.Sort(named)
			lines = append(lines, fmt.Sprint(t.Name, named))
		}
	}
	slices.Sort(lines)
	return lines
}

func busy(f *fixture) {
	f.targets(Target{ID: "share", Kind: "files", Policies: []string{"p"}})
	f.publish("p", statement{uscc: "A", version: 1}, statement{uscc: "B", version: 1 << 40})
	d, _ := f.claim("share")
	if len(d.Rows) != 2 {
		f.t.Fatalf("the fixture delivers %d rows", len(d.Rows))
	}
	for i := range 3 * batch { // several statements of rows, one of them not full
		f.ok(f.SaveRun(f.t.Context(), chain.Run{ID: fmt.Sprintf("run %03d 运行", i), Step: "pull", Started: f.clock, Status: "done"}))
	}
	f.ok(f.SaveRun(f.t.Context(), chain.Run{ID: "the last", Step: "pull", Started: f.clock, Status: "failed", Error: "line 1\nline 2 \"quoted\" \\"}))
}

func TestRunStateMovesBetweenDatabasesWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		busy(f)
		before := dump(t, f.State)
		for name, address := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "moved.db"), "postgres": pgtest.Start(t)} {
			t.Run("to "+name, func(t *testing.T) {
				if err := Restore(t.Context(), address, before.version, before.each); err != nil {
					t.Fatal(err)
				}
				moved, err := Open(t.Context(), address, func() time.Time { return f.clock })
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = moved.Close() })
				if want, got := before.lines(), dump(t, moved).lines(); !slices.Equal(want, got) {
					t.Errorf("%d rows became %d, or others", len(want), len(got))
				}
				if err := Restore(t.Context(), address, before.version, before.each); !fault.Is(err, fault.Conflict) {
					t.Errorf("a second restore over the first gives %v", err)
				}
			})
		}
	})
}

func TestADumpShowsOneMoment(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		busy(f)
		rows := 0
		_, err := f.Dump(t.Context(), func(table Table, all iter.Seq2[[]any, error]) error {
			if table.Name == "change" { // the first table: runs are read after this was written
				f.ok(f.SaveRun(t.Context(), chain.Run{ID: "meanwhile", Step: "pull", Started: f.clock, Status: "done"}))
			}
			for _, err := range all {
				f.ok(err)
				if table.Name == "run" {
					rows++
				}
			}
			return nil
		})
		f.ok(err)
		if all, _ := f.Runs(t.Context(), 1000); len(all) != rows+1 {
			t.Errorf("the dump has %d runs of %d; one came meanwhile", rows, len(all))
		}
	})
}

func TestARestoreThatBreaksOffLeavesAnEmptyPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		busy(f)
		before := dump(t, f.State)
		broken := func(yield func(Dumped, error) bool) {
			n := 0
			before.each(func(d Dumped, err error) bool {
				if n++; n == 4 {
					return yield(Dumped{}, fault.Newf(fault.Invalid, "read", "the disk ends here"))
				}
				return yield(d, err)
			})
		}
		for _, address := range []string{filepath.Join(t.TempDir(), "moved.db"), pgtest.Start(t)} {
			if err := Restore(t.Context(), address, before.version, broken); !fault.Is(err, fault.Invalid) {
				t.Fatalf("a broken dump gives %v", err)
			}
			if empty, err := Empty(t.Context(), address); err != nil || !empty {
				t.Errorf("after a broken restore the place is empty: %t, %v", empty, err)
			}
			f.ok(Restore(t.Context(), address, before.version, before.each))
		}
	})
}

func TestADumpOfALaterVersionIsRefused(t *testing.T) {
	err := Restore(t.Context(), filepath.Join(t.TempDir(), "s.db"), 99999, func(func(Dumped, error) bool) {})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("it gives %v", err)
	}
}

func TestMigrationsAreListedWithoutBeingRun(t *testing.T) {
	for _, address := range []string{filepath.Join(t.TempDir(), "s.db"), pgtest.Start(t)} {
		list, err := Migrations(t.Context(), address)
		if err != nil || len(list) == 0 || !list[0].Applied.IsZero() {
			t.Fatalf("before: %v, %v", list, err)
		}
		if empty, err := Empty(t.Context(), address); err != nil || !empty {
			t.Errorf("listing made something: %v", err)
		}
		s, err := Open(context.Background(), address, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		after, err := Migrations(t.Context(), address)
		if err != nil || len(after) != len(list) || after[len(after)-1].Applied.IsZero() {
			t.Errorf("after: %v, %v", after, err)
		}
	}
}

func TestNobodyIsSignedInAfterARestore(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		f.ok(f.AddSession(t.Context(), auth.Session{Hash: "h", User: "wang", Created: f.clock, Seen: f.clock}))
		for _, table := range dump(t, f.State).tables {
			if table.Name == "account_session" {
				t.Error("sessions are in the dump")
			}
		}
	})
}
