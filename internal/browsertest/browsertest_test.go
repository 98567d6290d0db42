package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const page = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>页</title><link rel="icon" href="data:,"></head><body><main><h1>页</h1>%s</main></body></html>`

// TestAJourneyFindsWhatAPersonStumblesOver runs one journey over a sound page and over pages that
// have one fault each.
func TestAJourneyFindsWhatAPersonStumblesOver(t *testing.T) {
	script := filepath.Join(t.TempDir(), "look.mjs")
	if err := os.WriteFile(script, []byte(`export default async ({ visit, look, values }) => { await visit(values.path); await look("page"); }`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, body, says string }{
		{"a sound page passes", `<p>好</p>`, ""},
		{"an input without a label", `<input name="q">`, "axe: label"},
		{"words too pale to read", `<p style="color:#ccc;background:#fff">这几个字颜色太浅，看不清楚</p>`, "axe: color-contrast"},
		{"a broken script", `<script>nothing.here()</script>`, "nothing is not defined"},
		{"a picture that is not there", `<img src="/gone.png" alt="无">`, "/gone.png answered 404"},
		{"a page that is wider than a phone", `<div style="width:900px">宽</div>`, "pixels wide on a phone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				_, _ = fmt.Fprintf(w, page, c.body)
			}))
			defer server.Close()
			out, err := Journey{Script: script, Base: server.URL, Values: map[string]any{"path": "/"}, Pictures: t.TempDir()}.run(t)
			if (err != nil) != (c.says != "") || !strings.Contains(string(out), c.says) {
				t.Errorf("%v, and it says:\n%s", err, out)
			}
		})
	}
}
