package console

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"xinshu/catalog"
)

// Languages of the screens; the first is what is shown to who asks for none.
var Languages = []string{"zh", "en"}

// views are the pages in one language.
type views struct {
	words map[string]string
	pages map[string]*template.Template // by name: "overview", "sources/list"
}

// readViews parses layout.html and parts/*.html once and every other page over them.
func readViews(files fs.FS, lang string) (*views, error) {
	words, err := readWords(files, lang)
	if err != nil {
		return nil, err
	}
	v := &views{words: words, pages: map[string]*template.Template{}}
	base, err := template.New("").Funcs(v.functions(lang)).ParseFS(files, "templates/layout.html", "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	return v, fs.WalkDir(files, "templates", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || p == "templates/layout.html" || path.Dir(p) == "templates/parts" || path.Ext(p) != ".html" {
			return err
		}
		page, err := template.Must(base.Clone()).ParseFS(files, p)
		if err != nil {
			return fmt.Errorf("read the templates: %w", err)
		}
		v.pages[strings.TrimSuffix(strings.TrimPrefix(p, "templates/"), ".html")] = page
		return nil
	})
}

// functions are what templates may call.
func (v *views) functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":    v.say,
		"text": func(t catalog.Text) string { return pick(t, lang) },
		"lang": func() string { return lang },
	}
}

// say gives the words of a key; with arguments, filled in as fmt does.
func (v *views) say(key string, args ...any) string {
	words, ok := v.words[key]
	if !ok {
		return key // a test finds it
	}
	if len(args) > 0 {
		return fmt.Sprintf(words, args...)
	}
	return words
}

func pick(t catalog.Text, lang string) string {
	if lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.ZH
}

// Render writes a page. It is made whole before the first byte leaves, so that an error is an error page.
func (q *Request) Render(name string, data any) error {
	v := q.console.pages[q.Lang]
	page, ok := v.pages[name]
	if !ok {
		return fmt.Errorf("there is no template %s", name)
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "layout", q.frame(name, data)); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := b.WriteTo(q.w)
	return err
}

// frame is what the layout shows around a page; the page itself reads .Data.
func (q *Request) frame(name string, data any) map[string]any {
	area, _, _ := strings.Cut(name, "/")
	return map[string]any{"Area": area, "Actor": q.Actor, "Path": q.URL.Path, "Query": q.URL.RawQuery, "Version": q.console.Version, "Now": q.console.Now(), "Data": data}
}

func language(r *http.Request) string {
	if c, err := r.Cookie("lang"); err == nil && (c.Value == "zh" || c.Value == "en") {
		return c.Value
	}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en") {
		return "en"
	}
	return Languages[0]
}

func staticOf(files fs.FS) fs.FS { return files }
