package desk

import (
	"context"
	"encoding/json"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
	"xinshu/pipelines/score"
)

// sealed are the clocks of every sealed result of a policy, as its chain of results stands at n.
type sealed struct {
	n       int64
	results []score.Seal
	newest  *score.Result // nil: never scored
}

// seals reads a policy's seals, again only when a result came.
func (d *Desk) seals(ctx context.Context, p catalog.Policy) (sealed, error) {
	head, err := d.head(ctx, chain.Scored(p.ID))
	if err != nil {
		return sealed{}, err
	}
	d.kept.mu.Lock()
	known, ok := d.kept.sealed[p.ID]
	d.kept.mu.Unlock()
	if ok && known.n == head.N {
		return known, nil
	}
	found := sealed{n: head.N}
	documents, err := d.Lake.Seals(ctx, p.ID)
	if err != nil {
		return found, err
	}
	for _, doc := range documents {
		var s score.Seal
		if err := json.Unmarshal(doc.Body, &s); err != nil {
			return found, fault.Newf(fault.Internal, "read seal "+doc.SHA256, "%w", err)
		}
		found.results = append(found.results, s)
	}
	newest, err := d.Pipeline.Scorer.Newest(ctx, p)
	switch {
	case err == nil:
		found.newest = &newest
	case !fault.Is(err, fault.NotFound):
		return found, err
	}
	d.kept.mu.Lock()
	defer d.kept.mu.Unlock()
	if d.kept.sealed == nil {
		d.kept.sealed = map[string]sealed{}
	}
	d.kept.sealed[p.ID] = found
	return found, nil
}

// Clocks are those of the newest result of a cut-off date, so that what is explained is what was
// published; without a date, of the newest result that the policy publishes. A day that no result was
// made of is explained from what is known now. sealedBy is the policy's hash in that result's seal.
func (d *Desk) Clocks(ctx context.Context, p catalog.Policy, day catalog.Date) (c grading.Clocks, sealedBy string, err error) {
	known, err := d.seals(ctx, p)
	if err != nil {
		return c, "", err
	}
	if day == catalog.NoDate {
		if known.newest != nil && p.CutOff(known.newest.Clocks.AsOf) {
			return known.newest.Clocks, known.newest.Seal.PolicySHA256, nil
		}
		for _, s := range known.results { // in order of as_of
			if at, err := s.Clocks(); err == nil && p.CutOff(at.AsOf) {
				day = at.AsOf
			}
		}
	}
	if day == catalog.NoDate {
		day = d.Today()
	}
	c = grading.Clocks{AsOf: day, CorrectedTo: catalog.NoDate}
	for _, s := range known.results {
		if at, err := s.Clocks(); err == nil && at.AsOf == day && later(at, c) {
			c, sealedBy = at, s.PolicySHA256
		}
	}
	return c, sealedBy, nil
}

// later says whether one result of a day corrects the other.
func later(a, b grading.Clocks) bool {
	if a.CorrectedTo != b.CorrectedTo {
		return a.CorrectedTo > b.CorrectedTo
	}
	return a.MarksSeq > b.MarksSeq
}
