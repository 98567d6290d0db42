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

// place is where files lie. Paths are below its root, with slashes.
type place interface {
	// list gives the regular files of a folder in any order; a folder that is not there is fs.ErrNotExist.
	list(ctx context.Context, dir string) ([]entry, error)
	stat(ctx context.Context, path string) (entry, error)
	// open reads a file from a byte on; a file that is not there is fs.ErrNotExist. The context holds
	// until the file is closed: when it ends, a read that waits ends too.
	open(ctx context.Context, path string, from int64) (io.ReadCloser, error)
	// create makes a file whose Close has brought it to the disk.
	create(ctx context.Context, path string) (io.WriteCloser, error)
	// rename puts a file in the place of what may be there, and makes the folder.
	rename(ctx context.Context, from, to string) error
	// name is how an operator knows a path; it holds no secret.
	name(path string) string
	close() error
}

// entry is a file as its place describes it.
type entry struct {
	name     string
	size     int64
	modified time.Time
	tag      string // of its content, where the place keeps one (S3); it tells more than the time
	coarse   bool   // modified is to the minute or the day only, as some FTP servers list it
}

func entryOf(info fs.FileInfo) entry {
	return entry{name: info.Name(), size: info.Size(), modified: info.ModTime()}
}

// same says whether two looks at one name found one file.
func (e entry) same(other entry) bool {
	if e.tag != "" || other.tag != "" {
		return e.size == other.size && e.tag == other.tag
	}
	return e.size == other.size && e.modified.Equal(other.modified)
}

// failed gives an error of a place its code; a cancelled context stays what it is.
func failed(ctx context.Context, op string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", op, ctx.Err())
	case fault.CodeOf(err) != fault.Internal:
		return err
	case errors.Is(err, fs.ErrNotExist):
		return &fault.Error{Op: op, Code: fault.NotFound, Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &fault.Error{Op: op, Code: fault.Unauthorized, Hint: "the account may not do this there", Err: err}
	default:
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
	}
}
