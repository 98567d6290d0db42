package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"xinshu/internal/auth"
)

// line is a line of a streamed feed, a statement or a bookmark.
type line struct {
	ID, Kind, USCC, Grade, Next string
	Version                     int64
	End                         bool
	Score                       *float64
}

// stream reads the whole feed after a cursor.
func (w *world) stream(since string) (seen []string, next string) {
	w.Helper()
	out := w.ask(http.MethodGet, "/v1/grades/changes?purpose=service&since="+url.QueryEscape(since), "", "Accept: application/x-ndjson")
	if out.Code != http.StatusOK || out.Header().Get("Content-Type") != "application/x-ndjson" {
		w.Fatalf("%d %s", out.Code, out.Body)
	}
	lines := bufio.NewScanner(out.Body)
	var last line
	for lines.Scan() {
		last = line{}
		w.ok(json.Unmarshal(lines.Bytes(), &last))
		if last.Next != "" {
			next = last.Next
			continue
		}
		seen = append(seen, fmt.Sprintf("%s %s %d", last.Kind, last.USCC, last.Version))
	}
	if !last.End {
		w.Fatal("the stream has no last line")
	}
	return seen, next
}

// pages reads the whole feed after a cursor, page by page.
func (w *world) pages(since string, limit int) (seen []string, next string) {
	w.Helper()
	for next = since; ; {
		var page struct {
			Items []line
			Next  string
			More  bool
		}
		w.get(fmt.Sprintf("/v1/grades/changes?purpose=service&limit=%d&since=%s", limit, url.QueryEscape(next)), &page)
		if len(page.Items) > limit {
			w.Errorf("%d in a page of %d", len(page.Items), limit)
		}
		for _, l := range page.Items {
			seen = append(seen, fmt.Sprintf("%s %s %d", l.Kind, l.USCC, l.Version))
		}
		if next = page.Next; !page.More {
			return seen, next
		}
	}
}

func TestTheFeedGoesOnWhereAReaderStood(t *testing.T) {
	w := newWorld(t)
	a, b, c := code("410481", 1), code("410402", 2), code("410522", 3)
	w.release("2026-01-01", grade{uscc: a, grade: "优", score: 9000}, grade{uscc: b, grade: "中", score: 6000})
	streamed, mark := w.stream("")
	paged, page := w.pages("", 1)
	if want := []string{"grade " + b + " 1", "grade " + a + " 1"}; !slices.Equal(streamed, want) || !slices.Equal(paged, want) {
		t.Errorf("streamed %q, paged %q", streamed, paged)
	}
	if more, _ := w.stream(mark); len(more) > 0 {
		t.Errorf("nothing happened, and it gives %q", more)
	}
	w.release("2026-02-01", grade{uscc: a, grade: "良", score: 8000}, grade{uscc: c, grade: "优", score: 9900})
	w.release("2026-03-01", grade{uscc: a, grade: "优", score: 9100}, grade{uscc: c, grade: "优", score: 9900})
	want := []string{"retraction " + b + " 2", "grade " + c + " 1", "grade " + a + " 3"} // the step to 良 was superseded before it was read
	for name, got := range map[string][]string{"after a stream": first(w.stream(mark)), "after pages": first(w.pages(page, 2)), "a stream's cursor in pages": first(w.pages(mark, 1))} {
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func first(seen []string, _ string) []string { return seen }

func TestAfterARestoreEverythingIsStatedAgain(t *testing.T) {
	w := newWorld(t)
	a, b := code("410481", 1), code("410402", 2)
	w.release("2026-01-01", grade{uscc: a, grade: "优", score: 9000})
	w.release("2026-01-02", grade{uscc: a, grade: "优", score: 9000}, grade{uscc: b, grade: "优", score: 9000})
	_, mark := w.stream("")
	_, err := w.Lake.NewEpoch(w.Context(), 0, "restored")
	w.ok(err)
	w.release("2026-01-03", grade{uscc: a, grade: "优", score: 9000}, grade{uscc: b, grade: "优", score: 9000})
	seen, _ := w.stream(mark)
	if len(seen) != 2 || !strings.HasPrefix(seen[0], "correction") || strings.HasSuffix(seen[0], " 1") {
		t.Errorf("after a restore %q", seen)
	}
}

func TestAFeedIsCutToItsReader(t *testing.T) {
	w := newWorld(t)
	a, b := code("410481", 1), code("410402", 2)
	w.release("2026-01-01", grade{uscc: a, grade: "优", score: 9000}, grade{uscc: b, grade: "优", score: 9000})
	w.actor.Scope = auth.Scope{Areas: []string{"4104"}}
	_, all := w.stream("")
	w.actor.Scope = auth.Scope{Areas: []string{"410481"}, Fields: []string{"name"}}
	seen, mark := w.stream("")
	if want := []string{"grade " + a + " 1"}; !slices.Equal(seen, want) {
		t.Errorf("of one area: %q", seen)
	}
	if out := w.ask(http.MethodGet, "/v1/grades/changes?purpose=service", ""); strings.Contains(out.Body.String(), "score") || strings.Contains(out.Body.String(), "seal") {
		t.Errorf("more fields than the scope has: %s", out.Body)
	}
	// a moves to another area: who could see it is told that it is withdrawn, and no more.
	w.release("2026-02-01", grade{uscc: a, grade: "差", score: 1000, division: "410402"}, grade{uscc: b, grade: "优", score: 9000})
	if seen, _ := w.stream(mark); !slices.Equal(seen, []string{"retraction " + a + " 2"}) {
		t.Errorf("left the area: %q", seen)
	}
	if out := w.ask(http.MethodGet, "/v1/grades/changes?purpose=service&since="+mark, ""); strings.Contains(out.Body.String(), "差") || strings.Contains(out.Body.String(), "410402") {
		t.Errorf("told of the new area: %s", out.Body)
	}
	w.actor.Scope = auth.Scope{Areas: []string{"4104"}}
	if seen, _ := w.stream(all); !slices.Equal(seen, []string{"grade " + a + " 2"}) {
		t.Errorf("moved within the area: %q", seen)
	}
	w.actor.Scope = auth.Scope{Policies: []string{"jiangyin-2020"}}
	if seen, _ := w.stream(""); len(seen) > 0 {
		t.Errorf("of another policy: %q", seen)
	}
}

func TestACursorIsTakenFromTheListThatGaveIt(t *testing.T) {
	w := newWorld(t)
	w.release("2026-01-01", grade{uscc: code("410481", 1), grade: "优", score: 9000})
	_, mark := w.stream("")
	for name, cursor := range map[string]string{"cut": mark[:len(mark)-2], "changed": "B" + mark[1:], "made up": "eyJlIjowfQ", "no base64": "?!"} {
		p := w.refused(w.ask(http.MethodGet, "/v1/grades/changes?purpose=service&since="+url.QueryEscape(cursor), ""), http.StatusUnprocessableEntity, "invalid")
		if len(p.Errors) != 1 || p.Errors[0].Location != "query.since" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	w.refused(w.ask(http.MethodGet, "/v1/grades/changes?purpose=service&policy="+policy+"&since="+mark, ""), http.StatusUnprocessableEntity, "invalid")
}
