package connectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/connectors"
)

// Target is what a kind brings to be pushed to.
type Target struct {
	Conn connectors.Conn
	// Records says what the platform holds: how often each row id, read from the platform's side.
	Records func(t *testing.T) map[string]int
	Secret  string
}

// Delivery makes a delivery of so many rows; the same n gives the same delivery.
func Delivery(n int) connectors.Delivery {
	d := connectors.Delivery{ID: fmt.Sprintf("0199d1c2-0000-7000-8000-%012d", n), Target: "city-share", Kind: "grades",
		Made: time.Date(2026, 1, 12, 9, 30, 0, 0, connectors.Shanghai), Wording: "评价结果不作为行政处罚的直接依据"}
	for i := range n {
		id := fmt.Sprintf("jiangyin-2020/91320281142243171E/%d", i+1)
		body := fmt.Sprintf(`{"id":%q,"kind":"grade","version":%d,"uscc":"91320281142243171E","name":"江阴<试>&公司","score":850.5,"measures":["绿色通道"]}`, id, i+1)
		d.Rows = append(d.Rows, connectors.Row{ID: id, Kind: "grade", Version: int64(i + 1), USCC: "91320281142243171E", Body: []byte(body)})
	}
	return d
}

// Push proves what Pusher promises. open gives a fresh target each time.
func Push(t *testing.T, open func(t *testing.T) Target) {
	t.Helper()
	t.Run("a delivery arrives whole and its receipt accounts for every row", func(t *testing.T) { arrives(t, open(t)) })
	t.Run("the same delivery twice is one record, also when sent side by side", func(t *testing.T) { twice(t, open(t)) })
	t.Run("a cancelled push ends with the context's error", func(t *testing.T) { cancelledPush(t, open(t)) })
}

func pusher(t *testing.T, target Target) connectors.Pusher {
	t.Helper()
	p, ok := target.Conn.(connectors.Pusher)
	if !ok {
		t.Fatalf("%T does not push", target.Conn)
	}
	return p
}

func arrives(t *testing.T, target Target) {
	t.Helper()
	d := Delivery(3)
	r, err := pusher(t, target).Push(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Pending && r.Accepted+r.Rejected != int64(len(d.Rows)) {
		t.Fatalf("the receipt accounts for %d + %d of %d rows", r.Accepted, r.Rejected, len(d.Rows))
	}
	if target.Secret != "" && strings.Contains(fmt.Sprintf("%+v", r), target.Secret) {
		t.Fatal("the receipt shows the secret")
	}
	once(t, target, d)
}

func once(t *testing.T, target Target, d connectors.Delivery) {
	t.Helper()
	held := target.Records(t)
	if len(held) != len(d.Rows) {
		t.Fatalf("the platform holds %d rows, want %d: %v", len(held), len(d.Rows), held)
	}
	for _, row := range d.Rows {
		if held[row.ID] != 1 {
			t.Fatalf("the platform holds row %s %d times", row.ID, held[row.ID])
		}
	}
}

func twice(t *testing.T, target Target) {
	t.Helper()
	p, d := pusher(t, target), Delivery(4)
	first, err := p.Push(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			again, err := p.Push(t.Context(), d)
			if err != nil {
				t.Errorf("pushed again: %v", err)
			}
			if again.Accepted != first.Accepted || again.Pending != first.Pending {
				t.Errorf("pushed again the receipt says %+v, first %+v", again, first)
			}
		})
	}
	both.Wait()
	once(t, target, d)
}

func cancelledPush(t *testing.T, target Target) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pusher(t, target).Push(ctx, Delivery(1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled push ended with %v", err)
	}
}
