package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"xinshu/internal/fault"
)

// stopping is a server that can be told to stop.
type stopping struct {
	*testing.T
	to     string
	stop   context.CancelFunc
	ended  chan error
	inside chan string // paths of the requests that a handler has begun with
}

// startServing serves a batch that ends when it is let go, a stream that lasts as long as its context, and
// a page that waits for a body that never comes.
func startServing(t *testing.T, let <-chan struct{}, s Serving) *stopping {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	g := &stopping{T: t, to: l.Addr().String(), stop: stop, ended: make(chan error, 1), inside: make(chan string, 10)}
	mux := http.NewServeMux()
	mux.HandleFunc("/batch", func(w http.ResponseWriter, r *http.Request) {
		g.inside <- r.URL.Path
		select {
		case <-let:
			_, _ = io.WriteString(w, "taken")
		case <-r.Context().Done():
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		g.inside <- r.URL.Path
		<-r.Context().Done()
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		g.inside <- r.URL.Path
		_, err := io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusRequestTimeout)
		_, _ = io.WriteString(w, err.Error())
	})
	go func() { g.ended <- Serve(ctx, l, mux, s) }()
	t.Cleanup(stop)
	return g
}

// ask begins a request and waits until a handler has it.
func (g *stopping) ask(path string, body io.Reader) <-chan string {
	g.Helper()
	answer := make(chan string, 1)
	r, err := http.NewRequestWithContext(g.Context(), http.MethodPost, "http://"+g.to+path, body)
	if err != nil {
		g.Fatal(err)
	}
	go func() {
		out, err := http.DefaultClient.Do(r)
		if err != nil {
			answer <- "cut: " + err.Error()
			return
		}
		text, err := io.ReadAll(out.Body)
		_ = out.Body.Close()
		answer <- out.Status + " " + string(text) + " " + errorText(err)
	}()
	if got := <-g.inside; got != path {
		g.Fatalf("%s came in place of %s", got, path)
	}
	return answer
}

func errorText(err error) string {
	if err == nil {
		return "whole"
	}
	return err.Error()
}

// TestAStopLetsABatchEndAndNothingElse stops a server that has a batch, a stream and a page that waits for
// a slow body under way. The stream and the page end while the batch is still being taken.
func TestAStopLetsABatchEndAndNothingElse(t *testing.T) {
	let := make(chan struct{})
	g := startServing(t, let, Serving{Grace: time.Minute, Patience: func(r *http.Request) time.Duration {
		if r.URL.Path == "/batch" {
			return time.Minute
		}
		return 0
	}})
	never, pipe := io.Pipe()
	defer func() { _ = pipe.Close() }()
	batch, stream, slow := g.ask("/batch", nil), g.ask("/stream", nil), g.ask("/slow", never)
	g.stop()
	if got := <-stream; got != "200 OK  whole" {
		t.Errorf("the stream ended with %q", got)
	}
	if got := <-slow; !strings.Contains(got, "408 Request Timeout") {
		t.Errorf("the page ended with %q", got)
	}
	for { // nobody new
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.to)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	select {
	case got := <-batch:
		t.Fatalf("the batch was not let end: %q", got)
	case err := <-g.ended:
		t.Fatalf("the server did not wait for its batch: %v", err)
	default:
	}
	close(let)
	if got := <-batch; got != "200 OK taken whole" {
		t.Errorf("the batch was answered %q", got)
	}
	if err := <-g.ended; err != nil {
		t.Errorf("the stop: %v", err)
	}
}

func TestWhatGoesOnAfterTheGraceIsCut(t *testing.T) {
	g := startServing(t, nil, Serving{Grace: 50 * time.Millisecond, Patience: func(*http.Request) time.Duration { return time.Hour }})
	batch := g.ask("/batch", nil)
	g.stop()
	if got := <-batch; !strings.HasPrefix(got, "cut: ") {
		t.Errorf("answered %q", got)
	}
	if err := <-g.ended; !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the stop says %v", err)
	}
}

func TestAServerThatCannotAnswerSaysSo(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), l, http.NotFoundHandler(), Serving{Cert: "none.pem", Key: "none.pem"}); !fault.Is(err, fault.Internal) {
		t.Errorf("without a certificate: %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the address is still taken")
	}
}
