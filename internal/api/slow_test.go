package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSlowBodiesAndFloodsAreBounded sends two thousand requests whose bodies do not come. Each is
// answered when its time is over, memory does not grow with what they promise, and whoever asks
// meanwhile is answered at once, or told to come back.
func TestSlowBodiesAndFloodsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.open(Options{Bounds: Bounds{Requests: 64, BodyWait: 300 * time.Millisecond}})
	server := httptest.NewServer(w.api)
	defer server.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	statuses := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	turn := make(chan struct{}, 200)
	for range 2000 {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			c, err := (&net.Dialer{Timeout: 20 * time.Second}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			_, _ = io.WriteString(c, "POST /v1/receipts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{")
			_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
			out, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Error(err)
				return
			}
			_ = out.Body.Close()
			mu.Lock()
			statuses[out.StatusCode]++
			mu.Unlock()
		})
	}
	wg.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if statuses[http.StatusRequestTimeout] == 0 || statuses[http.StatusRequestTimeout]+statuses[http.StatusServiceUnavailable] != 2000 {
		t.Errorf("answered %v", statuses)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("%d MB of memory stay", grown>>20)
	}
	t.Logf("answered %v", statuses)
	if out := w.ask(http.MethodGet, "/openapi.json", ""); out.Code != http.StatusOK {
		t.Errorf("afterwards %d", out.Code)
	}
}

func TestABodyWithoutEndIsCutOff(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.api)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/receipts", io.MultiReader(strings.NewReader(`{"delivery":"`), endless{}))
	w.ok(err)
	r.Header.Set("Content-Type", "application/json")
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		return // the hub hung up while it was being sent to
	}
	defer func() { _ = out.Body.Close() }()
	if out.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d", out.StatusCode)
	}
}

// endless is a text that does not end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
