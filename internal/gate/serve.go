package gate

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"xinshu/internal/fault"
)

// Serving is how a server answers, and how it stops.
type Serving struct {
	Cert, Key string        // PEM files; with them it speaks TLS
	Grace     time.Duration // the longest that a request may go on when the server stops
	// Patience is how long a request may go on then; nil: each as long as Grace.
	Patience func(*http.Request) time.Duration
}

// Serve answers until the context ends. Then nobody new is let in, each request under way may go on for
// as long as the server has patience with it, and what is left after the grace is cut.
func Serve(ctx context.Context, l net.Listener, h http.Handler, s Serving) error {
	if s.Patience == nil {
		s.Patience = func(*http.Request) time.Duration { return s.Grace }
	}
	beyond := context.WithoutCancel(ctx)
	server := &http.Server{Handler: patient(ctx, h, s.Patience), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return beyond }}
	done := make(chan error, 1)
	go func() {
		if s.Cert != "" {
			done <- server.ServeTLS(l, s.Cert, s.Key)
			return
		}
		done <- server.Serve(l)
	}()
	select {
	case err := <-done:
		return &fault.Error{Op: "answer on " + l.Addr().String(), Code: fault.Internal, Err: errors.Join(err, l.Close())}
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(beyond, s.Grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return &fault.Error{Op: "stop answering on " + l.Addr().String(), Code: fault.Unavailable, Err: errors.Join(err, server.Close()),
			Hint: "a request under way was cut; whoever made it makes it again"}
	}
	return nil
}

// patient ends each request at its time after the stop: its context, and the reading and writing of a
// handler that waits for a slow peer.
func patient(stop context.Context, next http.Handler, patience func(*http.Request) time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		var (
			mu       sync.Mutex
			answered bool // w is the server's again
		)
		cut := func() {
			mu.Lock()
			defer mu.Unlock()
			if answered {
				return
			}
			cancel()
			now, conn := time.Now(), http.NewResponseController(w)
			_ = conn.SetReadDeadline(now) // not every writer has one
			_ = conn.SetWriteDeadline(now.Add(lastWords))
		}
		unwatch := context.AfterFunc(stop, func() {
			timer := time.AfterFunc(patience(r), cut)
			context.AfterFunc(ctx, func() { timer.Stop() })
		})
		defer func() {
			unwatch()
			mu.Lock()
			defer mu.Unlock()
			answered = true
			cancel()
		}()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// lastWords is how long a request that was cut has to say so.
const lastWords = time.Second
