package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"xinshu/internal/gate"
)

// What a body may hold: so deep may objects and lists lie in one another, and so many names and values
// may it have, because a short text can stand for much memory.
const (
	deepest = 32
	longest = 100_000
)

// bound keeps a body within its operation's bounds, before anybody reads of it: who asks is told from
// it where a request is signed.
func (a *API) bound(w http.ResponseWriter, r *http.Request, e *entry) *gate.Body {
	most := e.body
	if e.media == "" {
		most = a.Bounds.Body
	}
	return gate.Bound(w, r, gate.Pace{Most: most, Wait: a.Bounds.BodyWait, Rate: a.Bounds.BodyRate})
}

// take reads a JSON body and checks its form: UTF-8, no member twice, no text that a database refuses.
// A workbook is read by its operation as it comes.
func (a *API) take(r *http.Request, e *entry) *Problem {
	if e.media == "" || r.ContentLength == 0 && !e.needsBody {
		return nil
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || media != e.media || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return newProblem("media_type", "send "+e.media)
	}
	if e.media != "application/json" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return broken(err, e.body)
	}
	select {
	case a.parsing <- struct{}{}:
		defer func() { <-a.parsing }()
	case <-r.Context().Done():
		return newProblem("slow", "the caller went away")
	}
	if p := proper(body); p != nil {
		return p
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

// broken says why a body could not be read to its end.
func broken(err error, most int64) *Problem {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		p := newProblem("too_large", "this operation takes at most "+size(most))
		p.closes = true
		return p
	case errors.Is(err, os.ErrDeadlineExceeded):
		p := newProblem("slow", "the body did not come in time")
		p.closes = true
		return p
	}
	p := newProblem("malformed", "the body ended early")
	p.closes = true
	return p
}

// proper checks what encoding/json lets pass: a member that stands twice, characters that could not
// be read, nesting without end.
func proper(body []byte) *Problem {
	if !utf8.Valid(body) {
		return newProblem("malformed", "the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var open []map[string]bool // members of each object that is open; nil for a list
	name := false              // the next text is a member's name
	for n := 0; ; n++ {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(open) > 0 {
				return newProblem("malformed", "the body is not whole JSON")
			}
			return nil
		} else if err != nil {
			return newProblem("malformed", "the body is not JSON")
		}
		if n > longest {
			return newProblem("too_large", "the body has too many values")
		}
		if text, isText := token.(string); isText {
			if strings.ContainsAny(text, "\x00\uFFFD") {
				return newProblem("malformed", "a text in the body has a character that cannot be kept: U+0000 or half of a pair")
			}
			if name {
				members := open[len(open)-1]
				if members[text] {
					return newProblem("malformed", "a member stands twice in one object")
				}
				members[text] = true
				name = false
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			open = append(open, map[string]bool{})
		case json.Delim('['):
			open = append(open, nil)
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if len(open) > deepest {
			return newProblem("malformed", "objects and lists lie too deep in one another")
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}
