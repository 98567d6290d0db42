package push

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

func TestJudge(t *testing.T) {
	ids := []string{"p/A/1", "p/B/1", "p/C/1"}
	yes := func(id string) connectors.RowReceipt { return connectors.RowReceipt{ID: id} }
	no := func(id, code string) connectors.RowReceipt { return connectors.RowReceipt{ID: id, Code: code} }
	for _, c := range []struct {
		name    string
		receipt connectors.Receipt
		want    []connectors.RowReceipt
	}{
		{"a batch accepted whole names no row", connectors.Receipt{Code: "0", Accepted: 3}, []connectors.RowReceipt{yes("p/A/1"), yes("p/B/1"), yes("p/C/1")}},
		{"only the rejected rows are named", connectors.Receipt{Accepted: 2, Rejected: 1, Rows: []connectors.RowReceipt{no("p/B/1", "E7")}},
			[]connectors.RowReceipt{no("p/B/1", "E7"), yes("p/A/1"), yes("p/C/1")}},
		{"row code 0 means accepted", connectors.Receipt{Accepted: 1, Rejected: 2, Rows: []connectors.RowReceipt{no("p/A/1", "0"), no("p/B/1", "1"), no("p/C/1", "1")}},
			[]connectors.RowReceipt{yes("p/A/1"), no("p/B/1", "1"), no("p/C/1", "1")}},
		{"a batch rejected whole rejects each row with its code", connectors.Receipt{Code: "E-106", Rejected: 3},
			[]connectors.RowReceipt{no("p/A/1", "E-106"), no("p/B/1", "E-106"), no("p/C/1", "E-106")}},
		{"rejected without a code is still rejected", connectors.Receipt{Code: "0", Rejected: 3},
			[]connectors.RowReceipt{no("p/A/1", "REJECTED"), no("p/B/1", "REJECTED"), no("p/C/1", "REJECTED")}},
		{"counts that leave the unnamed rows open decide nothing about them", connectors.Receipt{Accepted: 1, Rejected: 2, Rows: []connectors.RowReceipt{no("p/B/1", "E7")}},
			[]connectors.RowReceipt{no("p/B/1", "E7")}},
		{"counts that do not add up decide nothing", connectors.Receipt{Accepted: 2}, []connectors.RowReceipt{}},
		{"a promise to answer later decides nothing", connectors.Receipt{Accepted: 3, Pending: true}, []connectors.RowReceipt{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Judge(ids, c.receipt); !slices.Equal(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWaitsGrowSpreadAndRepeat(t *testing.T) {
	r := Retry{Base: time.Minute, Cap: time.Hour, Attempts: 4}
	for attempt, longest := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 6: 32 * time.Minute, 7: time.Hour, 1000: time.Hour} {
		var sum time.Duration
		seen := map[time.Duration]bool{}
		for i := range 500 {
			id := fmt.Sprintf("x-%d", i)
			w := r.wait(id, attempt)
			if w < 0 || w >= longest || w != r.wait(id, attempt) {
				t.Fatalf("attempt %d waits %v of %v", attempt, w, longest)
			}
			sum += w
			seen[w] = true
		}
		if mean := sum / 500; mean < longest*4/10 || mean > longest*6/10 || len(seen) < 490 {
			t.Errorf("attempt %d: mean wait %v of at most %v, %d different", attempt, mean, longest, len(seen))
		}
	}
}

func TestOnlyWhatIsUnavailableIsRetriedByItself(t *testing.T) {
	now := time.Date(2025, 10, 28, 0, 0, 0, 0, time.UTC)
	r := Retry{Attempts: 3}
	for _, c := range []struct {
		code    fault.Code
		attempt int
		again   bool
		open    bool
	}{
		{fault.Unavailable, 1, true, false},
		{fault.Unavailable, 2, true, false},
		{fault.Unavailable, 3, true, true}, // a person is told, and it still catches up by itself
		{fault.Unauthorized, 1, false, true},
		{fault.Invalid, 1, false, true},
	} {
		again, open := r.after("x", c.attempt, &fault.Error{Op: "push", Code: c.code, Err: errors.New("no")}, now)
		if again.After(now) != c.again || open != c.open {
			t.Errorf("%s at attempt %d: again %v, open %t", c.code, c.attempt, again, open)
		}
	}
}

func TestATargetGetsItsFieldsAndWhatAlwaysTravels(t *testing.T) {
	const body = `{"id":"p/A/2","kind":"correction","version":2,"policy":"p","evaluation":"public","maker":"省","status":"trial","uscc":"A","as_of":"2025-10-31",` +
		`"corrected_to":"2026-02-16","grade":"良","score":80.5,"name":"甲","previous_grade":"中","wording":"不作为背书。"}`
	for _, c := range []struct {
		name, kind string
		fields     []string
		want       string
	}{
		{"no fields named: everything, in its order", "correction", nil, body},
		{"the name alone, and never a grade without its wording", "correction", []string{"name"},
			`{"id":"p/A/2","kind":"correction","version":2,"policy":"p","evaluation":"public","maker":"省","status":"trial","uscc":"A","as_of":"2025-10-31","corrected_to":"2026-02-16","grade":"良","name":"甲","wording":"不作为背书。"}`},
		{"a retraction tells nothing of the result", "retraction", []string{"name", "score"},
			`{"id":"p/A/2","kind":"retraction","version":2,"policy":"p","evaluation":"public","maker":"省","status":"trial","uscc":"A","as_of":"2025-10-31","corrected_to":"2026-02-16","wording":"不作为背书。"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := connectors.Delivery{Rows: []connectors.Row{{ID: "p/A/2", Kind: c.kind, Body: []byte(body)}}}
			if err := tailor(&d, c.fields); err != nil {
				t.Fatal(err)
			}
			if got := string(d.Rows[0].Body); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			if d.Wording != "不作为背书。" {
				t.Errorf("wording %q", d.Wording)
			}
		})
	}
}
