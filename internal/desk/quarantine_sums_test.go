package desk_test

import (
	"sync"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
)

// Whoever asks at once gets one answer each, and all the same: it is counted once, outside of any lock
// that a page would wait for.
func TestRefusedRowsAreCountedForEverybodyAtOnce(t *testing.T) {
	d := desktest.Open(t)
	d.Patience = time.Nanosecond // of whoever does not want to wait
	ctx := desktest.As(t, auth.Steward)
	desktest.Ingest(t, d, "amr.severe", "a.csv", severe(3, 23))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if sum, err := d.QuarantineSummary(ctx, desk.RefusedRows{}); err != nil || sum.Total.Open != 23 {
				t.Errorf("%+v, %v", sum.Total, err)
			}
			if sum, behind, err := d.QuarantineAtHand(ctx, desk.RefusedRows{}); err != nil || sum.Total.Open+int64(23*behind) < 23 || behind > 1 {
				t.Errorf("at hand: %+v, %d behind, %v", sum.Total, behind, err)
			}
		})
	}
	all.Wait()
	desktest.Ingest(t, d, "amr.severe", "b.csv", severe(3, 25)) // two that are new
	for deadline := time.Now().Add(time.Minute); ; {
		sum, behind, err := d.QuarantineAtHand(ctx, desk.RefusedRows{})
		if err != nil || behind == 0 && sum.Total.Open != 25 || behind == 1 && sum.Total.Open != 23 {
			t.Fatalf("%+v, %d behind, %v", sum.Total, behind, err)
		}
		if behind == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it is never counted")
		}
	}
	desktest.Ingest(t, d, "amr.severe", "c.csv", severe(3, 26))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.QuarantineSummary(ctx, desk.RefusedRows{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a desk that is closed: %v", err)
	}
}
