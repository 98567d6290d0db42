package receive

import (
	"encoding/json"
	"net/http"

	"xinshu/catalog"
)

// Problem is a refusal as application/problem+json (RFC 9457), with its title in both languages.
type Problem struct {
	Status int          `json:"status"`
	Code   string       `json:"code"` // one word for programs
	Title  catalog.Text `json:"-"`
	Detail string       `json:"detail,omitempty"`
}

// Error gives one line.
func (p *Problem) Error() string { return p.Title.EN + ": " + p.Detail }

func (p *Problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if p.Status != http.StatusServiceUnavailable && p.Status >= http.StatusBadRequest {
		w.Header().Set("Connection", "close") // the rest of the body is not waited for
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(struct {
		Type    string `json:"type"`
		Title   string `json:"title"`
		TitleEN string `json:"title_en"`
		*Problem
	}{"about:blank", p.Title.ZH, p.Title.EN, p})
}

func say(w http.ResponseWriter, status int, code string, title catalog.Text, detail string) {
	(&Problem{Status: status, Code: code, Title: title, Detail: detail}).write(w)
}
