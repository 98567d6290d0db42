package stage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

const (
	memoryEntries = 128 << 10 // entries held in memory before they become a run
	fanout        = 8         // runs of one level that are merged into one of the next
)

// index maps hashes to hashes in bounded memory: a small log-structured merge tree. New entries
// stand in a map; a full map is written as a sorted run; eight runs of a level are merged into one of
// the next, so that n entries lie in about 7 log8(n) runs. A look-up asks the map, then the runs from the
// newest, each behind its bloom filter. Memory is the map (about 8 MB) and 1.3 bytes an entry on
// disk, nothing that grows with the size of rows. The files live as long as the index.
type index struct {
	dir    string
	memory map[hash16]hash16
	limit  int
	levels [][]*sortedRun // by level; within a level the newest last
}

func newIndex(dir string) *index {
	return &index{dir: dir, memory: map[hash16]hash16{}, limit: memoryEntries}
}

// put sets a key's value, replacing an older one.
func (x *index) put(key, value hash16) error {
	x.memory[key] = value
	if len(x.memory) < x.limit {
		return nil
	}
	return x.spill()
}

// note puts a key that has no value and says whether it was there before: one look where get and put
// would take two.
func (x *index) note(key hash16) (known bool, err error) {
	before := len(x.memory)
	x.memory[key] = hash16{}
	if len(x.memory) == before {
		return true, nil
	}
	if _, known, err = x.written(key); known || err != nil {
		delete(x.memory, key)
		return known, err
	}
	if len(x.memory) < x.limit {
		return false, nil
	}
	return false, x.spill()
}

// get gives the newest value of a key.
func (x *index) get(key hash16) (value hash16, found bool, err error) {
	if value, found = x.memory[key]; found {
		return value, true, nil
	}
	return x.written(key)
}

// written looks a key up in the runs.
func (x *index) written(key hash16) (value hash16, found bool, err error) {
	for _, level := range x.levels {
		for _, run := range slices.Backward(level) {
			if value, found, err = run.get(key); found || err != nil {
				return value, found, err
			}
		}
	}
	return value, false, nil
}

// spill writes the map as a run of the first level.
func (x *index) spill() error {
	entries := make([]entry, 0, len(x.memory))
	for k, v := range x.memory {
		entries = append(entries, entry{k, v})
	}
	slices.SortFunc(entries, func(a, b entry) int { return compareKeys(a.key, b.key) })
	i := 0
	run, err := writeRun(x.dir, len(entries), func() (e entry, ok bool, err error) {
		if i == len(entries) {
			return e, false, nil
		}
		i++
		return entries[i-1], true, nil
	})
	if err != nil {
		return err
	}
	clear(x.memory)
	return x.add(0, run)
}

// compareKeys orders keys by their bytes; their first eight nearly always tell.
func compareKeys(a, b hash16) int {
	if c := cmp.Compare(binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])); c != 0 {
		return c
	}
	return bytes.Compare(a[8:], b[8:])
}

// add puts a run on a level and merges the level when it is full.
func (x *index) add(level int, run *sortedRun) error {
	if level == len(x.levels) {
		x.levels = append(x.levels, nil)
	}
	x.levels[level] = append(x.levels[level], run)
	if len(x.levels[level]) < fanout {
		return nil
	}
	full := x.levels[level]
	merged, err := merge(x.dir, full)
	if err != nil {
		return err
	}
	x.levels[level] = nil
	for _, r := range full {
		if err := r.close(); err != nil {
			return err
		}
	}
	return x.add(level+1, merged)
}

// merge writes several runs as one. Of a key in several, the newest run's value is kept.
func merge(dir string, runs []*sortedRun) (*sortedRun, error) {
	type head struct {
		entry
		next func() (entry, bool, error)
	}
	total := 0
	var heads []head // in the order of the runs, the oldest first
	advance := func(i int) error {
		e, ok, err := heads[i].next()
		if !ok || err != nil {
			heads = slices.Delete(heads, i, i+1)
			return err
		}
		heads[i].entry = e
		return nil
	}
	for _, r := range runs {
		total += r.count
		heads = append(heads, head{next: r.reader()})
		if err := advance(len(heads) - 1); err != nil {
			return nil, err
		}
	}
	return writeRun(dir, total, func() (least entry, ok bool, err error) {
		if len(heads) == 0 {
			return least, false, nil
		}
		least = heads[0].entry
		for _, h := range heads[1:] {
			if compareKeys(h.key, least.key) <= 0 { // equal: the later run is the newer
				least = h.entry
			}
		}
		for i, head := range slices.Backward(heads) {
			if head.key == least.key {
				if err := advance(i); err != nil {
					return least, false, err
				}
			}
		}
		return least, true, nil
	})
}

// close gives the files back.
func (x *index) close() error {
	var first error
	for _, level := range x.levels {
		for _, r := range level {
			if err := r.close(); err != nil && first == nil {
				first = err
			}
		}
	}
	x.levels, x.memory = nil, nil
	return first
}
