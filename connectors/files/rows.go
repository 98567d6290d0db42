package files

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinshu/connectors"
	"xinshu/connectors/jsonrows"
	"xinshu/internal/fault"
)

// rows reads the data a second time, now for its rows, and makes sure that it is what was looked at.
func (c *conn) rows(ctx context.Context, jb job, format string, data content, out *sheet) error {
	switch format {
	case "json", "xml":
		if refused, err := whole(ctx, jb, format, data, out); refused || err != nil {
			return err
		}
	case "parquet":
		return fromEnd(ctx, data, out, parquetRows)
	case "xlsx":
		return fromEnd(ctx, data, out, xlsxRows)
	}
	in, err := data.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	again := sha256.New()
	watched := io.TeeReader(in, again)
	switch format {
	case "csv":
		delimiter := jb.delimiter
		if strings.EqualFold(path.Ext(data.name), ".tsv") {
			delimiter = '\t'
		}
		err = csvRows(newSplitter(watched, delimiter), data.encoding, out)
	case "json":
		err = jsonDocument(jsonrows.NewScanner(decodedReader(watched, data.encoding), jb.rowsPath), out)
	case "xml":
		err = xmlRows(watched, jb, data.encoding, out)
	default:
		err = jsonLines(decodedReader(watched, data.encoding), out)
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return out.refuse(refused.reason, refused.line, refused.what)
	}
	if err == nil {
		_, err = copyAll(io.Discard, watched)
	}
	if err == nil && short(again) != data.sum {
		err = errChanged
	}
	if errors.Is(err, errChanged) {
		return changed(out, err)
	}
	if err != nil {
		return err
	}
	return out.end()
}

func changed(out *sheet, err error) error {
	return &fault.Error{Op: out.job.op, Code: fault.Unavailable, Hint: "the sender must write under another name and rename", Err: fmt.Errorf("%s: %w", out.label, err)}
}

// fromEnd reads data of a format whose table of contents is at its end.
func fromEnd(ctx context.Context, data content, out *sheet, read func(ctx context.Context, in *os.File, out *sheet) error) error {
	in, err := data.random(ctx)
	if errors.Is(err, errChanged) {
		return changed(out, err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	again := sha256.New()
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := copyAll(again, reading{ctx, in}); err != nil {
		return err
	}
	if short(again) != data.sum {
		return changed(out, errChanged)
	}
	err = read(ctx, in, out)
	if refused, ok := errors.AsType[*refusal](err); ok {
		return out.refuse(refused.reason, refused.line, refused.what)
	}
	if err != nil {
		return err
	}
	return out.end()
}

// whole walks through a JSON or XML document before its rows count, because a cut document has no rows.
func whole(ctx context.Context, jb job, format string, data content, out *sheet) (refused bool, err error) {
	in, err := data.open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = in.Close() }()
	if format == "xml" {
		err := xmlWhole(in, jb, data.encoding)
		if refused, ok := errors.AsType[*refusal](err); ok {
			return true, out.refuse(refused.reason, refused.line, refused.what)
		}
		return false, err
	}
	scan := jsonrows.NewScanner(decodedReader(in, data.encoding), jb.rowsPath)
	for {
		_, line, err := scan.Next()
		var syntax *jsonrows.SyntaxError
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF):
			return false, nil
		case errors.As(err, &syntax):
			return true, out.refuse(jsonSyntax, syntax.Line, syntax.What)
		case errors.Is(err, jsonrows.ErrNoRows):
			return true, out.refuse(jsonRows, line, "no array at "+jb.rowsPath)
		default:
			return false, err
		}
	}
}

func jsonDocument(scan *jsonrows.Scanner, out *sheet) error {
	for {
		row, line, err := scan.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := jsonRow(row, line, out); err != nil {
			return err
		}
	}
}

func jsonRow(row []byte, line int64, out *sheet) error {
	due, err := out.due()
	if err != nil || !due {
		return err
	}
	if bytes.ContainsRune(row, unicode.ReplacementChar) {
		out.reject(connectors.Reject{Line: line, Reason: encodingBad, Value: jsonrows.Excerpt(row)})
		return nil
	}
	if r := jsonrows.Row(out.batch, row, line); r != nil {
		out.reject(*r)
	}
	return nil
}

