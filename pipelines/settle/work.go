package settle

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// work is one attempt: what stands on a head, what came, and the files that will make the commit.
type work struct {
	settler *Settler
	run     string
	head    chain.Entry
	db      *duck.DB
	dir     string
	models  models

	incoming     []string // files of records, as the families' models gave them
	entities     []string // files of what registrations say about entities
	lastID       int64    // greatest id given before
	written      map[written]bool
	marksChanged bool
	files        []chain.File
	result       Result
}

// written names a part of the settled state that this commit writes anew.
type written struct {
	table   string
	inRange int64
}

func (s *Settler) open(ctx context.Context, run string, head chain.Entry) (*work, error) {
	w := &work{settler: s, run: run, head: head, written: map[written]bool{}}
	var err error
	if w.models, err = s.models(); err != nil {
		return nil, err
	}
	if w.dir, err = os.MkdirTemp(s.Lake.TempDir(), "settle-"); err != nil {
		return nil, fault.Newf(fault.Internal, "make a working folder", "%w", err)
	}
	if w.db, err = duck.Open(duck.Options{Threads: s.Threads, MemoryMB: s.Memory, TempDir: filepath.Join(w.dir, "spill")}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(w.dir))
	}
	if err := w.prepare(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// close gives memory and disk back. What fails here costs room on a disk and no result.
func (w *work) close() {
	_ = w.db.Close()
	_ = os.RemoveAll(w.dir)
}

// prepare makes what every model may read: macros, rules, owners, and the number of this snapshot.
func (w *work) prepare(ctx context.Context) error {
	if err := w.db.Scripts(ctx, w.settler.SQL, "macros/*.sql"); err != nil {
		return err
	}
	if err := w.db.Table(ctx, "settling", []duck.Column{{Name: "n", Type: "BIGINT"}}, [][]any{{w.head.N + 1}}); err != nil {
		return err
	}
	platforms := map[string]bool{}
	for _, p := range w.settler.Catalog.Platforms {
		platforms[p.ID] = true
	}
	var owners [][]any
	for _, d := range w.settler.Catalog.Datasets {
		owners = append(owners, []any{d.ID, platforms[d.Owner]})
	}
	if err := w.db.Table(ctx, "dataset_owner", ownerColumns, owners); err != nil {
		return err
	}
	if err := w.rules(ctx); err != nil {
		return err
	}
	for name, columns := range map[string][]duck.Column{
		"statement": w.columns("stg_case"), "match": w.columns("mark_match"), "delivery": deliveryColumns,
	} {
		if err := w.db.Table(ctx, name, columns, nil); err != nil {
			return err
		}
	}
	old, err := w.paths(ctx, Mark, chain.NoRange)
	if err != nil {
		return err
	}
	return w.db.View(ctx, "old_mark", old, w.columns("settled_mark"))
}

var ownerColumns = []duck.Column{{Name: "dataset", Type: "VARCHAR"}, {Name: "from_platform", Type: "BOOLEAN"}}

// columns are those that a model's header promises.
func (w *work) columns(model string) []duck.Column { return w.models.named[model].Columns }

// query is the text of a model.
func (w *work) query(model string) string { return w.models.named[model].Query }

// paths are the local files of a table's range as the head lists them.
func (w *work) paths(ctx context.Context, table string, inRange int64) ([]string, error) {
	var paths []string
	for _, f := range w.head.Table(table) {
		if f.Range != inRange {
			continue
		}
		path, err := w.settler.Lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// put makes a local file an object of the commit.
func (w *work) put(ctx context.Context, table string, inRange int64, path string, rows int64) error {
	o := chain.Object{Chain: chain.Settled, Run: w.run, Table: table, Range: inRange, Path: path, Rows: rows}
	if inRange != chain.NoRange {
		if err := w.db.One(ctx, "select min(entity_id), max(entity_id) from "+duck.Parquet([]string{path}), nil, &o.MinID, &o.MaxID); err != nil {
			return err
		}
	}
	f, err := w.settler.Lake.Put(ctx, o)
	if err != nil {
		return err
	}
	w.files = append(w.files, f)
	w.written[written{table, inRange}] = true
	return nil
}

// keeps says which of the head's files stay in the commit.
func (w *work) keeps(f chain.File) bool { return !w.written[written{f.Table, f.Range}] }
