package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/all"
	"xinshu/internal/cases"
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

var (
	yamlLine    = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownKey  = regexp.MustCompile(`^field (.+) not found in type \S+$`)
	wrongForm   = regexp.MustCompile(`^cannot unmarshal .*$`)                             // shows the value, which may be a secret
	parserFault = regexp.MustCompile(`^did not find expected ('[,-]|key|node content|<)`) // the parser counts lines from 0, the scanner from 1
)

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

// check finds what decoding cannot: kinds and settings that are not known, names that are missing
// or taken twice, days that are none, numbers below nothing.
func (c *Config) check(f *configFaults) {
	switch c.Store.Kind {
	case "folder":
	case "s3":
		if c.Store.Endpoint == "" {
			f.add([]any{"store"}, "store.endpoint is not set; kind s3 needs host:port of the server")
		}
	default:
		f.add([]any{"store", "kind"}, "store.kind is %q; folder and s3 are known", c.Store.Kind)
	}
	if dsn := c.State.DSN; dsn != "" && !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		f.add([]any{"state", "dsn"}, "state.dsn does not begin with postgres://; leave it out for SQLite in the data folder")
	}
	for name, n := range map[string]int64{"threads": int64(c.Score.Threads), "memory_mb": int64(c.Score.MemoryMB)} {
		if n < 0 {
			f.add([]any{"score", name}, "score.%s is %d; it is 0 or more", name, n)
		}
	}
	if d, err := time.ParseDuration(c.Store.AnswerWithin); c.Store.AnswerWithin != "" && (err != nil || d <= 0) {
		f.add([]any{"store", "answer_within"}, "store.answer_within is %q, no time such as 60s", c.Store.AnswerWithin)
	}
	if c.Store.CacheMB < 0 {
		f.add([]any{"store", "cache_mb"}, "store.cache_mb is %d; it is 0 or more", c.Store.CacheMB)
	}
	if c.Catalog != "" {
		if info, err := os.Stat(c.Catalog); err != nil || !info.IsDir() {
			f.add([]any{"catalog"}, "catalog: there is no folder %s", c.Catalog)
		}
	}
	for i, kind := range c.Cases.Review {
		if !slices.Contains(cases.Kinds, kind) {
			f.add([]any{"cases", "review", i}, "cases.review: %q is no kind of case; objection, repair and completion are", kind)
		}
	}
	c.Serve.check(f)
	c.Vault.check(f)
	c.Auth.check(f)
	c.checkConnections(f)
	c.checkCare(f)
}

func (c *Config) checkConnections(f *configFaults) {
	sources, targets := map[string]bool{}, map[string]bool{}
	for i, s := range c.Sources {
		what, at := called("source", s.Name, i), []any{"sources", i}
		f.name(sources, what, s.Name, under(at, "name"))
		if _, err := catalog.ParseDate(s.Collected); s.Collected != "" && err != nil {
			f.add(under(at, "collected"), "%s: collected is %q, no day such as 2006-01-02", what, s.Collected)
		}
		driver, ok := f.connection(what, s.Kind, s.Values, at)
		for id, job := range s.Datasets {
			if ok {
				f.settings(what+", dataset "+id, driver.Job, job, under(at, "datasets", id))
			}
		}
	}
	c.Receive.check(f, sources)
	for i, t := range c.Targets {
		what, at := called("target", t.ID, i), []any{"targets", i}
		f.name(targets, what, t.ID, under(at, "id"))
		f.connection(what, t.Kind, t.Values, at)
	}
}

func called(what, name string, i int) string {
	if name == "" {
		return fmt.Sprintf("%s number %d", what, i+1)
	}
	return what + " " + name
}

func under(at []any, steps ...any) []any { return append(slices.Clip(at), steps...) }

// name wants each name once: two would share one place in the source, or one outbox.
func (f *configFaults) name(taken map[string]bool, what, name string, at []any) {
	switch {
	case name == "":
		f.add(at, "%s has no name", what)
	case taken[name]:
		f.add(at, "the %s stands there twice", what)
	}
	taken[name] = true
}

// connection holds a source's or target's kind and settings against what the drivers declare.
func (f *configFaults) connection(what, kind string, values connectors.Values, at []any) (connectors.Driver, bool) {
	driver, ok := all.Driver(kind, time.Now) // only what it declares is read here, no clock
	if !ok {
		var kinds []string
		for _, d := range all.Drivers(time.Now) {
			kinds = append(kinds, d.Kind)
		}
		f.add(under(at, "kind"), "%s: there is no connector kind %q; kinds are %s", what, kind, strings.Join(kinds, ", "))
		return driver, false
	}
	f.settings(what, driver.Settings, values, under(at, "values"))
	return driver, true
}

func (f *configFaults) settings(what string, settings []connectors.Setting, values connectors.Values, at []any) {
	if _, err := connectors.Fill(settings, values); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			name, _, _ := strings.Cut(line, " ") // each begins with the setting's name
			f.add(under(at, name), "%s: %s", what, line)
		}
	}
}

// mostWorkers bounds the tasks of one node: each pull holds some hundred MB.
const mostWorkers = 64

func (s ServeConfig) check(f *configFaults) {
	for name, text := range map[string]string{"poll": s.Poll, "lease": s.Lease, "grace": s.Grace, "backoff": s.Backoff, "on_time": s.OnTime} {
		if d, err := time.ParseDuration(text); text != "" && (err != nil || d <= 0) {
			f.add([]any{"serve", name}, "serve.%s is %q, no time such as 30s", name, text)
		}
	}
	if s.Workers < -1 || s.Workers > mostWorkers {
		f.add([]any{"serve", "workers"}, "serve.workers is %d; it is 1 to %d, 0 for the default, -1 for none", s.Workers, mostWorkers)
	}
	if s.Connections < 0 {
		f.add([]any{"serve", "connections"}, "serve.connections is %d; it is 0 or more", s.Connections)
	}
	if (s.Cert == "") != (s.Key == "") {
		f.add([]any{"serve"}, "serve.cert and serve.key go together: a certificate and its key")
	}
}
