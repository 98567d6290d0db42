package files

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// limits bound what comes out of an archive, whatever it says of itself.
type limits struct {
	members string // pattern of the names that hold data
	count   int
	bytes   int64
	ratio   int64 // of the bytes that came out to those that went in
}

// modest is how much may always come out: a small file of blanks packs better than any limit.
const modest = 16 << 20

// packing says in what a file is packed: gzip, zip, or nothing.
func (jb job) packing(name string) string {
	if jb.archive != "auto" {
		return strings.TrimPrefix(jb.archive, "none")
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".gz":
		return "gzip"
	case ".zip":
		return "zip"
	}
	return ""
}

// nested says that a name inside an archive is an archive again.
func nested(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".gz", ".tgz", ".zip", ".rar", ".7z", ".tar", ".bz2", ".xz", ".zst":
		return true
	}
	return false
}

// errBomb says that more came out of an archive than may.
type errBomb struct{ what string }

func (e errBomb) Error() string { return e.what }

// counted counts the bytes that went in, and remembers what ended them.
type counted struct {
	in  io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// bounded gives what comes out of an archive until it is too much.
type bounded struct {
	limits
	out io.Reader
	in  func() int64 // bytes that went in so far
	n   int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.out.Read(p)
	b.n += int64(n)
	if b.n > b.bytes {
		return n, errBomb{fmt.Sprintf("more than %d MB come out of it, which is the limit unpacked_mb", b.bytes>>20)}
	}
	if went := b.in(); b.n > modest && b.n/b.ratio > went {
		return n, errBomb{fmt.Sprintf("%d bytes grow to more than %d, which is above the limit unpacked_ratio", went, b.n)}
	}
	return n, err
}

// lookGzip unpacks a file once: its own checksum and length must be right before a row of it counts.
func (c *conn) lookGzip(packed io.Reader, jb job, one *content) (reason, what string, err error) {
	if strings.EqualFold(path.Ext(one.name), ".gz") { // a name without it was told to be gzip by the setting
		one.name = stem(one.name)
	}
	source := &counted{in: packed}
	sum, sniff := sha256.New(), &sniffer{}
	err = unpack(io.MultiWriter(sum, sniff), source, jb.limits)
	if source.err != nil {
		return "", "", source.err
	}
	if _, drained := copyAll(io.Discard, source); drained != nil { // the whole file has a sum, the broken one too
		return "", "", drained
	}
	if err != nil {
		return fileArchive, "gzip: " + err.Error(), nil //nolint:nilerr // a file that does not unpack is refused with its reason; the pull goes on
	}
	if nested(one.name) {
		return fileArchive, "an archive in an archive: " + one.name, nil
	}
	open := one.open
	one.open = func(ctx context.Context) (io.ReadCloser, error) {
		in, err := open(ctx)
		if err != nil {
			return nil, err
		}
		out, err := gzip.NewReader(in)
		if err != nil {
			_ = in.Close()
			return nil, changedOr(err)
		}
		return unpacked{out, in}, nil
	}
	one.sum, one.encoding, one.utf16, one.begin = short(sum), sniff.encoding(), sniff.utf16, sniff.begin
	return "", "", nil
}

func unpack(to io.Writer, source *counted, l limits) error {
	out, err := gzip.NewReader(source)
	if err != nil {
		return explained(err)
	}
	_, err = copyAll(to, &bounded{limits: l, out: out, in: func() int64 { return source.n }})
	return explained(err)
}

func explained(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("it is cut off")
	}
	return err
}

// unpacked reads what was looked at before, so that a fault in it can only be a change.
type unpacked struct {
	out io.Reader
	io.Closer
}

func (u unpacked) Read(p []byte) (int, error) {
	n, err := u.out.Read(p)
	return n, changedOr(err)
}

func changedOr(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &corrupt) {
		return fmt.Errorf("%w: %w", errChanged, err)
	}
	return err
}
