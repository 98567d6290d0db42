package restapi

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// turning answers like a platform of one style of paging, two rows at a time.
func (p *platform) turning(style string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, r *http.Request) bool {
		var at int
		size := 2
		switch style {
		case "offset from 0":
			at, _ = strconv.Atoi(r.FormValue("STARTNUM"))
			size, _ = strconv.Atoi(r.FormValue("PAGENUM"))
		case "offset from 1":
			at, _ = strconv.Atoi(r.FormValue("STARTNUM"))
			at--
		case "cursor":
			at, _ = strconv.Atoi(strings.TrimPrefix(r.FormValue("token"), "c"))
		default:
			at, _ = strconv.Atoi(r.FormValue("from"))
		}
		end := min(at+size, len(p.rows))
		data := map[string]any{"rows": p.rows[min(at, end):end]}
		next := ""
		if end < len(p.rows) {
			next = strconv.Itoa(end)
		}
		switch style {
		case "offset from 0", "offset from 1":
			data["total"] = len(p.rows)
		case "cursor":
			if data["next_cursor"] = nil; next != "" {
				data["next_cursor"] = "c" + next
			}
		case "link":
			if next != "" {
				w.Header().Add("Link", `</share/data?from=0>; rel="first", </share/data?from=`+next+`&x=a,b>; title="下一页"; rel=next`)
			}
		case "url":
			if next != "" {
				data["next"] = "?from=" + next
			}
		}
		envelopeOf(w, "0", "", data)
		return true
	}
}

var styles = map[string]connectors.Values{
	"offset from 0": {"paging": "offset", "page_param": "STARTNUM", "size_param": "PAGENUM", "first_page": "0"},
	"offset from 1": {"paging": "offset", "page_param": "STARTNUM", "first_page": "1"},
	"cursor":        {"paging": "cursor", "page_param": "token"},
	"link":          {"paging": "link", "next_path": ""},
	"url":           {"paging": "link", "next_path": "data.next"},
}

func TestEveryStyleOfPagingKeepsThePromises(t *testing.T) {
	for style, values := range styles {
		t.Run(style, func(t *testing.T) {
			connectortest.Pull(t, func(t *testing.T) connectortest.Source {
				p := startPlatform(t)
				p.instead = p.turning(style)
				c, _ := p.open(t, nil)
				with := connectors.Values{"since_param": ""}
				maps.Copy(with, values)
				return p.source(t, c, with)
			})
		})
	}
}

func TestPagesInACircleAreFoundOut(t *testing.T) {
	for name, next := range map[string]func(n int) string{
		"the same cursor":  func(int) string { return "c1" },
		"a circle of two":  func(n int) string { return fmt.Sprint("c", n%2) },
		"a circle of five": func(n int) string { return fmt.Sprint("c", n%5) },
	} {
		p := startPlatform(t)
		p.instead = func(n int, w http.ResponseWriter, _ *http.Request) bool {
			envelopeOf(w, "0", "", map[string]any{"rows": []any{map[string]any{"id": n}}, "next_cursor": next(n)})
			return true
		}
		c, _ := p.open(t, nil)
		_, err := pull(t, p.source(t, c, connectors.Values{"paging": "cursor", "page_param": "token", "since_param": ""}))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "circle") || len(p.calls) > 6 {
			t.Errorf("%s: %d calls, %v", name, len(p.calls), err)
		}
	}
}

func TestPagesWithoutEndAreBounded(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		envelopeOf(w, "0", "", map[string]any{"rows": []any{map[string]any{"id": n}}})
		return true
	}
	c, _ := p.open(t, nil)
	_, err := pull(t, p.source(t, c, connectors.Values{"since_param": "", "total_path": "", "max_pages": "25"}))
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "max_pages") || len(p.calls) != 25 {
		t.Errorf("%d calls, %v", len(p.calls), err)
	}
}

