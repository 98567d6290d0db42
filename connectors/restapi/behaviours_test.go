package restapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/pipelines"
	"xinshu/pipelines/stage"
)

// The behaviours that peers test for incremental pulls, through a whole hub: this connector, staging,
// and the chain that keeps the cursor.

// kept forgets runs; the chain is what counts here.
type kept struct{}

func (kept) SaveRun(context.Context, chain.Run) error   { return nil }
func (kept) CommitRun(context.Context, chain.Run) error { return nil }
func (kept) Run(_ context.Context, id string) (chain.Run, error) {
	return chain.Run{ID: id, Status: "done"}, nil
}

type hub struct {
	*platform
	t        *testing.T
	lake     *lake.Lake
	pipeline *pipelines.Pipeline
	job      connectors.Values
}

var codes = []string{"91410481200000013J", "91410481200000080G", "914104812000001529"}

// registration is one row as the platform has it.
func registration(code int, name, at string) map[string]any {
	row := map[string]any{"uscc": codes[code], "entity_name": name, "est_date": "2019-01-02", "op_time": at}
	if at == "" {
		row["op_time"] = nil
	}
	return row
}

func startHub(t *testing.T, job connectors.Values, rows ...map[string]any) *hub {
	t.Helper()
	store, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	cat, _ := catalog.Load(catalog.Files)
	now := func() time.Time { return time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC) }
	h := &hub{platform: startPlatform(t), t: t, lake: l, job: connectors.Values{"path": "/data", "page_rows": "2"}}
	maps.Copy(h.job, job)
	h.rows = rows
	h.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool { return h.window(w, r) }
	h.pipeline = &pipelines.Pipeline{Catalog: cat, Heads: l, Runs: kept{}, Now: now,
		Stager:  &stage.Stager{Lake: l, Words: cat, Now: now},
		Drivers: map[string]connectors.Driver{"restapi": Driver(time.Now)},
		Sources: []pipelines.Source{{Name: "s", Kind: "restapi", Values: connectors.Values{"url": h.URL + "/share", "rate": "10000", "tries": "1"},
			Datasets: map[string]connectors.Values{"amr.reg": h.job}, Collected: catalog.NoDate}}}
	return h
}

// window answers with the rows from since on, without those from until on; rows without a time always.
func (p *platform) window(w http.ResponseWriter, r *http.Request) bool {
	since, until := r.FormValue("since"), r.FormValue("until")
	old := p.rows
	defer func() { p.rows = old }()
	p.rows = nil
	for _, row := range old {
		at, timed := row["op_time"].(string)
		if !timed || connectors.Later(at, since) == at && (until == "" || at != until && connectors.Later(at, until) == until) {
			p.rows = append(p.rows, row)
		}
	}
	q := r.URL.Query()
	q.Del("since")
	r.URL.RawQuery, r.Form = q.Encode(), nil
	p.serve(w, r)
	return true
}

// pull is one run; it gives what came of it.
func (h *hub) pull() (chain.Ledger, error) {
	h.t.Helper()
	pulls, err := h.pipeline.Pull(h.t.Context(), pipelines.Choice{})
	if len(pulls) != 1 {
		h.t.Fatalf("%d pulls, %v", len(pulls), err)
	}
	return pulls[0].Result.Ledger, err
}

// wants runs a pull and compares what came.
func (h *hub) wants(when string, read, accepted, duplicate int64) {
	h.t.Helper()
	l, err := h.pull()
	if err != nil || l.Read != read || l.Accepted != accepted || l.Duplicate != duplicate {
		h.t.Errorf("%s: read %d, accepted %d, duplicate %d (%v); want %d, %d, %d", when, l.Read, l.Accepted, l.Duplicate, err, read, accepted, duplicate)
	}
}

// since is where the next pull begins.
func (h *hub) since() string {
	h.t.Helper()
	head, err := h.lake.Head(h.t.Context(), chain.Stage("amr.reg"))
	if err != nil {
		h.t.Fatal(err)
	}
	if head.Cursor == nil {
		return ""
	}
	var all map[string]string
	var at place
	if err := json.Unmarshal([]byte(head.Cursor.After), &all); err != nil {
		h.t.Fatal(err)
	}
	if all["s"] != "" {
		if err := json.Unmarshal([]byte(all["s"]), &at); err != nil || at.On {
			h.t.Fatalf("the cursor is %q, %v", all["s"], err)
		}
	}
	return at.Since
}

func (h *hub) at(want string) {
	h.t.Helper()
	if got := h.since(); got != want {
		h.t.Errorf("the next pull begins at %q, want %q", got, want)
	}
}

func TestBehaviour01ARowAtTheLastValueIsNotLoadedTwice(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28 09:00:00"), registration(1, "乙", "2025-10-28 10:00:00"))
	h.wants("first", 2, 2, 0)
	h.wants("again", 1, 0, 1) // the row at the bound comes again and is known
	h.at("2025-10-28 10:00:00")
}

