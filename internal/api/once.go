package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

const repeatHeader = "Idempotency-Key"

// repeatKey is how a caller says that a request is the same one as before.
var repeatKey = &huma.Param{Name: repeatHeader, In: "header", Example: "receipts-2026-11-22-0001",
	Description: "Name the request: sent again under the same name within 24 hours it is done once and answered the same. Another request under the name is refused (422); while the first is under way the answer is 409 (conflict), and when the hub died over a request that must not be done twice, 409 (outcome_unknown) with the operation that shows whether it was done.",
	Schema:      &huma.Schema{Type: "string", MinLength: new(1), MaxLength: new(128), Pattern: "^[!-~]+$"}}

var nameable = regexp.MustCompile(`^[!-~]{1,128}$`)

// kept are the members of an answer's head that are repeated with it.
type kept struct {
	ContentType string `json:"content_type,omitempty"`
	ETag        string `json:"etag,omitempty"`
	Location    string `json:"location,omitempty"`
	Secret      bool   `json:"secret,omitempty"` // the body held a secret and was not kept
}

// once has a request done once, however often it is sent under its name.
func (a *API) once(w http.ResponseWriter, r *http.Request, e *entry) {
	name := r.Header.Get(repeatHeader)
	if !nameable.MatchString(name) || len(r.Header.Values(repeatHeader)) > 1 {
		p := newProblem("invalid", "the idempotency key cannot be taken")
		p.Errors = []ProblemPlace{{Location: "header." + repeatHeader, Message: "1 to 128 visible ASCII characters, given once"}}
		a.refuse(w, r, p)
		return
	}
	digest, p := digestOf(r)
	if p != nil {
		a.refuse(w, r, p)
		return
	}
	actor := auth.From(r.Context()).ID
	before, ours, err := a.Desk.BeginRequest(r.Context(), actor, name, digest, e.repeatable())
	switch {
	case err != nil:
		a.refuse(w, r, a.told(r.Context(), e.ID, err))
	case ours:
		a.first(w, r, e, name)
	case before.Digest != digest:
		a.refuse(w, r, newProblem("key_reused", "choose another key, or send the request as it was"))
	case before.Lost:
		a.refuse(w, r, a.unknown(e))
	case before.Status == 0:
		a.refuse(w, r, waiting("conflict", "the request is under way", 1))
	default:
		a.again(w, r, before)
	}
}

// first does a request and keeps its answer before it is sent. What was refused is forgotten, so that
// it can be mended and sent under the same name. What failed may have been done: it is forgotten only
// where doing it twice is no harm.
func (a *API) first(w http.ResponseWriter, r *http.Request, e *entry, name string) {
	actor := auth.From(r.Context()).ID
	settled, refused := false, false
	defer func() {
		if settled {
			return
		}
		end := a.Desk.LoseRequest
		if refused || e.repeatable() {
			end = a.Desk.DropRequest
		}
		if err := end(r.Context(), actor, name); err != nil {
			a.Log.ErrorContext(r.Context(), "a request is taken to be under way", "request", requestOf(r.Context()), "error", err.Error())
		}
	}()
	h := newHeld(w.Header())
	a.mux.ServeHTTP(h, r)
	refused = h.status >= http.StatusBadRequest && h.status < http.StatusInternalServerError
	if h.status < http.StatusBadRequest {
		fault.At(fault.BeforeAnswer)
		head := kept{ContentType: h.header.Get("Content-Type"), ETag: h.header.Get("ETag"), Location: h.header.Get("Location"), Secret: e.secret}
		text, _ := json.Marshal(head) // of texts and a truth value
		answer := desk.RequestAnswer{Status: h.status, Header: string(text), Body: h.body.String()}
		if e.secret {
			answer.Body = ""
		}
		if err := a.Desk.EndRequest(r.Context(), actor, name, answer); err != nil {
			// It was done, and the caller must know that its answer is lost.
			a.refuse(w, r, a.told(r.Context(), e.ID, err))
			return
		}
		settled = true
	}
	h.send(w, r)
}

// again repeats an answer.
func (a *API) again(w http.ResponseWriter, r *http.Request, before desk.RequestAnswer) {
	var head kept
	if err := json.Unmarshal([]byte(before.Header), &head); err != nil {
		a.refuse(w, r, newProblem("internal", ""))
		return
	}
	if head.Secret {
		a.refuse(w, r, newProblem("conflict", "it was done; the secret in its answer was shown once and is not kept"))
		return
	}
	h := w.Header()
	h.Set("Idempotent-Replayed", "true")
	for name, value := range map[string]string{"Content-Type": head.ContentType, "ETag": head.ETag, "Location": head.Location} {
		if value != "" {
			h.Set(name, value)
		}
	}
	w.WriteHeader(before.Status)
	_, _ = io.WriteString(w, before.Body) // the caller may have gone
}

// digestOf names a request by what it asks.
func digestOf(r *http.Request) (string, *Problem) {
	h := sha256.New()
	_, _ = io.WriteString(h, r.Method+"\n"+r.URL.Path+"?"+r.URL.RawQuery+"\n") // a hash takes everything
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return "", newProblem("internal", "")
		}
		if _, err := io.Copy(h, body); err != nil {
			return "", newProblem("internal", "")
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
