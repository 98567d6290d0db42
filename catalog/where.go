package catalog

import "go.yaml.in/yaml/v3"

// A contract is put together from several files; a fault in what it inherits is shown at the line that
// names the sets, in its own file, where it can be mended or laid over.
var inherited = []any{"use"}

// fieldAt gives the path of a field in this file's own list; of an inherited one the list itself.
func (c *checker) fieldAt(name string) []any {
	for i := 0; ; i++ {
		at := []any{"fields", i}
		if _, whole := c.line(at); !whole {
			return inherited
		}
		if c.text(append(at, "name")) == name {
			return at
		}
	}
}

// checkAt gives the path of a check in this file's own list.
func (c *checker) checkAt(k Check) []any {
	for i := 0; ; i++ {
		at := []any{"checks", i}
		if _, whole := c.line(at); !whole {
			return inherited
		}
		if c.text(append(at, "code")) == k.Code && c.text(append(at, "rule")) == k.Rule {
			return at
		}
	}
}

// mapAt gives the path of a column's mapping; of an inherited one the list of sets.
func (c *checker) mapAt(column string) []any {
	if _, whole := c.line([]any{"map", column}); whole {
		return []any{"map", column}
	}
	return inherited
}

// text gives the scalar at a path of keys and numbers, empty when there is none.
func (c *checker) text(at []any) string {
	node := c.root
	for _, step := range at {
		next := child(node, step)
		if next == nil {
			return ""
		}
		node = next
	}
	return node.Value
}

// child gives the node under a key or at a number, nil when there is none.
func child(node *yaml.Node, step any) *yaml.Node {
	switch key := step.(type) {
	case string:
		for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				return node.Content[i+1]
			}
		}
	case int:
		if node.Kind == yaml.SequenceNode && key < len(node.Content) {
			return node.Content[key]
		}
	}
	return nil
}
