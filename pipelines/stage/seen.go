package stage

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"xinshu/internal/chain"
)

// seen knows the rows that the chain holds, to tell a row that comes again. There are two questions:
//
//   - A row with a source time was seen when this version of its record was: membership.
//   - A row without one was seen when it says what the last row of its record said. A value that
//     comes back after another (A, B, A) is a third statement, not a repetition of the first.
type seen struct {
	versions *index // record and content together
	newest   *index // record to content
	back     bool   // the record of the last row had gone and is back
}

func newSeen(dir string) *seen { return &seen{versions: newIndex(dir), newest: newIndex(dir)} }

// row says whether a row is a repetition and remembers it when it is not. The time is part of a
// timed row's content, so a row of one sort never repeats one of the other; a timed row matters to the
// untimed only when it stands between two of them.
func (s *seen) row(record, content hash16, timed bool) (repeated bool, err error) {
	last, known, err := s.newest.get(record)
	if err != nil {
		return false, err
	}
	this := version(record, content)
	if s.back = known && last == goneContent; s.back { // it is news whatever the row says and when it was written
		if err := s.newest.put(record, content); err != nil {
			return false, err
		}
		return false, s.versions.put(this, hash16{})
	}
	if !timed {
		if known && last == content {
			return true, nil
		}
		return false, s.newest.put(record, content)
	}
	if repeated, err = s.versions.note(this); repeated || err != nil || !known {
		return repeated, err
	}
	return false, s.newest.put(record, content)
}

// remember takes in a row of the chain. Its file does not say whether its time was the source's own,
// so it is remembered as both sorts.
func (s *seen) remember(record, content hash16) error {
	if err := s.versions.put(version(record, content), hash16{}); err != nil {
		return err
	}
	return s.newest.put(record, content)
}

// version is one key for a record and its content: both are hashes, so their XOR is as good as one.
func version(record, content hash16) hash16 {
	for i := range record {
		record[i] ^= content[i]
	}
	return record
}

func (s *seen) close() error {
	err := s.versions.close()
	if e := s.newest.close(); err == nil {
		err = e
	}
	return err
}

// seed reads record_id and row_sha of the rows the chain holds, oldest first, and remembers those of
// the records wanted; nil wants all. Only these two columns are read, in small batches.
func (s *seen) seed(ctx context.Context, lake Lake, head chain.Entry, wanted map[hash16]bool) error {
	files := slices.Concat(head.Table(RowsTable), head.Table(GoneTable)) // no entry holds a record in both
	slices.SortStableFunc(files, func(a, b chain.File) int { return cmp.Compare(a.N, b.N) })
	for _, f := range files {
		path, err := lake.Local(ctx, f)
		if err != nil {
			return err
		}
		if err := s.seedFile(ctx, path, f.Table == GoneTable, wanted); err != nil {
			return fmt.Errorf("read %s: %w", f.Key, err)
		}
	}
	return nil
}

func (s *seen) seedFile(ctx context.Context, path string, gone bool, wanted map[hash16]bool) error {
	return readText(ctx, path, []string{"record_id", "row_sha"}, func(values []string) error {
		record, ok := fromHex(values[0])
		if !ok {
			return fmt.Errorf("record_id %q is no hash", values[0])
		}
		if wanted != nil && !wanted[record] {
			return nil
		}
		if gone {
			return s.newest.put(record, goneContent)
		}
		content, ok := fromHex(values[1])
		if !ok {
			return fmt.Errorf("row_sha %q is no hash", values[1])
		}
		return s.remember(record, content)
	})
}

// fromHex reads the first sixteen bytes of a hex hash.
func fromHex(s string) (h hash16, ok bool) {
	if len(s) < 2*len(h) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(s[:2*len(h)]))
	return h, err == nil
}
