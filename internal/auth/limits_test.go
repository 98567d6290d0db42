package auth

import (
	"fmt"
	"testing"
	"time"

	"xinshu/internal/fault"
)

func TestAClientThatAsksTooOftenWaitsAndOthersDoNot(t *testing.T) {
	now := time.Date(2025, 10, 28, 9, 0, 0, 0, time.UTC)
	l := NewLimits(5, 10, func() time.Time { return now })
	took := 0
	for range 100 {
		if l.Take("client:a") == nil {
			took++
		}
	}
	if took != 20 { // five a second, four seconds at once
		t.Errorf("%d were taken at once", took)
	}
	err := l.Take("client:a")
	if !fault.Is(err, fault.TooMany) || RetryAfter(err) != "1" {
		t.Errorf("it says %v", err)
	}
	if err := l.Take("client:b"); err != nil {
		t.Errorf("another client: %v", err)
	}
	now = now.Add(time.Second)
	took = 0
	for range 100 {
		if l.Take("client:a") == nil {
			took++
		}
	}
	if took != 5 {
		t.Errorf("%d were taken a second later", took)
	}
	if RetryAfter(fault.Newf(fault.Invalid, "x", "y")) != "" {
		t.Error("any error asks to wait")
	}
}

func TestProofsThatDoNotHoldCostMore(t *testing.T) {
	now := time.Date(2025, 10, 28, 9, 0, 0, 0, time.UTC)
	l := NewLimits(0, 0, func() time.Time { return now })
	tried := 0
	for l.Failed("at:10.0.0.1") == nil {
		tried++
	}
	if tried != 40 {
		t.Errorf("%d keys were tried at once", tried)
	}
}

// A flood from more addresses than the table holds: no memory without bound, and no free way in.
func TestAFloodOfAddressesIsBounded(t *testing.T) {
	now := time.Date(2025, 10, 28, 9, 0, 0, 0, time.UTC)
	l := NewLimits(0, 0, func() time.Time { return now })
	refused := 0
	for i := range 3 * mostBuckets {
		if l.Take(fmt.Sprint("at:", i)) != nil {
			refused++
		}
	}
	if len(l.buckets) > mostBuckets || refused < mostBuckets {
		t.Errorf("%d buckets, %d refused", len(l.buckets), refused)
	}
	now = now.Add(time.Minute)
	if err := l.Take("at:new"); err != nil || len(l.buckets) != 1 {
		t.Errorf("a minute later: %v, %d buckets", err, len(l.buckets))
	}
}

func TestAPageToGoToIsOneOfThisHub(t *testing.T) {
	for to, want := range map[string]string{"/grades?uscc=1": "/grades?uscc=1", "": "/", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "/a\r\nb": "/", "grades": "/"} {
		if got := LocalPath(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}
