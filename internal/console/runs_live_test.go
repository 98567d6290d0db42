package console

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk/desktest"
	"xinshu/pipelines/schedule"
)

// browser is the page of a task with its event source, as console.js and the standard have it.
type browser struct {
	*testing.T
	url   string
	place string            // Last-Event-ID
	parts map[string]string // of the page, by id
	lines *bufio.Scanner
	leave context.CancelFunc
}

// connect comes, or comes again.
func (b *browser) connect() {
	b.Helper()
	ctx, leave := context.WithCancel(b.Context())
	b.leave = leave
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	if b.place != "" {
		r.Header.Set("Last-Event-ID", b.place)
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { leave(); _ = out.Body.Close() })
	if out.StatusCode != http.StatusOK {
		b.Fatalf("the stream answers %s", out.Status)
	}
	b.lines = bufio.NewScanner(out.Body)
	b.lines.Buffer(nil, 1<<20)
}

// next takes one event and gives its name; patches go into the page.
func (b *browser) next() string {
	b.Helper()
	var id, name, data string
	for b.lines.Scan() {
		key, value, _ := strings.Cut(b.lines.Text(), ": ")
		switch key {
		case "id":
			id = value
		case "event":
			name = value
		case "data":
			data = value
		case "":
			if name == "" {
				continue // a beat
			}
			if id != "" {
				b.place = id
			}
			if name == "patch" {
				var p Patch
				if err := json.Unmarshal([]byte(data), &p); err != nil {
					b.Fatal(err)
				}
				b.parts[p.ID] = p.HTML
				name = p.ID
			}
			return name
		}
	}
	b.Fatalf("the stream broke off: %v", b.lines.Err())
	return ""
}

func (b *browser) expect(names ...string) {
	b.Helper()
	for _, name := range names {
		if got := b.next(); got != name {
			b.Fatalf("%s came in place of %s", got, name)
		}
	}
}

var logged = regexp.MustCompile(`line \d+`)

// log gives the lines of the page's log.
func (b *browser) log() []string { return logged.FindAllString(b.parts["task-log"], -1) }

// TestAReaderThatWasCutGoesOnWhereItWas follows a task, is cut between two patches and behind the last of
// them, and has every line of the log once in the end.
func TestAReaderThatWasCutGoesOnWhereItWas(t *testing.T) {
	h := desktest.Empty(t, desktest.Clock)
	task, err := h.Desk.Start(desktest.As(t, auth.Administrator), schedule.Work{Do: schedule.DoSettle})
	if err != nil {
		t.Fatal(err)
	}
	say := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			if err := h.State.AddEvent(t.Context(), task.ID, schedule.Event{Status: schedule.Running, Node: "n1", Note: line}); err != nil {
				t.Fatal(err)
			}
		}
	}
	nodes := make([]*httptest.Server, 2) // the browser comes again to another node
	for i := range nodes {
		c := hub(t, h.Desk, auth.Administrator)
		c.livePace = 5 * time.Millisecond
		nodes[i] = httptest.NewServer(c)
		defer nodes[i].Close()
	}
	b := &browser{T: t, parts: map[string]string{}}
	whole := []string{"task-head", "task-steps", "task-log"}
	at := func(n int) { b.url = nodes[n].URL + "/tasks/" + task.ID + "/events" }

	say("line 1", "line 2")
	at(0)
	b.connect()
	b.expect(whole...)
	if got := b.log(); !slices.Equal(got, []string{"line 1", "line 2"}) {
		t.Errorf("at first the log is %q", got)
	}
	say("line 3")
	b.expect("task-head") // and the line goes down
	b.leave()
	say("line 4")
	at(1)
	b.connect()
	b.expect(whole...)
	if got := b.log(); !slices.Equal(got, []string{"line 1", "line 2", "line 3", "line 4"}) {
		t.Errorf("cut between two patches the log is %q", got)
	}
	b.leave()
	place := b.place

	// What was read is not sent again: the first that comes is the news.
	at(0)
	b.connect()
	b.parts = map[string]string{}
	say("line 5")
	b.expect(whole...)
	if got := b.log(); len(got) != 5 || got[4] != "line 5" || b.place == place {
		t.Errorf("the first that came behind %s was %q", place, got)
	}
	b.leave()

	// The last line of a task comes after its state.
	if _, err := h.Desk.CancelTask(desktest.As(t, auth.Administrator), task.ID); err != nil {
		t.Fatal(err)
	}
	say("line 6")
	at(1)
	b.connect()
	b.expect(append(whole, "end")...)
	if got := b.log(); len(got) != 6 || got[5] != "line 6" {
		t.Errorf("at the end the log is %q", got)
	}
	b.connect()
	b.expect("end") // nothing of it comes twice
}

func TestAPlaceThatCannotBeReadBeginsAnew(t *testing.T) {
	for place, want := range map[string]int64{"": -1, "soon": -1, "-running": -1, "7": 7, "7-running": 7, "99999999999999999999-done": -1} {
		if seen, state := readPlace(place); seen != want || want < 0 && state != "" {
			t.Errorf("%q is read as %d %q", place, seen, state)
		}
	}
	if seen, state := readPlace(liveTask{LastNo: 12}.place()); seen != 12 || state != "" {
		t.Errorf("a place reads back as %d %q", seen, state)
	}
}
