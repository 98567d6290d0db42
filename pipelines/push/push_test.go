package push

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
	"xinshu/internal/state"
)

var down = &fault.Error{Op: "push", Code: fault.Unavailable, Err: errors.New("connection refused")}

func TestFiveReceiversAllEndOnTheCorrectedGrade(t *testing.T) {
	h := newHub(t, "prompt", "offline", "late", "lossy", "choosy")
	prompt, offline, late, lossy, choosy := newReceiver(), newReceiver(), later{newReceiver()}, newReceiver(), newReceiver()
	targets := []Target{{ID: "prompt", Pusher: prompt}, {ID: "offline", Pusher: offline, Batch: 2}, {ID: "late", Pusher: late},
		{ID: "lossy", Pusher: lossy}, {ID: "choosy", Pusher: choosy}}
	isDown := true
	offline.before = func(connectors.Delivery) error {
		if isDown {
			return down
		}
		return nil
	}
	late.after = func(d connectors.Delivery) (connectors.Receipt, error) { // answers a day later, twice, newest first
		a := connectors.Answer{DeliveryID: d.ID, Receipt: connectors.Receipt{Code: "0", Accepted: int64(len(d.Rows))}}
		for _, which := range []string{"a", "b"} {
			a.Handle = d.ID + which
			late.answers = append([]connectors.Answer{a}, late.answers...)
		}
		return connectors.Receipt{Pending: true}, nil
	}
	attempts := 0
	lossy.after = func(d connectors.Delivery) (connectors.Receipt, error) { // takes the rows, the answer is lost
		if attempts++; attempts%3 != 0 {
			return connectors.Receipt{}, down
		}
		return connectors.Receipt{Accepted: int64(len(d.Rows))}, nil
	}
	choosy.after = func(d connectors.Delivery) (connectors.Receipt, error) { // refuses the old grade of B
		r := connectors.Receipt{}
		for _, row := range d.Rows {
			if row.USCC == "B" && row.Version == 1 {
				r.Rows = append(r.Rows, connectors.RowReceipt{ID: row.ID, Code: "E-7", Message: "unknown entity"})
			}
		}
		r.Rejected, r.Accepted = int64(len(r.Rows)), int64(len(d.Rows)-len(r.Rows))
		return r, nil
	}
	push := func() map[string]Report {
		t.Helper()
		reports, err := h.Push(t.Context(), targets)
		h.ok(err)
		byTarget := map[string]Report{}
		for _, r := range reports {
			byTarget[r.Target] = r
		}
		return byTarget
	}

	h.publish("grade", 1, map[string]string{"A": "良", "B": "中", "C": "差"})
	push()
	for range 3 * 24 { // three days on which one receiver is not there; half way the yearly result is corrected
		h.clock = h.clock.Add(time.Hour)
		if h.clock.Hour() == 21 && h.head.N == 1 {
			h.publish("correction", 2, map[string]string{"A": "优", "B": "良"})
			h.publish("retraction", 2, map[string]string{"C": ""})
		}
		push()
	}
	if r := push()["offline"]; r.Sent != 0 || r.Open != 3 || r.Acknowledged != 0 {
		t.Errorf("while it is away: %+v", r)
	}
	isDown = false
	h.clock = h.clock.Add(time.Hour)
	reports := push()
	for id, r := range map[string]*receiver{"prompt": prompt, "offline": offline, "late": late.receiver, "lossy": lossy, "choosy": choosy} {
		if a, b, c := r.grade(t, "A"), r.grade(t, "B"), r.grade(t, "C"); a != "优" || b != "良" || c != "retracted" {
			t.Errorf("%s ends on %s, %s, %s", id, a, b, c)
		}
		if got := reports[id]; got.Open != 0 || got.Failure != "" {
			t.Errorf("%s is left with %+v", id, got)
		}
	}
	if r := reports["choosy"]; r.Sent != 6 || r.Acknowledged != 5 || r.Rejected != 1 {
		t.Errorf("choosy %+v", r)
	}
	if len(offline.arrived) != 3 {
		t.Errorf("who was away is sent only what is newest, got %q", offline.arrived)
	}
}

func TestARefusalThatNoRetryMendsIsReportedAndHoldsNobodyUp(t *testing.T) {
	h := newHub(t, "x", "y")
	x, y := newReceiver(), newReceiver()
	x.before = func(connectors.Delivery) error {
		return fault.Newf(fault.Unauthorized, "push", "E-106: not in the authorisation list")
	}
	h.publish("grade", 1, map[string]string{"A": "良"})
	for range 3 {
		h.clock = h.clock.Add(24 * time.Hour)
		reports, err := h.Push(t.Context(), []Target{{ID: "x", Pusher: x}, {ID: "y", Pusher: y}})
		h.ok(err)
		if r := reports[1]; r.Acknowledged != 1 || r.Open != 0 {
			t.Errorf("y %+v", r)
		}
		if r := reports[0]; r.Open != 1 || (r.Deliveries == 1) != strings.Contains(r.Failure, "E-106") {
			t.Errorf("x %+v", r)
		}
	}
	problems, err := h.state.Problems(t.Context())
	h.ok(err)
	if len(problems) != 1 || problems[0].Attempts != 1 || !strings.Contains(problems[0].Message, "E-106") {
		t.Errorf("problems %+v", problems)
	}
}

