package desk_test

import (
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
	"xinshu/pipelines"
	"xinshu/pipelines/schedule"
)

func TestWhyADeliveryWasRejectedAndWhatIsDoneAboutIt(t *testing.T) {
	h := desktest.New(t)
	see, change := as(t, auth.CreditOffice, auth.Scope{}), as(t, auth.Administrator, auth.Scope{})
	line := func() desk.TargetDetail {
		t.Helper()
		told, err := h.Desk.Target(see, desktest.Target)
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	if before := line(); before.Waiting != desktest.Entities || before.Since.IsZero() {
		t.Fatalf("before anything was sent: %+v", before.TargetLine)
	}
	h.Answer(t, 100)
	h.Clock = h.Clock.Add(time.Hour)
	if err := h.Desk.Renew(see); err != nil {
		t.Fatal(err)
	}
	page, err := h.Desk.Rejected(see, desktest.Target, "R-404", "", 10)
	if err != nil || len(page.Rows) != 10 || page.Next == "" || page.Rows[0].Message != "本平台无此主体" {
		t.Fatalf("what was rejected: %+v, %v", page, err)
	}
	rest, err := h.Desk.Rejected(see, desktest.Target, "R-404", page.Next, 10)
	if err != nil || len(rest.Rows) != desktest.Entities/100-10 || rest.Next != "" {
		t.Errorf("the page after: %d rows, %v", len(rest.Rows), err)
	}
	one, err := h.Desk.Delivery(see, page.Rows[0].Delivery, "rejected", "", 0)
	if err != nil || len(one.Rows) != 5 || len(one.Receipts) != 1 || one.Receipts[0].Rejected != 5 || len(one.Tries) != 1 {
		t.Errorf("its delivery: %+v, %v", one, err)
	}
	told, err := h.Desk.ToldOf(see, page.Rows[0].USCC, "service")
	if err != nil || len(told) != 1 || told[0].State != "rejected" || told[0].Target != desktest.Target {
		t.Errorf("what the target was told of the entity: %+v, %v", told, err)
	}

	if _, err := h.Desk.Retry(see, desktest.Target); !fault.Is(err, fault.Forbidden) {
		t.Errorf("who may only see retries: %v", err)
	}
	if n, err := h.Desk.Retry(change, desktest.Target); err != nil || n != desktest.Entities/100 {
		t.Errorf("%d rows are due again, %v", n, err)
	}
	h.Answer(t, 0)
	if n, err := h.Desk.Retry(change, desktest.Target); err != nil || n != 0 {
		t.Errorf("nothing stands rejected, %d rows are due again, %v", n, err)
	}
	if after := line(); after.Waiting != 0 || after.Count.Acknowledged != desktest.Entities || after.Count.Rejected != 0 || len(after.Days) != 1 {
		t.Errorf("afterwards: %+v, days %+v", after.Count, after.Days)
	}
}

func TestAWindowIsReplayedForAReason(t *testing.T) {
	h := desktest.New(t)
	h.Answer(t, 0)
	change := as(t, auth.Administrator, auth.Scope{})
	yesterday, tomorrow := h.Clock.Add(-24*time.Hour), h.Clock.Add(24*time.Hour)
	window := schedule.Replay{From: yesterday, Until: tomorrow, Reason: "restored"}
	for _, c := range []struct {
		name   string
		target string
		replay schedule.Replay
		want   fault.Code
	}{
		{"no window", desktest.Target, schedule.Replay{Reason: "restored"}, fault.Invalid},
		{"an end before the beginning", desktest.Target, schedule.Replay{From: tomorrow, Until: yesterday, Reason: "restored"}, fault.Invalid},
		{"releases of no one policy", desktest.Target, schedule.Replay{First: 1, Last: 2, Reason: "restored"}, fault.Invalid},
		{"no reason", desktest.Target, schedule.Replay{From: yesterday, Until: tomorrow}, fault.Invalid},
		{"no such target", "nobody", window, fault.NotFound},
	} {
		if _, err := h.Desk.Replay(change, c.target, nil, c.replay); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := h.Desk.Replay(as(t, auth.Steward, auth.Scope{}), desktest.Target, nil, window); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a steward: %v", err)
	}
	if _, err := h.Desk.Start(as(t, auth.Steward, auth.Scope{}), schedule.Work{Do: schedule.DoReplay, Targets: []string{desktest.Target}, Replay: &window}); !fault.Is(err, fault.Invalid) {
		t.Errorf("as any other task: %v", err)
	}
	task, err := h.Desk.Replay(change, desktest.Target, nil, window)
	if err != nil || task.State != schedule.Waiting || task.Work.Do != schedule.DoReplay || *task.Work.Replay != window {
		t.Errorf("the task is %+v, %v", task, err)
	}
	// Everything was stated anew by the second release: of the first one nothing is the newest any more.
	p := h.Desk.Pipeline
	first, err := p.Replay(t.Context(), desktest.Target, desktest.Policy, pipelines.Window{First: 1, Last: 1})
	if err != nil || first.Rows != 0 || first.Releases != 1 {
		t.Errorf("the first release: %+v, %v", first, err)
	}
	before, err := p.Replay(t.Context(), desktest.Target, desktest.Policy, pipelines.Window{From: yesterday.Add(-time.Hour), Until: yesterday})
	if err != nil || before.Releases != 0 || before.Rows != 0 {
		t.Errorf("the hour before: %+v, %v", before, err)
	}
	all, err := p.Replay(t.Context(), desktest.Target, desktest.Policy, pipelines.Window{From: yesterday, Until: tomorrow})
	if err != nil || all.Rows != desktest.Entities || all.Releases != 2 || all.Unknown != 0 {
		t.Errorf("the window: %+v, %v", all, err)
	}
	h.Answer(t, 0)
	told, err := h.Desk.Target(change, desktest.Target)
	if err != nil || told.Count.Acknowledged != desktest.Entities || told.Waiting != 0 {
		t.Errorf("a row counts once however often it goes out: %+v, %v", told.Count, err)
	}
}
