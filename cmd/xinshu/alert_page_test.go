package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"xinshu/internal/alerts"
	"xinshu/internal/auth"
	"xinshu/internal/console"
	"xinshu/web"
)

func TestThePageOfAlertsShowsThemAndTakesThemOn(t *testing.T) {
	a, _ := careApp(t, Config{})
	role := auth.Administrator
	pages, err := console.New(console.Options{Desk: a.desk, Files: web.Files, Now: a.now, Log: slog.New(slog.DiscardHandler),
		Who: func(*http.Request) (auth.Actor, error) {
			return auth.Actor{ID: "user:wang", Name: "王芳", Roles: []auth.Role{role}}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if code, body := get(t, pages, "127.0.0.1:1", "/alerts"); code != 200 || !strings.Contains(body, "没有需要处理的告警") {
		t.Errorf("a calm hub: %d %s", code, body)
	}
	for i := range 60 {
		raised := alerts.Alert{ID: "alert-" + time.Unix(int64(i), 0).UTC().Format("150405"), Rule: alerts.Disk, Subject: "/data/" + time.Unix(int64(i), 0).UTC().Format("150405"), Level: alerts.Critical,
			ZH: "磁盘将满<script>", EN: "the disk fills", Raised: a.now().Add(time.Duration(i) * time.Second)}
		if _, err := a.state.RaiseAlert(t.Context(), raised, nil); err != nil {
			t.Fatal(err)
		}
	}
	code, body := get(t, pages, "127.0.0.1:1", "/alerts", "Accept-Language", "zh")
	if code != 200 || strings.Count(body, "磁盘将满&lt;script&gt;") != 60+50 || !strings.Contains(body, "after=") || !strings.Contains(body, "/alerts/alert-000007/seen") {
		t.Errorf("%d, %d times", code, strings.Count(body, "磁盘将满"))
	}
	see := func() int {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/alerts/alert-000007/seen", nil))
		return w.Code
	}
	if code := see(); code != http.StatusSeeOther {
		t.Errorf("taking one on answers %d", code)
	}
	if _, body := get(t, pages, "127.0.0.1:1", "/alerts"); !strings.Contains(body, "王芳") || strings.Contains(body, "/alerts/alert-000007/seen") {
		t.Error("it does not show who sees to it")
	}
	role = auth.Auditor
	if code := see(); code != http.StatusForbidden {
		t.Errorf("an auditor taking one on gets %d", code)
	}
}
