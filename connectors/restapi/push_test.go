package restapi

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

func TestPushKeepsItsPromises(t *testing.T) {
	connectortest.Push(t, func(t *testing.T) connectortest.Target {
		p := startPlatform(t)
		c, _ := p.open(t, nil)
		return connectortest.Target{Conn: c, Secret: token, Records: func(t *testing.T) map[string]int {
			t.Helper()
			held := map[string]int{}
			p.mu.Lock()
			defer p.mu.Unlock()
			for id := range p.known {
				held[id]++
			}
			return held
		}}
	})
}

func TestPushSendsRowsByteForByteAndReadsEachRowsReceipt(t *testing.T) {
	p := startPlatform(t)
	c, _ := p.open(t, nil)
	d := connectortest.Delivery(2)
	d.Rows[1].Body = []byte(`{"id":"` + d.Rows[1].ID + `","uscc":""}`)
	r, err := c.Push(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != "0" || r.Message != "已接收" || r.Accepted != 1 || r.Rejected != 1 || r.Pending {
		t.Fatalf("receipt %+v", r)
	}
	if want := (connectors.RowReceipt{ID: d.Rows[1].ID, Code: "7", Message: "无主体"}); r.Rows[1] != want {
		t.Fatalf("row receipt %+v, want %+v", r.Rows[1], want)
	}
	if got := p.known[d.Rows[0].ID]; string(got) != string(d.Rows[0].Body) {
		t.Fatalf("row arrived as %s, was %s", got, d.Rows[0].Body)
	}
}

func TestARefusedDeliveryKeepsThePlatformsCodeVerbatim(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		envelopeOf(w, "E-777", "目录未订阅", nil)
		return true
	}
	c, s := p.open(t, nil)
	r, err := c.Push(t.Context(), connectortest.Delivery(1))
	var refusal *Refusal
	if !errors.As(err, &refusal) || !fault.Is(err, fault.Invalid) || r.Code != "E-777" || r.Message != "目录未订阅" {
		t.Fatalf("receipt %+v, error %v", r, err)
	}
	if len(s.slept) > 0 {
		t.Fatal("a refusal was tried again")
	}
}

func TestAReceiptThatCountsNothingIsAnError(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		envelopeOf(w, "0", "", map[string]any{})
		return true
	}
	c, _ := p.open(t, nil)
	if _, err := c.Push(t.Context(), connectortest.Delivery(1)); err == nil || !strings.Contains(err.Error(), "1 rows") {
		t.Fatalf("got %v", err)
	}
}

func TestADeliveryCutOnTheWayIsSentAgainWhole(t *testing.T) {
	p := startPlatform(t)
	var sizes []int64
	p.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		sizes = append(sizes, r.ContentLength)
		if n == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	}
	c, _ := p.open(t, nil)
	if r, err := c.Push(t.Context(), connectortest.Delivery(3)); err != nil || r.Accepted != 3 {
		t.Fatalf("receipt %+v, error %v", r, err)
	}
	if len(sizes) != 2 || sizes[0] != sizes[1] || sizes[0] < 100 {
		t.Fatalf("bodies of %v bytes were sent", sizes)
	}
}
