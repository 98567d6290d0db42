// Package publish owns the change log: it compares the newest scored grades of a policy with what is
// published, and states what differs, with a version for each entity that only grows. It refuses to
// score and to know any receiver. Grades come from scored/<policy>; published/<policy> gets the
// changes and the state after them, and run state fills the targets' outbox from it.
package publish

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Lake is the part of the lake that publishing needs.
type Lake interface {
	Head(ctx context.Context, name string) (chain.Entry, error)
	Put(ctx context.Context, o chain.Object) (chain.File, error)
	Local(ctx context.Context, f chain.File) (string, error)
	Commit(ctx context.Context, d chain.Draft) (chain.Entry, error)
	// Epoch is what versions are counted in; a restore begins another before anything is published.
	Epoch(ctx context.Context) (int64, error)
	TempDir() string
}

// Publisher publishes scored runs.
type Publisher struct {
	Lake Lake
	Duck duck.Options
}

// Scored is a scored run that is to be published.
type Scored struct {
	Policy      catalog.Policy
	Entry       chain.Entry // of scored/<policy>
	AsOf        catalog.Date
	CorrectedTo catalog.Date
	Seal        string   // hash of the run's seal
	Withheld    []string // codes whose result must not be shared whatever it is; what was published of them is retracted
}

// Result says what a release brought.
type Result struct {
	Entry   chain.Entry      // newest entry of published/<policy> afterwards
	Changes map[string]int64 // statements by reason: new, changed, corrected, restated, retracted
	Held    string           // why nothing was published; empty when it was, or when nothing differed
}

// Note says in words what publishing came to: "2 changed, 7 new".
func (r Result) Note() string {
	if r.Held != "" {
		return chain.Notef("held: %s", r.Held)
	}
	var said []string
	for _, reason := range slices.Sorted(maps.Keys(r.Changes)) {
		said = append(said, fmt.Sprintf("%d %s", r.Changes[reason], reason))
	}
	return cmp.Or(strings.Join(said, ", "), chain.Notef("nothing differs"))
}

// Publish states what a scored run changes and commits it. The same scored run a second time, or one
// in which nothing differs, commits nothing. A yearly policy publishes only its cut-off dates, and no
// run replaces the result of a later day: such a run is held, and the result says why.
func (p *Publisher) Publish(ctx context.Context, run string, s Scored) (Result, error) {
	op := "publish " + s.Policy.ID
	switch {
	case s.Entry.Chain != chain.Scored(s.Policy.ID) || s.Entry.N == 0:
		return Result{}, &fault.Error{Op: op, Code: fault.NotFound, Hint: "score the policy first"}
	case s.Seal == "":
		return Result{}, fault.Newf(fault.Invalid, op, "a result without a seal cannot be repeated and is not published")
	}
	epoch, err := p.Lake.Epoch(ctx)
	if err != nil {
		return Result{}, err
	}
	sqlSHA, err := sqlSHA256()
	if err != nil {
		return Result{}, err
	}
	intent := chain.Intent("publish", s.Policy.ID, s.Policy.SHA256, s.Entry.SHA256, sqlSHA, s.AsOf.String(), s.CorrectedTo.String(), s.Seal,
		strconv.FormatInt(epoch, 10), fmt.Sprint(s.Withheld))
	for range 5 { // another node may publish meanwhile; then the comparison is made again
		head, err := p.Lake.Head(ctx, chain.Published(s.Policy.ID))
		if err != nil {
			return Result{}, err
		}
		if head.N > 0 && head.Intent == intent {
			return Result{Entry: head}, nil
		}
		if !s.Policy.CutOff(s.AsOf) {
			return Result{Entry: head, Held: chain.Notef("%s is not a cut-off date (%s) of this yearly policy", s.AsOf, s.Policy.AsOf)}, nil
		}
		fault.At(fault.BeforeObjects)
		r, err := p.release(ctx, run, s, head, epoch, chain.Entry{Chain: chain.Published(s.Policy.ID), Intent: intent, Run: run,
			Inputs:       []chain.Input{{Chain: s.Entry.Chain, N: s.Entry.N, SHA256: s.Entry.SHA256}},
			PolicySHA256: s.Policy.SHA256, SQLSHA256: sqlSHA})
		if !fault.Is(err, fault.Conflict) {
			return r, err
		}
	}
	return Result{}, &fault.Error{Op: op, Code: fault.Conflict, Hint: "other nodes keep publishing this policy; run it on one node"}
}

// release makes the comparison against one head and commits what comes out.
func (p *Publisher) release(ctx context.Context, run string, s Scored, head chain.Entry, epoch int64, entry chain.Entry) (r Result, err error) {
	db, err := duck.Open(p.Duck)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	r.Entry = head
	if err := p.views(ctx, db, s, head, epoch); err != nil {
		return r, err
	}
	if r.Held, err = heldBack(ctx, db); r.Held != "" || err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp(p.Lake.TempDir(), "publish-")
	if err != nil {
		return r, fault.Newf(fault.Internal, "publish "+s.Policy.ID, "%w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	tables, err := write(ctx, db, dir, sliceCount(head, s.Entry, p.Duck.MemoryMB))
	if err != nil || len(tables) == 0 {
		return r, err
	}
	if r.Changes, err = count(ctx, db); err != nil {
		return r, err
	}
	// The changes of all time stay listed, so that run state and receivers can start from nothing.
	draft := chain.Draft{Base: head, Entry: entry, Keep: func(f chain.File) bool { return f.Table == changeModel }}
	for _, t := range tables {
		f, err := p.Lake.Put(ctx, chain.Object{Chain: entry.Chain, Run: run, Table: t.name, Part: t.slice, Range: chain.NoRange, Path: t.path, Rows: t.rows})
		if err != nil {
			return r, err
		}
		draft.Files = append(draft.Files, f)
	}
	r.Entry, err = p.Lake.Commit(ctx, draft)
	return r, err
}

const (
	changeModel = "change"
	gradeModel  = "grade"
)

//go:embed *.sql
var sqlFiles embed.FS

func model(name string) (duck.Model, error) {
	text, err := sqlFiles.ReadFile(name + ".sql")
	if err != nil {
		return duck.Model{}, err
	}
	return duck.ParseModel(name+".sql", string(text))
}

func sqlSHA256() (string, error) {
	h := sha256.New()
	for _, name := range []string{changeModel, gradeModel} {
		text, err := sqlFiles.ReadFile(name + ".sql")
		if err != nil {
			return "", err
		}
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func count(ctx context.Context, db *duck.DB) (map[string]int64, error) {
	rows, err := db.Query(ctx, "select change, count(*) from change group by change order by change")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	counts := map[string]int64{}
	for rows.Next() {
		var change string
		var n int64
		if err := rows.Scan(&change, &n); err != nil {
			return nil, err
		}
		counts[change] = n
	}
	return counts, rows.Err()
}
