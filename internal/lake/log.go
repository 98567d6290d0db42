package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

const entryFormat = 1

func logPrefix(name string) string       { return "log/" + name + "/" }
func logKey(name string, n int64) string { return fmt.Sprintf("%s%012d.json", logPrefix(name), n) }
func rootKey(name string, n int64) string {
	return fmt.Sprintf("%sROOT-%012d.json", logPrefix(name), n)
}
func manifestKey(sha string) string         { return "manifest/" + sha + ".json" }
func sealKey(policy, asOf, s string) string { return "seal/" + policy + "/" + asOf + "/" + s + ".json" }

// entryNumber reads n from the key of a log entry; other objects of the chain's folder answer false.
func entryNumber(name, key string) (int64, bool) {
	digits, ok := strings.CutSuffix(strings.TrimPrefix(key, logPrefix(name)), ".json")
	if !ok || len(digits) != 12 {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n > 0
}

// Head gives the newest entry of a chain, always as the store has it now; N is 0 when the chain is
// empty.
func (l *Lake) Head(ctx context.Context, name string) (chain.Entry, error) {
	n, err := l.newest(ctx, name)
	if err != nil {
		return chain.Entry{}, failed("read head of "+name, err)
	}
	if n == 0 {
		return chain.Entry{Chain: name}, nil
	}
	return l.Entry(ctx, name, n)
}

// Seen is the number of the newest entry of a chain that this process read or wrote, 0 where it did
// neither. Others may have written newer ones.
func (l *Lake) Seen(name string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hints[name]
}

// newest lists from the newest n seen so far. The hint only saves listing: the entry it names must be
// seen again, and when it is gone (the store was restored) the whole chain is listed.
func (l *Lake) newest(ctx context.Context, name string) (int64, error) {
	l.mu.Lock()
	hint := l.hints[name]
	l.mu.Unlock()
	n, err := l.lastAfter(ctx, name, max(hint-1, 0))
	if err == nil && n == 0 && hint > 1 {
		n, err = l.lastAfter(ctx, name, 0)
	}
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	l.hints[name] = n
	l.mu.Unlock()
	return n, nil
}

func (l *Lake) lastAfter(ctx context.Context, name string, n int64) (last int64, err error) {
	for at, err := range l.numbers(ctx, name, n) {
		if err != nil {
			return 0, err
		}
		last = at
	}
	return last, nil
}

// numbers yields the numbers of the entries after n, in order.
func (l *Lake) numbers(ctx context.Context, name string, n int64) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		for info, err := range l.store.List(ctx, logPrefix(name), logKey(name, n)) {
			if err != nil {
				yield(0, err)
				return
			}
			// Chains may nest (stage/a and stage/a/b): the number's form tells their entries apart.
			if at, ok := entryNumber(name, info.Key); ok && !yield(at, nil) {
				return
			}
		}
	}
}

// Entry gives entry n of a chain with its whole list of files; not_found when garbage collection took
// it or it was never written.
func (l *Lake) Entry(ctx context.Context, name string, n int64) (chain.Entry, error) {
	e, err := l.entry(ctx, name, n)
	if err == nil {
		e.Files, err = l.expand(ctx, e)
	}
	if err != nil {
		return chain.Entry{}, failed(fmt.Sprintf("read entry %d of %s", n, name), err)
	}
	return e, nil
}

// entry reads a log object as it stands; Files holds only its own list.
func (l *Lake) entry(ctx context.Context, name string, n int64) (chain.Entry, error) {
	body, err := readAll(ctx, l.store, logKey(name, n))
	if err != nil {
		return chain.Entry{}, err
	}
	var e chain.Entry
	if err := json.Unmarshal(body, &e); err != nil {
		return chain.Entry{}, fault.Newf(fault.Invalid, "read "+logKey(name, n), "%w", err)
	}
	if e.Format != entryFormat || e.Chain != name || e.N != n {
		return chain.Entry{}, fault.Newf(fault.Invalid, "read "+logKey(name, n),
			"it says format %d, entry %d of %s", e.Format, e.N, e.Chain)
	}
	e.SHA256 = hashOf(body)
	return e, nil
}

// Entries yields the entries of a chain after n that the store still has, oldest first.
func (l *Lake) Entries(ctx context.Context, name string, n int64) iter.Seq2[chain.Entry, error] {
	return func(yield func(chain.Entry, error) bool) {
		for at, err := range l.numbers(ctx, name, n) {
			if err != nil {
				yield(chain.Entry{}, failed("list entries of "+name, err))
				return
			}
			e, err := l.Entry(ctx, name, at)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Chains names every chain that has an entry, sorted.
func (l *Lake) Chains(ctx context.Context) ([]string, error) {
	var names []string
	for info, err := range l.store.List(ctx, "log/", "") {
		if err != nil {
			return nil, failed("list chains", err)
		}
		name := strings.TrimPrefix(info.Key[:strings.LastIndex(info.Key, "/")], "log/")
		if _, ok := entryNumber(name, info.Key); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Find gives the entry that carries an intent, if it is among the newest of the chain: the work is
// done and need not be done again.
func (l *Lake) Find(ctx context.Context, name, intent string) (chain.Entry, bool, error) {
	head, err := l.Head(ctx, name)
	if err != nil {
		return chain.Entry{}, false, err
	}
	return l.findFrom(ctx, head, intent)
}

// findFrom looks from the head back. What an entry's intent and parent are never changes for a given
// hash, so only entries whose hash is new to this process are read.
func (l *Lake) findFrom(ctx context.Context, head chain.Entry, intent string) (chain.Entry, bool, error) {
	if head.N > 0 && head.Intent == intent {
		return head, true, nil
	}
	sha := head.ParentSHA256
	for n := head.N - 1; n > 0 && n > head.N-keepEntries; n-- {
		l.mu.Lock()
		link, known := l.links[sha]
		l.mu.Unlock()
		if !known {
			e, err := l.entry(ctx, head.Chain, n)
			if errors.Is(err, ErrAbsent) {
				break // garbage collection took it: the oldest kept entry has been looked at
			}
			if err != nil {
				return chain.Entry{}, false, failed("look for the intent in "+head.Chain, err)
			}
			link = linkOf{e.Intent, e.ParentSHA256}
			l.learn(e.SHA256, link)
		}
		if link.intent == intent {
			e, err := l.Entry(ctx, head.Chain, n)
			return e, err == nil, err
		}
		sha = link.parent
	}
	return chain.Entry{}, false, nil
}

// linkOf is what the search for an intent needs of an entry.
type linkOf struct{ intent, parent string }

// linksKept bounds the links held in memory: several hundred chains of 14.
const linksKept = 10_000

func (l *Lake) learn(sha string, link linkOf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.links) >= linksKept {
		clear(l.links)
	}
	l.links[sha] = link
}
