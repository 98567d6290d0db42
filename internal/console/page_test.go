package console

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/web"
)

// standing is a console without a hub behind it: for what holds before a page does its work.
func standing(t *testing.T, actor auth.Actor, token string) *Console {
	t.Helper()
	c, err := New(Options{Desk: &desk.Desk{}, Files: web.Files, Now: time.Now, Version: "test", Log: slog.New(slog.DiscardHandler),
		Who: func(*http.Request) (auth.Actor, error) { return actor, nil }, Token: func(*http.Request) string { return token }})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Page{
		{Pattern: "POST /test/change", Right: auth.Self, Do: func(q *Request) error { return q.See("/test/done", q.Say("form.save")) }},
		{Pattern: "POST /test/large", Right: auth.Self, Do: func(q *Request) error { return q.readForm() }},
		{Pattern: "GET /test/rights", Right: auth.UsersSee, Do: func(q *Request) error { return q.Render("problem", map[string]any{"Status": 404}) }},
		{Pattern: "GET /test/broken", Right: auth.Anyone, Do: func(*Request) error {
			return &fault.Error{Op: "read /secret/place", Code: fault.Internal, Hint: "password=hunter2"}
		}},
	} {
		c.add(p)
	}
	return c
}

var administrator = auth.Actor{ID: "user:wang", Name: "王管理", Roles: []auth.Role{auth.Administrator}}

func ask(c *Console, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

func TestAFormIsTakenOnlyFromThisConsoleAndThisSession(t *testing.T) {
	c := standing(t, administrator, "the token of the session")
	post := func(values url.Values, header http.Header) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://hub.example/test/change", strings.NewReader(values.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		maps.Copy(r.Header, header)
		return r
	}
	right := url.Values{"csrf": {"the token of the session"}}
	for _, tc := range []struct {
		name   string
		r      *http.Request
		status int
	}{
		{"with the token", post(right, nil), http.StatusSeeOther},
		{"with the token in the header", post(nil, http.Header{"X-Csrf-Token": {"the token of the session"}}), http.StatusSeeOther},
		{"without a token", post(nil, nil), http.StatusForbidden},
		{"with another session's token", post(url.Values{"csrf": {"the token of another"}}, nil), http.StatusForbidden},
		{"with the token, from another site", post(right, http.Header{"Sec-Fetch-Site": {"cross-site"}}), http.StatusForbidden},
		{"with the token, of another origin", post(right, http.Header{"Origin": {"http://elsewhere.example"}}), http.StatusForbidden},
		{"from this origin", post(right, http.Header{"Origin": {"http://hub.example"}, "Sec-Fetch-Site": {"same-origin"}}), http.StatusSeeOther},
	} {
		if w := ask(c, tc.r); w.Code != tc.status {
			t.Errorf("%s: %d, not %d", tc.name, w.Code, tc.status)
		}
	}
}

func TestAFormIsBounded(t *testing.T) {
	c := standing(t, administrator, "")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/test/large", strings.NewReader("a="+strings.Repeat("x", bodyLimit)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := ask(c, r); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a body of more than the limit: %d", w.Code)
	}
}

func TestAnUploadLeavesNoFileBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	c := standing(t, administrator, "")
	seen := 0
	c.add(Page{Pattern: "POST /test/upload", Right: auth.Self, Body: 8 << 20, Do: func(q *Request) error {
		if err := q.readForm(); err != nil {
			return err
		}
		files, err := os.ReadDir(os.TempDir())
		seen = len(files)
		return err
	}})
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("workbook", "rows.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(make([]byte, 4<<20))
	_ = form.Close()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/test/upload", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	if w := ask(c, r); w.Code != http.StatusOK || seen != 1 {
		t.Fatalf("%d, with %d temporary files: %s", w.Code, seen, w.Body)
	}
	if files, _ := os.ReadDir(os.TempDir()); len(files) != 0 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestWhoMayNotIsSentOnOrTold(t *testing.T) {
	get := func(c *Console, path string) *httptest.ResponseRecorder {
		return ask(c, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	}
	nobody := standing(t, auth.Actor{}, "")
	if w := get(nobody, "/test/rights?a=1"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in?to=%2Ftest%2Frights%3Fa%3D1" {
		t.Errorf("nobody: %d to %s", w.Code, w.Header().Get("Location"))
	}
	township := standing(t, auth.Actor{ID: "user:li", Name: "李", Roles: []auth.Role{auth.TownshipUser}}, "")
	if w := get(township, "/test/rights"); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "没有权限") {
		t.Errorf("without the right: %d %s", w.Code, w.Body)
	}
	if w := get(township, "/"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/find" {
		t.Errorf("who may not see the overview is sent to %s (%d)", w.Header().Get("Location"), w.Code)
	}
	must := standing(t, auth.Actor{ID: "user:li", Roles: []auth.Role{auth.Administrator}, Only: []auth.Right{}}, "")
	if w := get(must, "/test/rights"); w.Header().Get("Location") != "/account/password" {
		t.Errorf("who must change the password is sent to %q", w.Header().Get("Location"))
	}
	if w := get(standing(t, administrator, ""), "/no/such"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "找不到") {
		t.Errorf("what is not there: %d", w.Code)
	}
}

