package console

import (
	"net/http"
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
			http.SetCookie(q.w, &http.Cookie{Name: name, Value: v, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
	}
	return q.See(auth.LocalPath(q.PostFormValue("to")), "")
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
