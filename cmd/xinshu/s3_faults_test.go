package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/internal/lake"
	"xinshu/internal/lake/s3test"
)

// trouble stands between the hub and a real S3 server and spoils answers.
type trouble struct {
	server *httputil.ReverseProxy
	mu     sync.Mutex
	how    string                     // 500, 429, reset, silent
	spoil  func(r *http.Request) bool // which requests; under the lock
	count  int                        // spoiled so far
	gone   chan struct{}              // ends those who wait
}

func (p *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	spoiled, how := p.spoil != nil && p.spoil(r), p.how
	if spoiled {
		p.count++
	}
	p.mu.Unlock()
	if !spoiled {
		p.server.ServeHTTP(w, r)
		return
	}
	switch how {
	case "500":
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>InternalError</Code><Message>spoiled</Message></Error>`)
	case "429":
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>TooManyRequests</Code><Message>spoiled</Message></Error>`)
	case "reset": // the server did it, and the answer is lost
		p.server.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case "silent":
		select {
		case <-r.Context().Done():
		case <-p.gone:
		}
		panic(http.ErrAbortHandler)
	}
}

// set says what goes wrong from now on; nil: nothing.
func (p *trouble) set(how string, spoil func(r *http.Request) bool) (before int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.how, p.spoil, p.count = p.count, how, spoil, 0
	return before
}

// call names the kind of a request: method and what it is about.
func call(r *http.Request) string {
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	part, _, _ := strings.Cut(key, "/")
	if part == "" {
		part = "bucket"
	}
	return r.Method + " " + part
}

// TestAStoreInTroubleLosesNothing spoils each request of a whole run once, and then every request of one
// kind after another for good, in four ways: 500, 429, the answer lost after the work was done, and no
// answer at all. The run succeeds or says that the store is not to be had; the next one, without trouble,
// ends like one that never met any.
func TestAStoreInTroubleLosesNothing(t *testing.T) {
	server, err := s3test.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	p := &trouble{server: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: server.Endpoint}), gone: make(chan struct{})}
	p.server.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	direct := p.server.Director //nolint:staticcheck // the signature covers the host, which must stay what the client signed
	p.server.Director = func(r *http.Request) { host := r.Host; direct(r); r.Host = host }
	between := httptest.NewServer(p)
	t.Cleanup(func() { close(p.gone); between.Close() })

	lives := 0
	hub := func() (args []string, all func() []string) {
		lives++
		config, data := smallHub(t)
		bucket := fmt.Sprintf("trouble-%d", lives)
		text, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		endpoint := strings.TrimPrefix(between.URL, "http://")
		store := fmt.Sprintf("store: {kind: s3, endpoint: %q, bucket: %s, access_key: %s, secret_key: %s, answer_within: 1s}\n", endpoint, bucket, s3test.AccessKey, s3test.SecretKey)
		if err := os.WriteFile(config, append(text, store...), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"run", "--as-of", "2025-12-31", "-c", config}, func() []string {
			c := server.Config(bucket)
			s, err := lake.OpenS3(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			return holdingsIn(t, s, lake.Options{Node: "test", Cache: data + "/test-cache", CacheBytes: 1 << 30})
		}
	}

	// A run without trouble tells the kinds of its requests.
	kinds := map[string]int{}
	args, all := hub()
	p.set("", func(r *http.Request) bool { kinds[call(r)]++; return false })
	xinshu(t, "", args...)
	p.set("", nil)
	want := all()
	if len(want) < 12 || len(kinds) < 5 {
		t.Fatalf("%d statements, %d kinds of requests", len(want), len(kinds))
	}

	ways := []string{"reset"}
	if full() {
		ways = []string{"500", "429", "reset", "silent"}
	}
	runs, spoiled, refused := 0, 0, 0
	for _, how := range ways {
		t.Run("each request once: "+how, func(t *testing.T) {
			args, all := hub()
			met := map[string]bool{}
			p.set(how, func(r *http.Request) bool {
				key := r.Method + " " + r.URL.Path + "?" + r.URL.Query().Get("prefix")
				first := !met[key]
				met[key] = true
				return first
			})
			began := time.Now()
			_, _, err := try(t, 0, "", args...)
			n := p.set("", nil)
			runs, spoiled = runs+1, spoiled+n
			if err != nil {
				t.Errorf("one %s for each of %d requests is more than the run stands: %v", how, n, err)
				xinshu(t, "", args...)
			}
			if diff := differences(want, all()); diff != "" {
				t.Errorf("after %d spoiled requests: %s", n, diff)
			}
			t.Logf("%d requests spoiled, %s", n, time.Since(began).Round(time.Second))
		})
		for kind := range kinds {
			t.Run("every "+kind+": "+how, func(t *testing.T) {
				args, all := hub()
				p.set(how, func(r *http.Request) bool { return call(r) == kind })
				_, _, err := try(t, 0, "", args...)
				n := p.set("", nil)
				runs, spoiled = runs+1, spoiled+n
				if err != nil {
					refused++
					if !strings.Contains(err.Error(), "[unavailable]") && !strings.Contains(err.Error(), "[internal]") || strings.Contains(err.Error(), "goroutine ") {
						t.Errorf("the error does not say what is not to be had: %v", err)
					}
					xinshu(t, "", args...)
				}
				if diff := differences(want, all()); diff != "" {
					t.Errorf("after %d spoiled requests: %s", n, diff)
				}
			})
		}
	}
	t.Logf("%s: %d runs, %d requests spoiled, %d runs ended with an error that says so: nothing lost, nothing doubled", server.Kind, runs, spoiled, refused)
}
