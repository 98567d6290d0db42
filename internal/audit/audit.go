// Package audit owns the trail: who did or looked at what, of which entity, for what purpose. Entries are
// only ever appended, and each carries the hash of the one before it, so that a change, a gap, a swap or
// an entry slipped in is found. It refuses to decide who may do what, and to keep the trail itself: acts
// come from whoever does them, entries go to run state, and out again to auditors.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// Entry is one act as it is kept. The order of the members is the order in which they are hashed: it may
// not change.
type Entry struct {
	Seq     int64             `json:"seq"` // from 1, without a gap
	At      time.Time         `json:"at"`  // to the millisecond, UTC
	Actor   string            `json:"actor"`
	Name    string            `json:"name"`
	Roles   string            `json:"roles"`
	Way     string            `json:"way"`
	Address string            `json:"address"`
	Action  string            `json:"action"`
	Kind    string            `json:"kind"`
	ID      string            `json:"id"`
	USCC    string            `json:"uscc"`
	Purpose string            `json:"purpose"`
	Outcome string            `json:"outcome"`
	Detail  map[string]string `json:"detail"`
	Prev    string            `json:"prev"` // hash of the entry before; empty before the first
	Hash    string            `json:"-"`
}

// Sum is the hash of an entry: SHA-256 over its JSON, in which the hash of the one before stands. Members
// of Detail are in the order of their names, and nothing is escaped that JSON does not want escaped.
func (e *Entry) Sum() string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	sealed := *e
	sealed.At = sealed.At.UTC().Truncate(time.Millisecond)
	if sealed.Detail == nil {
		sealed.Detail = map[string]string{}
	}
	_ = enc.Encode(sealed) // texts, a number and a time: nothing in it can fail
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// Filter chooses entries; an empty member chooses all.
type Filter struct {
	From, Until                  time.Time // from includes, until does not
	Actor, Action, Kind, ID      string    // Action also as the beginning of one: "key."
	USCC, Purpose, Outcome, Text string    // Text: anywhere in name, subject or detail
	After                        int64     // newest first: only entries below this number; 0: from the newest
	Limit                        int       //
}

// Store keeps entries; run state does.
type Store interface {
	// AppendEntries gives entries their numbers, links and hashes, and keeps all of them or none. Writers
	// of all nodes stand in one line.
	AppendEntries(ctx context.Context, entries []*Entry) error
	// Entries gives the chosen ones, the newest first.
	Entries(ctx context.Context, f Filter) ([]Entry, error)
	// Chain gives every entry as it lies there, the oldest first, with the root and the head of the same moment.
	Chain(ctx context.Context, read func(root Root, head Head, entries iter.Seq2[Entry, error]) error) error
	// CutEntries deletes those up to root.Seq and keeps the root, when nothing else was cut meanwhile.
	CutEntries(ctx context.Context, root Root) error
}

// Head is the newest entry as it was appended.
type Head struct {
	Seq  int64
	Hash string
}

// Root is where the trail begins when older entries went by the retention rule; zero: nothing went.
type Root struct {
	Seq     int64     // the last entry that went
	Hash    string    // its hash
	Entries int64     // how many went in all
	At      time.Time // when
	Code    string    // signed by the vault
}

// Signer signs roots; internal/vault does.
type Signer interface {
	Sign(statement []byte) string
	Signed(statement []byte, code string) (bool, error)
}

// Trail appends and reads. It may be used by several goroutines.
type Trail struct {
	store  Store
	signer Signer
	now    func() time.Time
	queue  queue
}

// New makes a trail over what keeps it.
func New(store Store, signer Signer, now func() time.Time) *Trail {
	return &Trail{store: store, signer: signer, now: now}
}

// longest bounds what a stranger can put into an entry.
const longest = 2000

// Record keeps an act of the context's actor. When it returns, the entry is on the disk; on an error the
// act must not be done. Identity numbers of persons are masked, wherever they stand.
func (t *Trail) Record(ctx context.Context, a auth.Act) error {
	who := auth.From(ctx)
	roles := make([]string, len(who.Roles))
	for i, r := range who.Roles {
		roles[i] = string(r)
	}
	if a.Outcome == "" {
		a.Outcome = auth.Done
	}
	detail := make(map[string]string, len(a.Detail))
	for name, text := range a.Detail {
		detail[clean(name)] = clean(text)
	}
	e := &Entry{At: t.now().UTC().Truncate(time.Millisecond), Actor: clean(who.ID), Name: clean(who.Name), Roles: strings.Join(roles, " "), Way: who.Way, Address: clean(who.Address),
		Action: a.Action, Kind: a.Kind, ID: clean(a.ID), USCC: clean(a.USCC), Purpose: clean(a.Purpose), Outcome: a.Outcome, Detail: detail}
	return t.queue.append(ctx, t.store, e)
}

// Viewed keeps that the actor looks at an entity's data, and refuses where the purpose is none or is not
// the one the access was approved for. Call it before the data is read: no entry, no data.
func (t *Trail) Viewed(ctx context.Context, uscc, purpose string) error {
	return t.Look(ctx, auth.Act{Action: "grade.view", Kind: "grade", ID: uscc, USCC: uscc}, purpose)
}

// Look is Viewed for any kind of data of an entity.
func (t *Trail) Look(ctx context.Context, a auth.Act, purpose string) error {
	refused := auth.From(ctx).MayFor(purpose)
	if a.Purpose = purpose; refused != nil {
		a.Outcome, a.Detail = auth.Refused, map[string]string{"reason": string(fault.CodeOf(refused))}
	}
	if err := t.Record(ctx, a); err != nil {
		return err
	}
	return refused
}

// clean makes a text fit to be kept by every database and shown by every screen.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "..."
	}
	masked, _ := catalog.MaskIDs(s)
	return masked
}
