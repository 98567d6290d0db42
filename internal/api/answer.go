package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"strings"
)

// answer lets the operation answer. An answer that is read whole gets an ETag, and is not sent to
// somebody who has it; one to a request with an idempotency key is kept before it is sent.
func (a *API) answer(w http.ResponseWriter, r *http.Request, e *entry) {
	switch {
	case e.stream:
		a.mux.ServeHTTP(w, r)
	case e.upload():
		a.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), uploadKey{}, r.Body)))
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		kept := newHeld(w.Header())
		a.mux.ServeHTTP(kept, r)
		kept.tag(r)
		kept.send(w, r)
	case r.Method == http.MethodPost && r.Header.Get(repeatHeader) != "":
		a.once(w, r, e)
	default:
		a.mux.ServeHTTP(w, r)
	}
}

type uploadKey struct{}

// uploadOf gives the body of a request whose operation reads it as it comes.
func uploadOf(ctx context.Context) io.Reader {
	body, _ := ctx.Value(uploadKey{}).(io.Reader)
	return body
}

// held is an answer that is not sent yet.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newHeld(header http.Header) *held { return &held{header: header.Clone(), status: http.StatusOK} }

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// tag names the version of a good answer, and empties it for who has it.
func (h *held) tag(r *http.Request) {
	if h.status != http.StatusOK {
		return
	}
	if h.header.Get("ETag") == "" {
		sum := sha256.Sum256(h.body.Bytes())
		h.header.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	}
	if matches(r.Header.Get("If-None-Match"), h.header.Get("ETag")) {
		h.status = http.StatusNotModified
		h.header.Del("Content-Type")
		h.body.Reset()
	}
}

func (h *held) send(w http.ResponseWriter, r *http.Request) {
	to := w.Header()
	maps.Copy(to, h.header)
	w.WriteHeader(h.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(h.body.Bytes()) // the caller may have gone
	}
}

// matches says whether a list of versions, as If-Match and If-None-Match have it, names a version.
func matches(list, tag string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == "*" || part != "" && part == tag {
			return true
		}
	}
	return false
}
