package score

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xinshu/internal/chain"
)

func settledRanges(rows ...int64) chain.Entry {
	var e chain.Entry
	for i, n := range rows {
		e.Files = append(e.Files, chain.File{Table: "record", Range: int64(i), Rows: n}, chain.File{Table: "entity", Range: int64(i), Rows: n / 6})
	}
	return e
}

func TestRangesAreGroupedByWhatFitsAndCutWhereOneDoesNot(t *testing.T) {
	const memory = ownMB + 100
	room := int64(100 * recordsPerMB)
	for name, c := range map[string]struct {
		rows   []int64
		groups []int   // ranges in each group
		slices []int64 // where each group begins; 0: whole ranges
	}{
		"neighbours that fit together are one group": {[]int64{room / 2, room / 2, room / 3}, []int{2, 1}, []int64{0, 0}},
		"a range that fits by itself is whole":       {[]int64{room, 1}, []int{1, 1}, []int64{0, 0}},
		"a range that does not fit is cut by id":     {[]int64{10, 2*room + 1, 10}, []int{1, 1, 1, 1, 1}, []int64{0, 1 << 16, 1<<16 + 21845, 1<<16 + 43690, 0}},
		"nothing settled is no group":                {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var groups []int
			var begins []int64
			for _, g := range Groups(settledRanges(c.rows...), memory) {
				groups, begins = append(groups, len(g.Records)), append(begins, g.From)
			}
			if !slices.Equal(groups, c.groups) || !slices.Equal(begins, c.slices) {
				t.Errorf("groups of %v ranges that begin at %v, want %v at %v", groups, begins, c.groups, c.slices)
			}
		})
	}
}

func TestSlicesOfARangeMeetAndLeaveNobodyOut(t *testing.T) {
	groups := Groups(settledRanges(0, 1_000_003), ownMB+10)
	next := int64(1 << rangeBits)
	for _, g := range groups {
		if g.From != next || g.Until <= g.From {
			t.Errorf("a slice from %d until %d follows %d", g.From, g.Until, next)
		}
		next = g.Until
	}
	if next != 2<<rangeBits || len(groups) < 25 {
		t.Errorf("%d slices end at %d", len(groups), next)
	}
}

func TestSortedFilesAreMergedInTheOrderOfTheirBytes(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i, text := range []string{"91A\tO1\t5\n91C\tO1\t5\n", "", "91A\tO10\t5\n91B\tO1\t5\n91Z\tO1\t5\n", "91A\tO1\t4\n"} {
		path := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	var got bytes.Buffer
	if err := merge(&got, paths); err != nil {
		t.Fatal(err)
	}
	if want := "91A\tO1\t4\n91A\tO1\t5\n91A\tO10\t5\n91B\tO1\t5\n91C\tO1\t5\n91Z\tO1\t5\n"; got.String() != want {
		t.Errorf("merged:\n%s", got.String())
	}
	if err := os.WriteFile(paths[1], []byte(strings.Repeat("x", 1<<17)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := merge(&got, paths); err == nil {
		t.Error("a row that no canonical row can be was hashed")
	}
	if err := merge(&got, []string{filepath.Join(dir, "none")}); err == nil {
		t.Error("a file that is gone was hashed")
	}
}
