package desk

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"xinshu/connectors"
	"xinshu/internal/auth"
)

// ExportConnection gives a connection as an item of the list of sources or targets in xinshu.yaml.
// Secrets are not given: each is named as an environment variable that is to hold it.
func (d *Desk) ExportConnection(ctx context.Context, role, id string) (string, error) {
	c, err := d.Connection(ctx, role, id)
	if err != nil {
		return "", err
	}
	if err := d.record(ctx, auth.Act{Action: role + ".export", Kind: role, ID: id}); err != nil {
		return "", err
	}
	driver := d.Drivers[c.Kind]
	item := mapping()
	name := "name"
	if role == TargetRole {
		name = "id"
	}
	put(item, name, scalar(c.ID))
	put(item, "kind", scalar(c.Kind))
	if c.Collected != "" {
		put(item, "collected", scalar(c.Collected))
	}
	put(item, "values", settingsNode(driver.Settings, c.Values, c, ""))
	if role == SourceRole {
		datasets := mapping()
		for _, dataset := range c.IDs() {
			put(datasets, dataset, settingsNode(driver.Job, c.Datasets[dataset], c, jobPlace(dataset)))
		}
		put(item, "datasets", datasets)
	}
	for _, l := range []struct {
		name   string
		values []string
	}{{"policies", c.Limits.Policies}, {"regions", c.Limits.Regions}, {"industries", c.Limits.Industries}, {"fields", c.Limits.Fields}} {
		if len(l.values) > 0 {
			list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
			for _, v := range l.values {
				list.Content = append(list.Content, scalar(v))
			}
			put(item, l.name, list)
		}
	}
	if c.Limits.Public {
		put(item, "public", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err = errors.Join(enc.Encode([]*yaml.Node{item}), enc.Close())
	return b.String(), err
}

// settingsNode writes settings in the order in which the kind declares them, with their titles.
func settingsNode(declared []connectors.Setting, values map[string]string, c Connection, place string) *yaml.Node {
	node := mapping()
	for _, s := range declared {
		value, given := values[s.Name]
		if s.Secret {
			if !slices.Contains(c.Kept, place+s.Name) {
				continue
			}
			value, given = "${env:"+variable(c.ID+"_"+place+s.Name)+"}", true
		}
		if !given {
			continue
		}
		n := scalar(value)
		n.LineComment = s.Title.ZH
		put(node, s.Name, n)
	}
	return node
}

var notInVariables = regexp.MustCompile(`[^A-Z0-9]+`)

// variable names the environment variable of a secret.
func variable(name string) string {
	return "XINSHU_" + strings.Trim(notInVariables.ReplaceAllString(strings.ToUpper(name), "_"), "_")
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func put(m *yaml.Node, key string, value *yaml.Node) {
	m.Content = append(m.Content, scalar(key), value)
}
