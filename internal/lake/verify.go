package lake

import (
	"context"
	"errors"
	"fmt"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

// Report counts what a verification looked at and found right.
type Report struct {
	Chains  int   `json:"chains"`
	Entries int   `json:"entries"`
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
	Read    bool  `json:"read"` // every object's bytes were hashed, not only its size compared
	Seals   int   `json:"seals"`
}

// Verify walks every chain from its oldest kept entry to its head: numbers without gap, each parent
// hash, each input's hash. Only when the log itself matches does it go by what the log lists: each
// object's size and, with readData, its hash; then the seals. It changes nothing. The error names the first thing that does not match; the report says how far it
// came. A chain's newest entry has no successor that holds its hash: a change of its words is seen
// only where another chain's entry was made from it.
func (l *Lake) Verify(ctx context.Context, readData bool) (Report, error) {
	v := &verifier{lake: l, report: Report{Read: readData}, hashes: map[string]string{}}
	names, err := l.Chains(ctx)
	if err != nil {
		return v.report, err
	}
	for _, name := range names {
		if err := v.log(ctx, name); err != nil {
			return v.report, err
		}
		v.report.Chains++
	}
	if err := v.checkInputs(); err != nil {
		return v.report, err
	}
	for _, name := range names {
		if err := v.objects(ctx, name); err != nil {
			return v.report, err
		}
	}
	seals, err := l.Seals(ctx, "")
	v.report.Seals = len(seals)
	return v.report, err
}

type verifier struct {
	lake   *Lake
	report Report
	hashes map[string]string // "chain n" to the hash of the entry
	inputs []usedInput
}

type usedInput struct {
	by string // log key of the entry
	chain.Input
}

func wrong(what, format string, args ...any) error {
	return &fault.Error{Op: "verify " + what, Code: fault.Invalid, Err: fmt.Errorf(format, args...),
		Hint: "the store was changed or damaged; restore this object from a backup"}
}

// log walks the entries of one chain.
func (v *verifier) log(ctx context.Context, name string) error {
	roots, err := v.lake.roots(ctx, name)
	if err != nil {
		return failed("verify "+name, err)
	}
	var last chain.Entry
	return v.entries(ctx, name, func(e chain.Entry) error {
		if err := v.parent(e, last, roots); err != nil {
			return err
		}
		v.hashes[fmt.Sprint(name, " ", e.N)] = e.SHA256
		for _, in := range e.Inputs {
			v.inputs = append(v.inputs, usedInput{logKey(name, e.N), in})
		}
		v.report.Entries++
		last = e
		return nil
	})
}

// objects walks what the entries of one chain list.
func (v *verifier) objects(ctx context.Context, name string) error {
	sizes := map[string]int64{}
	for info, err := range v.lake.store.List(ctx, "data/"+name+"/", "") {
		if err != nil {
			return failed("verify "+name, err)
		}
		sizes[info.Key] = info.Size
	}
	seen := map[string]chain.File{}
	return v.entries(ctx, name, func(e chain.Entry) error {
		for _, f := range e.Files {
			if err := v.file(ctx, e, f, sizes, seen); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *verifier) entries(ctx context.Context, name string, each func(chain.Entry) error) error {
	for n, err := range v.lake.numbers(ctx, name, 0) {
		if err != nil {
			return failed("verify "+name, err)
		}
		e, err := v.lake.Entry(ctx, name, n)
		if err != nil {
			return failed("verify "+logKey(name, n), err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// parent compares an entry with the one before it, and the oldest kept one with the root that garbage
// collection left in place of those it deleted.
func (v *verifier) parent(e, last chain.Entry, roots map[int64]string) error {
	what := logKey(e.Chain, e.N)
	if root, ok := roots[e.N]; ok && root != e.ParentSHA256 {
		return wrong(what, "its parent is %s, %s says %s", e.ParentSHA256, rootKey(e.Chain, e.N), root)
	}
	switch {
	case last.N == 0 && e.N == 1 && e.ParentSHA256 != "":
		return wrong(what, "the first entry has the parent %s", e.ParentSHA256)
	case last.N == 0 && e.N > 1:
		for n := range roots {
			if n >= e.N { // a later root: garbage collection was cut off while deleting up to it
				return nil
			}
		}
		return wrong(logKey(e.Chain, e.N-1), "it is missing, and no root stands in its place")
	case last.N != 0 && e.N != last.N+1:
		return wrong(logKey(e.Chain, last.N+1), "it is missing")
	case last.N != 0 && e.ParentSHA256 != last.SHA256:
		return wrong(logKey(e.Chain, last.N), "its bytes have the hash %s, entry %d says %s", last.SHA256, e.N, e.ParentSHA256)
	}
	return nil
}

func (v *verifier) file(ctx context.Context, e chain.Entry, f chain.File, sizes map[string]int64, seen map[string]chain.File) error {
	if before, ok := seen[f.Key]; ok {
		if before != f {
			return wrong(f.Key, "entry %d of %s lists it differently than an earlier one", e.N, e.Chain)
		}
		return nil
	}
	seen[f.Key] = f
	size, ok := sizes[f.Key]
	switch {
	case !ok:
		return wrong(f.Key, "it is missing; entry %d of %s lists it", e.N, e.Chain)
	case size != f.Size:
		return wrong(f.Key, "it has %d bytes, entry %d of %s says %d", size, e.N, e.Chain, f.Size)
	}
	if v.report.Read {
		r, err := v.lake.store.Get(ctx, f.Key)
		if err != nil {
			return failed("verify "+f.Key, err)
		}
		sha, _, err := hashReader(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return failed("verify "+f.Key, err)
		}
		if sha != f.SHA256 {
			return wrong(f.Key, "its bytes have the hash %s, entry %d of %s says %s", sha, e.N, e.Chain, f.SHA256)
		}
	}
	v.report.Objects++
	v.report.Bytes += size
	return nil
}

// checkInputs compares what entries say they were made from with what stands there; entries that
// garbage collection took cannot be compared.
func (v *verifier) checkInputs() error {
	for _, in := range v.inputs {
		if sha, ok := v.hashes[fmt.Sprint(in.Chain, " ", in.N)]; ok && sha != in.SHA256 {
			return wrong(logKey(in.Chain, in.N), "its bytes have the hash %s, %s was made from it when it had %s", sha, in.by, in.SHA256)
		}
	}
	return nil
}
