package lineage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"xinshu/internal/fault"
)

var errFull = errors.New("more events wait than can be written; events are lost")

// File appends events to a file, a line each. When it grows past Most it is renamed with the number 1,
// older ones move up, and those beyond Keep go.
type File struct {
	Path string
	Most int64 // bytes
	Keep int

	mu   sync.Mutex
	file *os.File
	size int64
}

// Write appends one line. A line that a full disk cut off is ended before the next.
func (f *File) Write(_ context.Context, event []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(); err != nil {
		return err
	}
	if f.size > 0 && f.size+int64(len(event)) > f.Most {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	n, err := f.file.Write(append(event, '\n'))
	f.size += int64(n)
	if err != nil && n > 0 {
		if cut := f.file.Truncate(f.size - int64(n)); cut == nil {
			f.size -= int64(n)
		}
	}
	return err
}

func (f *File) open() error {
	if f.file != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(f.Path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640) //nolint:gosec // agents that send logs on read it
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size = file, info.Size()
	return nil
}

func (f *File) rotate() error {
	if err := f.file.Close(); err != nil {
		return err
	}
	f.file = nil
	for n := f.Keep; n >= 1; n-- {
		older := fmt.Sprintf("%s.%d", f.Path, n)
		newer := fmt.Sprintf("%s.%d", f.Path, n-1)
		if n == 1 {
			newer = f.Path
		}
		if err := os.Rename(newer, older); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if f.Keep < 1 {
		if err := os.Remove(f.Path); err != nil {
			return err
		}
	}
	return f.open()
}

// Close lets go of the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// HTTP posts events to an endpoint that takes OpenLineage.
type HTTP struct {
	URL    string
	Key    string // bearer key; empty: none
	Client *http.Client
	Wait   func(ctx context.Context, d time.Duration) error // between tries; nil: by the clock
}

// tries are the distances between the tries of one event.
var tries = []time.Duration{time.Second, 4 * time.Second}

// Write posts one event, again when the endpoint is out of reach or busy.
func (h *HTTP) Write(ctx context.Context, event []byte) error {
	err := h.post(ctx, event)
	for _, wait := range tries {
		if !fault.Is(err, fault.Unavailable) {
			break
		}
		if waited := h.wait(ctx, wait); waited != nil {
			return errors.Join(err, waited)
		}
		err = h.post(ctx, event)
	}
	return err
}

func (h *HTTP) wait(ctx context.Context, d time.Duration) error {
	if h.Wait != nil {
		return h.Wait(ctx, d)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *HTTP) post(ctx context.Context, event []byte) error {
	const op = "post a lineage event"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(event))
	if err != nil {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	if h.Key != "" {
		req.Header.Set("Authorization", "Bearer "+h.Key)
	}
	client := h.Client
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the key goes where it was meant to go
	}
	res, err := client.Do(req)
	if err != nil {
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
	}
	defer func() { _ = res.Body.Close() }()                      // nothing of it is needed
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can serve again
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return fault.Newf(fault.Unavailable, op, "it answered %s", res.Status)
	}
	return fault.Newf(fault.Invalid, op, "it answered %s", res.Status)
}

// Close has nothing to let go of.
func (h *HTTP) Close() error { return nil }
