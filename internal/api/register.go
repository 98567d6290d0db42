package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/internal/auth"
)

// entry is what is known of an operation beside what the framework knows.
type entry struct {
	Operation
	media     string // of the body; empty: the operation takes none
	body      int64  // most bytes of it
	needsBody bool
	query     map[string]bool // parameters that it knows
	stream    bool            // the answer is written as it comes
	secret    bool            // the answer holds a secret, shown once
	versioned bool            // what is changed has a version that If-Match must name
}

// op says what an operation is. Words are in English and Chinese; "More" may be empty.
type op struct {
	Method, Path, ID, Tag string
	Right                 auth.Right
	Words, ZH, More       string
	Status                int    // of success; 0: 200, or 204 where nothing is answered
	Body                  int64  // most bytes of the body; 0: the usual bound
	Upload                string // media type of a body that the operation reads as it comes
	Problems              []int  // beside those that every operation may answer with
	Stream                map[string]*huma.MediaType
	Secret, Versioned     bool
}

// register adds one operation.
func register[I, O any](a *API, o op, do func(context.Context, *I) (*O, error)) {
	e := &entry{Operation: Operation{ID: o.ID, Method: o.Method, Path: o.Path, Right: o.Right}, stream: o.Stream != nil, secret: o.Secret,
		versioned: o.Versioned, body: o.Body, query: map[string]bool{}}
	if e.body == 0 {
		e.body = a.Bounds.Body
	}
	h := huma.Operation{Method: o.Method, Path: o.Path, OperationID: o.ID, Summary: o.Words, Description: o.ZH, Tags: []string{o.Tag},
		DefaultStatus: o.Status, MaxBodyBytes: e.body + 1, BodyReadTimeout: -1, Security: security(o.Right)}
	if o.More != "" {
		h.Description += "\n\n" + o.More
	}
	if field, takes := reflect.TypeFor[I]().FieldByName("Body"); takes {
		e.media, e.needsBody = "application/json", field.Type.Kind() != reflect.Pointer
	}
	if o.Upload != "" {
		e.media, e.needsBody, e.body = o.Upload, true, a.Bounds.Upload
		h.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{o.Upload: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	}
	if e.stream {
		h.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: o.Stream}}
	}
	h.Errors = problemsOf(e, o)
	if o.Method == http.MethodPost && !e.upload() {
		h.Parameters = append(h.Parameters, repeatKey)
	}
	if o.Versioned {
		h.Parameters = append(h.Parameters, ifMatch)
	}
	huma.Register(a.huma, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.told(ctx, o.ID, err)
		}
		return out, nil
	})
	for _, p := range documented(a.huma.OpenAPI(), o.Method, o.Path).Parameters {
		if p.In == "query" {
			e.query[p.Name] = true
		}
	}
	a.all = append(a.all, e.Operation)
	a.entries[o.Method+" "+o.Path] = e
}

func (e *entry) upload() bool { return e.media != "" && e.media != "application/json" }

// problemsOf lists with what an operation may say no.
func problemsOf(e *entry, o op) []int {
	list := append([]int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable}, o.Problems...)
	if o.Right != auth.Anyone {
		list = append(list, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(o.Path, "{") {
		list = append(list, http.StatusNotFound)
	}
	if e.media != "" {
		list = append(list, http.StatusRequestTimeout, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if o.Versioned {
		list = append(list, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
