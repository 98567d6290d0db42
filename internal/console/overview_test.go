package console

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
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
		steps bool // makes connections and schedules
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
			for _, path := range []string{"/sources/new", "/schedules/new", "/settings/targets/new"} {
				if got := strings.Contains(page.Body.String(), `<li><a href="`+path+`">`); got != tc.steps {
					t.Errorf("step %s is shown: %t, want %t", path, got, tc.steps)
				}
			}
		})
	}
}

// A template that asks for a page under a pattern that no page has would never show its link.
func TestTemplatesAskForPagesThatThereAre(t *testing.T) {
	stand := map[string]bool{}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`Pattern: "([^"]+)"`).FindAllSubmatch(text, -1) {
			stand[string(m[1])] = true
		}
	}
	asked := 0
	err = fs.WalkDir(web.Files, "templates", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(web.Files, p)
		for _, m := range regexp.MustCompile(`\.Page "([^"]+)"`).FindAllSubmatch(text, -1) {
			if asked++; !stand[string(m[1])] {
				t.Errorf("%s asks for %s, which no page has", p, m[1])
			}
		}
		return err
	})
	if err != nil || asked == 0 {
		t.Fatalf("%d asked for: %v", asked, err)
	}
}
