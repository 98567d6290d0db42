package restapi

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// The numbers are those of the list of behaviours that peers test.

func TestBehaviour26RetryOn429And5xxThenStopOther4xxAtOnce(t *testing.T) {
	for code, want := range map[int]struct {
		calls int
		code  fault.Code
	}{429: {3, fault.Unavailable}, 500: {3, fault.Unavailable}, 503: {3, fault.Unavailable}, 504: {3, fault.Unavailable},
		400: {1, fault.Invalid}, 404: {1, fault.NotFound}, 409: {1, fault.Conflict}, 410: {1, fault.NotFound}, 422: {1, fault.Invalid}, 403: {1, fault.Unauthorized}} {
		p := startPlatform(t)
		p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(code); return true }
		c, s := p.open(t, connectors.Values{"tries": "3"})
		_, err := pull(t, p.source(t, c, nil))
		if !fault.Is(err, want.code) || len(p.calls) != want.calls || !strings.Contains(err.Error(), fmt.Sprint(code)) {
			t.Errorf("%d: %d calls, %v", code, len(p.calls), err)
		}
		if want.calls == 3 && (len(s.slept) != 2 || s.slept[1] <= s.slept[0]/2) {
			t.Errorf("%d: waited %v", code, s.slept)
		}
	}
	for header, says := range map[string]string{"31536000": "8760h0m0s", "99999999999999999999": "", "18446744073709551615": "h0m0s",
		time.Now().AddDate(1, 0, 0).UTC().Format(http.TimeFormat): "not waited for"} {
		p := startPlatform(t)
		p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			status(503, "Retry-After", header)(w)
			return true
		}
		c, s := p.open(t, connectors.Values{"tries": "2"})
		_, err := pull(t, p.source(t, c, nil))
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), says) {
			t.Errorf("Retry-After %s: %v", header, err)
		}
		if says != "" && (len(s.slept) > 0 || len(p.calls) != 1) {
			t.Errorf("Retry-After %s was waited for: %v", header, s.slept)
		}
	}
}

func TestBehaviour27ABodyCutInTheMiddleLeavesNoHalfPage(t *testing.T) {
	packed := func(w http.ResponseWriter) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(`{"code":"0","data":{"total":7,"rows":[{"id":"half","op_time":"2025-10-28 09:00:00"}`))
		_ = z.Flush() // and no end
	}
	chunked := func(w http.ResponseWriter) {
		_, _ = w.Write([]byte(`{"code":"0","data":{"total":7,"rows":[{"id":"half","op_time":"2025-10-28 09:00:00"},`))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, cutting := range map[string]func(http.ResponseWriter){"declared longer than it is": cut, "chunks without an end": chunked, "gzip without an end": packed} {
		p := startPlatform(t)
		p.instead = func(n int, w http.ResponseWriter, _ *http.Request) bool {
			if n != 2 && n != 3 {
				return false
			}
			cutting(w)
			return true
		}
		c, s := p.open(t, nil)
		rows, err := pull(t, p.source(t, c, nil))
		if err != nil || strings.Join(rows, " ") != "r1 r2 r3 r4 r5 r6 r7" || len(s.slept) != 2 {
			t.Errorf("%s: %v, %v, waited %v", name, rows, err, s.slept)
		}
	}
	// A body longer than its Content-Length reaches us cut at that length: no half page either.
	p := startPlatform(t)
	p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		line, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return true
		}
		defer func() { _ = line.Close() }()
		_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n" + `{"code":"0","data":{"total":1,"rows":[{"id":"r1","op_time":"2025-10-28 09:00:00"}]}}`)
		_ = buf.Flush()
		return true
	}
	c, _ := p.open(t, nil)
	if rows, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "broken or cut") || len(rows) != 0 {
		t.Errorf("a body longer than declared: %v, %v", rows, err)
	}
}

