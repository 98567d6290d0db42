package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/fault"
)

// sourceEdit is a config with one source more. What stands in the file, comments and order, stays as
// it is: the new item is laid in as text.
type sourceEdit struct {
	path    string
	mode    fs.FileMode
	name    string
	old     []byte
	text    []byte
	secrets map[string]string // file to secret; written before the config that names them
}

var plainName = regexp.MustCompile(`^[\p{L}\p{N}._-]+$`)

func newSourceEdit(path string, s SourceConfig) (*sourceEdit, error) {
	e := &sourceEdit{path: path, mode: 0o640, name: s.Name, secrets: map[string]string{}}
	if !plainName.MatchString(s.Name) {
		return nil, usageError{fmt.Errorf("the source's name %q is not made of letters, digits, dot, - and _", s.Name)}
	}
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = []byte("# 信枢配置 config of Xinshu; every key: deploy/xinshu.yaml\n")
	case err != nil:
		return nil, usageError{&fault.Error{Op: "read config", Code: fault.NotFound, Err: err}}
	default:
		if info, err := os.Stat(path); err == nil {
			e.mode = info.Mode().Perm()
		}
	}
	e.old = old
	if driver, ok := all.Driver(s.Kind, hubClock); ok {
		if err := e.keepSecrets(driver.Settings, s.Values, s.Name); err != nil {
			return nil, err
		}
		for id, job := range s.Datasets {
			if err := e.keepSecrets(driver.Job, job, s.Name+"."+id); err != nil {
				return nil, err
			}
		}
	}
	item, err := sourceItem(s)
	if err != nil {
		return nil, err
	}
	e.text, err = layIn(old, item)
	if err != nil {
		return nil, usageError{&fault.Error{Op: "add the source to " + path, Code: fault.Invalid, Err: err, Hint: "mend the config, or add the source by hand"}}
	}
	return e, nil
}

// keepSecrets moves what was typed in clear into files of their own, beside the config.
func (e *sourceEdit) keepSecrets(declared []connectors.Setting, values connectors.Values, whose string) error {
	for _, s := range declared {
		value := values[s.Name]
		if !s.Secret || value == "" || strings.HasPrefix(value, "${") {
			continue
		}
		path, err := filepath.Abs(filepath.Join(filepath.Dir(e.path), "secrets", whose+"."+s.Name))
		if err != nil {
			return err
		}
		e.secrets[path] = value
		values[s.Name] = "${file:" + path + "}"
	}
	return nil
}

// sourceItem writes a source as an item of the list, its settings in the order in which the kind
// declares them.
func sourceItem(s SourceConfig) (string, error) {
	driver, _ := all.Driver(s.Kind, hubClock)
	item := mapping()
	put(item, "name", scalar(s.Name))
	put(item, "kind", scalar(s.Kind))
	if s.Collected != "" {
		put(item, "collected", scalar(s.Collected))
	}
	put(item, "values", settingsNode(driver.Settings, s.Values))
	datasets := mapping()
	for _, id := range datasetsOf(s) {
		put(datasets, id, settingsNode(driver.Job, s.Datasets[id]))
	}
	put(item, "datasets", datasets)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := errors.Join(enc.Encode([]*yaml.Node{item}), enc.Close())
	return b.String(), err
}

func settingsNode(declared []connectors.Setting, values connectors.Values) *yaml.Node {
	node := mapping()
	known := map[string]bool{}
	for _, s := range declared {
		known[s.Name] = true
		if v, ok := values[s.Name]; ok {
			value := scalar(v)
			value.LineComment = s.Title.ZH
			put(node, s.Name, value)
		}
	}
	var strays []string
	for name := range values {
		if !known[name] {
			strays = append(strays, name)
		}
	}
	slices.Sort(strays)
	for _, name := range strays { // the check of the config names them
		put(node, name, scalar(values[name]))
	}
	return node
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

// layIn puts an item at the head of the list of sources.
func layIn(old []byte, item string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(old, &doc); err != nil {
		return nil, errors.New("the config is no YAML")
	}
	lines := strings.SplitAfter(string(old), "\n")
	if last := len(lines) - 1; lines[last] != "" {
		lines[last] += "\n"
	}
	var key, list *yaml.Node
	if doc.Kind == yaml.DocumentNode {
		key, list = member(doc.Content[0], "sources")
	}
	var at int
	indent := 2
	switch {
	case key == nil:
		lines = append(lines, "sources:\n")
		at = len(lines)
	case list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle == 0 && len(list.Content) > 0:
		at, indent = key.Line, list.Column-1
	case list.Kind == yaml.SequenceNode && len(list.Content) == 0, list.Kind == yaml.ScalarNode && list.Tag == "!!null":
		lines[key.Line-1] = strings.Repeat(" ", key.Column-1) + "sources:\n"
		at = key.Line
	default:
		return nil, errors.New("its sources are not written as a list of lines that begin with -")
	}
	pad := strings.Repeat(" ", indent)
	laid := pad + strings.ReplaceAll(strings.TrimRight(item, "\n"), "\n", "\n"+pad) + "\n"
	return []byte(strings.Join(slices.Insert(lines, at, laid), "")), nil
}

// check reads the new config as a whole and gives the new source with its secrets resolved.
func (e *sourceEdit) check() (c Config, s SourceConfig, err error) {
	plain := string(e.text)
	for path, secret := range e.secrets { // not on the disk yet
		quoted, err := json.Marshal(secret) // of many lines, perhaps; YAML reads a JSON string
		if err != nil {
			return c, s, err
		}
		plain = strings.ReplaceAll(plain, "${file:"+path+"}", string(quoted))
	}
	if c, err = readConfig(e.path, []byte(plain)); err != nil {
		return c, s, err
	}
	i := slices.IndexFunc(c.Sources, func(s SourceConfig) bool { return s.Name == e.name })
	if i < 0 {
		return c, s, fault.Newf(fault.Internal, "add the source", "it is not found in the new config")
	}
	return c, c.Sources[i], nil
}

// write stores the secrets, then the config, each whole or not at all.
func (e *sourceEdit) write() error {
	for path, secret := range e.secrets {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := writeOnce(path, []byte(secret+"\n")); err != nil {
			return err
		}
		fault.At(fault.BeforeConfig)
	}
	if now, err := os.ReadFile(e.path); err == nil && !bytes.Equal(now, e.old) {
		return fault.Newf(fault.Conflict, "write "+e.path, "it was changed meanwhile; nothing was written, add the source again")
	}
	if err := writeOnce(e.path, e.text); err != nil {
		return err
	}
	return os.Chmod(e.path, e.mode)
}
