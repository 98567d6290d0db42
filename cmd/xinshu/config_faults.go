package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"xinshu/internal/fault"
)

// configFaults gathers everything that is wrong in one config, so that it is mended in one go. No
// fault shows a value that may be a secret.
type configFaults struct {
	path  string
	doc   yaml.Node
	found []configFault
}

type configFault struct {
	line    int
	message string
}

// add notes a fault at a place in the file: keys, and numbers in lists.
func (f *configFaults) add(at []any, format string, args ...any) {
	f.found = append(f.found, configFault{lineOf(&f.doc, at), fmt.Sprintf(format, args...)})
}

// err gives the faults in the order of their lines, nil when there are none.
func (f *configFaults) err() error {
	if len(f.found) == 0 {
		return nil
	}
	slices.SortStableFunc(f.found, func(a, b configFault) int {
		return cmp.Or(cmp.Compare(a.line, b.line), strings.Compare(a.message, b.message))
	})
	errs := make([]error, len(f.found))
	for i, found := range f.found {
		errs[i] = fmt.Errorf("%s:%d: %s", f.path, found.line, found.message)
	}
	return usageError{&fault.Error{Op: "read config", Code: fault.Invalid, Err: errors.Join(errs...), Hint: "see the sample in deploy/xinshu.yaml"}}
}

// decode reads one document strictly: an unknown key, a key given twice, a value of the wrong form
// and a second document are faults.
func (f *configFaults) decode(text []byte, into *Config) {
	if err := yaml.Unmarshal(text, &f.doc); err != nil {
		f.yaml(err)
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	switch err := dec.Decode(into); {
	case errors.Is(err, io.EOF): // nothing but comments
	case err != nil:
		f.yaml(err)
	case !errors.Is(dec.Decode(new(yaml.Node)), io.EOF):
		f.add(nil, "a config is one document, and here is more")
	}
}

// yaml puts the library's words, which speak of Go types, into those of the file.
func (f *configFaults) yaml(err error) {
	said := []string{err.Error()}
	if types := (*yaml.TypeError)(nil); errors.As(err, &types) {
		said = types.Errors
	}
	for _, message := range said {
		found := configFault{line: 1, message: message}
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			found.line, _ = strconv.Atoi(m[1]) // digits
			found.message = m[2]
		}
		if parserFault.MatchString(found.message) {
			found.line++
		}
		found.message = unknownKey.ReplaceAllString(found.message, `key "$1" is unknown here`)
		found.message = wrongForm.ReplaceAllString(found.message, "a value of this form does not belong here")
		f.found = append(f.found, found)
	}
}

// lineOf follows a place as far as the file goes: of a key that is not there it gives the line of
// what should hold it.
func lineOf(doc *yaml.Node, at []any) int {
	node := doc
	if node.Kind == yaml.DocumentNode {
		node = node.Content[0]
	}
	line := max(node.Line, 1)
	for _, step := range at {
		for node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		switch step := step.(type) {
		case int:
			if node.Kind != yaml.SequenceNode || step >= len(node.Content) {
				return line
			}
			node = node.Content[step]
			line = node.Line
		case string:
			key, value := member(node, step)
			if key == nil {
				return line
			}
			line, node = key.Line, value
		}
	}
	return line
}

func member(node *yaml.Node, name string) (key, value *yaml.Node) {
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				return node.Content[i], node.Content[i+1]
			}
		}
	}
	return nil, nil
}
