package grading

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Models are the macros and models that score, in the order in which they run.
type Models struct {
	Macros  []string
	Joining []duck.Model // number_claim, identity, rejoined_record: whose records are counted for whom, worked out before any of them is read
	Models  []duck.Model
	SHA256  string // of every text, in order
}

// What scoring runs, in order. The first ones read settled tables; those stored are made once
// for each group of ranges; the last two leave the house.
var order = []string{"intermediate/held_feed", "intermediate/joined_mark", "intermediate/mark_effect", "intermediate/touched_entity",
	"intermediate/double_report", "intermediate/record_seen", "intermediate/rating_end", "intermediate/record", "intermediate/entity",
	"intermediate/held_hit", "intermediate/int_hit", "intermediate/int_rule_hits", "intermediate/int_indicator_points",
	"intermediate/int_totals", "marts/grade", "marts/points"}

// joining are the models that run once for all ranges, before the others.
var joining = []string{"intermediate/number_claim", "intermediate/" + Identity, "intermediate/" + Rejoined}

// The names of the joining models.
const (
	Identity = "identity"
	Rejoined = "rejoined_record"
)

// stored are the models whose rows are kept while a group is scored, because more than one other
// model reads them, or because it is good to know early that there are none; the rest are views.
var stored = map[string]bool{"held_feed": true, "held_hit": true, "joined_mark": true, "mark_effect": true, "touched_entity": true,
	"double_report": true, "rating_end": true, "int_indicator_points": true, "int_totals": true, "grade": true}

// Load reads the macros and the scoring models.
func Load(files fs.FS) (Models, error) {
	var m Models
	digest := sha256.New()
	macros, err := fs.Glob(files, "macros/*.sql")
	if err != nil {
		return m, fault.Newf(fault.Internal, "list macros", "%w", err)
	}
	read := func(name string) (string, error) {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return "", &fault.Error{Op: "read " + name, Code: fault.Internal, Err: err, Hint: "the folder sql is not whole"}
		}
		_, _ = fmt.Fprintf(digest, "%s\x1f%s\x1f", name, text) // a hash never fails
		return string(text), nil
	}
	for _, name := range macros {
		text, err := read(name)
		if err != nil {
			return m, err
		}
		m.Macros = append(m.Macros, text)
	}
	for _, part := range []struct {
		names []string
		into  *[]duck.Model
	}{{joining, &m.Joining}, {order, &m.Models}} {
		for _, name := range part.names {
			text, err := read(name + ".sql")
			if err != nil {
				return m, err
			}
			model, err := duck.ParseModel(path.Base(name)+".sql", text)
			if err != nil {
				return m, err
			}
			*part.into = append(*part.into, model)
		}
	}
	m.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return m, nil
}

// Views makes each model that is not stored a view, and each stored one an empty table, so that all
// of them can be asked by name from now on.
func (m Models) Views(ctx context.Context, db *duck.DB) error {
	if err := m.joinNobody(ctx, db); err != nil {
		return err
	}
	for _, model := range m.Models {
		if stored[model.Name] {
			if err := db.Table(ctx, model.Name, model.Columns, nil); err != nil {
				return err
			}
			continue
		}
		if err := db.Create(ctx, model); err != nil {
			return err
		}
	}
	return nil
}

// Materialise computes the stored models from the settled relations as they are now, in order.
func (m Models) Materialise(ctx context.Context, db *duck.DB) error {
	from := sources{}
	for _, model := range m.Models {
		if !stored[model.Name] {
			continue
		}
		none, err := from.none(ctx, db, model.Name)
		switch {
		case err != nil:
		case none:
			err = db.Table(ctx, model.Name, model.Columns, nil)
		default:
			err = table(ctx, db, model)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func table(ctx context.Context, db *duck.DB, m duck.Model) error {
	if err := db.Exec(ctx, "create or replace table "+duck.Ident(m.Name)+" as\n"+m.Query); err != nil {
		return fmt.Errorf("run model %s: %w", m.Name, err)
	}
	return nil
}

// Script writes what scoring a policy runs as one text: macros, the policy's tables, the models.
// The settled relations and run are views that the runner makes.
func (m Models) Script(p catalog.Policy) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- What scoring %s runs (policy %s, models %s).\n", p.ID, p.SHA256, m.SHA256)
	b.WriteString("-- The runner makes the settled relations over Parquet files (parting_record is settled_record as it lies, of the\n-- entities that give records away; what the other models read has rejoined_record in its place), and the one-row\n-- relation run with the clocks.\n\n")
	for _, text := range m.Macros {
		b.WriteString(strings.TrimSpace(text) + "\n\n")
	}
	for _, t := range p.Tables() {
		defs := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			defs[i] = c[0] + " " + c[1]
		}
		fmt.Fprintf(&b, "create or replace table %s (%s);\n", t.Name, strings.Join(defs, ", "))
		for _, row := range t.Rows {
			cells := make([]string, len(row))
			for i, v := range row {
				switch x := v.(type) {
				case nil:
					cells[i] = "null"
				case string:
					cells[i] = duck.Text(x)
				default:
					cells[i] = fmt.Sprint(x)
				}
			}
			fmt.Fprintf(&b, "insert into %s values (%s);\n", t.Name, strings.Join(cells, ", "))
		}
		b.WriteString("\n")
	}
	for _, model := range slices.Concat(m.Joining, m.Models) {
		what := "view"
		if stored[model.Name] || model.Name == Identity {
			what = "table"
		}
		fmt.Fprintf(&b, "-- %s\ncreate or replace %s %s as\n%s;\n\n", model.Doc, what, model.Name, model.Query)
	}
	return b.String()
}
