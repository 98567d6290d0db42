package desk

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/quarantine"
)

// shelves keep the books of the quarantine that somebody leafs through, because opening one reads all
// refused rows of its dataset, and the sums over each dataset.
type shelves struct {
	mu   sync.Mutex
	open []*shelf // the one used last comes last
	once sync.Once
	turn chan struct{} // of the work that reads whole datasets; it has one place
	sums tally
}

// mostShelves bounds the books that lie open, each in a small DuckDB of its own.
const mostShelves = 3

type shelf struct {
	dataset string
	mu      sync.Mutex // a book answers one question after another
	db      *duck.DB
	book    *quarantine.Book
	opened  time.Time
	gone    bool // put aside: nobody opens it again
}

// book lends the quarantine of a dataset as it stands now.
func (d *Desk) book(ctx context.Context, dataset string, use func(*duck.DB, *quarantine.Book) error) error {
	head, err := d.head(ctx, chain.Stage(dataset))
	if err != nil {
		return err
	}
	s, err := d.shelves.lock(dataset)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if s.book == nil || s.book.Head() != head.N || time.Since(s.opened) > stale {
		if err := s.renew(ctx, d); err != nil {
			return err
		}
	}
	return use(s.db, s.book)
}

// lock gives the shelf of a dataset for one question.
func (all *shelves) lock(dataset string) (*shelf, error) {
	for {
		s, gone := all.take(dataset)
		if err := gone.close(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		if !s.gone {
			return s, nil
		}
		s.mu.Unlock() // it was put aside while we waited
	}
}

// take gives the shelf of a dataset, new where there is none, and the one that has to go for it.
func (all *shelves) take(dataset string) (s, gone *shelf) {
	all.mu.Lock()
	defer all.mu.Unlock()
	i := slices.IndexFunc(all.open, func(s *shelf) bool { return s.dataset == dataset })
	if i >= 0 {
		s = all.open[i]
		all.open = slices.Delete(all.open, i, i+1)
	} else {
		s = &shelf{dataset: dataset}
	}
	all.open = append(all.open, s)
	if len(all.open) > mostShelves {
		gone = all.open[0]
		all.open = slices.Delete(all.open, 0, 1)
	}
	return s, gone
}

func (s *shelf) renew(ctx context.Context, d *Desk) (err error) {
	if s.db == nil {
		if s.db, err = duck.Open(d.reader(1)); err != nil {
			return err
		}
	}
	if s.book, err = quarantine.OpenBook(ctx, d.Lake, s.db, s.dataset); err != nil {
		return errors.Join(err, s.shut())
	}
	s.opened = time.Now()
	return nil
}

// close waits for who reads, and lets the book go for good.
func (s *shelf) close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	return s.shut()
}

func (s *shelf) shut() error {
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db, s.book = nil, nil
	return db.Close()
}

// close puts every book aside. Nobody may ask any more.
func (all *shelves) close() error {
	all.sums.close()
	all.mu.Lock()
	open := all.open
	all.open = nil
	all.mu.Unlock()
	var faults []error
	for _, s := range open {
		faults = append(faults, s.close())
	}
	return errors.Join(faults...)
}
