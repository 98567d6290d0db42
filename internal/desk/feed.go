package desk

import (
	"context"
	"maps"
	"slices"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/state"
	"xinshu/pipelines/push"
)

// A feed gives the newest statement about each entity under each policy: every change once, in the
// order in which it was published, and of changes that followed one another before they were read
// only the newest. It is at least once: after a restore everything is stated again under greater
// versions, and a reader keeps the greatest version it saw of an entity.

// FeedPlace is how far a reader has come: an entry and a code for each policy. Entries only grow
// within an epoch, so a place stays good over restarts, rebuilt databases and late commits.
type FeedPlace struct {
	Epoch int64               `json:"e"`
	At    map[string]FeedMark `json:"p"`
}

// FeedMark is a place under one policy.
type FeedMark struct {
	N    int64  `json:"n"`
	USCC string `json:"u"`
}

// FeedBatch is what a feed gives at once.
type FeedBatch struct {
	Changes [][]byte // JSON, as the reader may see them
	Next    FeedPlace
	More    bool // there was more when this was read
}

// Feed reads changes on from a place.
type Feed struct {
	desk     *Desk
	policies []string
	scope    auth.Scope
	tailor   push.Tailor
	place    FeedPlace
}

// FeedAsked is what a reader asks a feed for.
type FeedAsked struct {
	Policy  string // empty: every policy that the actor may see
	Since   FeedPlace
	Purpose string
}

// Feed opens a feed for the actor. It is kept that the actor read it, and for which purpose.
func (d *Desk) Feed(ctx context.Context, in FeedAsked) (*Feed, error) {
	const op = "read changes"
	actor := auth.From(ctx)
	policies, err := d.readable(ctx, op, in.Policy)
	if err != nil {
		return nil, err
	}
	if err := d.fetched(ctx, "grade.changes", in.Policy, in.Purpose); err != nil {
		return nil, err
	}
	epoch, err := d.Lake.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	f := &Feed{desk: d, policies: policies, scope: actor.Scope, tailor: push.NewTailor(actor.Scope.Fields)}
	f.place = FeedPlace{Epoch: epoch, At: map[string]FeedMark{}}
	for policy, mark := range in.Since.At {
		// After a restore entries are counted from where the copy ended, and everything is stated again.
		if in.Since.Epoch == epoch {
			f.place.At[policy] = mark
		}
	}
	return f, nil
}

// Next gives the changes that follow, from at most so many statements.
func (f *Feed) Next(ctx context.Context, most int) (FeedBatch, error) {
	var b FeedBatch
	for left := most; ; {
		policy, more := f.current()
		if !more || left == 0 {
			b.More, b.Next = more, f.Place()
			return b, nil
		}
		mark := f.place.At[policy]
		list, err := f.desk.State.StatedAfter(ctx, policy, mark.N, mark.USCC, left)
		if err != nil {
			return b, err
		}
		for _, st := range list {
			f.place.At[policy] = FeedMark{N: st.N, USCC: st.USCC}
			body, told, err := f.tell(st)
			if err != nil {
				return b, err
			}
			if told {
				b.Changes = append(b.Changes, body)
			}
		}
		if len(list) < left {
			f.policies = f.policies[1:]
		}
		left -= len(list)
	}
}

// Place is how far the feed has come.
func (f *Feed) Place() FeedPlace {
	at := make(map[string]FeedMark, len(f.place.At))
	maps.Copy(at, f.place.At)
	return FeedPlace{Epoch: f.place.Epoch, At: at}
}

func (f *Feed) current() (string, bool) {
	if len(f.policies) == 0 {
		return "", false
	}
	return f.policies[0], true
}

// tell cuts a statement to what the reader may see. Of an entity that left the reader's scope it is
// told that the grade it holds is no longer its business.
func (f *Feed) tell(st state.Statement) (body []byte, told bool, err error) {
	kind := st.Kind
	if !f.scope.SeesEntity(st.USCC, st.Division, st.Industry) {
		if !slices.ContainsFunc(st.Formerly, func(p state.Place) bool { return f.scope.SeesEntity(st.USCC, p.Division, p.Industry) }) {
			return nil, false, nil
		}
		kind = "retraction"
	}
	body, err = f.tailor.Cut(st.Body, kind)
	if err != nil {
		return nil, false, fault.Newf(fault.Internal, "read changes of "+st.Policy, "%w", err)
	}
	return body, true, nil
}

// readable gives the policies with published results that the actor may see, narrowed to one that
// was named.
func (d *Desk) readable(ctx context.Context, op, named string) ([]string, error) {
	scope := auth.From(ctx).Scope
	if named != "" && !scope.HasPolicy(named) {
		return nil, &fault.Error{Op: op, Code: fault.Forbidden, Hint: "this account's scope does not hold the policy; ask for it to be added, or leave the policy out"}
	}
	published, err := d.State.StatedPolicies(ctx)
	if err != nil {
		return nil, err
	}
	if named != "" {
		if _, known := d.Catalog.Policy(named); !known && !slices.Contains(published, named) {
			return nil, &fault.Error{Op: op, Code: fault.NotFound, Hint: "there is no such policy; GET /v1/policies lists them"}
		}
		if !slices.Contains(published, named) {
			return nil, nil
		}
		return []string{named}, nil
	}
	return slices.DeleteFunc(published, func(p string) bool { return !scope.HasPolicy(p) }), nil
}
