package files

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// lookZip reads an archive through. It needs the file at hand: a remote one is copied into a temporary
// file on the way. Each member's checksum must be right before a row of any counts.
func (c *conn) lookZip(ctx context.Context, in io.Reader, sums io.Writer, jb job, name string, one content, p *parcel) error {
	file, err := c.atHand(ctx, in, sums, name)
	if err != nil {
		return err
	}
	p.close = func() { _ = file.Close() }
	info, err := file.Stat()
	if err != nil {
		return err
	}
	source := &fileAt{file: file}
	members, what := jb.members(source, info.Size())
	if what == "" {
		p.contents, what, err = jb.verify(ctx, members, info.Size(), one)
	}
	if source.err != nil { // the disk, not the archive
		return source.err
	}
	if what != "" {
		p.reason, p.what = fileArchive, "zip: "+what
	}
	return err
}

func (c *conn) atHand(ctx context.Context, in io.Reader, sums io.Writer, file string) (*os.File, error) {
	if f, ok := c.place.(*folder); ok {
		if _, err := copyAll(sums, in); err != nil {
			return nil, err
		}
		return f.root.Open(filepath.FromSlash(file))
	}
	return spool(io.TeeReader(reading{ctx, in}, sums))
}

// fileAt remembers what the disk had to say, and bounds the table of contents: a small archive may
// claim millions of members.
type fileAt struct {
	file   *os.File
	budget int64 // bytes that may still be read; 0: any number
	err    error
}

var errTable = errors.New("its table of contents is too long")

func (f *fileAt) ReadAt(p []byte, at int64) (int, error) {
	if f.budget > 0 {
		if f.budget -= int64(len(p)); f.budget <= 0 {
			f.budget = 1
			return 0, errTable
		}
	}
	n, err := f.file.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// members gives the files of an archive that hold data, in the order of their names.
func (jb job) members(source *fileAt, size int64) (members []*zip.File, what string) {
	source.budget = 256<<10 + int64(jb.limits.count)<<10
	archive, err := zip.NewReader(source, size)
	source.budget = 0
	if err != nil {
		return nil, explained(err).Error()
	}
	if len(archive.File) > jb.limits.count {
		return nil, fmt.Sprintf("it has %d members, more than the limit members_max", len(archive.File))
	}
	seen := map[string]bool{}
	for _, m := range archive.File {
		m.Name = memberName(m)
		match, err := path.Match(jb.limits.members, path.Base(m.Name))
		if m.FileInfo().IsDir() || !isData(path.Base(m.Name)) || strings.HasPrefix(m.Name, "__MACOSX/") || !match || err != nil {
			continue
		}
		switch {
		case m.Flags&1 != 0:
			return nil, "it is encrypted: " + m.Name
		case nested(m.Name):
			return nil, "an archive in an archive: " + m.Name
		case m.Method != zip.Store && m.Method != zip.Deflate:
			return nil, fmt.Sprintf("%s is packed by method %d, which is not read here; pack it by deflate", m.Name, m.Method)
		case seen[m.Name]:
			return nil, "it holds a name twice: " + m.Name
		}
		seen[m.Name] = true
		members = append(members, m)
	}
	if len(members) == 0 {
		return nil, "no member holds data"
	}
	slices.SortFunc(members, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	return members, ""
}

// memberName reads a name as UTF-8 where it is that, and as GBK, which Windows writes, where it is not.
func memberName(m *zip.File) string {
	name := m.Name
	if !utf8.ValidString(name) {
		if decoded, err := simplifiedchinese.GB18030.NewDecoder().String(name); err == nil {
			name = decoded
		}
	}
	return strings.TrimLeft(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
}

// verify unpacks every member once, all of them within one limit.
func (jb job) verify(ctx context.Context, members []*zip.File, size int64, one content) (contents []content, what string, err error) {
	var came int64
	for _, m := range members {
		in, err := m.Open()
		if err != nil {
			return nil, m.Name + ": " + explained(err).Error(), nil
		}
		sum, sniff := sha256.New(), &sniffer{}
		out := &bounded{limits: jb.limits, out: reading{ctx, in}, in: func() int64 { return size }, n: came}
		_, err = copyAll(io.MultiWriter(sum, sniff), out)
		_ = in.Close()
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		if err != nil {
			return nil, m.Name + ": " + explained(err).Error(), nil
		}
		came = out.n
		contents = append(contents, content{name: path.Base(m.Name), label: one.label + "/" + m.Name, sum: short(sum), encoding: sniff.encoding(), utf16: sniff.utf16, begin: sniff.begin,
			open: func(ctx context.Context) (io.ReadCloser, error) {
				in, err := m.Open()
				if err != nil {
					return nil, changedOr(err)
				}
				return unpacked{reading{ctx, in}, in}, nil
			}})
	}
	return contents, "", nil
}
