package api

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// answer is an answer with a body.
type answer[T any] struct{ Body T }

// List is a page of things.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"cursor of the following page; absent: this was the last"`
}

func listOf[T any](items []T) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{Items: items}
}

// paged is how a list is asked for page by page.
type paged interface {
	page() (cursor string, most int)
}

// Paged is embedded in the input of a list that has pages.
type Paged struct {
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next of the page before; empty: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"At most so many."`
}

func (p Paged) page() (string, int) { return p.Cursor, p.Limit }

// get adds an operation that reads.
func get[I, T any](a *API, o op, do func(context.Context, *I) (T, error)) {
	o.Method = http.MethodGet
	register(a, o, func(ctx context.Context, in *I) (*answer[T], error) {
		body, err := do(ctx, in)
		return &answer[T]{Body: body}, err
	})
}

// pages adds a list that is read page by page. The place of the page before comes to the operation as
// the desk gave it; on the way it carries the name of the list, so that it is taken from no other.
func pages[I paged, T any](a *API, o op, do func(ctx context.Context, in *I, after string, most int) ([]T, string, error)) {
	o.Method = http.MethodGet
	register(a, o, func(ctx context.Context, in *I) (*answer[List[T]], error) {
		cursor, most := (*in).page()
		var after string
		if err := readCursor(o.ID, cursor, "cursor", &after); err != nil {
			return nil, err
		}
		items, next, err := do(ctx, in, after, most)
		out := &answer[List[T]]{Body: listOf(items)}
		if next != "" {
			out.Body.Next = cursorOf(o.ID, next)
		}
		return out, err
	})
}

// post adds an operation that does something and says what came of it.
func post[I, T any](a *API, o op, do func(context.Context, *I) (T, error)) {
	o.Method = http.MethodPost
	register(a, o, func(ctx context.Context, in *I) (*answer[T], error) {
		body, err := do(ctx, in)
		return &answer[T]{Body: body}, err
	})
}

// versioned is an answer whose version is known.
type versioned[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func versionTag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// IfMatch is embedded in the input of an operation that changes a version.
type IfMatch struct {
	Version string `header:"If-Match" hidden:"true"`
}

// version is the one that the caller named.
func (i IfMatch) version() (int64, error) {
	if i.Version == "" {
		return 0, newProblem("version_missing", "read it first, and name its ETag in If-Match")
	}
	n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(i.Version, "W/"), `"`), 10, 64)
	if err != nil || n < 1 {
		return 0, newProblem("precondition", "If-Match is not an ETag that this operation gave")
	}
	return n, nil
}

// changed turns a conflict of versions into what If-Match is answered with.
func changed(err error) error {
	if fault.Is(err, fault.Conflict) {
		return newProblem("precondition", masked(err.Error()))
	}
	return err
}

// schemas names types in the document. Types of other packages carry their package's name, so that
// two of one name can stand beside one another.
func schemas() huma.Registry {
	generic := regexp.MustCompile(`[^A-Za-z0-9]+`)
	r := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		name := t.Name()
		if name == "" {
			return hint
		}
		if at := strings.IndexByte(name, '['); at >= 0 { // List[xinshu/internal/desk.Hit]
			inner := name[at+1 : len(name)-1]
			name = name[:at] + upper(generic.ReplaceAllString(path.Base(inner), ""))
		}
		if own := reflect.TypeFor[API]().PkgPath(); t.PkgPath() != own && t.PkgPath() != "" {
			return upper(path.Base(t.PkgPath())) + upper(name)
		}
		return upper(name)
	})
	r.RegisterTypeAlias(reflect.TypeFor[catalog.Date](), reflect.TypeFor[string]())
	r.RegisterTypeAlias(reflect.TypeFor[catalog.Points](), reflect.TypeFor[float64]())
	r.RegisterTypeAlias(reflect.TypeFor[json.Number](), reflect.TypeFor[float64]())
	return r
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Empty is the input of an operation that needs none.
type Empty struct{}

// ByID is the input of an operation on one thing.
type ByID struct {
	ID string `path:"id" minLength:"1" maxLength:"200" doc:"Id of it."`
}

// Reason is why somebody does something; it is kept.
type Reason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"原因。Why; it is kept."`
}
