package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"xinshu/internal/auth"
)

// Languages of the screens; the first is what is shown to who asks for none.
var Languages = []string{"zh", "en"}

var themes = []string{"auto", "light", "dark"}

func (c *Console) preferencePages() []Page {
	return []Page{{Pattern: "POST /preferences", Right: auth.Anyone, Do: c.prefer}}
}

// prefer keeps language and theme in cookies of a year: they belong to the browser, not to the account.
func (c *Console) prefer(q *Request) error {
	for name, known := range map[string][]string{"lang": Languages, "theme": themes} {
		if v := q.PostFormValue(name); slices.Contains(known, v) {
			q.keep(name, v, 365*24*3600)
		}
	}
	return q.See(auth.LocalPath(q.PostFormValue("to")), "")
}

// keep has the browser keep a word for the console: for some seconds, until it is closed (0), or no longer (-1).
func (q *Request) keep(name, words string, seconds int) {
	//nolint:gosec // Secure wherever the browser speaks TLS; a trial on loopback does not
	http.SetCookie(q.w, &http.Cookie{Name: name, Value: url.QueryEscape(words), Path: "/", MaxAge: seconds, Secure: q.encrypted(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// encrypted says whether the browser speaks TLS; which proxies may say so for it, the guard knows.
func (q *Request) encrypted() bool {
	if guard := q.console.Guard; guard != nil {
		return guard.Encrypted(q.Request)
	}
	return q.TLS != nil
}

func language(r *http.Request) string {
	if c, err := r.Cookie("lang"); err == nil && slices.Contains(Languages, c.Value) {
		return c.Value
	}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en") {
		return "en"
	}
	return Languages[0]
}

func theme(r *http.Request) string {
	if c, err := r.Cookie("theme"); err == nil && slices.Contains(themes, c.Value) {
		return c.Value
	}
	return themes[0]
}
