package files

import (
	"context"
	"crypto/md5" //nolint:gosec // the companion that departments send
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// place of a source: which files were taken, and how far the one in hand was read. Only files that
// are still there are remembered.
type taken struct {
	Files map[string]mark `json:"files,omitempty"`
	In    *inside         `json:"in,omitempty"`
}

// mark knows a file again: the same name with another size, time or content is another file.
type mark struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"time"` // nanoseconds
	Sum      string `json:"sum"`  // first half of SHA-256
}

type inside struct {
	Name string `json:"name"`
	Sum  string `json:"sum"`
	Rows int64  `json:"rows"`
}

type job struct {
	op, folder, pattern, format, encoding string
	delimiter                             byte
	rowsPath                              string
	ok                                    bool
	checksum                              string
	done                                  string
	rows                                  int
}

var delimiters = map[string]byte{"comma": ',', "semicolon": ';', "tab": '\t', "pipe": '|'}

func readJob(j connectors.Job, op string) (job, error) {
	r := connectors.NewReader(jobSettings, j.Values)
	jb := job{op: op, folder: below(r, "folder"), pattern: r.Text("pattern"), format: r.Text("format"), encoding: r.Text("encoding"),
		delimiter: delimiters[r.Text("delimiter")], rowsPath: r.Text("rows_path"), ok: r.Text("ready") == "ok", checksum: r.Text("checksum"), rows: r.Int("page_rows", 1)}
	if r.Text("done") != "" {
		if jb.done = below(r, "done"); jb.done == jb.folder {
			r.Fault("done is the folder that is read")
		}
	}
	if jb.rows > connectors.PageRows {
		r.Fault("page_rows is above %d", connectors.PageRows)
	}
	if err := r.Err(); err != nil {
		return jb, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the dataset's settings on this source", Err: err}
	}
	return jb, nil
}

// Pull reads the files that were not taken before, in the order of their names. A file that is not
// whole yet is left for the next pull. One that is broken as a whole is one reject that names it, and
// the files behind it are read.
func (c *conn) Pull(ctx context.Context, j connectors.Job, after connectors.Cursor) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		op := "pull " + j.Dataset.ID
		err := c.pull(ctx, j, op, after, yield)
		if err != nil && !errors.Is(err, errStop) {
			yield(connectors.Page{}, failed(ctx, op, err))
		}
	}
}

var errStop = errors.New("the reader of the pages stopped")

func (c *conn) pull(ctx context.Context, j connectors.Job, op string, after connectors.Cursor, yield func(connectors.Page, error) bool) error {
	jb, err := readJob(j, op)
	if err != nil {
		return err
	}
	at := taken{}
	if after != "" {
		if err := json.Unmarshal([]byte(after), &at); err != nil {
			return fault.Newf(fault.Invalid, op, "the cursor was not made by kind files")
		}
	}
	found, err := c.place.list(ctx, jb.folder)
	if errors.Is(err, fs.ErrNotExist) { // a mistyped folder must not look like a department that has nothing to say
		return &fault.Error{Op: op, Code: fault.NotFound, Err: fmt.Errorf("there is no folder %s", c.place.name(jb.folder)),
			Hint: "check the dataset's folder and the source's root; a department with nothing to hand over leaves the folder empty"}
	}
	if err != nil {
		return err
	}
	at.keep(found)
	names := make(map[string]bool, len(found))
	for _, e := range found {
		names[e.name] = true
	}
	slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range found {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !jb.wants(e.name) || at.has(e) || jb.ok && companion(names, e.name, ".ok") == "" {
			continue
		}
		if err := c.take(ctx, jb, e, companion(names, e.name, ".md5"), &at, yield); err != nil {
			return err
		}
	}
	return nil
}

// wants leaves out companions, answers and names under which files are being written. A file that the
// pattern names as it stands, brackets and all, is wanted whatever it is called.
func (jb job) wants(name string) bool {
	if name == jb.pattern {
		return true
	}
	if strings.HasPrefix(name, ".") {
		return false
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".ok", ".md5", ".sm3", ".sha256", ".fb", ".tmp", ".temp", ".part", ".filepart", ".writing":
		return false
	}
	match, err := path.Match(jb.pattern, name)
	return match && err == nil
}

// companion finds a.csv.ok, or a.ok, beside a.csv.
func companion(names map[string]bool, name, ext string) string {
	for _, c := range []string{name + ext, strings.TrimSuffix(name, path.Ext(name)) + ext} {
		if names[c] {
			return c
		}
	}
	return ""
}

// keep forgets files that are no longer there.
func (t *taken) keep(found []entry) {
	kept := make(map[string]mark, len(t.Files))
	for _, e := range found {
		if m, ok := t.Files[e.name]; ok {
			kept[e.name] = m
		}
	}
	t.Files = kept
}

func (t *taken) has(e entry) bool {
	m, ok := t.Files[e.name]
	return ok && m.Size == e.size && m.Modified == e.modified.UnixNano()
}

func (t *taken) cursor(in *inside) connectors.Cursor {
	text, _ := json.Marshal(taken{Files: t.Files, In: in}) // names and numbers always encode
	return connectors.Cursor(text)
}

// seen is what the first reading of a file found out.
type seen struct {
	sum, md5 string
	utf16    bool
	encoding string
}

// look reads a file through once, before any row of it counts. MD5 is worked out where it is compared.
func (c *conn) look(ctx context.Context, file string, compared bool) (seen, error) {
	in, err := c.place.open(ctx, file)
	if err != nil {
		return seen{}, err
	}
	defer func() { _ = in.Close() }()
	sum, check, sniff := sha256.New(), md5.New(), &sniffer{} //nolint:gosec // see the import
	watch := []io.Writer{sum, sniff}
	if compared {
		watch = append(watch, check)
	}
	if _, err := io.CopyBuffer(io.MultiWriter(watch...), reading{ctx, in}, make([]byte, 256<<10)); err != nil {
		return seen{}, err
	}
	return seen{sum: short(sum), md5: hex.EncodeToString(check.Sum(nil)), utf16: sniff.utf16, encoding: sniff.encoding()}, nil
}

func short(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:16]) }

// reading ends when its context does.
type reading struct {
	ctx context.Context //nolint:containedctx // io.Reader has no parameter for it, and this one lives for one copy
	in  io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// take reads one file, if it is whole.
func (c *conn) take(ctx context.Context, jb job, e entry, md5name string, at *taken, yield func(connectors.Page, error) bool) error {
	file := path.Join(jb.folder, e.name)
	s, err := c.look(ctx, file, md5name != "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // taken away since it was listed
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", e.name, err)
	}
	now, err := c.place.stat(ctx, file)
	if err != nil || now.size != e.size || !now.modified.Equal(e.modified) {
		return nil //nolint:nilerr // gone or still being written: the next pull will find it whole
	}
	m := mark{e.size, e.modified.UnixNano(), s.sum}
	if old, ok := at.Files[e.name]; ok && old.Sum == m.Sum && old.Size == m.Size {
		at.Files[e.name] = m // touched, not changed
		return nil
	}
	out := &sheet{job: jb, name: e.name, label: c.place.name(file), at: at, mark: m, yield: yield}
	if reason, what, err := c.check(ctx, jb, s, md5name, e); err != nil {
		return err
	} else if reason != "" {
		return out.refuse(reason, 0, what)
	}
	if at.In != nil && at.In.Name == e.name && at.In.Sum == s.sum {
		out.skip = at.In.Rows
	}
	at.In = nil
	encoding := jb.encoding
	if encoding == "auto" {
		encoding = s.encoding
	}
	return c.rows(ctx, jb, file, encoding, s.sum, out)
}

// Reason codes of files that are refused whole.
const (
	fileChecksum = "FILE_CHECKSUM" // differs from its .md5, or the .md5 is missing where it is required
	fileFormat   = "FILE_FORMAT"   // an extension that names no format that is read here
	fileEncoding = "FILE_ENCODING" // UTF-16
	fileHeader   = "FILE_HEADER"   // no header, or one that names a column twice
	jsonSyntax   = "JSON_SYNTAX"
	jsonRows     = "JSON_ROWS" // no array at rows_path
)

func (c *conn) check(ctx context.Context, jb job, s seen, md5name string, e entry) (reason, what string, err error) {
	switch {
	case md5name == "" && jb.checksum == "required":
		return fileChecksum, "no .md5 beside it", nil
	case md5name != "" && jb.checksum != "none":
		want, err := c.readMD5(ctx, path.Join(jb.folder, md5name))
		if err != nil {
			return "", "", err
		}
		if !strings.EqualFold(want, s.md5) {
			return fileChecksum, fmt.Sprintf("%s says %.40q, the file has %s", md5name, want, s.md5), nil
		}
	}
	if s.utf16 {
		return fileEncoding, "UTF-16; save the file as UTF-8 or GB18030", nil
	}
	if jb.formatOf(e.name) == "" {
		return fileFormat, "extension " + path.Ext(e.name), nil
	}
	return "", "", nil
}

// readMD5 takes the digest out of "digest", "digest  name" or "MD5 (name) = digest".
func (c *conn) readMD5(ctx context.Context, file string) (string, error) {
	in, err := c.place.open(ctx, file)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	text, err := io.ReadAll(io.LimitReader(in, 4096))
	if err != nil {
		return "", err
	}
	for word := range strings.FieldsSeq(strings.TrimPrefix(string(text), "\ufeff")) {
		if _, err := hex.DecodeString(word); err == nil && len(word) == 32 {
			return word, nil
		}
	}
	return strings.TrimSpace(string(text)), nil
}

func (jb job) formatOf(name string) string {
	if jb.format != "auto" {
		return jb.format
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".txt", ".tsv":
		return "csv"
	case ".json":
		return "json"
	case ".jsonl", ".ndjson":
		return "jsonl"
	}
	return ""
}
