package lake

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Watch tells see of every request to a store when it ended: its name, its outcome and how long it
// took. Outcomes are done, exists, absent, unsure and failed. Reading an object counts until it is open.
func Watch(s Store, see func(operation, outcome string, took time.Duration)) Store {
	return &watched{Store: s, see: see}
}

type watched struct {
	Store
	see func(operation, outcome string, took time.Duration)
}

func (w *watched) saw(operation string, began time.Time, err error) {
	outcome := "failed"
	switch {
	case err == nil:
		outcome = "done"
	case errors.Is(err, ErrExists):
		outcome = "exists"
	case errors.Is(err, ErrAbsent):
		outcome = "absent"
	case errors.Is(err, ErrUnsure):
		outcome = "unsure"
	}
	w.see(operation, outcome, time.Since(began))
}

func (w *watched) Put(ctx context.Context, key string, body []byte) error {
	began := time.Now()
	err := w.Store.Put(ctx, key, body)
	w.saw("put", began, err)
	return err
}

func (w *watched) PutFile(ctx context.Context, key, path string) error {
	began := time.Now()
	err := w.Store.PutFile(ctx, key, path)
	w.saw("put", began, err)
	return err
}

func (w *watched) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	began := time.Now()
	r, err := w.Store.Get(ctx, key)
	w.saw("get", began, err)
	return r, err
}

func (w *watched) Stat(ctx context.Context, key string) (Info, error) {
	began := time.Now()
	info, err := w.Store.Stat(ctx, key)
	w.saw("stat", began, err)
	return info, err
}

func (w *watched) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		began := time.Now()
		var failed error
		defer func() { w.saw("list", began, failed) }()
		for info, err := range w.Store.List(ctx, prefix, after) {
			failed = err
			if !yield(info, err) {
				return
			}
		}
	}
}

func (w *watched) Delete(ctx context.Context, key string) error {
	began := time.Now()
	err := w.Store.Delete(ctx, key)
	w.saw("delete", began, err)
	return err
}

// Reach says whether the store answers.
func (l *Lake) Reach(ctx context.Context) error {
	_, err := l.store.Stat(ctx, unfinishedRestore)
	if errors.Is(err, ErrAbsent) {
		err = nil // the store knows
	}
	return failed("reach the store", err)
}