func TestBehaviour02ALateRowAtTheLastValueIsLoaded(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28 10:00:00"))
	h.wants("first", 1, 1, 0)
	h.rows = append(h.rows, registration(1, "乙", "2025-10-28 10:00:00"))
	h.wants("a second row of the same time", 2, 1, 1)
	h.at("2025-10-28 10:00:00")
}

func TestBehaviour03RowsAtTheBoundAreToldApartByTheirContent(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28 10:00:00"))
	h.wants("first", 1, 1, 0)
	h.rows = append(h.rows, registration(0, "甲改名", "2025-10-28 10:00:00")) // the same key, another content
	h.wants("one of two changed", 2, 1, 1)
}

func TestBehaviour04TheCursorIsTheGreatestSeenNotTheLast(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28 12:00:00"), registration(1, "乙", "2025-10-28 09:00:00"), registration(2, "丙", "2025-10-28 10:00:00"))
	h.wants("unordered", 3, 3, 0)
	h.at("2025-10-28 12:00:00")
}

func TestBehaviour05AFailedRunLeavesTheCursor(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28 09:00:00"))
	h.wants("first", 1, 1, 0)
	h.rows = append(h.rows, registration(1, "乙", "2025-10-28 10:00:00"), registration(2, "丙", "2025-10-28 11:00:00"))
	whole := h.instead
	h.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if r.FormValue("page") == "2" {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return whole(n, w, r)
	}
	if _, err := h.pull(); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
	h.at("2025-10-28 09:00:00")
	h.instead = whole
	h.wants("repaired", 3, 2, 1)
	h.at("2025-10-28 11:00:00")
}

// span pulls one window past the pipeline, which has no part in what a window gives.
func (h *hub) span(from, until string, more connectors.Values) ([]string, []connectors.Page, error) {
	h.t.Helper()
	c, _ := h.open(h.t, connectors.Values{"tries": "1"})
	values := connectors.Values{}
	maps.Copy(values, h.job)
	maps.Copy(values, more)
	ds, _ := h.pipeline.Catalog.Dataset("amr.reg")
	var rows []string
	var pages []connectors.Page
	for page, err := range c.Pull(h.t.Context(), connectors.Job{Dataset: ds, Values: values, Window: &connectors.Window{From: from, Until: until}}, `{"since":"2025-10-28 11:00:00"}`) {
		if err != nil {
			return rows, pages, err
		}
		if page.Batch != nil {
			rows = append(rows, connectortest.Column(page.Batch, "entity_name")...)
			page.Batch.Release()
		}
		pages = append(pages, page)
	}
	return rows, pages, nil
}

func fiveDays(t *testing.T) *hub {
	t.Helper()
	h := startHub(t, nil)
	for day := range 5 {
		h.rows = append(h.rows, registration(day%3, fmt.Sprint("第", day+1), fmt.Sprintf("2025-10-2%d 00:00:00", day+1)))
	}
	return h
}

func TestBehaviour06AWindowLeavesTheCursor(t *testing.T) {
	h := fiveDays(t)
	rows, pages, err := h.span("2025-10-22 00:00:00", "2025-10-24 00:00:00", nil)
	if err != nil || strings.Join(rows, " ") != "第2 第3" {
		t.Fatalf("%v, %v", rows, err)
	}
	for _, page := range pages {
		if page.Next != "" || page.Whole {
			t.Errorf("a window's page has the cursor %q, whole %v", page.Next, page.Whole)
		}
	}
}

func TestBehaviour07AWindowHasItsBeginningAndNotItsEnd(t *testing.T) {
	for name, values := range map[string]connectors.Values{"chosen here": nil, "the platform's bound leaves its end out": {"until_param": "until"},
		"full pulls": {"since_param": ""}, "without a total": {"total_path": ""}} {
		h := fiveDays(t)
		var all []string
		for day := 1; day < 6; day++ {
			rows, pages, err := h.span(fmt.Sprintf("2025-10-2%d 00:00:00", day), fmt.Sprintf("2025-10-2%d 00:00:00", day+1), values)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rows...)
			if last := pages[len(pages)-1]; values["total_path"] == "" && name != "without a total" && (last.Declared == nil || *last.Declared != int64(len(rows))) {
				t.Errorf("%s: %d rows, declared %v", name, len(rows), last.Declared)
			}
		}
		if strings.Join(all, " ") != "第1 第2 第3 第4 第5" {
			t.Errorf("%s: neighbouring windows give %v", name, all)
		}
	}
	// A platform that includes the end of its bound gives a row too many; it is left out.
	h := fiveDays(t)
	h.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool { h.serve(w, r); return true }
	if rows, _, err := h.span("2025-10-22 00:00:00", "2025-10-23", connectors.Values{"until_param": "until"}); err != nil || strings.Join(rows, " ") != "第2" {
		t.Errorf("%v, %v", rows, err)
	}
	if _, _, err := h.span("", "", nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("a window without bounds: %v", err)
	}
}

