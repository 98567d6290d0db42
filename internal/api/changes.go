package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

const (
	changesList = "grade changes"
	lines       = "application/x-ndjson"
	piece       = 2000 // statements read at once while streaming
)

// Changes is a page of the change feed.
type Changes struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next"`
	More  bool              `json:"more"`
}

// Bookmark is the line of a streamed feed that says how far it is.
type Bookmark struct {
	Next string `json:"next" doc:"Where to go on: everything above this line was given"`
	End  bool   `json:"end" doc:"There is nothing more now; a stream without such a last line was cut off"`
}

type changesInput struct {
	Purpose
	Since  string `query:"since" maxLength:"4096" doc:"The next of the answer before; empty: from the beginning."`
	Policy string `query:"policy" maxLength:"64" doc:"One policy; otherwise every one that the account's scope holds. Keep to the same for one cursor." example:"henan-2020"`
	Limit  int    `query:"limit" minimum:"1" maximum:"5000" default:"1000" doc:"Statements looked at for a page; a stream goes on to the end."`
	Accept string `header:"Accept" hidden:"true"`
}

type changesOutput struct {
	Body func(huma.Context)
}

func (a *API) changes() {
	r := a.huma.OpenAPI().Components.Schemas
	statement := r.Schema(statementType, true, "Statement")
	page := listed(r, "next", "items")
	page.Properties["more"] = &huma.Schema{Type: huma.TypeBoolean, Description: "there is more: ask again with since=next"}
	page.Required = append(page.Required, "more")
	line := &huma.Schema{OneOf: []*huma.Schema{statement, r.Schema(bookmarkType, true, "Bookmark")}}
	register(a, op{Method: http.MethodGet, Path: "/v1/grades/changes", ID: "listGradeChanges", Tag: "grades", Right: auth.GradesExport,
		Words: "What changed since a cursor", ZH: "评价结果变更流：自游标以来的全部变更。",
		More: "Ask with `Accept: application/x-ndjson` for everything at once, a line each, with a bookmark line now and then and as the last one; otherwise for pages. " +
			"The feed is compacted: of changes of one entity under one policy that followed one another before you read them you get only the newest. " +
			"Versions of an entity come in growing order. You get everything at least once: after a restore of the hub everything is stated again under greater versions; keep the greatest version of each (policy, uscc). " +
			"An entity that leaves your scope comes as a retraction. A page may be empty though there is more, where your scope is narrow.",
		Problems: []int{http.StatusNotFound},
		Stream:   map[string]*huma.MediaType{"application/json": {Schema: page}, lines: {Schema: line}}},
		func(ctx context.Context, in *changesInput) (*changesOutput, error) {
			asked := desk.FeedAsked{Policy: in.Policy, Purpose: in.named()}
			if err := readCursor(changesList+" "+in.Policy, in.Since, "since", &asked.Since); err != nil {
				return nil, err
			}
			feed, err := a.Desk.Feed(ctx, asked)
			if err != nil {
				return nil, err
			}
			list := changesList + " " + in.Policy
			if accepts(in.Accept, lines) {
				return &changesOutput{Body: func(c huma.Context) { a.stream(c, list, feed) }}, nil
			}
			page, err := changesPage(ctx, list, feed, in.Limit)
			if err != nil {
				return nil, err
			}
			return &changesOutput{Body: func(c huma.Context) {
				_, w := humago.Unwrap(c)
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(page) // the caller may have gone
			}}, nil
		})
}

func changesPage(ctx context.Context, list string, feed *desk.Feed, limit int) (Changes, error) {
	page := Changes{Items: []json.RawMessage{}}
	batch, err := feed.Next(ctx, limit)
	if err != nil {
		return page, err
	}
	for _, body := range batch.Changes {
		page.Items = append(page.Items, body)
	}
	page.Next, page.More = cursorOf(list, batch.Next), batch.More
	return page, nil
}

// stream writes the whole feed, a line each. A reader that stops taking lines loses its place under way.
func (a *API) stream(c huma.Context, list string, feed *desk.Feed) {
	r, w := humago.Unwrap(c)
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", lines)
	out := bufio.NewWriterSize(w, 64<<10)
	for coming := ahead(r.Context(), feed); ; {
		got := <-coming
		if got.err != nil {
			_ = a.told(r.Context(), "listGradeChanges", got.err)
			panic(http.ErrAbortHandler) // the missing last line says that the stream was cut off
		}
		batch := got.batch
		if batch.More {
			coming = ahead(r.Context(), feed)
		}
		_ = control.SetWriteDeadline(time.Now().Add(a.Bounds.Write)) // not every writer has one
		for _, body := range batch.Changes {
			_, _ = out.Write(body) // an error is kept and comes back from Flush
			_ = out.WriteByte('\n')
		}
		mark, _ := json.Marshal(Bookmark{Next: cursorOf(list, batch.Next), End: !batch.More}) // a text and a truth value
		_, _ = out.Write(append(mark, '\n'))
		if out.Flush() != nil {
			return // the reader has gone
		}
		if !batch.More {
			return
		}
	}
}

// read is a batch of a feed, or why there is none.
type read struct {
	batch desk.FeedBatch
	err   error
}

// ahead reads the next batch while the one before is written. It waits for nobody: where the reader has
// gone, the batch is dropped.
func ahead(ctx context.Context, feed *desk.Feed) <-chan read {
	got := make(chan read, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil { // outside a handler it would end the process
				got <- read{err: fault.Newf(fault.Internal, "read changes", "%v", p)}
			}
		}()
		batch, err := feed.Next(ctx, piece)
		got <- read{batch, err}
	}()
	return got
}

// accepts says that a caller asks for a form by its name.
func accepts(header, media string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), media) {
			return true
		}
	}
	return false
}
