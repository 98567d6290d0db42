package lineage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/internal/chain"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// heard is a sink in memory.
type heard struct {
	events [][]byte
	gate   chan struct{} // nil: open
}

func (h *heard) Write(ctx context.Context, event []byte) error {
	if h.gate != nil {
		select {
		case <-h.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h.events = append(h.events, event)
	return nil
}
func (h *heard) Close() error { return nil }

func writer(sink Sink) *Writer {
	return &Writer{Namespace: "xinshu://hub", Lake: "folder:///data/lake", Producer: "urn:xinshu:v1", Sink: sink,
		Columns: func(string) []Column {
			return []Column{{Name: "uscc", Type: "text", Description: "统一社会信用代码"}}
		},
		Entry: func(_ context.Context, name string, n int64) (chain.Entry, error) {
			return chain.Entry{Chain: name, N: n, Inputs: []chain.Input{{Chain: "stage/tax.arrears", N: 3}}, Files: []chain.File{{Rows: 7, Size: 70, N: n}, {Rows: 100, Size: 1, N: n - 1}}}, nil
		}}
}

var runs = []chain.Run{
	{ID: "r1", Step: "pull", Subject: "tax.arrears", Source: "tax", Started: noon, Status: "running", Task: "nightly@1"},
	{ID: "r1", Step: "pull", Subject: "tax.arrears", Source: "tax", Started: noon, Ended: noon.Add(time.Second), Status: "done", Chain: "stage/tax.arrears", N: 3, Task: "nightly@1", Ledger: chain.Ledger{Read: 10, Accepted: 9}},
	{ID: "r2", Step: "settle", Started: noon, Ended: noon.Add(time.Second), Status: "done", Chain: "settled", N: 5},
	{ID: "r3", Step: "score", Subject: "henan-2020", Started: noon, Ended: noon.Add(time.Second), Status: "failed", Error: "the disk is full"},
	{ID: "r4", Step: "push", Subject: "share", Started: noon, Ended: noon.Add(time.Second), Status: "interrupted", Error: "stopped"},
}

// The rules of the specification's schema, version 2-0-2, and of the facets, as they are written there.
var (
	uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	types    = []string{"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}
)

type object = map[string]any

// conforms lists what of an event is not as the schema wants it.
func conforms(event []byte) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	var e object
	if err := json.Unmarshal(event, &e); err != nil {
		return []string{err.Error()}
	}
	text := func(o object, at, name string) string {
		s, ok := o[name].(string)
		if !ok || s == "" {
			bad("%s.%s is no text", at, name)
		}
		return s
	}
	uri := func(o object, at, name string) {
		if u, err := url.Parse(text(o, at, name)); err != nil || !u.IsAbs() {
			bad("%s.%s is no URI", at, name)
		}
	}
	part := func(o object, at, name string) object {
		p, ok := o[name].(object)
		if !ok {
			bad("%s.%s is no object", at, name)
		}
		return p
	}
	facets := func(o object, at, name string) {
		if o[name] == nil {
			return
		}
		for facet := range part(o, at, name) {
			f := part(part(o, at, name), at, facet)
			uri(f, at+"."+facet, "_producer")
			uri(f, at+"."+facet, "_schemaURL")
		}
	}
	uri(e, "", "producer")
	uri(e, "", "schemaURL")
	if _, err := time.Parse(time.RFC3339Nano, text(e, "", "eventTime")); err != nil {
		bad("eventTime: %v", err)
	}
	if !slices.Contains(types, text(e, "", "eventType")) {
		bad("eventType is %v", e["eventType"])
	}
	run, job := part(e, "", "run"), part(e, "", "job")
	if !uuidForm.MatchString(text(run, "run", "runId")) {
		bad("runId is %v", run["runId"])
	}
	facets(run, "run", "facets")
	text(job, "job", "namespace")
	text(job, "job", "name")
	facets(job, "job", "facets")
	for _, side := range []string{"inputs", "outputs"} {
		list, _ := e[side].([]any)
		for i, d := range list {
			at := fmt.Sprintf("%s[%d]", side, i)
			o, _ := d.(object)
			text(o, at, "namespace")
			text(o, at, "name")
			facets(o, at, "facets")
			facets(o, at, "inputFacets")
			facets(o, at, "outputFacets")
			if (o["inputFacets"] != nil && side == "outputs") || (o["outputFacets"] != nil && side == "inputs") {
				bad("%s has facets of the other side", at)
			}
		}
	}
	return wrong
}

func TestEventsKeepTheRulesOfTheSpecification(t *testing.T) {
	h := &heard{}
	w := writer(h).Start()
	for _, r := range runs {
		w.Saw(r)
	}
	if err := w.Close(time.Minute); err != nil || w.Dropped() != 0 || len(h.events) != len(runs) {
		t.Fatalf("%v, %d dropped, %d written", err, w.Dropped(), len(h.events))
	}
	var all []Event
	for i, body := range h.events {
		if wrong := conforms(body); len(wrong) > 0 {
			t.Errorf("event %d: %s\n%s", i, strings.Join(wrong, "; "), body)
		}
		var e Event
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	start, pulled, settled, failed, aborted := all[0], all[1], all[2], all[3], all[4]
	if start.EventType != "START" || pulled.EventType != "COMPLETE" || failed.EventType != "FAIL" || aborted.EventType != "ABORT" || start.Run.RunID != pulled.Run.RunID || start.Run.RunID == settled.Run.RunID {
		t.Errorf("types and ids: %+v", all)
	}
	if s := fmt.Sprint(pulled.Inputs[0].InputFacets, pulled.Outputs[0].OutputFacets, pulled.Inputs[0].Facets); !strings.Contains(s, "rowCount:10") || !strings.Contains(s, "rowCount:9") || !strings.Contains(s, "统一社会信用代码") {
		t.Errorf("the pull tells %s", s)
	}
	if settled.Inputs[0].Name != "stage/tax.arrears" || settled.Outputs[0].Name != "settled" || !strings.Contains(fmt.Sprint(settled.Outputs[0].OutputFacets), "rowCount:7") {
		t.Errorf("the settling tells %+v", settled)
	}
	if !strings.Contains(fmt.Sprint(failed.Run.Facets["errorMessage"]), "the disk is full") || start.Run.Facets["parent"] == nil || settled.Run.Facets["parent"] != nil {
		t.Error("the fault or the task is not told")
	}
	if len(conforms([]byte(`{"eventType":"DONE"}`))) < 5 {
		t.Error("the rules of this test find nothing")
	}
}

func TestASlowEndpointHoldsUpNothing(t *testing.T) {
	h := &heard{gate: make(chan struct{})}
	w := writer(h)
	var told error
	w.Failed = func(err error) { told = err }
	w.Start()
	for range queued + 100 { // returns at once although nothing is written
		w.Saw(runs[0])
	}
	if w.Dropped() < 90 || !errors.Is(told, errFull) {
		t.Errorf("%d events were dropped, told %v", w.Dropped(), told)
	}
	close(h.gate)
	if err := w.Close(time.Minute); err != nil || len(h.events)+int(w.Dropped()) != queued+100 {
		t.Errorf("%v; %d written and %d dropped are not all", err, len(h.events), w.Dropped())
	}
}

func TestAFileIsRotatedAndOldOnesGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "lineage.jsonl")
	f := &File{Path: path, Most: 100, Keep: 2}
	for i := range 40 {
		if err := f.Write(t.Context(), fmt.Appendf(nil, `{"n":%02d}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) != 3 {
		t.Fatalf("%v: %v", names, err)
	}
	newest, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(newest), "{\"n\":39}\n") || len(newest) > 100 {
		t.Errorf("%v: %q", err, newest)
	}
}

func TestAnEndpointThatIsBusyIsAskedAgain(t *testing.T) {
	answers := []int{503, 429, 201}
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Authorization"))
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(answers[0])
		answers = answers[1:]
	}))
	t.Cleanup(server.Close)
	h := &HTTP{URL: server.URL, Key: "k", Wait: func(context.Context, time.Duration) error { return nil }}
	if err := h.Write(t.Context(), []byte("{}")); err != nil || len(keys) != 3 || keys[2] != "Bearer k" {
		t.Errorf("%v after %d tries", err, len(keys))
	}
	answers, keys = []int{400, 201}, nil
	if err := h.Write(t.Context(), []byte("{}")); err == nil || len(keys) != 1 {
		t.Errorf("an event that is refused gives %v after %d tries", err, len(keys))
	}
}
