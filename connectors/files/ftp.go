package files

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jlaffaye/ftp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// ftpPlace is a folder behind FTP, in passive mode, plain or made safe by AUTH TLS. It connects when
// first used and again after the line broke.
type ftpPlace struct {
	address, root, user, password string
	tls                           *tls.Config // nil: plain
	gbk                           bool        // names travel in GBK
	timeout, stall                time.Duration

	mu     sync.Mutex
	idle   []*ftpLine
	closed bool
}

func openFTP(ctx context.Context, r *connectors.Reader) (place, error) {
	p := &ftpPlace{root: r.Text("root"), user: r.Text("user"), password: r.Text("password"), gbk: r.Text("names") == "gbk",
		address: net.JoinHostPort(r.Text("host"), portOr(r, "21")), timeout: r.Duration("timeout"), stall: r.Duration("stall")}
	if r.Text("tls") == "on" {
		config, err := tlsConfig(r)
		if err != nil {
			return nil, err
		}
		config.ClientSessionCache = tls.NewLRUClientSessionCache(8) // many servers want the session of the commands in each transfer
		if config.ServerName == "" {
			config.ServerName = r.Text("host")
		}
		p.tls = config
	}
	return p, p.with(ctx, func(*ftpLine) error { return nil })
}

// full gives a path as the server knows it.
func (p *ftpPlace) full(line *ftpLine, name string) string {
	full := p.encoded(path.Join(p.root, name))
	if path.IsAbs(full) {
		return full
	}
	return path.Join(line.home, full)
}

func (p *ftpPlace) encoded(name string) string {
	if p.gbk && utf8.ValidString(name) {
		if text, err := simplifiedchinese.GB18030.NewEncoder().String(name); err == nil {
			return text
		}
	}
	return name
}

func (p *ftpPlace) decoded(name string) (string, error) {
	if !p.gbk {
		return name, nil
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().String(name)
	if err != nil || p.encoded(text) != name {
		return "", &fault.Error{Op: "list", Code: fault.Invalid, Err: fmt.Errorf("the name %q is not GBK", name), Hint: "set names to utf-8"}
	}
	return text, nil
}

// list asks for the folder first, because many servers answer for a folder that is not there with an
// empty list. A line of the list that is not understood must not hide a file: the bare names are
// compared with it.
func (p *ftpPlace) list(ctx context.Context, dir string) (entries []entry, err error) {
	err = p.with(ctx, func(line *ftpLine) error {
		entries = nil
		if err := line.ChangeDir(p.full(line, dir)); err != nil {
			return missing(err)
		}
		found, err := line.List("")
		if err != nil && !emptyList(err) {
			return err
		}
		seen := make(map[string]bool, len(found))
		for _, f := range found {
			seen[f.Name] = true
			if f.Type != ftp.EntryTypeFile {
				continue
			}
			name, err := p.decoded(f.Name)
			if err != nil {
				return err
			}
			entries = append(entries, entry{name: name, size: int64(f.Size), modified: f.Time, coarse: !line.IsTimePreciseInList() || f.Time.IsZero()}) // no file is that large
		}
		if line.IsTimePreciseInList() {
			return nil
		}
		names, err := line.NameList("")
		if err != nil && !emptyList(err) {
			return err
		}
		for _, raw := range names {
			if raw = path.Base(raw); seen[raw] {
				continue
			}
			name, err := p.decoded(raw)
			if err != nil {
				return err
			}
			e, err := p.statIn(line, path.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // a folder, or gone
			}
			if err != nil {
				return err
			}
			e.coarse = true
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}

// emptyList says that a server answered for an empty folder by an error.
func emptyList(err error) bool {
	code := codeOf(err)
	return code == ftp.StatusFileActionIgnored || code == ftp.StatusFileUnavailable
}

// missing makes the answer for what is not there the house's own.
func missing(err error) error {
	switch codeOf(err) {
	case ftp.StatusFileUnavailable:
		if text := strings.ToLower(err.Error()); strings.Contains(text, "permission") || strings.Contains(text, "denied") {
			return fmt.Errorf("%w: %w", fs.ErrPermission, err)
		}
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case ftp.StatusBadFileName, ftp.StatusNotLoggedIn:
		return fmt.Errorf("%w: %w", fs.ErrPermission, err)
	}
	return err
}

func (p *ftpPlace) stat(ctx context.Context, name string) (e entry, err error) {
	err = p.with(ctx, func(line *ftpLine) error {
		e, err = p.statIn(line, name)
		return err
	})
	return e, err
}

// statIn asks for one file, its time to the second.
func (p *ftpPlace) statIn(line *ftpLine, name string) (entry, error) {
	full := p.full(line, name)
	if line.IsTimePreciseInList() {
		if f, err := line.GetEntry(full); err == nil && f.Type == ftp.EntryTypeFile {
			return entry{name: path.Base(name), size: int64(f.Size), modified: f.Time}, nil
		} else if codeOf(err) == ftp.StatusFileUnavailable {
			return entry{}, missing(err)
		}
	}
	size, err := line.FileSize(full)
	if code := codeOf(err); code == ftp.StatusBadCommand || code == ftp.StatusNotImplemented {
		return entry{}, &fault.Error{Op: "describe a file", Code: fault.Invalid, Err: fmt.Errorf("the server knows neither MLST nor SIZE: %w", err),
			Hint: "without them a cut transfer cannot be told from a short file; ask for SFTP or another FTP server"}
	}
	if err != nil {
		return entry{}, missing(err)
	}
	e := entry{name: path.Base(name), size: size}
	if line.IsGetTimeSupported() {
		if e.modified, err = line.GetTime(full); err != nil {
			return entry{}, missing(err)
		}
	}
	return e, nil
}

func (p *ftpPlace) open(ctx context.Context, name string, from int64) (io.ReadCloser, error) {
	for {
		line, fresh, err := p.take(ctx)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, line.cut)
		response, err := line.RetrFrom(p.full(line, name), uint64(from)) // never below 0
		if err == nil {
			return &ftpFile{in: response, line: line, place: p, stop: stop}, nil
		}
		if codeOf(err) == 0 { // the line, not the file
			stop()
			line.cut()
			if fresh || ctx.Err() != nil {
				return nil, err
			}
			continue
		}
		if err = missing(err); errors.Is(err, fs.ErrNotExist) { // many servers say the same of a file that may not be read
			if _, there := p.statIn(line, name); there == nil {
				err = fmt.Errorf("%w: %w", fs.ErrPermission, errors.Unwrap(err))
			}
		}
		stop()
		p.give(line)
		return nil, err
	}
}

// ftpFile is a transfer; its session is of use again when the file was read to its end.
type ftpFile struct {
	in    *ftp.Response
	line  *ftpLine
	place *ftpPlace
	stop  func() bool
	ended bool
}

func (f *ftpFile) Read(p []byte) (int, error) {
	n, err := f.in.Read(p)
	f.ended = errors.Is(err, io.EOF)
	return n, err
}

func (f *ftpFile) Close() error {
	if f.line == nil {
		return nil
	}
	line := f.line
	f.line = nil
	defer f.stop()
	if !f.ended {
		line.cut()
		return nil
	}
	if err := f.in.Close(); err != nil {
		line.cut()
		return err
	}
	f.place.give(line)
	return nil
}

func (p *ftpPlace) name(name string) string {
	return "ftp://" + p.address + "/" + strings.TrimPrefix(path.Join(p.root, name), "/")
}

func (p *ftpPlace) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, line := range p.idle {
		line.cut()
	}
	p.idle = nil
	return nil
}
