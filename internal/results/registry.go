// Package results owns what people ask of finished results: who an entity is and which there are of
// a name, what was published of it since when, how grades are distributed, who moved between two
// releases. It refuses to score, to publish and to know who asks: what somebody may see is the
// caller's business. Settled and published files come in from the lake; answers go to the desk.
package results

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"sync"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Lake is the part of the lake that results are read from.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Local(ctx context.Context, f chain.File) (string, error)
}

// Entity is a registered code as the registry knows it now.
type Entity struct {
	USCC     string `json:"uscc"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Division string `json:"division,omitempty"`
	Industry string `json:"industry,omitempty"`
	MergedTo string `json:"merged_to,omitempty"` // the code that has its records now
}

// Query says which entities are wanted. Empty limits do not limit; areas and industries are the
// beginnings of codes.
type Query struct {
	Text       string // a code, its beginning, or part of a name
	Areas      []string
	Industries []string
	Entities   []string
	After      string // the code that the last page ended with
	Most       int
}

// Registry is the search index of entities: code and name of every one as a settled snapshot has
// them, in a DuckDB table of its own, ordered by code. Decision 0044 says why.
type Registry struct {
	mu  sync.Mutex
	db  *duck.DB
	seq int64
}

// OpenRegistry reads the registry of the settled snapshot as it stands. The caller closes it.
func OpenRegistry(ctx context.Context, lake Lake, o duck.Options) (*Registry, error) {
	head, err := lake.Head(ctx, chain.Settled)
	if err != nil {
		return nil, err
	}
	o.PreserveOrder = true // pages go by code
	db, err := duck.Open(o)
	if err != nil {
		return nil, err
	}
	r := &Registry{db: db, seq: head.N}
	if err := r.fill(ctx, lake, head); err != nil {
		_ = db.Close() // the first error is the one to report
		return nil, err
	}
	return r, nil
}

// fill keeps the newest version of each code.
func (r *Registry) fill(ctx context.Context, lake Lake, head chain.Entry) error {
	paths, err := locals(ctx, lake, head.Table("entity"))
	if err != nil {
		return err
	}
	columns := []duck.Column{{Name: "uscc", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}, {Name: "category", Type: "VARCHAR"},
		{Name: "division", Type: "VARCHAR"}, {Name: "industry", Type: "VARCHAR"}, {Name: "entity_id", Type: "BIGINT"}, {Name: "survivor_id", Type: "BIGINT"},
		{Name: "known_to", Type: "BIGINT"}}
	if err := r.db.OlderView(ctx, "every_entity", paths, columns); err != nil {
		return err
	}
	return r.db.Exec(ctx, `create table registered as
		select e.uscc, coalesce(e.name, '') as name, coalesce(e.category, '') as category, coalesce(e.division, '') as division,
			coalesce(e.industry, '') as industry, coalesce(m.uscc, '') as merged_to
		from every_entity as e
		left join (select entity_id, max(uscc) as uscc from every_entity where known_to is null
			and entity_id in (select survivor_id from every_entity where survivor_id is not null) group by entity_id) as m on m.entity_id = e.survivor_id
		where e.known_to is null
		order by e.uscc`)
}

// Seq is the settled snapshot that the index was made of.
func (r *Registry) Seq() int64 { return r.seq }

// Close ends it, after the question under way.
func (r *Registry) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.db.Close()
}

// shortest is how many characters of a name are looked for at least; one alone is in every tenth.
const shortest = 2

// Find gives entities whose code begins with the text, or whose name has it, by code. A name that
// is the text itself comes first.
func (r *Registry) Find(ctx context.Context, q Query) ([]Entity, error) {
	text := strings.ToUpper(strings.TrimSpace(q.Text))
	if len([]rune(text)) < shortest {
		return nil, &fault.Error{Op: "search", Code: fault.Invalid, Err: errTooShort, Hint: "give a code, at least two characters of its beginning, or at least two characters of a name"}
	}
	where, args := limits(q)
	if LooksLikeCode(text) {
		return r.ask(ctx, "uscc >= "+param(&args, text)+" and uscc < "+param(&args, text+"~")+where, args, q.Most)
	}
	name := strings.TrimSpace(q.Text)
	var first []Entity
	if q.After == "" {
		exactArgs := slices.Clone(args)
		var err error
		if first, err = r.ask(ctx, "name = "+param(&exactArgs, name)+where, exactArgs, q.Most); err != nil || len(first) >= q.Most {
			return first, err
		}
	}
	rest, err := r.ask(ctx, "contains(name, "+param(&args, name)+") and name <> "+param(&args, name)+where, args, q.Most-len(first))
	return append(first, rest...), err
}

// Entity gives one code.
func (r *Registry) Entity(ctx context.Context, uscc string) (Entity, error) {
	found, err := r.ask(ctx, "uscc = $1", []any{uscc}, 1)
	if err != nil {
		return Entity{}, err
	}
	if len(found) == 0 {
		return Entity{}, &fault.Error{Op: "look up " + uscc, Code: fault.NotFound, Hint: "no settled record names this code"}
	}
	return found[0], nil
}

func (r *Registry) ask(ctx context.Context, where string, args []any, most int) ([]Entity, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows, err := r.db.Query(ctx, "select uscc, name, category, division, industry, merged_to from registered where "+where+" limit "+strconv.Itoa(most), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	return scanEntities(rows)
}

func scanEntities(rows *sql.Rows) ([]Entity, error) {
	var found []Entity
	for rows.Next() {
		var e Entity
		if err := rows.Scan(&e.USCC, &e.Name, &e.Category, &e.Division, &e.Industry, &e.MergedTo); err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, rows.Err()
}

// limits writes what a query limits beside its text, with the values as parameters.
func limits(q Query) (where string, args []any) {
	for _, l := range []struct {
		column, form string
		values       []string
	}{{"division", "starts_with(%, @)", q.Areas}, {"industry", "starts_with(%, @)", q.Industries}, {"uscc", "% = @", q.Entities}} {
		var any []string
		for _, v := range l.values {
			any = append(any, strings.NewReplacer("%", l.column, "@", param(&args, v)).Replace(l.form))
		}
		if len(any) > 0 {
			where += " and (" + strings.Join(any, " or ") + ")"
		}
	}
	if q.After != "" {
		where += " and uscc > " + param(&args, q.After)
	}
	return where, args
}

// param adds a value and gives its place.
func param(args *[]any, v any) string {
	*args = append(*args, v)
	return "$" + strconv.Itoa(len(*args))
}

// LooksLikeCode says whether a text can be the beginning of a code: digits and letters alone, with a
// digit among them.
func LooksLikeCode(text string) bool {
	digit := false
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'A' && c <= 'Z':
		default:
			return false
		}
	}
	return digit
}

func locals(ctx context.Context, lake Lake, files []chain.File) ([]string, error) {
	paths := make([]string, 0, len(files))
	for _, f := range files {
		path, err := lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
