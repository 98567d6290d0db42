package gate

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestWhoComesBetweenTwoServersWaits lets two servers follow one another on an address.
func TestWhoComesBetweenTwoServersWaits(t *testing.T) {
	life, end := context.WithCancel(t.Context())
	defer end()
	l, err := Last(life, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	turn := func(says string) (stop func()) {
		if err := l.Open(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(life)
		ended := make(chan error, 1)
		go func() {
			ended <- Serve(ctx, Listen(l, Limits{}), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, says) }), Serving{Grace: time.Minute})
		}()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	ask := func() string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), http.NoBody)
		if err != nil {
			t.Error(err)
			return ""
		}
		out, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer func() { _ = out.Body.Close() }()
		text, _ := io.ReadAll(out.Body)
		return string(text)
	}
	stop := turn("first")
	if got := ask(); got != "first" {
		t.Errorf("answered %q", got)
	}
	stop()
	waiting, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("turned away between two servers: %v", err)
	}
	defer func() { _ = waiting.Close() }()
	if _, err := io.WriteString(waiting, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	stop = turn("second")
	if text, err := io.ReadAll(waiting); err != nil || len(text) < 6 || string(text[len(text)-6:]) != "second" {
		t.Errorf("who waited was answered %q, %v", text, err)
	}
	end()
	stop()
	if c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("the address outlives its context")
	}
}