func TestAnAnswerThatNeverComesIsAskedForAndThenAPersons(t *testing.T) {
	h := newHub(t, "x")
	x := later{newReceiver()}
	x.after = func(connectors.Delivery) (connectors.Receipt, error) { return connectors.Receipt{Pending: true}, nil }
	h.publish("grade", 1, map[string]string{"A": "良"})
	for range 20 {
		_, err := h.Push(t.Context(), []Target{{ID: "x", Pusher: x}})
		h.ok(err)
		h.clock = h.clock.Add(12 * time.Hour)
	}
	counts, err := h.state.Counts(t.Context())
	h.ok(err)
	if got := x.times[policy+"/A/1"]; got != 4 || counts[0].ForPerson != 1 {
		t.Errorf("sent %d times, %+v", got, counts)
	}
}

func TestADeletedDatabaseIsRebuiltAndSendsAgainUnderTheSameIDs(t *testing.T) {
	h := newHub(t, "x")
	x := newReceiver()
	h.publish("grade", 1, map[string]string{"A": "良", "B": "中"})
	h.publish("correction", 2, map[string]string{"B": "良"})
	_, err := h.Push(t.Context(), []Target{{ID: "x", Pusher: x}})
	h.ok(err)
	before := maps.Clone(x.told)

	h.ok(h.state.Close())
	files, err := filepath.Glob(h.file + "*")
	h.ok(err)
	for _, file := range files {
		h.ok(os.Remove(file))
	}
	h.open()
	_, err = h.state.Follow(t.Context())
	h.ok(err)
	h.ok(h.state.SetTargets(t.Context(), []state.Target{{ID: "x"}})) // either order will do
	reports, err := h.Push(t.Context(), []Target{{ID: "x", Pusher: x}})
	h.ok(err)
	if x.grade(t, "A") != "良" || x.grade(t, "B") != "良" || len(x.arrived) != 2 || x.times[policy+"/B/2"] != 2 || reports[0].Acknowledged != 2 {
		t.Errorf("x has %+v, report %+v", x, reports)
	}
	// What was published together before is one release now: rows keep their ids, deliveries may not.
	if len(x.mixed) > 0 || len(x.told) < len(before) {
		t.Errorf("deliveries %v, before %v", x.told, before)
	}
}

// Whatever fails, is lost, comes twice or late, and whoever is killed in between: a receiver that
// keeps the greatest version ends right, and no older version reaches it after a newer one.
func TestAReceiverThatKeepsTheGreatestVersionEndsRight(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 8))
			h := newHub(t, "x")
			x := later{newReceiver()}
			calm := false
			x.before = func(connectors.Delivery) error {
				if !calm && random.IntN(4) == 0 {
					return down
				}
				return nil
			}
			x.after = func(d connectors.Delivery) (connectors.Receipt, error) {
				full := connectors.Receipt{Code: "0", Accepted: int64(len(d.Rows))}
				switch turn := random.IntN(6); {
				case calm || turn < 2:
					return full, nil
				case turn == 2:
					return connectors.Receipt{}, down // the answer is lost
				case turn == 3: // half of the answer now
					half := connectors.Receipt{Pending: true}
					for _, row := range d.Rows[:len(d.Rows)/2] {
						half.Rows = append(half.Rows, connectors.RowReceipt{ID: row.ID, Code: "0"})
					}
					return half, nil
				default: // later, perhaps twice, in any order
					for range 1 + random.IntN(2) {
						x.answers = append(x.answers, connectors.Answer{DeliveryID: d.ID, Receipt: full, Handle: fmt.Sprint(random.Uint64())})
					}
					random.Shuffle(len(x.answers), func(i, j int) { x.answers[i], x.answers[j] = x.answers[j], x.answers[i] })
					return connectors.Receipt{Pending: true}, nil
				}
			}
			want := map[string]string{}
			target := []Target{{ID: "x", Pusher: x, Batch: 1 + random.IntN(4)}}
			for version := range int64(12) {
				changes := map[string]string{}
				for range 1 + random.IntN(5) {
					uscc := string(rune('A' + random.IntN(8)))
					changes[uscc] = fmt.Sprintf("grade %d", version+1)
					want[uscc] = changes[uscc]
				}
				h.publish("grade", version+1, changes)
				for range random.IntN(3) {
					if random.IntN(3) == 0 { // killed and started again
						h.ok(h.state.Close())
						h.open()
					}
					_, err := h.Push(t.Context(), target)
					h.ok(err)
					h.clock = h.clock.Add(time.Duration(random.IntN(36)) * time.Hour)
				}
			}
			calm = true
			var last []Report
			for range 4 {
				h.clock = h.clock.Add(48 * time.Hour)
				_, err := h.state.Reopen(t.Context(), "x")
				h.ok(err)
				last, err = h.Push(t.Context(), target)
				h.ok(err)
			}
			for uscc, grade := range want {
				if got := x.grade(t, uscc); got != grade {
					t.Errorf("%s ends on %s, want %s", uscc, got, grade)
				}
			}
			if last[0].Open != 0 || last[0].Failure != "" {
				t.Errorf("left with %+v", last[0])
			}
			if len(x.mixed) > 0 {
				t.Errorf("deliveries came again with other rows: %q", x.mixed)
			}
			newest := map[string]int{}
			for _, id := range x.arrived {
				var version int
				parts := strings.Split(id, "/")
				if _, err := fmt.Sscan(parts[2], &version); err != nil {
					t.Fatal(err)
				}
				if version < newest[parts[1]] {
					t.Errorf("%s came after version %d", id, newest[parts[1]])
				}
				newest[parts[1]] = version
			}
		})
	}
}
