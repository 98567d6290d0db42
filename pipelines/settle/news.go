package settle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/chain"
)

// news is what was staged since the last settling.
type news struct {
	batches []batch
	inputs  []chain.Input // of the commit to be made: every stage chain ever settled, at its new n
}

// batch is what one dataset brought.
type batch struct {
	dataset  catalog.Dataset
	files    []chain.File // tables rows and quarantine
	gone     []chain.File // records that left the stock of their source
	accepted int64
	held     any     // day since which a feed of the dataset is on hold; nil: none is
	mended   []int64 // commits by which a person gave rows in the place of refused ones
	pulled   bool    // some commit is none of these: the dataset delivered
}

// news compares the stage chains' heads with what the settled head was made from.
func (s *Settler) news(ctx context.Context, head chain.Entry) (news, error) {
	settled := map[string]chain.Input{}
	for _, in := range head.Inputs {
		settled[in.Chain] = in
	}
	var found news
	for _, d := range s.Catalog.Datasets {
		if _, known := s.Catalog.Family(d.Family); !known {
			continue // its family's file is broken: its rows wait, the others go on
		}
		name := chain.Stage(d.ID)
		last := settled[name].N
		e, err := s.Lake.Head(ctx, name)
		if err != nil {
			return news{}, fmt.Errorf("read the head of %s: %w", name, err)
		}
		if e.N <= last {
			continue
		}
		settled[name] = chain.Input{Chain: name, N: e.N, SHA256: e.SHA256}
		b := batch{dataset: d, files: e.Since("rows", last), gone: e.Since("gone", last)}
		if since, held := e.Held(); held {
			if b.held, err = catalog.ParseDate(since); err != nil {
				return news{}, fmt.Errorf("read the hold of %s: %w", name, err)
			}
		}
		for _, f := range b.files {
			b.accepted += f.Rows
		}
		for _, f := range e.Since("corrected", last) {
			if !slices.Contains(b.mended, f.N) {
				b.mended = append(b.mended, f.N)
			}
		}
		b.pulled = int64(len(b.mended)) < e.N-last
		found.batches = append(found.batches, b)
	}
	// A dataset that left the catalogue keeps its place: should it come back, nothing is taken twice.
	for _, in := range settled {
		found.inputs = append(found.inputs, in)
	}
	slices.SortFunc(found.inputs, func(a, b chain.Input) int { return strings.Compare(a.Chain, b.Chain) })
	return found, nil
}

// families groups the batches that brought rows, in the catalogue's order of families.
func (s *Settler) families(batches []batch) []familyBatch {
	var groups []familyBatch
	for _, f := range s.Catalog.Families {
		group := familyBatch{family: f}
		for _, b := range batches {
			if b.dataset.Family == f.ID && b.accepted > 0 {
				group.batches = append(group.batches, b)
			}
		}
		if len(group.batches) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

type familyBatch struct {
	family  catalog.Family
	batches []batch
}
