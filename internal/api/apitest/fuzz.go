// Package apitest owns the fuzzer of the API: it reads the OpenAPI document of a hub that is up and
// asks every operation, as every role, what the document allows and what it does not. It refuses to
// know any operation. It fails a test for an answer that no caller should get, and reports what it asked.
package apitest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// Fuzz is what is asked of a hub.
type Fuzz struct {
	Base   string                         // address
	Roles  map[string]func(*http.Request) // by name: makes a request that role's
	Known  map[string][]string            // values that the hub knows, by parameter: codes, policies, datasets
	Rounds int                            // requests of each operation as each role
	Bodies [][]byte                       // besides what is made up, each is sent to every operation that takes JSON
	Seed   uint64
	Skip   func(method, path string) bool // nil: nothing is left out
}

// Report says what was asked and answered.
type Report struct {
	Operations, Requests int
	Statuses             map[string]map[int]int // by operation
}

type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]*schema }
}

type operation struct {
	OperationID string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   *schema
	}
	RequestBody struct {
		Content map[string]struct{ Schema *schema }
	}
	Responses map[string]struct{ Content map[string]any }
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []any
	Format               string
	Properties           map[string]*schema
	Required             []string
	AdditionalProperties any
	Items                *schema
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	OneOf                []*schema
}

// run is one fuzzing under way.
type run struct {
	Fuzz
	testing.TB
	client *http.Client
	doc    document
	random *rand.Rand
	report Report
}

// Run asks everything and gives the report. The same seed asks the same.
func (f Fuzz) Run(t testing.TB) Report {
	t.Helper()
	//nolint:gosec // the same seed must ask the same
	r := &run{Fuzz: f, TB: t, client: &http.Client{Timeout: 2 * time.Minute}, random: rand.New(rand.NewPCG(f.Seed, 1)), report: Report{Statuses: map[string]map[int]int{}}}
	r.read()
	for _, path := range slices.Sorted(maps.Keys(r.doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(r.doc.Paths[path])) {
			if f.Skip != nil && f.Skip(strings.ToUpper(method), path) {
				continue
			}
			r.report.Operations++
			for _, role := range slices.Sorted(maps.Keys(f.Roles)) {
				r.operation(strings.ToUpper(method), path, role)
			}
		}
	}
	r.alive()
	return r.report
}

func (r *run) read() {
	r.Helper()
	out, err := r.client.Get(r.Base + "/openapi.json") //nolint:noctx // the client has a time-out
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }() // only read
	if err := json.NewDecoder(out.Body).Decode(&r.doc); err != nil || len(r.doc.Paths) == 0 {
		r.Fatalf("the document cannot be read: %v", err)
	}
}

func (r *run) operation(method, path, role string) {
	o := r.doc.Paths[path][strings.ToLower(method)]
	if _, takes := o.RequestBody.Content["application/json"]; takes {
		for _, body := range r.Bodies {
			r.ask(method, path, role, o, body, true)
		}
	}
	for range r.Rounds {
		var body []byte
		for media, content := range o.RequestBody.Content {
			if media == "application/json" {
				body = r.body(content.Schema)
			} else {
				body = r.garbage()
			}
		}
		r.ask(method, path, role, o, body, len(o.RequestBody.Content) > 0)
	}
}

