package stage

import (
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

func hashOf(s string) hash16 {
	sum := sha256.Sum256([]byte(s))
	return hash16(sum[:16])
}

// The index must answer as a map does, whatever lies in memory, in runs and in merged runs.
func TestTheIndexAnswersAsAMapDoes(t *testing.T) {
	dir := t.TempDir()
	x := newIndex(dir)
	x.limit = 100
	want := map[hash16]hash16{}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		key := hashOf(strconv.Itoa(random.IntN(6000)))
		if i%3 == 0 {
			got, found, err := x.get(key)
			if err != nil {
				t.Fatal(err)
			}
			if value, known := want[key]; found != known || got != value {
				t.Fatalf("step %d: the index says %x %v, the map %x %v", i, got, found, value, known)
			}
			continue
		}
		value := hashOf(strconv.Itoa(i))
		want[key] = value
		if err := x.put(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if len(x.levels) < 3 {
		t.Errorf("%d levels: the test does not reach a merge of merged runs", len(x.levels))
	}
	for level, runs := range x.levels {
		if len(runs) >= fanout {
			t.Errorf("level %d holds %d runs", level, len(runs))
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files have a name and would survive a kill", len(left))
	}
	if err := x.close(); err != nil {
		t.Error(err)
	}
}

// A key is noted once, wherever it lies by then.
func TestAKeyIsNotedOnce(t *testing.T) {
	x := newIndex(t.TempDir())
	x.limit = 100
	noted := map[hash16]bool{}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 20_000 {
		key := hashOf(strconv.Itoa(random.IntN(9000)))
		known, err := x.note(key)
		if err != nil || known != noted[key] {
			t.Fatalf("step %d: %x is known: %v (%v), want %v", i, key, known, err, noted[key])
		}
		noted[key] = true
	}
	if err := x.close(); err != nil {
		t.Error(err)
	}
}

// Keys that begin alike lie across blocks; each must still be found.
func TestKeysThatBeginAlikeAreFound(t *testing.T) {
	x := newIndex(t.TempDir())
	x.limit = 1000
	key := func(i int) (k hash16) {
		k[14], k[15] = byte(i>>8), byte(i)
		return k
	}
	for i := range 1000 {
		if err := x.put(key(i), hashOf(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		if v, found, err := x.get(key(i)); err != nil || !found || v != hashOf(strconv.Itoa(i)) {
			t.Fatalf("key %d: %v %v", i, found, err)
		}
	}
	if _, found, _ := x.get(key(1001)); found {
		t.Error("a key that was never put was found")
	}
}

func TestTheBloomFilterSparesMostReads(t *testing.T) {
	i := -1
	keys := make([]hash16, 0, 10_000)
	run, err := writeRun(t.TempDir(), cap(keys), func() (entry, bool, error) {
		i++
		var e entry
		e.key[0], e.key[1] = byte(i>>8), byte(i) // order; the rest is a hash
		h := hashOf(strconv.Itoa(i))
		copy(e.key[2:], h[2:])
		keys = append(keys, e.key)
		return e, i < cap(keys)-1, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer run.close()
	for _, k := range keys[:len(keys)-1] {
		if !run.mayHold(k) {
			t.Fatal("the filter denies a key that is there")
		}
	}
	wrong := 0
	for n := range 10_000 {
		if run.mayHold(hashOf("other " + strconv.Itoa(n))) {
			wrong++
		}
	}
	if wrong > 300 {
		t.Errorf("%d of 10,000 look-ups would read for nothing, want about 100", wrong)
	}
}
