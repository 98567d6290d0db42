package desk_test

import (
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
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
	yesterday, tomorrow := time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour) // the log stamps its entries by the machine's clock
	for _, c := range []struct {
		name   string
		replay desk.Replay
		want   fault.Code
	}{
		{"no window", desk.Replay{Target: desktest.Target, Reason: "restored"}, fault.Invalid},
		{"an end before the beginning", desk.Replay{Target: desktest.Target, From: tomorrow, Until: yesterday, Reason: "restored"}, fault.Invalid},
		{"releases of no one policy", desk.Replay{Target: desktest.Target, First: 1, Last: 2, Reason: "restored"}, fault.Invalid},
		{"no reason", desk.Replay{Target: desktest.Target, From: yesterday, Until: tomorrow}, fault.Invalid},
		{"no such target", desk.Replay{Target: "nobody", From: yesterday, Until: tomorrow, Reason: "restored"}, fault.NotFound},
	} {
		if _, err := h.Desk.Replay(change, c.replay); !fault.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := h.Desk.Replay(as(t, auth.Steward, auth.Scope{}), desk.Replay{Target: desktest.Target, From: yesterday, Until: tomorrow, Reason: "restored"}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a steward: %v", err)
	}
	// Everything was stated anew by the second release: of the first one nothing is the newest any more.
	first, err := h.Desk.Replay(change, desk.Replay{Target: desktest.Target, Policies: []string{desktest.Policy}, First: 1, Last: 1, Reason: "restored"})
	if err != nil || first.Rows != 0 || first.Releases != 1 {
		t.Errorf("the first release: %+v, %v", first, err)
	}
	all, err := h.Desk.Replay(change, desk.Replay{Target: desktest.Target, From: yesterday, Until: tomorrow, Reason: "restored"})
	if err != nil || all.Rows != desktest.Entities || all.Releases != 2 || all.Unknown != 0 {
		t.Errorf("the window: %+v, %v", all, err)
	}
	h.Answer(t, 0)
	told, err := h.Desk.Target(change, desktest.Target)
	if err != nil || told.Count.Acknowledged != desktest.Entities || told.Waiting != 0 {
		t.Errorf("a row counts once however often it goes out: %+v, %v", told.Count, err)
	}
}
