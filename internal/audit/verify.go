package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// Report says what was checked. Head, kept somewhere else, proves later that nothing was taken from the end.
type Report struct {
	Entries int64     `json:"entries"`
	First   int64     `json:"first"` // number of the oldest that is kept
	Last    int64     `json:"last"`
	Head    string    `json:"head"` // hash of the newest
	Cut     int64     `json:"cut"`  // entries that went by the retention rule
	CutAt   time.Time `json:"cut_at,omitzero"`
}

// Verify reads the whole chain and names the first entry that does not match.
func (t *Trail) Verify(ctx context.Context) (r Report, err error) {
	err = t.store.Chain(ctx, func(root Root, head Head, entries iter.Seq2[Entry, error]) error {
		if err := t.checkRoot(root); err != nil {
			return err
		}
		r = Report{Cut: root.Entries, CutAt: root.At, First: root.Seq + 1, Last: root.Seq, Head: root.Hash}
		cutTold := root.Seq == 0
		for e, err := range entries {
			if err != nil {
				return err
			}
			if err := follows(e, r.Last, r.Head); err != nil {
				return err
			}
			r.Entries, r.Last, r.Head = r.Entries+1, e.Seq, e.Hash
			cutTold = cutTold || tellsOf(e, root)
		}
		if r.Last != head.Seq || r.Head != head.Hash {
			return broken(r.Last+1, fmt.Errorf("the trail ends at %d, but %d entries were appended", r.Last, head.Seq))
		}
		if !cutTold {
			return broken(root.Seq, errors.New("the entry that tells of the cut is not there"))
		}
		return nil
	})
	return r, err
}

// follows says why an entry is not the one that was appended behind last.
func follows(e Entry, last int64, prev string) error {
	switch {
	case e.Seq > last+1:
		return broken(last+1, fmt.Errorf("entries %d to %d are not there", last+1, e.Seq-1))
	case e.Seq != last+1:
		return broken(e.Seq, errors.New("its number stands there twice"))
	case e.Prev != prev:
		return broken(e.Seq, errors.New("it does not follow the entry before it: one of the two was changed, moved or put there later"))
	case e.Sum() != e.Hash:
		return broken(e.Seq, errors.New("it is not what was written: its hash does not fit"))
	}
	return nil
}

func broken(seq int64, err error) error {
	return &fault.Error{Op: fmt.Sprintf("verify audit entry %d", seq), Code: fault.Invalid, Err: err,
		Hint: "somebody had a hand in the state database; compare with the last export and with backups"}
}

func (t *Trail) checkRoot(root Root) error {
	if root.Seq == 0 {
		return nil
	}
	ok, err := t.signer.Signed(root.statement(), root.Code)
	if err != nil {
		return err
	}
	if !ok {
		return broken(root.Seq, errors.New("the root of the trail, where old entries went, is not signed by this hub"))
	}
	return nil
}

// actionCut is the act of a cut; its entry is in the chain.
const actionCut = "audit.cut"

func tellsOf(e Entry, root Root) bool {
	return e.Action == actionCut && e.Detail["through"] == fmt.Sprint(root.Seq) && e.Detail["hash"] == clean(root.Hash)
}

func (r Root) statement() []byte {
	return fmt.Appendf(nil, "xinshu-audit-root-1\n%d\n%s\n%d\n%d", r.Seq, r.Hash, r.Entries, r.At.UnixMilli())
}

// Cut lets entries go that are older than a time, and gives how many. The cut is an act of its own, kept
// in the chain before anything goes, and what went leaves a signed root: a trail never just begins later.
// It refuses when the trail does not match, because then the entries are evidence.
func (t *Trail) Cut(ctx context.Context, before time.Time) (int64, error) {
	if _, err := t.Verify(ctx); err != nil {
		return 0, err
	}
	var root Root
	var gone int64
	err := t.store.Chain(ctx, func(was Root, _ Head, entries iter.Seq2[Entry, error]) error {
		root = was
		for e, err := range entries {
			if err != nil {
				return err
			}
			if !e.At.Before(before) {
				return nil
			}
			root.Seq, root.Hash = e.Seq, e.Hash
			gone++
		}
		return nil
	})
	if err != nil || gone == 0 {
		return 0, err
	}
	root.Entries += gone
	root.At = t.now().UTC().Truncate(time.Millisecond)
	root.Code = t.signer.Sign(root.statement())
	detail := map[string]string{"through": fmt.Sprint(root.Seq), "hash": root.Hash, "entries": fmt.Sprint(gone), "before": before.UTC().Format(time.RFC3339)}
	if err := t.Record(ctx, auth.Act{Action: actionCut, Kind: "audit", Detail: detail}); err != nil {
		return 0, err
	}
	return gone, t.store.CutEntries(ctx, root)
}
