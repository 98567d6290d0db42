package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Reason codes of files that are refused whole.
const (
	fileChecksum = "FILE_CHECKSUM" // differs from its companion, or the companion is missing where it is required
	fileFormat   = "FILE_FORMAT"   // an extension that names no format that is read here
	fileEncoding = "FILE_ENCODING" // UTF-16
	fileHeader   = "FILE_HEADER"   // no header, or one that names a column twice
	fileArchive  = "FILE_ARCHIVE"  // cut, encrypted, nested or larger than an archive may be
	jsonSyntax   = "JSON_SYNTAX"
	jsonRows     = "JSON_ROWS" // no array at rows_path
)

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
	if j.Window != nil {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: errors.New("files carry no watermark, so there is no window of one to read again"),
			Hint: "lay the files of that time down again, or bring them by hand with xinshu ingest"}
	}
	at, in, err := readCursor(after)
	if err != nil {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	found, err := c.place.list(ctx, jb.folder)
	if _, ok := c.place.(*bucket); ok && after != "" && errors.Is(err, fs.ErrNotExist) {
		found, err = nil, nil // a prefix is gone when its last object is
	}
	if errors.Is(err, fs.ErrNotExist) { // a mistyped folder must not look like a department that has nothing to say
		return &fault.Error{Op: op, Code: fault.NotFound, Err: fmt.Errorf("there is no folder %s", c.place.name(jb.folder)),
			Hint: "check the dataset's folder and the source's root; a department with nothing to hand over leaves the folder empty"}
	}
	if err != nil {
		return err
	}
	at.keep(found)
	names := listed(found)
	due := jb.due(found, names, at)
	for i, e := range due {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.take(ctx, jb, e, names, at, in, i == len(due)-1, yield); err != nil {
			return err
		}
	}
	if at.stale() && !yield(connectors.Page{Next: at.cursor(nil, true)}, nil) {
		return errStop
	}
	return nil
}

// due gives the files to be looked at, in the order of their names.
func (jb job) due(found []entry, names listing, at *taken) (due []entry) {
	for _, e := range found {
		if !jb.wants(e.name) {
			continue
		}
		if _, ready := names.companion(e.name, ".ok"); jb.ok && !ready {
			continue
		}
		due = append(due, e)
	}
	slices.SortFunc(due, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	if jb.newest {
		due = due[max(0, len(due)-1):]
		due = slices.DeleteFunc(due, func(e entry) bool { return e.name < at.newest })
	}
	return slices.DeleteFunc(due, func(e entry) bool {
		return at.is(e.name, e.stamp("")) || at.is(e.name, jb.refusedStamp(e, jb.sumsOf(names, e.name)))
	})
}

// refusedStamp changes with a refused file, with its companions, and with the settings that refused it.
func (jb job) refusedStamp(e entry, s sums) short8 { return e.stamp("refused\n" + s.stamp + jb.again) }

// take reads one file, if it is whole.
func (c *conn) take(ctx context.Context, jb job, e entry, names listing, at *taken, in *inside, last bool, yield func(connectors.Page, error) bool) error {
	s := jb.sumsOf(names, e.name)
	file := path.Join(jb.folder, e.name)
	coarse := e.coarse
	if coarse {
		s.stamp += fmt.Sprintf("listed %x\n", e.stamp(""))
	}
	stamp, known, err := c.precise(ctx, file, &e, at)
	if known || away(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at %s: %w", e.name, err)
	}
	if coarse {
		if s.stamp, err = c.said(ctx, jb, s); away(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the companions of %s: %w", e.name, err)
		}
	}
	refused := jb.refusedStamp(e, s)
	if at.is(e.name, refused) {
		return nil
	}
	p, err := c.look(ctx, jb, e, s)
	if away(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", e.name, err)
	}
	defer p.close()
	now, err := c.place.stat(ctx, file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !now.same(e) {
		return nil // gone or still being written: the next pull will find it whole
	}
	if err != nil {
		return fmt.Errorf("look at %s again: %w", e.name, err)
	}
	if at.holds(e.name, p.sum) {
		at.take(e.name, stamp, p.sum) // touched, not changed
		return nil
	}
	out := &sheet{job: jb, name: e.name, sum: p.sum, stamp: stamp, stampRefused: refused, at: at, last: last, yield: yield, label: c.place.name(file)}
	if p.reason != "" {
		return out.refuseFile(p.reason, p.what)
	}
	if in != nil && in.Name == e.name && in.Sum == p.sum && !jb.newest {
		out.from = *in
	}
	for i, data := range p.contents {
		if i < out.from.Member {
			continue
		}
		out.open(i, data, i == len(p.contents)-1)
		err := c.data(ctx, jb, data, out)
		if errors.Is(err, fs.ErrNotExist) && out.pages == 0 {
			return nil // taken away between the two readings
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// freshness is how long a time to the minute leaves room for a second version of a file in the same
// minute, whatever the server's zone.
const freshness = 26 * time.Hour

// precise asks for the time of a file whose listing is coarse, and says whether the file is known by it.
// The stamp it gives is that of the listing once no other version can have the same one.
func (c *conn) precise(ctx context.Context, file string, e *entry, at *taken) (stamp short8, known bool, err error) {
	stamp = e.stamp("")
	if !e.coarse {
		return stamp, false, nil
	}
	is, err := c.place.stat(ctx, file)
	if err != nil {
		return stamp, false, err
	}
	listed := e.modified
	*e = is
	if is.modified.IsZero() { // the listing is all there is
		return stamp, false, nil
	}
	fine := is.stamp("precise")
	if c.now().Sub(listed) < freshness {
		stamp = fine
	}
	if known = at.is(e.name, fine); known {
		at.restamp(e.name, stamp)
	}
	return stamp, known, nil
}

// data reads the rows of one content, or refuses it.
func (c *conn) data(ctx context.Context, jb job, data content, out *sheet) error {
	format := jb.formatOf(data.name, data.begin)
	switch {
	case data.reason != "":
		return out.refuse(data.reason, 0, data.what)
	case data.utf16 && format != "xml":
		return out.refuse(fileEncoding, 0, "UTF-16; save the file as UTF-8 or GB18030")
	case format == "":
		return out.refuse(fileFormat, 0, unknownFormat(data.name, data.begin))
	}
	if what := disguised(format, data.begin); what != "" {
		return out.refuse(fileFormat, 0, what)
	}
	if jb.encoding != "auto" {
		data.encoding = jb.encoding
	}
	return c.rows(ctx, jb, format, data, out)
}