func TestBehaviour08AMissingCursorColumnIsNamed(t *testing.T) {
	h := startHub(t, connectors.Values{"cursor_field": "updated_on"}, registration(0, "甲", "2025-10-28 09:00:00"))
	if _, err := h.pull(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "updated_on") {
		t.Errorf("got %v", err)
	}
	h.at("")
}

func TestBehaviour09ARowWithoutCursorValueFollowsTheRule(t *testing.T) {
	for rule, want := range map[string]int64{"take": 2, "leave": 1} {
		h := startHub(t, connectors.Values{"null_cursor": rule}, registration(0, "甲", ""), registration(1, "乙", "2025-10-28 09:00:00"))
		h.wants(rule, want, want, 0)
		h.at("2025-10-28 09:00:00")
	}
	h := startHub(t, connectors.Values{"null_cursor": "refuse"}, registration(1, "乙", "2025-10-28 09:00:00"), registration(0, "甲", ""))
	if _, err := h.pull(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "row 2") || !strings.Contains(err.Error(), "op_time") {
		t.Errorf("refuse: %v", err)
	}
	h.at("")
}

func TestBehaviour10AFullReloadResetsTheCursor(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28 09:00:00"), registration(1, "乙", "2025-10-28 10:00:00"))
	h.wants("first", 2, 2, 0)
	h.job["since_param"] = "" // from now on everything is asked for
	h.wants("a full reload", 2, 0, 2)
	h.at("")
	h.job["since_param"] = "since"
	h.wants("incremental again, from the beginning", 2, 0, 2)
	h.at("2025-10-28 10:00:00")
}

func TestBehaviour11ALookbackReadsAgainWithoutDoubling(t *testing.T) {
	h := startHub(t, connectors.Values{"lookback": "2h"}, registration(0, "甲", "2025-10-28 09:00:00"), registration(1, "乙", "2025-10-28 10:00:00"))
	h.wants("first", 2, 2, 0)
	h.rows = append(h.rows, registration(2, "丙，来晚了", "2025-10-28 08:30:00"))
	h.wants("a row that came late, within the lookback", 3, 1, 2)
	h.at("2025-10-28 10:00:00")
}

func TestBehaviour12ACursorOfZeroIsLikeAnyOther(t *testing.T) {
	h := startHub(t, connectors.Values{"cursor_field": "seq"})
	for i := range 2 {
		row := registration(i, "甲", "2025-10-28 09:00:00")
		row["seq"] = json.Number("0")
		h.rows = append(h.rows, row)
	}
	h.instead = nil
	var asked []string
	h.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		asked = append(asked, r.URL.Query().Get("since"))
		q := r.URL.Query()
		q.Del("since")
		r.URL.RawQuery = q.Encode()
		h.serve(w, r)
		return true
	}
	h.wants("first", 2, 2, 0)
	h.at("0")
	h.wants("again", 2, 0, 2)
	if !slices.Equal(asked, []string{"", "0"}) {
		t.Errorf("asked from %q", asked)
	}
}

func TestBehaviour13TimesWithAndWithoutZoneCompareByInstant(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28T01:30:00Z"), registration(1, "乙", "2025-10-28 09:00:00"), registration(2, "丙", "2025-10-28T08:00:00+08:00"))
	h.wants("three spellings", 3, 3, 0)
	h.at("2025-10-28T01:30:00Z") // half past nine in Shanghai: later than nine without zone
}

func TestBehaviour14AGapIsReadAgainAndFinishedStretchesAreNot(t *testing.T) {
	h := fiveDays(t)
	first, _, err1 := h.span("2025-10-21", "2025-10-23", nil)
	third, _, err2 := h.span("2025-10-24", "2025-10-26", nil)
	gap, _, err3 := h.span("2025-10-23", "2025-10-24", nil)
	if err1 != nil || err2 != nil || err3 != nil || strings.Join(gap, "") != "第3" || len(first)+len(gap)+len(third) != 5 {
		t.Errorf("%v, %v, %v", first, gap, third)
	}
}

func TestBehaviour15NoRowsIsASuccessAndLeavesTheCursor(t *testing.T) {
	h := startHub(t, nil, registration(0, "甲", "2025-10-28 09:00:00"))
	h.wants("first", 1, 1, 0)
	h.rows = nil
	h.wants("nothing", 0, 0, 0)
	h.at("2025-10-28 09:00:00")
}

func TestBehaviour16TwoFullReadsGiveTheSame(t *testing.T) {
	h := fiveDays(t)
	h.job["since_param"] = ""
	h.wants("first", 5, 5, 0)
	h.wants("again", 5, 0, 5)
	h.wants("and again", 5, 0, 5)
}

func TestBehaviour17ASecondReadAtOnceGivesOnlyRowsAtTheCursor(t *testing.T) {
	h := fiveDays(t)
	h.wants("first", 5, 5, 0)
	before := len(h.calls)
	h.wants("at once", 1, 0, 1)
	if got := h.calls[before].URL.Query().Get("since"); got != "2025-10-25 00:00:00" {
		t.Errorf("asked from %q", got)
	}
}
