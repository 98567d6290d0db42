package catalog

import "testing"

func TestSyntaxErrorsNameTheirLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"id: x\ntitle: [1\nb: 2\n", "f.yaml:2: did not find expected ',' or ']'"},
		{"id: {a: 1\n", "f.yaml:2: did not find expected ',' or '}'"},
		{"id: x\n- a\n", "f.yaml:2: did not find expected key"},
		{"a: 1\nb:\n  - x\n y: 2\n", "f.yaml:4: did not find expected key"},
		{"id: x\ntitle: a\n  sub: c\n", "f.yaml:3: mapping values are not allowed in this context"},
		{"id: x\n\ttitle: x\n", "f.yaml:2: found a tab character that violates indentation"},
		{"id: x\ntitle: *nope\n", "f.yaml:2: unknown anchor 'nope' referenced"},
		{"id: x\nid: y\n", `f.yaml:2: mapping key "id" already defined at line 1`},
		{"", "f.yaml:1: the file must be a mapping of keys, and is not"},
		{"- a\n", "f.yaml:1: the file must be a mapping of keys, and is not"},
		{"values: x\n", "f.yaml:1: a str `x` stands where a list belongs"},
		{"id: [x]\n", "f.yaml:1: a seq stands where a text belongs"},
	} {
		var list CodeList
		_, faults := decode("f.yaml", []byte(c.text), &list)
		if len(faults) != 1 || faults[0].Error() != c.want {
			t.Errorf("%q: got %v, want %s", c.text, faults, c.want)
		}
	}
}
