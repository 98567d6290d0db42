package restapi

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// place is a cursor: the lower bound of the next pull, or, in the middle of one, what to ask for and
// how many rows of the answer were given already.
type place struct {
	Since string `json:"since,omitempty"` // inclusive; empty is the beginning
	On    bool   `json:"on,omitempty"`    // in the middle of a pull; what follows holds only then
	Page  int64  `json:"page,omitempty"`  // number of the page, or of its first row
	Next  string `json:"next,omitempty"`  // the platform's cursor, or path and query of the next page
	Read  int64  `json:"read,omitempty"`  // rows of the answers before
	Row   int64  `json:"row,omitempty"`   // rows of this answer that were given
	Part  string `json:"part,omitempty"`  // hash of those rows
	Max   string `json:"max,omitempty"`   // greatest watermark so far
	Sum   string `json:"sum,omitempty"`   // hash of the first rows of the answer before, to know it when it comes again
}

func readPlace(jb job, after connectors.Cursor) (place, error) {
	var at place
	if jb.window != nil {
		return place{Page: int64(jb.first)}, nil // a window neither reads nor moves the cursor
	}
	if after != "" {
		if err := json.Unmarshal([]byte(after), &at); err != nil {
			return at, fault.Newf(fault.Invalid, jb.op, "the cursor was not made by kind restapi")
		}
	}
	if !at.On {
		at = place{Since: at.Since, Page: int64(jb.first)}
	}
	if jb.sinceParam == "" {
		at.Since = "" // the setting was taken away: everything is asked for again
	}
	return at, nil
}

// cursor writes the place behind a page.
func (p place) cursor(jb job, end bool) connectors.Cursor {
	switch {
	case jb.window != nil:
		return ""
	case !end:
		p.On = true
	case jb.sinceParam == "":
		return ""
	default:
		p = place{Since: connectors.Later(p.Since, p.Max)}
		if p.Since == "" {
			return ""
		}
	}
	text, _ := json.Marshal(p) // texts and numbers always encode
	return connectors.Cursor(text)
}

// follow gives the path and query of the next page: only on the host that the settings name, because the
// signature goes with it.
func (c *conn) follow(op, from, next string) (string, error) {
	base, err := url.Parse(from)
	if err != nil {
		return "", fault.Newf(fault.Internal, op, "the page's own address cannot be read")
	}
	u, err := base.Parse(next)
	if err != nil {
		return "", fault.Newf(fault.Invalid, op, "the address of the next page cannot be read")
	}
	if u.Host != c.root.Host || u.Scheme != c.root.Scheme || u.User != nil {
		return "", &fault.Error{Op: op, Code: fault.Invalid, Err: errRedirect, Hint: "the address of the next page leads elsewhere; it was not followed"}
	}
	return u.RequestURI(), nil
}

// nextLink finds rel="next" in a Link header (RFC 8288); empty when there is none.
func nextLink(header string) string {
	for header != "" {
		_, rest, ok := strings.Cut(header, "<")
		if !ok {
			return ""
		}
		address, rest, ok := strings.Cut(rest, ">")
		if !ok {
			return ""
		}
		params, after, _ := strings.Cut(rest, "<")
		for param := range strings.FieldsFuncSeq(params, func(r rune) bool { return r == ';' || r == ',' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
			if strings.EqualFold(strings.TrimSpace(name), "rel") && strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"`), "next") {
				return address
			}
		}
		header = ""
		if after != "" {
			header = "<" + after
		}
	}
	return ""
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
