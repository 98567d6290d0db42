package score

import (
	"context"
	"fmt"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// Check hashes the canonical rows of a policy's newest result again and holds them against its seal.
// False: there is no result.
func (s *Scorer) Check(ctx context.Context, p catalog.Policy) (checked bool, err error) {
	newest, err := s.Newest(ctx, p)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w := work{Scorer: s, run: "check-" + newest.SealSHA[:12], policy: p, clocks: newest.Clocks}
	grade, points, err := w.rehash(ctx, newest.Entry)
	if err != nil {
		return false, fmt.Errorf("check the result of %s: %w", p.ID, err)
	}
	if grade != newest.Seal.GradeSHA256 || points != newest.Seal.PointsSHA256 {
		return false, &fault.Error{Op: "check the result of " + p.ID, Code: fault.Invalid,
			Err:  fmt.Errorf("entry %d of %s does not hash to its seal %s", newest.Entry.N, newest.Entry.Chain, newest.SealSHA),
			Hint: "the result or its seal was changed; score again from the clocks of the seal and compare"}
	}
	return true, nil
}
