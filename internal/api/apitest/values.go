package apitest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// odd are texts that programs stumble over.
var odd = []string{"", " ", "0", "-1", "9223372036854775808", "1e999", "NaN", "null", "true", "'", `"`, "' or 1=1 --", "../../etc/passwd", "%2e%2e%2f", "%00", "\x00",
	"\u202e龙江", "😀😀", "é\u0301", "\ufffd", "\xff\xfe", "110101199003074514", "<script>alert(1)</script>", "${env:HOME}", "2026-02-30", "0000-00-00",
	"a/b/c", "*", "?", "#", ";", "\r\nX-Evil: 1", strings.Repeat("字", 300), strings.Repeat("9", 400), `{"a":1}`, "[]", "==", "AAAA"}

func (r *run) nasty() string { return odd[r.random.IntN(len(odd))] }

// garbage is a body that is no workbook.
func (r *run) garbage() []byte {
	if r.random.IntN(3) == 0 {
		return []byte("PK\x03\x04" + strings.Repeat("\x00", r.random.IntN(200)))
	}
	return []byte(r.nasty())
}

// body makes a body: mostly one that the schema allows with something changed, at times whole or broken.
func (r *run) body(s *schema) []byte {
	v := r.value(s, 0)
	switch r.random.IntN(6) {
	case 0:
		return []byte(r.nasty())
	case 1:
	default:
		v = r.change(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	switch r.random.IntN(12) {
	case 0:
		return text[:r.random.IntN(len(text)+1)]
	case 1:
		return append(text, '}')
	case 2:
		return []byte(strings.ReplaceAll(string(text), `":`, `\u0000":`))
	}
	return text
}

// change replaces, drops or adds something.
func (r *run) change(v any) any {
	other := []any{nil, true, -1, 1e15, 0.5, r.nasty(), []any{}, map[string]any{}, []any{[]any{[]any{nil}}}}
	switch v := v.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		if len(names) == 0 || r.random.IntN(8) == 0 {
			v[r.nasty()] = other[r.random.IntN(len(other))]
			return v
		}
		name := names[r.random.IntN(len(names))]
		switch r.random.IntN(4) {
		case 0:
			delete(v, name)
		case 1:
			v[name] = other[r.random.IntN(len(other))]
		default:
			v[name] = r.change(v[name])
		}
		return v
	case []any:
		if len(v) > 0 && r.random.IntN(2) == 0 {
			v[0] = r.change(v[0])
			return v
		}
		return append(v, other[r.random.IntN(len(other))])
	}
	return other[r.random.IntN(len(other))]
}

// value makes a value that a schema allows.
func (r *run) value(s *schema, depth int) any {
	if s == nil || depth > 6 {
		return nil
	}
	if s.Ref != "" {
		return r.value(r.doc.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]], depth+1)
	}
	if len(s.Enum) > 0 {
		return s.Enum[r.random.IntN(len(s.Enum))]
	}
	if len(s.OneOf) > 0 {
		return r.value(s.OneOf[0], depth+1)
	}
	switch kindOf(s.Type) {
	case "object":
		return r.object(s, depth)
	case "array":
		list := []any{}
		for range r.random.IntN(3) {
			list = append(list, r.value(s.Items, depth+1))
		}
		return list
	case "integer":
		return r.number(s)
	case "number":
		return float64(r.number(s)) + 0.25
	case "boolean":
		return r.random.IntN(2) == 0
	case "string":
		return r.text(s)
	}
	return nil
}

func (r *run) object(s *schema, depth int) any {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(s.Required, name) && r.random.IntN(2) == 0 {
			continue
		}
		if known := r.Known[name]; len(known) > 0 && r.random.IntN(3) > 0 && kindOf(s.Properties[name].Type) == "string" {
			object[name] = known[r.random.IntN(len(known))]
			continue
		}
		object[name] = r.value(s.Properties[name], depth+1)
	}
	if more, are := s.AdditionalProperties.(map[string]any); are {
		text, _ := json.Marshal(more) // came from JSON
		var of schema
		if json.Unmarshal(text, &of) == nil {
			object[r.nasty()] = r.value(&of, depth+1)
		}
	}
	return object
}

func (r *run) number(s *schema) int64 {
	least, most := int64(-5), int64(1000)
	if s.Minimum != nil {
		least = int64(*s.Minimum)
	}
	if s.Maximum != nil {
		most = int64(min(*s.Maximum, 1<<53))
	}
	if r.random.IntN(3) == 0 {
		return []int64{least, most, 0, 1}[r.random.IntN(4)]
	}
	return least + r.random.Int64N(max(1, most-least+1))
}

func (r *run) text(s *schema) string {
	switch s.Format {
	case "date":
		return []string{"2026-01-01", "2025-12-31", "1999-02-28"}[r.random.IntN(3)]
	case "date-time":
		return []string{"2026-01-01T00:00:00Z", "2026-06-01T08:00:00+08:00"}[r.random.IntN(2)]
	}
	least, most := 0, 20
	if s.MinLength != nil {
		least = *s.MinLength
	}
	if s.MaxLength != nil {
		most = min(*s.MaxLength, 40)
	}
	letters := []rune("abcxyz019-_. 龙江")
	text := make([]rune, least+r.random.IntN(max(1, most-least+1)))
	for i := range text {
		text[i] = letters[r.random.IntN(len(letters))]
	}
	return string(text)
}

func kindOf(t any) string {
	switch t := t.(type) {
	case string:
		return t
	case []any:
		for _, one := range t {
			if name, ok := one.(string); ok && name != "null" {
				return name
			}
		}
	}
	return ""
}
