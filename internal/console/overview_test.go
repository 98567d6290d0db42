package console

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"xinshu/internal/auth"
	"xinshu/internal/desk/desktest"
	"xinshu/web"
)

// A hub without a source tells a newcomer what to do first, as far as the newcomer may.
func TestAnEmptyHubShowsTheFirstSteps(t *testing.T) {
	d := desktest.Open(t)
	for _, tc := range []struct {
		role  auth.Role
		steps bool // makes connections, schedules and accounts
	}{
		{auth.Administrator, true},
		{auth.Steward, false},
	} {
		t.Run(string(tc.role), func(t *testing.T) {
			actor := auth.Actor{ID: "user:wang", Name: "wang", Roles: []auth.Role{tc.role}}
			c, err := New(Options{Desk: d, Files: web.Files, Now: d.Now, Version: "test", Log: slog.New(slog.DiscardHandler),
				Who: func(*http.Request) (auth.Actor, error) { return actor, nil }})
			if err != nil {
				t.Fatal(err)
			}
			page := ask(c, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "开始使用") {
				t.Fatalf("%d, without the first steps: %.300s", page.Code, page.Body)
			}
			for _, path := range []string{"/sources/new", "/schedules/new", "/settings/targets/new", "/settings/users"} {
				if got := strings.Contains(page.Body.String(), `<li><a href="`+path+`">`); got != tc.steps {
					t.Errorf("step %s is shown: %t, want %t", path, got, tc.steps)
				}
			}
		})
	}
}
