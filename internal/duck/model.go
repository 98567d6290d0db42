package duck

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"xinshu/internal/fault"
)

// Model is one SQL file and the promise in its header.
type Model struct {
	Name    string   // also the file's name without .sql
	Doc     string   // what the model answers
	Inputs  []string // relations that must exist before it runs
	Grain   []string // columns that together name a row
	Columns []Column // names, types and order of what it gives
	Query   string   // one select, without the header and without a closing semicolon
}

var (
	modelName   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	modelColumn = regexp.MustCompile(`^([a-z][a-z0-9_]*)\s+(BIGINT|INTEGER|VARCHAR|DATE|TIMESTAMP|BOOLEAN)(?:\s+(\S.*))?$`)
)

// ParseModel reads a model file. The header is the comment lines at its top:
//
//	-- model:   int_rule_hits
//	-- What it answers, in a line or more.
//	-- inputs:  record, policy_rule
//	-- grain:   entity_id, rule
//	-- columns:
//	--   entity_id  BIGINT  registry id, internal
//
// A line indented by two or more spaces goes on with the list above it. An error names file and line.
func ParseModel(file, text string) (Model, error) {
	p := headerParser{file: file}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	n := 0
	for ; n < len(lines) && strings.HasPrefix(lines[n], "--"); n++ {
		if err := p.line(n+1, strings.TrimPrefix(lines[n], "--")); err != nil {
			return Model{}, err
		}
	}
	p.model.Query = strings.TrimSpace(strings.Join(lines[n:], "\n"))
	return p.model, p.check(n + 1)
}

type headerParser struct {
	file    string
	section string // the list that an indented line goes on with
	model   Model
}

func (p *headerParser) line(n int, s string) error {
	if strings.HasPrefix(s, "  ") && p.section != "" {
		return p.more(n, strings.TrimSpace(s))
	}
	s = strings.TrimSpace(s)
	key, value, found := strings.Cut(s, ":")
	value = strings.TrimSpace(value)
	m := &p.model
	switch {
	case found && key == "model":
		if m.Name != "" {
			return p.fail(n, "a second model: line")
		}
		m.Name = value
	case found && (key == "inputs" || key == "grain"):
		p.section = key
		return p.more(n, value)
	case found && key == "columns":
		if value != "" {
			return p.fail(n, "columns: is followed by one line for each column")
		}
		p.section = key
	case p.section != "":
		return p.fail(n, "expected inputs:, grain:, columns: or an indented line, found %q", s)
	case s != "":
		if m.Doc != "" {
			m.Doc += " "
		}
		m.Doc += s
	}
	return nil
}

func (p *headerParser) more(n int, s string) error {
	if p.section == "columns" {
		c := modelColumn.FindStringSubmatch(s)
		if c == nil {
			return p.fail(n, "a column is written as name, TYPE, meaning; found %q", s)
		}
		for _, before := range p.model.Columns {
			if before.Name == c[1] {
				return p.fail(n, "column %s is listed twice", c[1])
			}
		}
		p.model.Columns = append(p.model.Columns, Column{Name: c[1], Type: c[2], Doc: c[3]})
		return nil
	}
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "": // a list may end a line with a comma, or be empty
		case !modelName.MatchString(name):
			return p.fail(n, "%s: %q is not a name", p.section, name)
		case p.section == "inputs":
			p.model.Inputs = append(p.model.Inputs, name)
		default:
			p.model.Grain = append(p.model.Grain, name)
		}
	}
	return nil
}

// check holds the header against the rules that need all of it; n is the first line after it.
func (p *headerParser) check(n int) error {
	m := p.model
	switch {
	case m.Name == "":
		return p.fail(1, "the header has no model: line")
	case !modelName.MatchString(m.Name):
		return p.fail(1, "%q is not a model's name", m.Name)
	case m.Name != strings.TrimSuffix(path.Base(p.file), ".sql"):
		return p.fail(1, "the file is named for another model than %q", m.Name)
	case m.Doc == "":
		return p.fail(1, "the header does not say what the model answers")
	case len(m.Columns) == 0:
		return p.fail(n, "the header lists no columns")
	case len(m.Grain) == 0:
		return p.fail(n, "the header names no grain")
	case m.Query == "":
		return p.fail(n, "there is no query after the header")
	case strings.HasSuffix(m.Query, ";"):
		return p.fail(n, "a model is one select without a closing semicolon")
	}
	for _, g := range m.Grain {
		if !hasColumn(m.Columns, g) {
			return p.fail(n, "grain %s is not among the columns", g)
		}
	}
	return nil
}

func hasColumn(columns []Column, name string) bool {
	for _, c := range columns {
		if c.Name == name {
			return true
		}
	}
	return false
}

func (p *headerParser) fail(n int, format string, args ...any) error {
	return &fault.Error{Op: fmt.Sprintf("read model %s:%d", p.file, n), Code: fault.Invalid, Err: fmt.Errorf(format, args...)}
}

// CheckModel compares a model's header with what its query gives. The inputs must exist; on empty
// ones it runs the query as well.
func (d *DB) CheckModel(ctx context.Context, m Model) error {
	fail := func(format string, args ...any) error {
		return fault.Newf(fault.Invalid, "check model "+m.Name, format, args...)
	}
	found, err := d.Describe(ctx, m.Query)
	if err != nil {
		return err
	}
	for i := range max(len(found), len(m.Columns)) {
		switch {
		case i >= len(found):
			return fail("column %d is %s %s in the header, the query gives no such column", i+1, m.Columns[i].Name, m.Columns[i].Type)
		case i >= len(m.Columns):
			return fail("column %d of the query, %s %s, is not in the header", i+1, found[i].Name, found[i].Type)
		case found[i].Name != m.Columns[i].Name || found[i].Type != m.Columns[i].Type:
			return fail("column %d is %s %s in the header, the query gives %s %s", i+1,
				m.Columns[i].Name, m.Columns[i].Type, found[i].Name, found[i].Type)
		}
	}
	var rows int64
	return d.One(ctx, "select count(*) from (\n"+m.Query+"\n)", nil, &rows)
}

// Create makes a view of the model's name over its query.
func (d *DB) Create(ctx context.Context, m Model) error {
	return d.Exec(ctx, "create or replace view "+Ident(m.Name)+" as\n"+m.Query)
}
