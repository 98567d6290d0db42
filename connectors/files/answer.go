package files

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// maxAnswer bounds an answer file.
const maxAnswer = 64 << 20

// answerFile is a receiver's answer, in JSON or XML.
type answerFile struct {
	XMLName  xml.Name    `json:"-" xml:"answer"`
	GUID     string      `json:"guid" xml:"guid"`
	Code     string      `json:"code" xml:"code"`
	Message  string      `json:"message" xml:"message"`
	Accepted int64       `json:"accepted" xml:"accepted"`
	Rejected int64       `json:"rejected" xml:"rejected"`
	Rows     []answerRow `json:"rows" xml:"rows>row"`
}

type answerRow struct {
	ID      string `json:"id" xml:"id,attr"`
	Code    string `json:"code" xml:"code,attr"`
	Message string `json:"message" xml:"message,attr"`
}

// Answers reads the answer files that lie there, in the order of their names. One that is broken is
// an error of its own; those behind it are read.
func (c *conn) Answers(ctx context.Context) iter.Seq2[connectors.Answer, error] {
	return func(yield func(connectors.Answer, error) bool) {
		const op = "read answers"
		found, err := c.place.list(ctx, c.answer)
		if errors.Is(err, fs.ErrNotExist) {
			return // made by the first packet or by the receiver
		}
		if err != nil {
			yield(connectors.Answer{}, failed(ctx, op, err))
			return
		}
		slices.SortFunc(found, func(a, b entry) int { return strings.Compare(a.name, b.name) })
		for _, e := range found {
			if !strings.HasSuffix(e.name, ".fb") || strings.HasPrefix(e.name, ".") {
				continue
			}
			a, err := c.readAnswer(ctx, e)
			if err != nil {
				err = failed(ctx, op+" "+e.name, err)
			}
			if !yield(a, err) || ctx.Err() != nil {
				return
			}
		}
	}
}

func (c *conn) readAnswer(ctx context.Context, e entry) (connectors.Answer, error) {
	a := connectors.Answer{Handle: e.name}
	in, err := c.read(ctx, path.Join(c.answer, e.name), e)
	if err != nil {
		return a, err
	}
	defer func() { _ = in.Close() }()
	body, err := io.ReadAll(io.LimitReader(in, maxAnswer+1))
	if err != nil {
		return a, err
	}
	f, err := decodeAnswer(body)
	if err != nil {
		return a, &fault.Error{Op: "read answer " + e.name, Code: fault.Invalid, Hint: "ask the receiver to write it again, under another name first", Err: err}
	}
	a.DeliveryID = f.GUID
	a.Receipt = connectors.Receipt{Code: f.Code, Message: f.Message, Accepted: f.Accepted, Rejected: f.Rejected}
	for _, row := range f.Rows {
		a.Receipt.Rows = append(a.Receipt.Rows, connectors.RowReceipt{ID: row.ID, Code: row.Code, Message: row.Message})
	}
	return a, nil
}

func decodeAnswer(body []byte) (f answerFile, err error) {
	if len(body) > maxAnswer {
		return f, errors.New("it is larger than 64 MB")
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(body, []byte("<")) {
		err = xml.Unmarshal(body, &f)
	} else {
		err = json.Unmarshal(body, &f)
	}
	if err != nil {
		return f, fmt.Errorf("neither JSON nor XML: %w", err)
	}
	if f.GUID == "" {
		return f, errors.New("it holds no guid")
	}
	return f, nil
}

// Taken moves an answer file into the folder done beside it.
func (c *conn) Taken(ctx context.Context, a connectors.Answer) error {
	const op = "put an answer away"
	if a.Handle == "" || strings.ContainsAny(a.Handle, `/\`) {
		return fault.Newf(fault.Invalid, op, "the handle was not made by kind files")
	}
	from := path.Join(c.answer, a.Handle)
	_, err := c.place.stat(ctx, from)
	if err == nil {
		err = c.place.rename(ctx, from, path.Join(c.answer, "done", a.Handle))
	}
	if err = failed(ctx, op, err); fault.Is(err, fault.NotFound) {
		return nil // put away before
	}
	return err
}
