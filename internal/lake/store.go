package lake

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"syscall"
	"time"

	"xinshu/internal/fault"
)

// What a store answers beside success. They are sentinels because the protocol branches on them.
var (
	ErrExists = errors.New("the object is already there")
	ErrAbsent = errors.New("no such object")
	// ErrUnsure follows a time-out or a 5xx: the object may be there or may not. Read it back.
	ErrUnsure = errors.New("the store did not say whether the object was written")
)

// Info is what a store knows about an object without reading it.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time // by the store's clock
}

// Store keeps immutable objects under slash-separated keys. laketest.Store proves its promises.
type Store interface {
	// Put writes body under key, whole or not at all, if the key is absent. When several writers
	// race, one gets nil and the others ErrExists. What Put acknowledged survives a power cut.
	Put(ctx context.Context, key string, body []byte) error
	// PutFile is Put with the bytes of a local file, which it leaves in place and which must not
	// change any more. It passes the crash point c1 before the object is visible.
	PutFile(ctx context.Context, key, path string) error
	// Get opens an object; ErrAbsent when there is none. The caller closes it.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Stat tells size and age; ErrAbsent when there is none.
	Stat(ctx context.Context, key string) (Info, error)
	// List yields the objects whose key begins with prefix and is greater than after, in key order.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]
	// Delete removes an object; an absent one is no error.
	Delete(ctx context.Context, key string) error
	// Path gives the file of an object where the store is a local folder.
	Path(key string) (string, bool)
	// Sweep removes what interrupted writes left behind before the given time.
	Sweep(ctx context.Context, before time.Time) error
	// String names the store, without credentials.
	String() string
}

// checkKey keeps keys inside the store, and away from names that begin with a dot, which the folder
// store uses for work in progress. Dataset ids end up in keys, and a catalogue file is a stranger.
func checkKey(key string) error {
	if fs.ValidPath(key) && !strings.HasPrefix(key, ".") && !strings.Contains(key, "/.") {
		return nil
	}
	return fault.Newf(fault.Invalid, "use the store", "%q cannot be a key", key)
}

// failed says what was being tried when a store or a file answered err, and what kind of failure it is.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		if known.Op == op {
			return err
		}
		return &fault.Error{Op: op, Code: known.Code, Err: err}
	}
	e := &fault.Error{Op: op, Code: fault.Internal, Err: err}
	switch {
	case errors.Is(err, ErrUnsure), errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		e.Code, e.Hint = fault.Unavailable, "the store did not answer; the run can be repeated"
	case errors.Is(err, ErrAbsent), errors.Is(err, fs.ErrNotExist):
		e.Code = fault.NotFound
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		e.Code, e.Hint = fault.Unavailable, "the disk is full or a size limit is reached; nothing was committed"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Code, e.Hint = fault.Unauthorized, "the hub's user may not write here"
	}
	return e
}

// isNotDone reports errors after which a read-back may show that the write was done all the same.
func isNotDone(err error) bool { return errors.Is(err, ErrExists) || errors.Is(err, ErrUnsure) }

// readAll gives the bytes of a small object.
func readAll(ctx context.Context, s Store, key string) (body []byte, err error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(r)
}
