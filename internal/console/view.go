package console

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// views are the pages in one language.
type views struct {
	lang      string
	words     map[string]string
	sentences sentences
	pages     map[string]*template.Template // by name: "overview", "sources/list"
	lack      func(key string)              // is told of a key without words
}

// readViews parses layout.html and parts/*.html once and every other page over them. A file whose
// name begins with "_" is a part of its folder alone.
func (c *Console) readViews(lang string) (*views, error) {
	words, err := readWords(c.Files, lang)
	if err != nil {
		return nil, err
	}
	said, err := readSentences(c.Files, lang)
	if err != nil {
		return nil, err
	}
	v := &views{lang: lang, words: words, sentences: said, pages: map[string]*template.Template{}, lack: func(key string) {
		c.Log.Warn("words are missing", "key", key, "language", lang)
	}}
	if lang != "en" {
		v.sentences.value = v.value
	}
	base, err := template.New("").Option("missingkey=zero").Funcs(c.functions(v)).ParseFS(c.Files, "templates/layout.html", "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	return v, fs.WalkDir(c.Files, "templates", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || p == "templates/layout.html" || path.Dir(p) == "templates/parts" || path.Ext(p) != ".html" || strings.HasPrefix(path.Base(p), "_") {
			return err
		}
		files := []string{p}
		if own, _ := fs.Glob(c.Files, path.Dir(p)+"/_*.html"); path.Dir(p) != "templates" {
			files = append(files, own...)
		}
		page, err := template.Must(base.Clone()).ParseFS(c.Files, files...)
		if err != nil {
			return fmt.Errorf("read the templates: %w", err)
		}
		v.pages[strings.TrimSuffix(strings.TrimPrefix(p, "templates/"), ".html")] = page
		return nil
	})
}

// Render writes a page in the console's frame.
func (q *Request) Render(name string, data any) error { return q.render(name, "layout", data) }

// RenderAlone writes a page without the areas at the side: for who has not signed in.
func (q *Request) RenderAlone(name string, data any) error { return q.render(name, "alone", data) }

// render makes the page whole before the first byte leaves, so that an error is an error page.
func (q *Request) render(name, layout string, data any) error {
	body, err := q.execute(name, layout, q.frame(name, data))
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", q.Lang)
	h.Set("Cache-Control", "no-store") // pages hold what others on this machine must not find
	q.w.WriteHeader(max(q.Status, http.StatusOK))
	_, err = body.WriteTo(q.w)
	if err != nil {
		q.console.Log.Debug("page not taken", "path", q.URL.Path, "error", err) // the browser went away
	}
	return nil
}

// Fragment gives one named part of a page as HTML, for what is sent after the page (Stream).
func (q *Request) Fragment(page, part string, data any) (string, error) {
	b, err := q.execute(page, part, data)
	return b.String(), err
}

func (q *Request) execute(page, part string, data any) (*bytes.Buffer, error) {
	b := &bytes.Buffer{}
	t, ok := q.console.pages[q.Lang].pages[page]
	if !ok {
		return b, fmt.Errorf("there is no template %s", page)
	}
	if err := t.ExecuteTemplate(b, part, data); err != nil {
		return b, fmt.Errorf("render %s: %w", page, err)
	}
	return b, nil
}

// Say gives the words of a key in the language of the request: for notices and faults.
func (q *Request) Say(key string, args ...any) string {
	return q.console.pages[q.Lang].say(key, args...)
}

// say gives the words of a key; with arguments, filled in as fmt does.
func (v *views) say(key string, args ...any) string {
	words, ok := v.words[key]
	if !ok {
		v.lack(key)
		return key
	}
	if len(args) > 0 {
		return fmt.Sprintf(words, args...)
	}
	return words
}
