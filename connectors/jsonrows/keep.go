package jsonrows

import (
	"maps"
	"strings"

	"github.com/bytedance/sonic"
)

// Keep makes the scanner remember members that stand beside the rows, before or behind them, by their
// dotted paths: a total, a result code, the cursor of the next page. Call it before the first row.
func (s *Scanner) Keep(paths ...string) {
	s.wanted = map[string]bool{}
	for _, path := range paths {
		if path != "" {
			s.wanted[path] = true
		}
	}
	s.kept = map[string]string{}
}

// Kept gives what was met of the members asked for, as JSON; complete once Next gave io.EOF.
func (s *Scanner) Kept() map[string]string { return maps.Clone(s.kept) }

// skip passes over a member's value, which begins with c, and keeps what is wanted of it. above is
// the path of the object it stands in.
func (s *Scanner) skip(above []string, key string, c byte) error {
	if len(s.wanted) == 0 {
		return s.value(c, false)
	}
	path := key
	if len(above) > 0 {
		path = strings.Join(above, ".") + "." + key
	}
	wanted := s.wanted[path]
	for inner := range s.wanted {
		wanted = wanted || strings.HasPrefix(inner, path+".")
	}
	if !wanted {
		return s.value(c, false)
	}
	s.buf = s.buf[:0]
	if err := s.value(c, true); err != nil {
		return err
	}
	for inner := range s.wanted {
		rest, below := strings.CutPrefix(inner, path+".")
		switch {
		case inner == path:
			s.kept[inner] = string(s.buf)
		case below:
			names := strings.Split(rest, ".")
			steps := make([]any, len(names))
			for i, name := range names {
				steps[i] = name
			}
			if node, err := sonic.Get(s.buf, steps...); err == nil {
				if raw, err := node.Raw(); err == nil {
					s.kept[inner] = strings.Clone(raw)
				}
			}
		}
	}
	return nil
}
