package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// policyPlace is a file that a policy was read from, kept so that a fault found later names a line.
type policyPlace struct {
	file string
	root *yaml.Node
}

// LoadPolicies reads policies/*.yaml. A broken file is reported and skipped; the others still load.
// A policy that breaks its own sums or bands is reported and skipped too: it must score nobody.
func LoadPolicies(fsys fs.FS, families map[string]Family) ([]Policy, []Fault) {
	files, err := fs.Glob(fsys, "policies/*.yaml")
	if err != nil {
		return nil, []Fault{{File: "policies", Message: err.Error()}}
	}
	var policies []Policy
	var faults []Fault
	for _, file := range files {
		p, bad := LoadPolicy(fsys, file, families)
		if len(bad) == 0 {
			bad = p.Check(families)
		}
		faults = append(faults, bad...)
		if len(bad) == 0 {
			policies = append(policies, p)
		}
	}
	slices.SortFunc(policies, func(a, b Policy) int { return strings.Compare(a.ID, b.ID) })
	return policies, faults
}

// LoadPolicy reads one file and the one it extends, strictly: an unknown key is a fault. It does
// not hold the policy against its own rules; Check does.
func LoadPolicy(fsys fs.FS, file string, families map[string]Family) (Policy, []Fault) {
	var p Policy
	digest := sha256.New()
	if faults := p.read(fsys, file, nil, digest.Write); len(faults) > 0 {
		return Policy{}, faults
	}
	p.File, p.SHA256 = file, hex.EncodeToString(digest.Sum(nil))
	p.complete()
	p.bind(kindsOf(families))
	return p, nil
}

// read lays a file over what p holds already, the file it extends first.
func (p *Policy) read(fsys fs.FS, file string, above []string, hash func([]byte) (int, error)) []Fault {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return []Fault{{File: file, Message: err.Error()}}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return yamlFaults(file, err)
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return []Fault{{File: file, Line: 1, Message: "a policy is a mapping of keys; found none"}}
	}
	var head struct {
		Extends string `yaml:"extends"`
	}
	if err := root.Decode(&head); err != nil {
		return yamlFaults(file, err)
	}
	place := policyPlace{file: file, root: root.Content[0]}
	if head.Extends != "" {
		if slices.Contains(above, file) {
			return []Fault{place.fault([]any{"extends"}, "%s extends itself through %s", file, strings.Join(above, ", "))}
		}
		if faults := p.read(fsys, path.Join(path.Dir(file), head.Extends+".yaml"), append(above, file), hash); len(faults) > 0 {
			return append([]Fault{place.fault([]any{"extends"}, "%s cannot be extended", head.Extends)}, faults...)
		}
	}
	_, _ = hash(text) // a hash never fails
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(p); err != nil {
		return yamlFaults(file, err)
	}
	p.places = append([]policyPlace{place}, p.places...)
	return nil
}

// complete writes out what the file may leave unsaid: defaults, and the source of a number, which an
// item takes from what holds it.
func (p *Policy) complete() {
	p.Numbers = p.Numbers.or(Source{})
	for i := range p.Groups {
		p.Groups[i].Source = p.Groups[i].or(p.Numbers)
	}
	for i := range p.Indicators {
		x := &p.Indicators[i]
		x.Side, x.Pick = word(x.Side, "plain"), word(x.Pick, "sum")
		x.Source = x.or(Source{})
		for j := range x.Rules {
			x.Rules[j].Level = word(x.Rules[j].Level, "*")
			x.Rules[j].Source = x.Rules[j].or(x.Source)
		}
	}
	for i := range p.Bands {
		p.Bands[i].Source = p.Bands[i].or(Source{})
	}
	for i := range p.Overrides {
		p.Overrides[i].Level = word(p.Overrides[i].Level, "*")
		p.Overrides[i].Source = p.Overrides[i].or(Source{})
	}
}

// bind writes out which levels a rule stands for, so that scoring matches kind and level as equals.
// A record whose source gives no level carries -.
func (p *Policy) bind(kinds map[string][]string) {
	levels := func(kind, level string) []string {
		if level != "*" {
			return []string{level}
		}
		return append([]string{"-"}, kinds[kind]...)
	}
	for i := range p.Indicators {
		for j := range p.Indicators[i].Rules {
			r := &p.Indicators[i].Rules[j]
			r.levels = levels(r.Kind, r.Level)
		}
	}
	for i := range p.Overrides {
		p.Overrides[i].levels = levels(p.Overrides[i].When, p.Overrides[i].Level)
	}
}

func (s Source) or(above Source) Source {
	if s == (Source{}) {
		s = above
	}
	if s.Origin == "" && s.Clause != "" {
		s.Origin = "notice"
	}
	return s
}

func word(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// fault names the line where the value at the path was written: keys for mappings, numbers for
// sequences. Where this policy's own file does not say it, the file it extends does.
func (p Policy) fault(at []any, format string, args ...any) Fault {
	for _, place := range p.places {
		if _, whole := place.line(at); whole {
			return place.fault(at, format, args...)
		}
	}
	if len(p.places) == 0 {
		return Fault{File: p.File, Line: 1, Message: fmt.Sprintf(format, args...)}
	}
	return p.places[0].fault(at, format, args...)
}

func (p policyPlace) fault(at []any, format string, args ...any) Fault {
	line, _ := p.line(at)
	return Fault{File: p.file, Line: line, Message: fmt.Sprintf(format, args...)}
}

// line gives the line of the deepest part of the path that is there, and whether that is all of it.
func (p policyPlace) line(at []any) (line int, whole bool) {
	node := p.root
	line = node.Line
	for _, step := range at {
		var next *yaml.Node
		switch key := step.(type) {
		case string:
			for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == key {
					next, line = node.Content[i+1], node.Content[i].Line
				}
			}
		case int:
			if node.Kind == yaml.SequenceNode && key < len(node.Content) {
				next, line = node.Content[key], node.Content[key].Line
			}
		}
		if next == nil {
			return line, false
		}
		node = next
	}
	return line, true
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlFaults gives each of the decoder's complaints its own line.
func yamlFaults(file string, err error) []Fault {
	texts := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if several, ok := errors.AsType[*yaml.TypeError](err); ok {
		texts = several.Errors
	}
	faults := make([]Fault, 0, len(texts))
	for _, text := range texts {
		line := 1
		if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
			line, _ = strconv.Atoi(text[m[2]:m[3]])
			text = text[:m[0]] + text[m[1]:]
		}
		faults = append(faults, Fault{File: file, Line: line, Message: text})
	}
	return faults
}
