package lake_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/lake/laketest"
)

// trouble is what the proxy does with a PUT whose key has the prefix, as often as times says.
type trouble struct {
	prefix  string
	times   int
	forward bool   // the server gets the PUT and does it
	then    string // what the client gets: "503", "409", "cut" (connection broken), "silence" (no answer in time), "403"
}

// proxy stands before a real S3 server and makes trouble.
type proxy struct {
	http.Handler
	mu      sync.Mutex
	trouble trouble
	puts    int
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	p.mu.Lock()
	hit := r.Method == http.MethodPut && strings.HasPrefix(key, p.trouble.prefix)
	if hit {
		p.puts++
	}
	t := p.trouble
	hit = hit && t.times > 0
	if hit {
		p.trouble.times--
	}
	p.mu.Unlock()
	if !hit {
		p.Handler.ServeHTTP(w, r)
		return
	}
	if t.forward {
		p.Handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	status := map[string]int{"503": 503, "409": 409, "403": 403}[t.then]
	switch t.then {
	case "cut":
		panic(http.ErrAbortHandler)
	case "silence":
		<-r.Context().Done()
	default:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		code := map[int]string{503: "SlowDown", 409: "ConditionalRequestConflict", 403: "AccessDenied"}[status]
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>trouble</Message></Error>", code)
	}
}

func openTroubled(t *testing.T, patience time.Duration) (*lake.Lake, *proxy) {
	t.Helper()
	c := s3Server(t).Config(newBucket())
	behind := c.Endpoint
	p := &proxy{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", behind
		r.Out.Host = r.In.Host // the signature covers it
	}, ErrorLog: log.New(io.Discard, "", 0)}} // a client that gave up is what these tests are about
	front := httptest.NewServer(p)
	t.Cleanup(front.Close)
	c.Endpoint, c.AnswerWithin = strings.TrimPrefix(front.URL, "http://"), patience
	s, err := lake.OpenS3(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return reader(t, s), p
}

func TestAnswersThatDoNotSayWhatHappened(t *testing.T) {
	const always = 1000
	for _, c := range []struct {
		name    string
		trouble trouble
		code    fault.Code // of the first commit; empty: it succeeds
		entries int64      // after the first commit
		puts    int        // that reached the proxy; 0: not counted
	}{
		{"a 503 before the log entry is written: minio-go sends it again", trouble{"log/", 1, false, "503"}, "", 1, 2},
		{"a 503 after the log entry was written, then 412 for our own write", trouble{"log/", 1, true, "503"}, "", 1, 2},
		{"a connection cut after the log entry was written, each time", trouble{"log/", always, true, "cut"}, "", 1, 0},
		{"a connection cut before the log entry is written, each time", trouble{"log/", always, false, "cut"}, fault.Unavailable, 0, 0},
		{"a server that writes the log entry and is silent", trouble{"log/", always, true, "silence"}, "", 1, 0},
		{"a server that always answers 503", trouble{"log/", always, false, "503"}, fault.Unavailable, 0, 0},
		{"a 409 of two writes that overlapped, ours done", trouble{"log/", 1, true, "409"}, "", 1, 1},
		{"a 409 of two writes that overlapped, none done", trouble{"log/", 1, false, "409"}, fault.Unavailable, 0, 1},
		{"a refusal", trouble{"log/", 1, false, "403"}, fault.Unauthorized, 0, 1},
		{"a 503 after a data object was written, then 412 for our own write", trouble{"data/", 1, true, "503"}, "", 1, 2},
		{"a connection cut after a data object was written, each time", trouble{"data/", always, true, "cut"}, "", 1, 0},
		{"a server that always answers 503 to data", trouble{"data/", always, false, "503"}, fault.Unavailable, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var patience time.Duration
			if c.trouble.then == "silence" {
				patience = 2 * time.Second
			}
			l, p := openTroubled(t, patience)
			p.mu.Lock()
			p.trouble, p.puts = c.trouble, 0 // making the bucket was a PUT too
			p.mu.Unlock()
			_, err := commitOn(t, l, "r1")
			if got := fault.CodeOf(err); got != c.code {
				t.Errorf("%v, want code %q", err, c.code)
			}
			p.mu.Lock()
			if p.puts != c.puts && c.puts != 0 {
				t.Errorf("%d PUTs were seen, want %d", p.puts, c.puts)
			}
			p.trouble.times = 0
			p.mu.Unlock()
			if head, err := l.Head(t.Context(), chain.Settled); err != nil || head.N != c.entries {
				t.Errorf("head %d, %v; want %d", head.N, err, c.entries)
			}
			// The trouble is over and the step runs again: the work stands once.
			e, err := commitOn(t, l, "r1")
			if err != nil || e.N != 1 || len(e.Files) != 1 {
				t.Errorf("again: entry %d with %d files, %v", e.N, len(e.Files), err)
			}
			if report, err := l.Verify(t.Context(), true); err != nil || report.Entries != 1 {
				t.Errorf("verify: %+v, %v", report, err)
			}
		})
	}
}

func commitOn(t *testing.T, l *lake.Lake, run string) (chain.Entry, error) {
	t.Helper()
	head, err := l.Head(t.Context(), chain.Settled)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Put(t.Context(), laketest.Object(t, l, chain.Settled, run, "record", "records"))
	if err != nil {
		return chain.Entry{}, err
	}
	return l.Commit(t.Context(), chain.Draft{Base: head, Files: []chain.File{f},
		Entry: chain.Entry{Chain: chain.Settled, Run: run, Intent: chain.Intent(run)}})
}

// The server writes the entry of another node and answers our PUT with a 503 and then a 412: the
// commit id tells that this 412 is not for our own write.
func TestALostCommitIsNotTakenForOurs(t *testing.T) {
	l, p := openTroubled(t, 0)
	head, err := l.Head(t.Context(), chain.Settled)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commitOn(t, l, "other"); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.trouble = trouble{"log/", 1, false, "503"}
	p.mu.Unlock()
	_, err = l.Commit(t.Context(), chain.Draft{Base: head, Entry: chain.Entry{Chain: chain.Settled, Run: "late", Intent: "late"}})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("%v, want conflict", err)
	}
}

func TestCredentialsAreNeverPrinted(t *testing.T) {
	c := s3Server(t).Config(newBucket())
	c.SecretKey = "not-the-right-secret"
	_, err := lake.OpenS3(t.Context(), c)
	if !fault.Is(err, fault.Unauthorized) {
		t.Errorf("a wrong key: %v, want unauthorized", err)
	}
	s, err2 := lake.OpenS3(t.Context(), s3Server(t).Config(newBucket()))
	if err2 != nil {
		t.Fatal(err2)
	}
	text, err2 := c.SecretKey.MarshalText()
	for _, said := range []string{errors.Join(err, err2).Error(), fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c.SecretKey, c.SecretKey, c.SecretKey), s.String(), string(text)} {
		if strings.Contains(said, "not-the-right-secret") || strings.Contains(said, fmt.Sprintf("%x", "not-the-right-secret")) {
			t.Errorf("the secret shows in %s", said)
		}
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	c := s3Server(t).Config(newBucket())
	c.Endpoint = "127.0.0.1:1"
	if _, err := lake.OpenS3(t.Context(), c); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, want unavailable", err)
	}
}
