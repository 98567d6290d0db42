package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"path"
)

// parcel is a file that was read through once, before any row of it counts: its sum, and the data in it.
type parcel struct {
	sum          string    // first half of the SHA-256 of the file as it lies
	contents     []content // one, or the members of an archive
	reason, what string    // why no row of it is taken; empty for a good one
	close        func()
}

// content is the data of one CSV, JSON or other file, wherever it lies: in a file of the place, packed,
// or in an archive. It can be opened any number of times.
type content struct {
	name         string // what its format goes by: a.csv of a.csv.gz
	label        string // how an operator knows it
	open         func(ctx context.Context) (io.ReadCloser, error)
	sum          string // first half of the SHA-256 of the data
	encoding     string // as found
	utf16        bool
	begin        []byte // its first bytes
	reason, what string // why no row of it is taken
}

// look reads a file through. What is wrong with the file is in the parcel; an error is the place's.
func (c *conn) look(ctx context.Context, jb job, e entry, s sums) (p parcel, err error) {
	file := path.Join(jb.folder, e.name)
	packing := jb.packing(e.name)
	have := s.hashes()
	whole := sha256.New()
	watch := []io.Writer{whole}
	for _, h := range have {
		watch = append(watch, h)
	}
	p.close = func() {}
	one := content{name: e.name, label: c.place.name(file), open: func(ctx context.Context) (io.ReadCloser, error) { return c.read(ctx, file, e) }}
	in, err := one.open(ctx)
	if err != nil {
		return p, err
	}
	defer func() { _ = in.Close() }()
	switch packing {
	case "gzip":
		p.reason, p.what, err = c.lookGzip(io.TeeReader(in, io.MultiWriter(watch...)), jb, &one)
		p.contents = []content{one}
	case "zip":
		err = c.lookZip(ctx, in, io.MultiWriter(watch...), jb, file, one, &p)
	default:
		sniff := &sniffer{}
		_, err = copyAll(io.MultiWriter(append(watch, sniff)...), in)
		one.encoding, one.utf16, one.begin = sniff.encoding(), sniff.utf16, sniff.begin
		p.contents = []content{one}
	}
	if err != nil {
		p.close()
		return p, err
	}
	p.sum = short(whole)
	if packing == "" {
		p.contents[0].sum = p.sum
	}
	what, err := c.differs(ctx, jb, s, have)
	if err != nil {
		p.close()
		return p, err
	}
	if what != "" { // it says more than what a damaged archive would
		p.reason, p.what = fileChecksum, what
	}
	return p, nil
}

// away says that a file was taken away, or is being written anew, since it was listed: the next pull
// finds out what became of it.
func away(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errChanged) }

func copyAll(to io.Writer, from io.Reader) (int64, error) {
	return io.CopyBuffer(to, struct{ io.Reader }{from}, make([]byte, 256<<10))
}

func short(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:16]) }