func TestBehaviour28A200ThatIsNoAnswerIsAnErrorThatSaysSo(t *testing.T) {
	for name, c := range map[string]struct{ body, says string }{
		"login page":         {"<!DOCTYPE html><title>统一身份认证</title>", "perhaps its login"},
		"login page, a mark": {"\xef\xbb\xbf\r\n <html>", "perhaps its login"},
		"broken":             {`{"code":"0","data":{"rows":[{"id":`, "broken or cut"},
		"two documents":      {`{"code":"0"}{"code":"0"}`, "broken or cut"},
		"a word":             {`OK`, "broken or cut"},
		"blank":              {"  \r\n", "answered with nothing"},
		"no rows":            {`{"code":"0","data":{}}`, "check rows_path"},
	} {
		p := startPlatform(t)
		p.instead = answers(body(c.body))
		conn, _ := p.open(t, nil)
		if rows, err := pull(t, p.source(t, conn, nil)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) || len(rows) != 0 {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
}

func TestBehaviour29ATokenThatExpiresInMidPullIsRenewedOnce(t *testing.T) {
	p, k, c, _ := startTokens(t, nil)
	p.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 4 {
			k.valid = "taken back" // the second page is refused, whatever the token's end says
		}
		return k.guard(n, w, r)
	}
	if rows, err := pull(t, p.source(t, c, nil)); err != nil || len(rows) != 7 || k.given != 2 || k.refused != 1 {
		t.Fatalf("%d rows, %v; %d tokens, %d refused", len(rows), err, k.given, k.refused)
	}
	p.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/oauth/token" {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return k.guard(n, w, r)
	}
	before := k.given
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Unauthorized) || k.given != before+1 {
		t.Fatalf("%v after %d more tokens", err, k.given-before)
	}
}

func TestBehaviour30SecretsAreShownNowhere(t *testing.T) {
	var log strings.Builder
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	failures := map[string]func(http.ResponseWriter){
		"500": status(500), "401": status(401), "302": status(302, "Location", "http://elsewhere.example.gov.cn/?secret="+token), "cut": cut,
		"html": body("<html>"), "packed": status(200, "Content-Encoding", "br"), "echo of the header": body(`{"code":"7","message":"no"}`),
	}
	for _, profile := range profileNames() {
		values := connectors.Values{"profile": profile, "id": "id-1", "secret": token, "token_url": "", "tries": "2", "sm4_key": "0123456789abcdeffedcba9876543210",
			"sm2_key": hubKey, "sm2_platform_key": mustPublic(t), "query": ""}
		delete(values, "query")
		for name, failure := range failures {
			p := startPlatform(t)
			p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool { failure(w); return true }
			values["token_url"] = p.URL + "/oauth/token"
			c, _ := p.open(t, values)
			var said []string
			_, err := pull(t, p.source(t, c, connectors.Values{"sid": "s_1", "query": "key=" + token}))
			if err == nil {
				t.Errorf("%s, %s: no error", profile, name)
				continue
			}
			said = append(said, err.Error(), fmt.Sprintf("%+v", err), fmt.Sprint(values), fmt.Sprintf("%#v", values))
			text, err := c.Test(t.Context())
			said = append(said, text.String(), fmt.Sprint(err))
			_, err = c.Push(t.Context(), connectors.Delivery{ID: "d", Target: "t"})
			said = append(said, fmt.Sprint(err), log.String())
			for _, secret := range []string{token, "0123456789abcdeffedcba9876543210", hubKey} {
				if all := strings.Join(said, "\n"); strings.Contains(all, secret) {
					t.Errorf("%s, %s shows a secret:\n%s", profile, name, all)
				}
			}
		}
	}
}

func mustPublic(t *testing.T) string {
	t.Helper()
	_, c := startSealed(t, nil)
	return c.client.sealer.private.Public().Hex()
}

// impatient is a connection whose times are short.
func impatient(t *testing.T, p *platform, more connectors.Values) *conn {
	t.Helper()
	values := connectors.Values{"timeout": "600ms", "total_timeout": "15s", "tries": "2"}
	maps.Copy(values, more)
	c, _ := p.open(t, values)
	return c
}

func TestASlowDripIsCutAndNamed(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return true
			case <-tick.C:
				if _, err := w.Write([]byte(" ")); err != nil {
					return true
				}
				w.(http.Flusher).Flush()
			}
		}
	}
	began := time.Now()
	_, err := pull(t, p.source(t, impatient(t, p, nil), nil))
	if !fault.Is(err, fault.Unavailable) || !errors.Is(err, errDrip) || !strings.Contains(err.Error(), "min_rate_kb") {
		t.Fatalf("got %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(p.calls) != 2 {
		t.Errorf("%d tries", len(p.calls))
	}
}

func TestAnAnswerThatNeverBeginsAndALineThatNeverAnswers(t *testing.T) {
	p := startPlatform(t)
	hold := make(chan struct{})
	defer close(hold)
	p.instead = func(int, http.ResponseWriter, *http.Request) bool { <-hold; return true }
	if _, err := pull(t, p.source(t, impatient(t, p, connectors.Values{"tries": "1"}), nil)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mute.Close() }()
	c := impatient(t, p, connectors.Values{"url": "http://" + mute.Addr().String(), "tries": "1"})
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Test(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Test gave %v", err)
	}
}

func TestABodyWithoutEndAndABombAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		send func(w io.Writer) error
		gzip bool
		says string
	}{
		"a body without end": {says: "body_limit_mb", send: func(w io.Writer) error { _, err := w.Write(spaces); return err }},
		"a bomb":             {says: "gzip bomb", gzip: true, send: func(w io.Writer) error { _, err := w.Write(spaces); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t)
			p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				out := io.Writer(w)
				if c.gzip {
					w.Header().Set("Content-Encoding", "gzip")
					out = gzip.NewWriter(w)
				}
				for c.send(out) == nil {
				}
				return true
			}
			dir := t.TempDir()
			limit := "100"
			if c.gzip {
				limit = "4096"
			}
			conn, _ := p.open(t, connectors.Values{"body_limit_mb": limit, "temp_dir": dir})
			peak := watchMemory(t)
			_, err := pull(t, p.source(t, conn, nil))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) || len(p.calls) != 1 {
				t.Errorf("%d calls, %v", len(p.calls), err)
			}
			if mb := peak(); mb > 64 {
				t.Errorf("%d MB of memory", mb)
			}
			empty(t, dir)
		})
	}
}

var spaces = []byte(strings.Repeat(" ", 1<<20))

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

// watchMemory gives how much the heap grew, at most, in MB.
func watchMemory(t *testing.T) func() uint64 {
	t.Helper()
	var begin, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&begin)
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		peak := uint64(0)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&now)
				if now.HeapInuse > begin.HeapInuse {
					peak = max(peak, now.HeapInuse-begin.HeapInuse)
				}
			case <-stop:
				most <- peak >> 20
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

func TestAFullDiskIsNamed(t *testing.T) {
	p := startPlatform(t)
	p.instead = answers(func(w http.ResponseWriter) {
		for range 20 {
			_, _ = w.Write(spaces)
		}
	})
	c, _ := p.open(t, connectors.Values{"temp_dir": "/dev/full/none"})
	_, err := pull(t, p.source(t, c, nil))
	if fault.CodeOf(err) != fault.Internal || !strings.Contains(err.Error(), "temp_dir") || len(p.calls) != 1 {
		t.Errorf("%d calls, %v", len(p.calls), err)
	}
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	_, err = spooling{full}.Write([]byte("x"))
	if _, ok := errors.AsType[*spoolError](err); !ok || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk gives %v", err)
	}
}

func TestPackedInAWayNotAskedFor(t *testing.T) {
	p := startPlatform(t)
	p.instead = answers(status(200, "Content-Encoding", "br"))
	c, _ := p.open(t, nil)
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "only gzip") {
		t.Errorf("got %v", err)
	}
	p = startPlatform(t)
	p.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("asked for %s", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		if n == 1 {
			_, _ = w.Write([]byte("\x1f\x8b\x08 this is no gzip at all"))
			return true
		}
		z := gzip.NewWriter(w)
		inner := &recorder{header: http.Header{}}
		p.serve(inner, r)
		_, _ = z.Write(inner.body.Bytes())
		_ = z.Close()
		return true
	}
	c, s := p.open(t, nil)
	if rows, err := pull(t, p.source(t, c, nil)); err != nil || len(rows) != 7 || len(s.slept) != 1 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// large serves one answer of so many rows, made as it is sent; the code stands behind the rows.
func large(rows int, code string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pad := strings.Repeat("信", 100)
		_, _ = fmt.Fprintf(w, `{"message":"m","data":{"page":{"n":1},"rows":[`)
		var line []byte
		for i := range rows {
			line = line[:0]
			if i > 0 {
				line = append(line, ',', '\n')
			}
			line = fmt.Appendf(line, `{"id":"r%d","op_time":"2025-10-28 09:00:00","text":"%s"}`, i, pad)
			if _, err := w.Write(line); err != nil {
				return
			}
		}
		_, _ = fmt.Fprintf(w, `],"total":%d},"code":%s}`, rows, code)
	})
}

