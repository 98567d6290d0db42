package jsonrows

import (
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
)

func TestMembersBesideTheRowsAreKept(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`{"code":"0","data":{"total":2,"rows":[{},{}],"page":{"next":"c2","n":{"x":null}}},"message":"好"}`: {
			"code": `"0"`, "data.total": "2", "data.page.next": `"c2"`, "message": `"好"`},
		`{"data":{"page":{"next":[1]},"rows":[]},"code":7}`: {"code": "7", "data.page.next": "[1]"},
		`{"data":{"rows":[{"code":"no"}]}}`:                 {},
		`[{"code":"no"}]`:                                   {},
	} {
		s := NewScanner(strings.NewReader(text), "data.rows")
		s.Keep("code", "message", "data.total", "data.page.next", "")
		var err error
		for err == nil {
			_, _, err = s.Next()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", text, err)
		}
		if got := s.Kept(); !maps.Equal(got, want) {
			t.Errorf("%s keeps %v, want %v", text, got, want)
		}
	}
}