func TestTheNextPageOnAnotherHostIsNotAskedFor(t *testing.T) {
	for _, next := range []string{"http://elsewhere.example.gov.cn/data?from=2", "//elsewhere.example.gov.cn/data", "https://%HOST%/share/data?from=2", "http://u:p@%HOST%/share/data"} {
		p := startPlatform(t)
		p.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			envelopeOf(w, "0", "", map[string]any{"rows": []any{map[string]any{"id": "r1"}}, "next": strings.ReplaceAll(next, "%HOST%", r.Host)})
			return true
		}
		c, _ := p.open(t, nil)
		_, err := pull(t, p.source(t, c, connectors.Values{"paging": "link", "next_path": "data.next", "since_param": ""}))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "leads elsewhere") || strings.Contains(err.Error(), "from=2") {
			t.Errorf("%s: %v", next, err)
		}
	}
}

// A platform that gives smaller pages than asked, and no total, must not end the pull.
func TestAShortPageWithoutATotalIsNotTheEnd(t *testing.T) {
	for end, want := range map[string]int{"empty": 7, "short": 2} {
		p := startPlatform(t)
		p.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			q := r.URL.Query()
			q.Set("rows", "2") // whatever was asked
			r.URL.RawQuery, r.Form = q.Encode(), nil
			p.serve(w, r)
			return true
		}
		c, _ := p.open(t, nil)
		rows, err := pull(t, p.source(t, c, connectors.Values{"total_path": "", "page_rows": "500", "end_at": end}))
		if err != nil || len(rows) != want {
			t.Errorf("%s: %v, %v", end, rows, err)
		}
	}
}

func TestAPullSaysWhetherItGaveEverything(t *testing.T) {
	for name, c := range map[string]struct {
		values connectors.Values
		after  connectors.Cursor
		none   bool
		whole  bool
	}{
		"a full pull":                    {values: connectors.Values{"since_param": ""}, whole: true},
		"a full pull without a total":    {values: connectors.Values{"since_param": "", "total_path": ""}, whole: true},
		"a full pull of nothing":         {values: connectors.Values{"since_param": ""}, none: true, whole: true},
		"of nothing, without a total":    {values: connectors.Values{"since_param": "", "total_path": ""}, none: true, whole: true},
		"the first of increments":        {whole: true},
		"a later increment":              {after: `{"since":"2025-10-28 09:03:00"}`},
		"a later increment of nothing":   {after: `{"since":"2025-10-28 09:03:00"}`, none: true},
		"a pull that went on":            {values: connectors.Values{"since_param": ""}, after: `{"on":true,"page":2,"read":2}`},
		"one that left out rows by rule": {values: connectors.Values{"null_cursor": "leave"}},
	} {
		p := startPlatform(t)
		p.rows[3]["op_time"] = nil
		if c.values["null_cursor"] == "" {
			p.rows[3]["op_time"] = "2025-10-28 09:03:00"
		}
		p.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool { return p.window(w, r) }
		if c.none {
			p.rows = nil
		}
		conn, _ := p.open(t, nil)
		var pages []connectors.Page
		for page, err := range conn.Pull(t.Context(), p.source(t, conn, c.values).Job, c.after) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			pages = append(pages, page)
		}
		whole := false
		for i, page := range pages {
			if page.Whole && i < len(pages)-1 {
				t.Errorf("%s: page %d of %d says it was the last", name, i+1, len(pages))
			}
			whole = whole || page.Whole
		}
		if whole != c.whole {
			t.Errorf("%s: whole is %v after %d pages", name, whole, len(pages))
		}
		if c.none && c.whole && (len(pages) != 1 || pages[0].Batch != nil) {
			t.Errorf("%s: %d pages", name, len(pages))
		}
	}
}

func FuzzNextLink(f *testing.F) {
	f.Add(`</a?b=1,2>; rel="next", <c>; rel=prev`)
	f.Add(`<a`)
	f.Add(`<a>; title="<"; rel=next`)
	f.Fuzz(func(t *testing.T, header string) {
		if next := nextLink(header); next != "" && !strings.Contains(header, "<"+next+">") {
			t.Errorf("%q is not in %q", next, header)
		}
	})
}

func TestTheNextLinkIsFoundAmongOthers(t *testing.T) {
	for header, want := range map[string]string{
		``: "", `<a>; rel="prev"`: "", `<a>; rel=next`: "a", `<a>;REL="next"`: "a", `<a>; rel="prev", <b,c>; title="下一页"; rel="next"`: "b,c", `<a`: "", `a; rel=next`: "", `<a>; rel="prev" <b>; rel="next"`: "b",
	} {
		if got := nextLink(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}
