package stage

import (
	"context"
	"os"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Release commits that a feed's hold has ended: what was absent from its last whole pull is gone from
// today on. feeds are the chain's from this commit on. The answer is Conflict when the chain moved on.
func (s *Stager) Release(ctx context.Context, head chain.Entry, source, run string, feeds map[string]chain.Feed) (chain.Entry, error) {
	files, err := s.believe(ctx, head, source, run)
	if err != nil {
		return chain.Entry{}, asFault("release "+source, err)
	}
	return s.Lake.Commit(ctx, chain.Draft{
		Base: head, Files: files,
		Keep: func(f chain.File) bool { return f.Table != AbsentTable || f.Source != source },
		Entry: chain.Entry{Chain: head.Chain, Intent: chain.Intent("release", source, head.SHA256), Run: run,
			ContractSHA256: head.ContractSHA256, Feeds: feeds},
	})
}

// believe writes the absent records of a feed as gone.
func (s *Stager) believe(ctx context.Context, head chain.Entry, source, run string) (files []chain.File, err error) {
	dir, err := os.MkdirTemp(s.Lake.TempDir(), "release-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	wall := s.Now().In(shanghai)
	_, offset := wall.Zone()
	fault.At(fault.BeforeObjects)
	t := newTable(newWriter(GoneTable, dir, goneSchema, func(o chain.Object) (chain.File, error) {
		o.Chain, o.Run = head.Chain, run
		f, err := s.Lake.Put(ctx, o)
		f.Source = source
		return f, err
	}))
	for _, f := range head.Table(AbsentTable) {
		if f.Source != source {
			continue
		}
		path, err := s.Lake.Local(ctx, f)
		if err == nil {
			err = readText(ctx, path, goneText, func(values []string) error {
				size := 0
				for i, v := range values {
					t.text(i, v)
					size += len(v)
				}
				t.number(len(values), int64(catalog.DateOf(wall)))
				t.number(len(values)+1, wall.UnixMicro()+int64(offset)*1_000_000)
				return t.added(ctx, size)
			})
		}
		if err != nil {
			t.drop()
			return nil, err
		}
	}
	return t.close(ctx)
}
