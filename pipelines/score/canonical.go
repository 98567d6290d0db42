package score

import (
	"bufio"
	"bytes"
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// The canonical rows. What a result says of an entity is in them; what only describes the entity
// (name, division, industry) is not. Of what went in each entity has one row: its code and the digest
// of what scoring saw of it, its registration and each of its records. The digest is over sums of the
// rows' hashes, so that their own order does not matter and nothing has to be sorted for it.
var canonicalRows = map[string]string{
	"grade": `select uscc, score, plus_points, minus_points, grade, class, override, listed, next_review_on
		from grade order by uscc`,
	"points": `select uscc, indicator, delta, records from points order by uscc, indicator`,
	"input": `select uscc, sha256(concat_ws('|', count(*), sum(cast(h & 18446744073709551615 as ubigint)), sum(cast(h >> 64 as ubigint)))) as digest
		from (
			select r.entity_id, r.uscc, md5_number(concat_ws('|', r.record_id, r.kind, r.level, r.decided_on, r.valid_from,
				coalesce(r.valid_until, date '2099-12-31'), r.status, r.row_sha)) as h
			from record as r
			union all
			select e.entity_id, e.uscc, md5_number(concat_ws('|', e.category, coalesce(e.in_scope_from, date '2099-12-31'),
				coalesce(e.in_scope_until, date '2099-12-31'))) as h
			from entity as e
		)
		group by entity_id, uscc
		order by uscc, digest`,
}

// canonical collects the canonical rows of a run: a sorted file for each table and group of ranges.
// Hashing merges them, so that sorting takes the memory of one group however many there are.
type canonical struct {
	dir   string
	parts map[string][]string
}

func newCanonical(temp string) (*canonical, error) {
	dir, err := os.MkdirTemp(temp, "score-canonical-")
	if err != nil {
		return nil, fault.Newf(fault.Internal, "make a folder for canonical rows", "%w", err)
	}
	return &canonical{dir: dir, parts: map[string][]string{}}, nil
}

// remove deletes what was written. What fails here costs room in the temporary folder, which is swept.
func (c *canonical) remove() { _ = os.RemoveAll(c.dir) }

// add writes a table's rows of the group whose models stand in the database.
func (c *canonical) add(ctx context.Context, db *duck.DB, table string) error {
	path := filepath.Join(c.dir, fmt.Sprintf("%s-%05d.tsv", table, len(c.parts[table])))
	c.parts[table] = append(c.parts[table], path)
	return db.Exec(ctx, "copy (\n"+canonicalRows[table]+"\n) to "+duck.Text(path)+
		` (format csv, header false, delimiter e'\t', quote '', escape '', nullstr '')`)
}

// hash is that of a table's rows in the order of their bytes.
func (c *canonical) hash(table string) (string, error) {
	digest := sha256.New()
	if err := merge(digest, c.parts[table]); err != nil {
		return "", &fault.Error{Op: "hash canonical rows of " + table, Code: fault.Internal, Err: err}
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// merge writes the lines of sorted files in order. Ids are given in the order of codes within a
// commit, so the next line mostly comes from the file of the last one.
func merge(w io.Writer, paths []string) (err error) {
	var q lineQueue
	for _, path := range paths {
		f, bad := os.Open(path)
		if bad != nil {
			return bad
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		s := &lineSource{r: bufio.NewReaderSize(f, 1<<16)}
		if err := s.next(); err != nil {
			return err
		}
		if s.line != nil {
			q = append(q, s)
		}
	}
	heap.Init(&q)
	for len(q) > 0 {
		s := q[0]
		if _, err := w.Write(s.line); err != nil {
			return err
		}
		if err := s.next(); err != nil {
			return err
		}
		if s.line == nil {
			heap.Pop(&q)
		} else {
			heap.Fix(&q, 0)
		}
	}
	return nil
}

// lineSource is a sorted file at one of its lines; nil when it is read to the end.
type lineSource struct {
	r    *bufio.Reader
	line []byte
}

func (s *lineSource) next() error {
	line, err := s.r.ReadSlice('\n')
	if err == io.EOF && len(line) == 0 {
		s.line = nil
		return nil
	}
	s.line = line
	return err
}

// lineQueue has the source with the smallest line at its head.
type lineQueue []*lineSource

func (q lineQueue) Len() int           { return len(q) }
func (q lineQueue) Less(i, j int) bool { return bytes.Compare(q[i].line, q[j].line) < 0 }
func (q lineQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is never called: a merge only loses files.
func (q *lineQueue) Push(x any) { *q = append(*q, x.(*lineSource)) } //nolint:forcetypeassert // heap's own signature

// Pop takes the last one.
func (q *lineQueue) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	*q = (*q)[:last]
	return s
}
