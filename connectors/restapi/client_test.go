package restapi

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// pull reads everything and gives the error it ended with.
func pull(t *testing.T, s connectortest.Source) (rows []string, err error) {
	t.Helper()
	for page, err := range s.Conn.(*conn).Pull(t.Context(), s.Job, "") {
		if err != nil {
			return rows, err
		}
		if page.Batch != nil {
			rows = append(rows, connectortest.Column(page.Batch, s.Column)...)
			page.Batch.Release()
		}
	}
	return rows, nil
}

// answers makes a platform give the listed answers to its first calls, then its own.
func answers(list ...func(http.ResponseWriter)) func(int, http.ResponseWriter, *http.Request) bool {
	return func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n > len(list) {
			return false
		}
		list[n-1](w)
		return true
	}
}

func status(code int, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

func body(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { _, _ = w.Write([]byte(text)) }
}

// cut promises more than it sends.
func cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"code":"0","data":{"rows":[`))
}

func TestFailuresThatPassAreTriedAgain(t *testing.T) {
	for name, failure := range map[string]func(http.ResponseWriter){
		"503 at night":               status(503),
		"502 from a gateway":         status(502),
		"429 with too many calls":    status(429),
		"a body cut on the way":      cut,
		"a line that breaks at once": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"500 with a page of the proxy": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte("<html>"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t)
			p.instead = answers(failure, failure)
			c, s := p.open(t, nil)
			src := p.source(t, c, nil)
			rows, err := pull(t, src)
			if err != nil || len(rows) != len(src.Rows) {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			if len(s.slept) != 2 || s.slept[1] < s.slept[0] {
				t.Fatalf("waited %v", s.slept)
			}
		})
	}
}

func TestFailuresThatStayAreNotTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		code   fault.Code
		says   string
	}{
		"404":                     {status(404), fault.NotFound, "404"},
		"400":                     {status(400), fault.Invalid, "400"},
		"401":                     {status(401), fault.Unauthorized, "check id, secret"},
		"a login page with 200":   {body("<!DOCTYPE html><html>请登录</html>"), fault.Invalid, "perhaps its login"},
		"broken JSON with 200":    {body(`{"code":"0","data":{"rows":[{"id":1}`), fault.Invalid, "broken or cut"},
		"nothing with 200":        {body(""), fault.Invalid, "answered with nothing"},
		"an unknown code":         {body(`{"code":"E-9","message":"维护"}`), fault.Invalid, `"E-9": "维护"`},
		"no code":                 {body(`{"data":{"rows":[]}}`), fault.Invalid, "no member code"},
		"no rows where they were": {body(`{"code":"0","data":{"total":3,"list":[]}}`), fault.Invalid, "check rows_path"},
		"rows that are no array":  {body(`{"code":"0","data":{"total":3,"rows":{"id":1}}}`), fault.Invalid, "check rows_path"},
		"a total that is a word":  {body(`{"code":"0","data":{"total":"many","rows":[]}}`), fault.Invalid, "no count"},
		"bytes that are no UTF-8": {body("{\"code\":\"0\",\"message\":\"\xb9\xab\"}"), fault.Invalid, "broken or cut"},
		"the redirect to a login on another host": {status(302, "Location", "http://login.example.gov.cn/?token=x"), fault.Invalid, "redirects to another host"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t)
			p.instead = answers(c.answer)
			conn, s := p.open(t, nil)
			rows, err := pull(t, p.source(t, conn, nil))
			if !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) || len(rows) > 0 {
				t.Fatalf("%d rows and %v; want %s that says %q", len(rows), err, c.code, c.says)
			}
			if len(s.slept) > 0 || len(p.calls) != 1 {
				t.Fatalf("%d calls", len(p.calls))
			}
			if strings.Contains(err.Error(), token) {
				t.Fatal("the error shows the secret")
			}
		})
	}
}

func TestNoRowsArriveAsNullFromSomePlatforms(t *testing.T) {
	p := startPlatform(t)
	p.instead = answers(body(`{"code":"0","data":{"total":0,"rows":null}}`))
	c, _ := p.open(t, nil)
	if rows, err := pull(t, p.source(t, c, nil)); err != nil || len(rows) != 0 {
		t.Fatalf("%v, %v", rows, err)
	}
}

func TestTriesEnd(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	c, _ := p.open(t, connectors.Values{"tries": "3"})
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Unavailable) || len(p.calls) != 3 {
		t.Fatalf("%d calls, %v", len(p.calls), err)
	}
}

func TestRetryAfterIsHonouredAndBounded(t *testing.T) {
	p := startPlatform(t)
	p.instead = answers(status(503, "Retry-After", "7"), status(429, "Retry-After", time.Now().Add(30*time.Second).UTC().Format(http.TimeFormat)))
	c, s := p.open(t, nil)
	if _, err := pull(t, p.source(t, c, nil)); err != nil {
		t.Fatal(err)
	}
	if s.slept[0] != 7*time.Second || s.slept[1] < 25*time.Second || s.slept[1] > 30*time.Second {
		t.Fatalf("waited %v", s.slept)
	}

	p = startPlatform(t)
	p.instead = answers(status(503, "Retry-After", "86400"))
	c, s = p.open(t, nil)
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "24h") {
		t.Fatalf("got %v", err)
	}
	if len(s.slept) > 0 {
		t.Fatalf("waited %v for a platform that is closed for the day", s.slept)
	}
}

func TestTheLimiterWaitsInsteadOfFailing(t *testing.T) {
	p := startPlatform(t)
	c, _ := p.open(t, connectors.Values{"rate": "50"})
	begun := time.Now()
	if rows, err := pull(t, p.source(t, c, connectors.Values{"page_rows": "1"})); err != nil || len(rows) != 7 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if took := time.Since(begun); took < 110*time.Millisecond {
		t.Fatalf("7 calls at 50 a second took %s", took)
	}
}

func TestAnAnswerBeyondTheLimitIsRefused(t *testing.T) {
	for name, send := range map[string]func(http.ResponseWriter){
		"plain": func(w http.ResponseWriter) { _, _ = w.Write([]byte(strings.Repeat(" ", 2<<20))) },
		"packed small, large once opened": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte(strings.Repeat(" ", 2<<20)))
			_ = z.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPlatform(t)
			p.instead = answers(send)
			c, _ := p.open(t, connectors.Values{"body_limit_mb": "1"})
			if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "body_limit_mb") {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestARedirectOnTheSameHostIsFollowedAndAnotherHostHearsNothing(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was called") }))
	defer other.Close()
	p := startPlatform(t)
	p.instead = answers(func(w http.ResponseWriter) {
		w.Header().Set("Location", p.URL+"/share/data?page=1&rows=2")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	c, _ := p.open(t, nil)
	if rows, err := pull(t, p.source(t, c, nil)); err != nil || len(rows) != 7 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	p.instead = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		status(http.StatusTemporaryRedirect, "Location", other.URL+"/share/data")(w)
		return true
	}
	if _, err := pull(t, p.source(t, c, nil)); !errors.Is(err, errRedirect) {
		t.Fatalf("got %v", err)
	}
}

func TestTheTotalTimeOfACallIsBounded(t *testing.T) {
	p := startPlatform(t)
	hold := make(chan struct{})
	p.instead = func(int, http.ResponseWriter, *http.Request) bool { <-hold; return true }
	c, _ := p.open(t, connectors.Values{"timeout": "30s", "total_timeout": "100ms"})
	_, err := pull(t, p.source(t, c, nil))
	close(hold)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "total_timeout") {
		t.Fatalf("got %v", err)
	}
}

func TestSettingsAreJudgedAllAtOnceWithoutShowingThem(t *testing.T) {
	c, _ := startPlatform(t).open(t, nil)
	for _, err := range c.Pull(t.Context(), connectors.Job{Values: connectors.Values{"path": "/data?page=1", "page_rows": "10001", "query": "%zz"}}, "") {
		for _, part := range []string{"path takes no parameters", "page_rows is above", "query is no list"} {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), part) {
				t.Errorf("%q is missing in %v", part, err)
			}
		}
	}
	values := connectors.Values{"url": "ftp://u:" + token + "@h", "profile": "national", "rate": "0", "colour": token}
	_, err := open(values, clock{now: time.Now, sleep: sleep})
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"url is no", "id is not set", "secret is not set", "rate is no", "colour is no setting"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in %v", part, err)
		}
	}
	if strings.Contains(err.Error(), token) || strings.Contains(fmt.Sprintf("%v %+v %#v", values, values, values), token) {
		t.Error("a value is shown")
	}
}
