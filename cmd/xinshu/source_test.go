package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/all"
)

func TestASourceIsLaidInWithoutTouchingWhatStandsThere(t *testing.T) {
	const item = "- name: b\n  kind: files\n"
	for name, c := range map[string]struct{ old, want, fault string }{
		"before the first of a list, indented as the list is": {"data: d\nsources:\n    # mine\n    - name: a # why\n\npolicies: []\n",
			"data: d\nsources:\n    - name: b\n      kind: files\n    # mine\n    - name: a # why\n\npolicies: []\n", ""},
		"a list that is not indented":     {"sources:\n- name: a\n", "sources:\n- name: b\n  kind: files\n- name: a\n", ""},
		"no sources yet, no last newline": {"data: d", "data: d\nsources:\n  - name: b\n    kind: files\n", ""},
		"an empty list":                   {"sources: []\ndata: d\n", "sources:\n  - name: b\n    kind: files\ndata: d\n", ""},
		"a key without value":             {"sources:\ndata: d\n", "sources:\n  - name: b\n    kind: files\ndata: d\n", ""},
		"an empty file":                   {"", "sources:\n  - name: b\n    kind: files\n", ""},
		"a list on one line":              {"sources: [{name: a}]\n", "", "not written as a list of lines"},
		"no YAML":                         {"sources: [\n", "", "no YAML"},
	} {
		got, err := layIn([]byte(c.old), item)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

func TestManualPagesAreFresh(t *testing.T) {
	for _, d := range all.Drivers(hubClock) {
		for _, language := range connectors.Languages {
			path := filepath.Join("../../docs/connectors", d.Kind+"."+language+".md")
			if page, err := os.ReadFile(path); err != nil || string(page) != d.Manual(language) {
				t.Errorf("%s is not what kind %s declares; make generate writes it anew (%v)", path, d.Kind, err)
			}
		}
	}
}