// ask makes one request and judges the answer.
func (r *run) ask(method, path, role string, o operation, body []byte, takes bool) {
	target, heads := r.address(path, o)
	request, err := http.NewRequestWithContext(r.Context(), method, r.Base+target, bytes.NewReader(body))
	if err != nil {
		return // no address at all
	}
	for media := range o.RequestBody.Content {
		request.Header.Set("Content-Type", media)
	}
	if r.random.IntN(40) == 0 && takes {
		request.Header.Set("Content-Type", r.nasty())
	}
	for name, value := range heads {
		if !strings.ContainsAny(value, "\r\n\x00") {
			request.Header.Set(name, value)
		}
	}
	r.Roles[role](request)
	out, err := r.client.Do(request)
	if err != nil {
		if strings.Contains(err.Error(), "invalid header") {
			return // the client does not send it
		}
		r.Fatalf("%s %s as %s: %v", method, path, role, err)
	}
	answer, err := io.ReadAll(io.LimitReader(out.Body, 64<<20))
	_ = out.Body.Close() // only read
	name := method + " " + path
	if r.report.Statuses[name] == nil {
		r.report.Statuses[name] = map[int]int{}
	}
	r.report.Statuses[name][out.StatusCode]++
	r.report.Requests++
	if fault := r.judge(o, out, answer); fault != "" || err != nil {
		r.Errorf("%s as %s: %s (%v)\n  asked %.300s\n  body  %.300q\n  said  %.300s", name, role, fault, err, target, body, answer)
	}
}

// judge says what is wrong with an answer.
func (r *run) judge(o operation, out *http.Response, answer []byte) string {
	status := out.StatusCode
	if status >= http.StatusInternalServerError {
		return fmt.Sprintf("it failed with %d", status)
	}
	if out.Header.Get("X-Request-Id") == "" {
		return "the answer has no number"
	}
	if status < http.StatusBadRequest {
		if _, said := o.Responses[fmt.Sprint(status)]; !said && status != http.StatusNotModified {
			return fmt.Sprintf("status %d is not in the document", status)
		}
		if out.Header.Get("Content-Type") == "application/json" && !json.Valid(answer) {
			return "the answer is not JSON"
		}
		return ""
	}
	if _, said := o.Responses[fmt.Sprint(status)]; !said && status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
		return fmt.Sprintf("status %d is not in the document", status)
	}
	var p struct {
		Type, Code, Title string
		Status            int
	}
	if err := json.Unmarshal(answer, &p); err != nil || p.Status != status || p.Code == "" || p.Title == "" || !strings.HasSuffix(p.Type, p.Code) ||
		out.Header.Get("Content-Type") != "application/problem+json" {
		return "the problem is not one"
	}
	return ""
}

// address fills the path and the query in, and gives the heads.
func (r *run) address(path string, o operation) (string, map[string]string) {
	query, heads := url.Values{}, map[string]string{}
	for _, p := range o.Parameters {
		if p.In != "path" && !p.Required && r.random.IntN(3) == 0 {
			continue
		}
		value := r.parameter(p.Name, p.Schema)
		switch p.In {
		case "path":
			path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(cmp.Or(value, "x")), 1)
		case "query":
			query.Set(p.Name, value)
		case "header":
			heads[p.Name] = value
		}
	}
	if r.random.IntN(30) == 0 {
		query.Set(r.nasty(), "1")
	}
	return path + "?" + query.Encode(), heads
}

// parameter gives a value: mostly one that the hub knows or that fits, at times one that does not.
func (r *run) parameter(name string, s *schema) string {
	if known := r.Known[name]; len(known) > 0 && r.random.IntN(4) > 0 {
		return known[r.random.IntN(len(known))]
	}
	if r.random.IntN(4) == 0 {
		return r.nasty()
	}
	switch v := r.value(s, 0).(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return fmt.Sprint(v[0])
		}
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func (r *run) alive() {
	out, err := r.client.Get(r.Base + "/openapi.json") //nolint:noctx // the client has a time-out
	if err != nil {
		r.Fatalf("the hub is dead: %v", err)
	}
	_ = out.Body.Close() // only asked for
	if out.StatusCode != http.StatusOK {
		r.Fatalf("the hub answers %d", out.StatusCode)
	}
}

// String prints the report, a line an operation.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fuzz report: %d operations, %d requests\n", r.Operations, r.Requests)
	for _, name := range slices.Sorted(maps.Keys(r.Statuses)) {
		fmt.Fprintf(&b, "  %-60s", name)
		for _, status := range slices.Sorted(maps.Keys(r.Statuses[name])) {
			fmt.Fprintf(&b, " %d:%d", status, r.Statuses[name][status])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