func TestWhatBrokeInsideIsNotTold(t *testing.T) {
	w := ask(standing(t, administrator, ""), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/test/broken", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

func TestAFaultIsToldInTheReadersLanguage(t *testing.T) {
	c := standing(t, administrator, "the token")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://hub.example/test/change", nil)
	r.AddCookie(&http.Cookie{Name: "lang", Value: "zh"})
	body := ask(c, r).Body.String()
	if !strings.Contains(body, "您的角色不能这样做") || !strings.Contains(body, "请重新打开页面再提交") {
		t.Errorf("in Chinese: %s", body)
	}
}

func TestPagesAreKeptFromOthers(t *testing.T) {
	w := ask(standing(t, administrator, ""), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/test/rights", nil))
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"} {
		if got := w.Header().Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q", name, got)
		}
	}
	body := w.Body.String()
	for _, not := range []string{"<script>", "style=", "onclick=", "http://", "https://"} {
		if strings.Contains(body, not) {
			t.Errorf("the page has %s", not)
		}
	}
}

func TestTheNoticeOfAFormIsShownOnce(t *testing.T) {
	c := standing(t, administrator, "")
	w := ask(c, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/test/change", nil))
	next := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/test/rights", nil)
	next.AddCookie(w.Result().Cookies()[0])
	w = ask(c, next)
	if !strings.Contains(w.Body.String(), `role="status"`) || len(w.Result().Cookies()) != 1 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("the notice is not shown, or not taken away: %v", w.Result().Cookies())
	}
}

func TestStaticFilesStayWithTheBrowser(t *testing.T) {
	c := standing(t, auth.Actor{}, "")
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return ask(c, r)
	}
	path := c.assets.address("console.css")
	w := get(path, "Accept-Encoding", "gzip")
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := get(path, "If-None-Match", w.Header().Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("what the browser has is sent again: %d", w.Code)
	}
	if w := get("/static/console.css"); !strings.Contains(w.Header().Get("Cache-Control"), "no-cache") || !strings.Contains(w.Body.String(), "--accent") {
		t.Errorf("the plain name: %v", w.Header())
	}
	if w := get("/static/../web.go"); w.Code == http.StatusOK {
		t.Error("a path out of the folder is answered")
	}
}

func TestPreferencesAreKeptAndLeadBackToThisConsoleOnly(t *testing.T) {
	c := standing(t, auth.Actor{}, "")
	for to, want := range map[string]string{"/sources?a=1": "/sources?a=1", "//evil.example/x": "/", "https://evil.example/": "/", "/\\evil.example": "/", "": "/"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/preferences", strings.NewReader(url.Values{"to": {to}, "lang": {"en"}, "theme": {"purple"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := ask(c, r)
		if w.Header().Get("Location") != want {
			t.Errorf("%q leads to %q", to, w.Header().Get("Location"))
		}
		if cookies := w.Result().Cookies(); len(cookies) != 1 || cookies[0].Name != "lang" || cookies[0].Value != "en" {
			t.Errorf("cookies %v", cookies)
		}
	}
}

func TestWhatTheBrowserKeepsGoesOverTLSAlone(t *testing.T) {
	c := standing(t, administrator, "")
	c.Guard = &auth.Guard{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, tc := range []struct {
		name, peer, proto string
		tls, want         bool
	}{
		{name: "a trial on loopback", peer: "127.0.0.1:9", want: false},
		{name: "TLS to the hub", peer: "192.0.2.7:9", tls: true, want: true},
		{name: "TLS to a trusted proxy", peer: "10.0.0.3:9", proto: "https", want: true},
		{name: "a stranger says so", peer: "192.0.2.7:9", proto: "https", want: false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/preferences", strings.NewReader("theme=dark"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-Proto", tc.proto)
		if r.RemoteAddr = tc.peer; tc.tls {
			r.TLS = &tls.ConnectionState{}
		}
		cookies := ask(c, r).Result().Cookies()
		if len(cookies) != 1 || cookies[0].Secure != tc.want || !cookies[0].HttpOnly {
			t.Errorf("%s: %v", tc.name, cookies)
		}
	}
}
