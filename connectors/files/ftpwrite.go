package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// create sends a file as it is written. FTP cannot say that it is on the server's disk: the packet's
// .md5 tells the receiver.
func (p *ftpPlace) create(ctx context.Context, name string) (io.WriteCloser, error) {
	if err := p.with(ctx, func(line *ftpLine) error { return p.makeFolder(line, path.Dir(name)) }); err != nil {
		return nil, err
	}
	body, writer := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		line, _, err := p.take(ctx)
		if err == nil {
			stop := context.AfterFunc(ctx, line.cut)
			if err = line.Stor(p.full(line, name), body); err == nil {
				p.give(line)
			} else {
				line.cut()
			}
			stop()
		}
		_ = body.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		sent <- missing(err)
	}()
	return &ftpUpload{writer, sent}, nil
}

type ftpUpload struct {
	*io.PipeWriter
	sent chan error
}

func (u *ftpUpload) Close() error { return errors.Join(u.PipeWriter.Close(), <-u.sent) }

// makeFolder makes a folder below the root, and those above it. What the server says of one that is
// there already does not matter: the last word has CWD.
func (p *ftpPlace) makeFolder(line *ftpLine, dir string) error {
	if line.ChangeDir(p.full(line, dir)) == nil {
		return nil
	}
	at := ""
	for part := range strings.SplitSeq(dir, "/") {
		at = path.Join(at, part)
		if err := line.MakeDir(p.full(line, at)); err != nil && codeOf(err) == 0 {
			return err
		}
	}
	return missing(line.ChangeDir(p.full(line, dir)))
}

// rename puts a file in the place of what may be there; some servers rename to a free name only.
func (p *ftpPlace) rename(ctx context.Context, from, to string) error {
	return p.with(ctx, func(line *ftpLine) error {
		old, target := p.full(line, from), p.full(line, to)
		err := line.Rename(old, target)
		if err == nil || codeOf(err) == 0 {
			return err
		}
		if _, gone := p.statIn(line, from); errors.Is(gone, fs.ErrNotExist) {
			return gone
		}
		if err := p.makeFolder(line, path.Dir(to)); err != nil {
			return err
		}
		if err = line.Rename(old, target); err == nil || codeOf(err) == 0 {
			return err
		}
		if _, there := p.statIn(line, to); there == nil {
			if err := line.Delete(target); err != nil {
				return missing(err)
			}
			err = line.Rename(old, target)
		}
		if err != nil {
			return missing(err)
		}
		return nil
	})
}
