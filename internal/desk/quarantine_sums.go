package desk

import (
	"context"
	"errors"
	"sync"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

// tally keeps the sums over the quarantine of each dataset, which hold until its chain moves. Counting
// one reads all its refused rows, so it is done by one goroutine, one dataset after the other and each
// once for everybody who waits; who does not want to wait gets the sums of before.
type tally struct {
	mu     sync.Mutex
	lines  map[string]summed // by dataset
	queue  []*counting       // the one under way comes first
	busy   bool              // the goroutine is there
	ended  bool              // the desk is closed
	worker sync.WaitGroup
}

type summed struct {
	head  int64
	lines []quarantine.Sum
}

// counting is a dataset that is to be counted.
type counting struct {
	dataset string
	done    chan struct{}
	err     error // after done
}

// mostCounting bounds the time of counting one dataset.
const mostCounting = 10 * time.Minute

// summary gives the sums of datasets. What has to be counted is waited for, but not longer than the
// patience; behind is how many are as they were before, or missing.
func (d *Desk) summary(ctx context.Context, datasets []string, patience time.Duration) (all quarantine.Summary, behind int, err error) {
	head, err := d.headsNow(ctx)
	if err != nil {
		return all, 0, err
	}
	var waiting []*counting
	for _, id := range datasets {
		e, err := head(chain.Stage(id))
		if err != nil {
			return all, 0, err
		}
		if c := d.shelves.sums.wanted(d, id, e); c != nil {
			waiting = append(waiting, c)
		}
	}
	enough := time.NewTimer(patience)
	defer enough.Stop()
	for i, c := range waiting {
		select {
		case <-c.done:
			if c.err != nil {
				return all, 0, c.err
			}
			continue
		case <-enough.C:
			behind = len(waiting) - i
		case <-ctx.Done():
			return all, 0, ctx.Err()
		}
		break
	}
	all.Rows = []quarantine.Sum{}
	s := &d.shelves.sums
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range datasets {
		all.Rows = append(all.Rows, s.lines[id].lines...)
	}
	for _, line := range all.Rows {
		all.Total.Add(line)
	}
	return all, behind, nil
}

// wanted has a dataset counted if it has to be, and gives what to wait for; nil where nothing is.
func (s *tally) wanted(d *Desk, dataset string, head chain.Entry) *counting {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines == nil {
		s.lines = map[string]summed{}
	}
	known, counted := s.lines[dataset]
	switch {
	case head.N == 0 || counted && known.head >= head.N:
		return nil
	case len(head.Table("quarantine")) == 0:
		s.lines[dataset] = summed{head: head.N}
		return nil
	}
	for _, c := range s.queue {
		if c.dataset == dataset {
			return c
		}
	}
	c := &counting{dataset: dataset, done: make(chan struct{})}
	if s.ended {
		c.err = fault.Newf(fault.Unavailable, "count the quarantine of "+dataset, "the hub is stopping")
		close(c.done)
		return c
	}
	s.queue = append(s.queue, c)
	if !s.busy {
		s.busy = true
		s.worker.Go(func() { s.work(d) })
	}
	return c
}

// work counts until nobody wants anything.
func (s *tally) work(d *Desk) {
	var db *duck.DB
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.busy = false
			s.mu.Unlock()
			_ = closed(db, nil) // in memory
			return
		}
		c, ended := s.queue[0], s.ended
		s.mu.Unlock()
		var lines summed
		err := error(fault.Newf(fault.Unavailable, "count the quarantine of "+c.dataset, "the hub is stopping"))
		if !ended {
			db, lines, err = countRefused(d, db, c.dataset)
		}
		s.mu.Lock()
		if err == nil {
			s.lines[c.dataset] = lines
		}
		s.queue = s.queue[1:]
		s.mu.Unlock()
		c.err = err
		close(c.done)
	}
}

// countRefused sums up one dataset, in a database that is opened where there is none yet.
func countRefused(d *Desk, db *duck.DB, dataset string) (_ *duck.DB, s summed, err error) {
	defer func() {
		if p := recover(); p != nil { // outside a request it would end the process
			err = fault.Newf(fault.Internal, "count the quarantine of "+dataset, "%v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), mostCounting)
	defer cancel()
	if db == nil {
		if db, err = duck.Open(d.reader(0)); err != nil {
			return nil, s, err
		}
	}
	book, err := quarantine.OpenBook(ctx, d.Lake, db, dataset)
	if err != nil {
		return db, s, err
	}
	lines, err := book.Sums(ctx, "")
	return db, summed{head: book.Head(), lines: lines}, err
}

// sumUp has everything counted, before anybody asks.
func (d *Desk) sumUp(ctx context.Context) error {
	var ids []string
	for _, ds := range d.Catalog.Datasets {
		ids = append(ids, ds.ID)
	}
	_, _, err := d.summary(ctx, ids, time.Hour)
	return err
}

// close waits for what is being counted; what is not begun is not counted any more.
func (s *tally) close() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.worker.Wait()
}

func closed(db *duck.DB, err error) error {
	if db == nil {
		return err
	}
	return errors.Join(err, db.Close())
}