func pullLarge(t *testing.T, rows int, code string) (got int, pages int, err error) {
	t.Helper()
	server := httptest.NewServer(large(rows, code))
	defer server.Close()
	dir := t.TempDir()
	c, err := open(connectors.Values{"url": server.URL, "temp_dir": dir}, clock{now: time.Now, sleep: sleep})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	job := connectors.Job{Values: connectors.Values{"path": "/data", "paging": "none", "since_param": ""}}
	for page, err := range c.Pull(t.Context(), job, "") {
		if err != nil {
			return got, pages, err
		}
		first := connectortest.Column(page.Batch.NewSlice(0, 1), "id")[0]
		if first != fmt.Sprintf("r%d", got) || page.Origin.Line != int64(got+1) {
			t.Fatalf("page %d begins with %s, line %d, after %d rows", pages+1, first, page.Origin.Line, got)
		}
		if pages == 0 && (page.Declared == nil || *page.Declared != int64(rows)) {
			t.Errorf("declared %v", page.Declared)
		}
		got += int(page.Batch.NumRows())
		pages++
		page.Batch.Release()
	}
	empty(t, dir)
	return got, pages, nil
}

func TestAnAnswerLargerThanMemoryComesRowByRow(t *testing.T) {
	rows := 300_000 // 110 MB
	if os.Getenv("XINSHU_FULL") == "1" {
		rows = 6_000_000 // 2.2 GB
	}
	peak := watchMemory(t)
	got, pages, err := pullLarge(t, rows, `"0"`)
	if err != nil || got != rows || pages < rows/connectors.PageRows {
		t.Fatalf("%d rows in %d pages, %v", got, pages, err)
	}
	mb := peak()
	t.Logf("%d rows in %d pages, %d MB of heap", got, pages, mb)
	if mb > 160 {
		t.Errorf("%d MB of heap", mb)
	}
	if got, _, err := pullLarge(t, 40_000, `"E-9"`); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "E-9") || got != 0 {
		t.Errorf("a code of failure behind the rows: %d rows, %v", got, err)
	}
}

func TestALargeAnswerThatIsBrokenGivesNoRow(t *testing.T) {
	for name, c := range map[string]struct{ tail, says string }{
		"cut in its JSON":       {`{"id":"x`, "broken or cut"},
		"a broken row":          {`{"id":x}]},"code":"0"}`, "broken or cut"},
		"no end of the objects": {`{"id":"x"}]`, "broken or cut"},
		"something behind":      {`{"id":"x"}]},"code":"0"}}`, "broken or cut"},
	} {
		p := startPlatform(t)
		p.instead = answers(func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"data":{"rows":[`)
			for range 10 {
				_, _ = io.WriteString(w, `{"id":"`+string(spaces)+`"},`)
			}
			_, _ = io.WriteString(w, c.tail)
		})
		conn, _ := p.open(t, nil)
		if rows, err := pull(t, p.source(t, conn, nil)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) || len(rows) != 0 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
}

func TestALargeAnswerIsResumedInItsMiddle(t *testing.T) {
	rows := 50_000
	changed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if changed {
			large(rows-1, `"0"`).ServeHTTP(&prefixed{ResponseWriter: w}, r)
			return
		}
		large(rows, `"0"`).ServeHTTP(w, r)
	}))
	defer server.Close()
	c, err := open(connectors.Values{"url": server.URL}, clock{now: time.Now, sleep: sleep})
	if err != nil {
		t.Fatal(err)
	}
	job := connectors.Job{Values: connectors.Values{"path": "/data", "paging": "none", "since_param": ""}}
	count := func(after connectors.Cursor, most int) (n int64, next connectors.Cursor, declared int64) {
		for page, err := range c.Pull(t.Context(), job, after) {
			if err != nil {
				t.Fatal(err)
			}
			n += page.Batch.NumRows()
			if page.Declared != nil {
				declared = *page.Declared
			}
			next = page.Next
			page.Batch.Release()
			if most--; most == 0 {
				break
			}
		}
		return n, next, declared
	}
	given, middle, _ := count("", 2)
	rest, end, declared := count(middle, 0)
	if given+rest != int64(rows) || declared != rest || end != "" {
		t.Errorf("%d and %d rows of %d, declared %d, then %q", given, rest, rows, declared, end)
	}
	changed = true // rows that were given are no longer first: everything comes again, nothing is lost
	if again, _, declared := count(middle, 0); again != int64(rows-1) || declared != again {
		t.Errorf("%d rows, declared %d", again, declared)
	}
}

// prefixed renames the first row.
type prefixed struct {
	http.ResponseWriter
	done bool
}

func (p *prefixed) Write(b []byte) (int, error) {
	if !p.done && strings.Contains(string(b), `"r0"`) {
		p.done = true
		_, err := p.ResponseWriter.Write([]byte(strings.Replace(string(b), `"r0"`, `"new"`, 1)))
		return len(b), err
	}
	return p.ResponseWriter.Write(b)
}
