package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"xinshu/internal/fault"
)

const (
	resumes  = 5        // lines in a row that may break with little read, before a file is given up
	progress = 1 << 20  // bytes behind which the count begins anew
	trickle  = 64 << 10 // bytes that must come while a reader waits as long as the setting stall says
)

var (
	errChanged = errors.New("it changed while it was read")
	errStalled = errors.New("hardly a byte comes any more")
	errCut     = errors.New("the line ended before the file did")
)

// steady reads one file to its end over lines that break or run dry: it opens the file again where it
// stopped, as long as that is still the same file. The end is where the listing says, so that a cut
// line is never taken for a short file.
type steady struct {
	ctx   context.Context //nolint:containedctx // io.Reader has no parameter for it, and this one lives for one reading
	place place
	path  string
	is    entry
	stall time.Duration
	pause time.Duration // before the second try to resume; it doubles

	in     io.ReadCloser
	cancel context.CancelCauseFunc
	line   context.Context //nolint:containedctx // of the line in use
	pos    int64
	broken error         // why the line in use is of no more use
	tries  int           // resumes since mark
	mark   int64         // pos at which tries was 0
	waited time.Duration // in reads since fresh bytes came in number
	came   int64         // bytes since then
}

// read opens a file that was listed as is. A file that is gone is fs.ErrNotExist.
func (c *conn) read(ctx context.Context, path string, is entry) (io.ReadCloser, error) {
	s := &steady{ctx: ctx, place: c.place, path: path, is: is, stall: c.stall, pause: c.pause}
	err := s.begin()
	for err != nil && s.mayResume(err) {
		err = s.resume(err)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *steady) begin() (err error) {
	s.line, s.cancel = context.WithCancelCause(s.ctx)
	timer := s.watch()
	s.in, err = s.place.open(s.line, s.path, s.pos)
	timer.Stop()
	if err != nil {
		s.cancel(nil)
		s.in = nil
	}
	return err
}

// watch ends the line when the bytes stay away; time that the reader spends elsewhere does not count.
func (s *steady) watch() *time.Timer {
	cancel := s.cancel
	return time.AfterFunc(s.stall-s.waited, func() { cancel(errStalled) })
}

// Read gives what comes next. Its error is final.
func (s *steady) Read(p []byte) (int, error) {
	for {
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		if s.pos == s.is.size {
			return 0, s.end()
		}
		if s.broken != nil {
			if !s.mayResume(s.broken) {
				return 0, s.broken
			}
			s.broken = s.resume(s.broken)
			continue
		}
		n, err := s.fetch(p[:min(int64(len(p)), s.is.size-s.pos)])
		switch {
		case errors.Is(err, io.EOF) && s.pos < s.is.size:
			s.broken = errCut
		case err != nil && !errors.Is(err, io.EOF):
			s.broken = err
		}
		if n > 0 {
			return n, nil
		}
	}
}

func (s *steady) fetch(p []byte) (int, error) {
	began, timer := time.Now(), s.watch() // the wait for a socket is the machine's time
	n, err := s.in.Read(p)
	timer.Stop()
	s.pos += int64(n)
	s.came += int64(n)
	s.waited += time.Since(began)
	if s.came >= trickle {
		s.came, s.waited = 0, 0
	}
	if s.pos-s.mark >= progress {
		s.mark, s.tries = s.pos, 0
	}
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(s.line), errStalled) {
		err = fmt.Errorf("%w: less than %d KB in %s", errStalled, trickle>>10, s.stall)
	}
	return n, err
}

// end makes sure that nothing follows: a growing file shows itself by one byte more. What a server has to say after the last byte does not matter
// any more: the file's sum does.
func (s *steady) end() error {
	if s.in == nil {
		return io.EOF
	}
	var more [1]byte
	n, _ := s.fetch(more[:])
	s.pos -= int64(n)
	_ = s.Close()
	if n > 0 {
		return errChanged
	}
	return io.EOF
}

func (s *steady) mayResume(err error) bool {
	switch {
	case s.ctx.Err() != nil, s.tries >= resumes:
		return false
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, errChanged):
		return false
	}
	code := fault.CodeOf(err)
	return code == fault.Internal || code == fault.Unavailable
}

// resume opens the file again where it stopped; cause is why it must.
func (s *steady) resume(cause error) error {
	_ = s.Close()
	if s.tries > 0 {
		if err := rest(s.ctx, s.pause<<(s.tries-1)); err != nil {
			return err
		}
	}
	s.tries++
	s.waited, s.came = 0, 0
	now, err := s.place.stat(s.ctx, s.path)
	if err == nil && !now.same(s.is) {
		return fmt.Errorf("%w, after %w", errChanged, cause)
	}
	if err == nil {
		err = s.begin()
	}
	if err != nil {
		return fmt.Errorf("%w, at byte %d after %v", err, s.pos, cause) //nolint:errorlint // only the last error decides what follows
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Close ends the line.
func (s *steady) Close() error {
	if s.in == nil {
		return nil
	}
	err := s.in.Close()
	s.cancel(nil)
	s.in = nil
	return err
}

// reading ends when its context does.
type reading struct {
	ctx context.Context //nolint:containedctx // as above
	in  io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}
