package publish

import (
	"fmt"
	"testing"

	"xinshu/internal/chain"
)

// Ten thousand entities in the room of four thousand: three slices state what one comparison states.
func TestSlicesStateWhatOneComparisonStates(t *testing.T) {
	var first, second []string
	for i := range 10_000 {
		uscc := fmt.Sprintf("91410481%08d%c%c", i, checkDigits[i%11], checkDigits[i%len(checkDigits)])
		first = append(first, uscc+" 良 8000")
		switch {
		case i == 7: // no longer graded
		case i%100 == 3:
			second = append(second, uscc+" 中 6000")
		default:
			second = append(second, uscc+" 良 8000")
		}
	}
	whole, cut := newWorld(t, "dynamic"), newWorld(t, "dynamic")
	cut.Duck.MemoryMB = ownMB + 4
	for i, grades := range [][]string{first, second} {
		day := fmt.Sprintf("2025-11-%02d", 3+i)
		a, b := whole.publish(whole.score(day, day, grades...)), cut.publish(cut.score(day, day, grades...))
		equal(t, "changes of release", cut.stated(int64(i)), whole.stated(int64(i)))
		for table, want := range map[string]int64{changeModel: sum(a.Changes), gradeModel: 10_000} {
			files := b.Entry.Since(table, int64(i))
			rows := int64(0)
			for _, f := range files {
				rows += f.Rows
			}
			if rows != want || len(files) != 3 {
				t.Errorf("release %d: %d rows of %s in %d files, want %d in 3", i+1, rows, table, len(files), want)
			}
		}
	}
	if head, err := cut.lake.Head(t.Context(), chain.Published(cut.policy.ID)); err != nil || head.N != 2 {
		t.Errorf("%d releases, %v", head.N, err)
	}
}

func sum(changes map[string]int64) (n int64) {
	for _, c := range changes {
		n += c
	}
	return n
}