// jsonLines reads one object a line; empty lines do not count as rows.
func jsonLines(in io.Reader, out *sheet) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for line := int64(1); ; line++ {
		row, long, err := readLine(lines)
		if line == 1 {
			row = bytes.TrimPrefix(row, []byte("\xef\xbb\xbf"))
		}
		if row = bytes.TrimSpace(row); len(row) > 0 {
			if long {
				row = append(row, " …"...) // no JSON any more: it becomes a reject
			}
			if err := jsonRow(row, line, out); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// readLine reads up to a line's end; of a line longer than a row may be it keeps the beginning.
func readLine(in *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) <= jsonrows.MaxElement {
			line = append(line, part...)
		} else {
			long = true
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// refusal says why no row of a file can be read.
type refusal struct {
	reason string
	line   int64
	what   string
}

func (r *refusal) Error() string { return r.what }

func csvRows(in *splitter, encoding string, out *sheet) error {
	decode := decoderOf(encoding)
	head, err := in.next()
	if errors.Is(err, io.EOF) {
		return &refusal{fileHeader, 1, "the file is empty"}
	}
	if err != nil {
		return err
	}
	names, what := header(head, decode)
	if what != "" {
		return &refusal{fileHeader, head.line, what}
	}
	out.batch = connectors.NewBatch(out.job.rows, names...)
	asItLies := decoder(func(b []byte) ([]byte, bool) { return b, true })
	for {
		rec, err := in.next()
		if err == io.EOF { //nolint:errorlint // the splitter gives it bare, once a row is too often to search
			return nil
		}
		if err != nil {
			return err
		}
		due, err := out.due()
		if err != nil {
			return err
		}
		switch {
		case !due:
		case encoding != gbName && rec.reason == "" && utf8.Valid(rec.raw) && bytes.IndexByte(rec.raw, 0) < 0: // all fields at once
			csvRow(rec, len(names), asItLies, out)
		default:
			csvRow(rec, len(names), decode, out)
		}
	}
}

func csvRow(rec record, width int, decode decoder, out *sheet) {
	reject := connectors.Reject{Line: rec.line, Reason: rec.reason}
	if rec.reason == "" && len(rec.fields) != width {
		reject.Reason = csvFields
	}
	if reject.Reason == "" {
		for i, field := range rec.fields {
			text, ok := decode(field)
			if !ok {
				reject.Reason, reject.Column = encodingBad, out.batch.Name(i)
				break
			}
			if rec.fields[i] = text; len(text) == 0 {
				rec.fields[i] = nil
			}
		}
	}
	if reject.Reason == "" {
		out.batch.AppendRow(rec.fields, rec.line)
		return
	}
	raw := rec.raw[:min(len(rec.raw), maxExcerpt)]
	text, ok := decode(raw)
	if !ok {
		text = raw
	}
	reject.Value = jsonrows.Excerpt(text)
	out.reject(reject)
}

// header gives the names of the columns, blanks around them trimmed. A column without a name gets its
// number as name; a name that stands twice would make every row ambiguous.
func header(head record, decode decoder) (names []string, fault string) {
	if head.reason != "" {
		return nil, "the header is broken: " + head.reason
	}
	seen := make(map[string]int, len(head.fields))
	for i, field := range head.fields {
		text, ok := decode(field)
		if !ok {
			return nil, fmt.Sprintf("column %d: its name is in another encoding", i+1)
		}
		name := trimName(string(text))
		if name == "" {
			name = fmt.Sprintf("column_%d", i+1)
		}
		if first, twice := seen[name]; twice { // the name is not shown: without a header it may be a person's
			return nil, fmt.Sprintf("columns %d and %d of the header have the same name", first+1, i+1)
		}
		seen[name] = i
		names = append(names, name)
	}
	return names, ""
}

// trimName takes away what cannot be seen around a name: blanks of every kind, marks of zero width.
func trimName(name string) string {
	return strings.TrimFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '\u3000'
	})
}
