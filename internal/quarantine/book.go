package quarantine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
)

// Book is the quarantine of one dataset at one entry of its chain, as views: refused holds every
// refused row, standing one line for each thing to mend, with what became of it.
type Book struct {
	dataset string
	db      *duck.DB
	head    chain.Entry
	empty   bool     // nothing was ever refused
	paths   []string // of the quarantine objects, in the order of their commits
}

// refusedColumns are those of the quarantine table that are read. They are all read as text or whole
// numbers, and one that a file of an older version lacks is null, so such a file can be listed too.
var refusedColumns = []duck.Column{
	{Name: "row_no", Type: "BIGINT"}, {Name: "origin_file", Type: "VARCHAR"}, {Name: "origin_line", Type: "BIGINT"},
	{Name: "reason", Type: "VARCHAR"}, {Name: "column_name", Type: "VARCHAR"}, {Name: "value", Type: "VARCHAR"},
	{Name: "original", Type: "VARCHAR"}, {Name: "received_on", Type: "VARCHAR"}, {Name: "content", Type: "VARCHAR"},
	{Name: "batch_time", Type: "TIMESTAMP"},
}

var correctedColumns = []duck.Column{
	{Name: "original_n", Type: "BIGINT"}, {Name: "original_row", Type: "BIGINT"}, {Name: "outcome", Type: "VARCHAR"}, {Name: "row_no", Type: "BIGINT"},
	{Name: "corrected_by", Type: "VARCHAR"}, {Name: "corrected_at", Type: "VARCHAR"}, {Name: "way", Type: "VARCHAR"}, {Name: "workbook", Type: "VARCHAR"},
	{Name: "origin_file", Type: "VARCHAR"}, {Name: "origin_line", Type: "BIGINT"}, {Name: "note", Type: "VARCHAR"},
}

// OpenBook makes the views over the dataset's newest entry.
func OpenBook(ctx context.Context, lake Lake, db *duck.DB, dataset string) (*Book, error) {
	b := &Book{dataset: dataset, db: db}
	var err error
	if b.head, err = lake.Head(ctx, chain.Stage(dataset)); err != nil {
		return nil, err
	}
	if b.empty = len(b.head.Table("quarantine")) == 0; b.empty {
		return b, nil
	}
	if err := b.view(ctx, lake, "quarantine", "refused_file", refusedColumns); err != nil {
		return nil, err
	}
	if err := b.view(ctx, lake, "corrected", "corrected_file", correctedColumns); err != nil {
		return nil, err
	}
	for _, statement := range statements {
		if err := db.Exec(ctx, statement); err != nil {
			return nil, b.failed(err)
		}
	}
	return b, nil
}

// view makes a table's files one view, with the commit and the run that brought each row.
func (b *Book) view(ctx context.Context, lake Lake, table, name string, columns []duck.Column) error {
	var paths []string
	var places [][]any
	files := b.head.Table(table)
	slices.SortStableFunc(files, func(a, b chain.File) int { return cmp.Compare(a.N, b.N) })
	for _, f := range files {
		path, err := lake.Local(ctx, f)
		if err != nil {
			return err
		}
		paths = append(paths, path)
		places = append(places, []any{path, f.N, runOf(b.head.Chain, f.Key), f.Source})
	}
	place := []duck.Column{{Name: "filename", Type: "VARCHAR"}, {Name: "n", Type: "BIGINT"}, {Name: "run", Type: "VARCHAR"}, {Name: "source", Type: "VARCHAR"}}
	if err := b.db.Table(ctx, name, place, places); err != nil {
		return b.failed(err)
	}
	has := map[string]bool{}
	if len(paths) > 0 {
		there, err := b.db.Describe(ctx, "select * from "+duck.Parquet(paths))
		if err != nil {
			return b.failed(err)
		}
		for _, c := range there {
			has[c.Name] = true
		}
	}
	if table == "quarantine" {
		b.paths = paths
	}
	parts := []string{"f.n", "f.run", "f.source", "f.filename"}
	for _, c := range columns {
		source := "r." + duck.Ident(c.Name)
		if !has[c.Name] {
			source = "null"
		}
		parts = append(parts, fmt.Sprintf("cast(%s as %s) as %s", source, c.Type, duck.Ident(c.Name)))
	}
	from := " from " + name + " as f where false"
	if len(paths) > 0 {
		from = " from " + duck.Parquet(paths) + " as r join " + name + " as f on f.filename = r.filename"
	}
	return b.db.Exec(ctx, "create or replace view "+table+"_read as select "+strings.Join(parts, ", ")+from)
}

// statements build the views of a book from what was read. A row of an older version of the hub has no
// hash of what it said: what was kept of it serves, with its place where little was kept. What somebody
// decided about a row holds for every row that says the same, the later ones too: the source goes on
// sending it until it is mended there.
var statements = []string{
	`create or replace view refused as
	select n, run, source, filename, row_no, coalesce(origin_file, '') as origin_file, coalesce(origin_line, 0) as origin_line, reason,
		coalesce(column_name, '') as column_name, coalesce(value, '') as value, original, received_on, epoch_us(coalesce(batch_time, cast(received_on as timestamp))) as received_at,
		coalesce(content, md5(concat(original, case when starts_with(original, '{"_row":') then concat(origin_file, chr(31), origin_line) end))) as content
	from quarantine_read`,

	`create or replace temp table thing as
	select content, count(*) as seen, min(received_on) as first_day, max(received_on) as last_day,
		min(struct_pack(n := n, row_no := row_no)) as first, max(struct_pack(n := n, row_no := row_no)) as last
	from refused group by content`,

	`create or replace temp table standing as
	select t.content, t.seen, t.first_day, t.last_day, t.first.n as n, t.first.row_no as row_no, t.last.n as last_n, t.last.row_no as last_row,
		case c.outcome when 'accepted' then 'corrected' when 'duplicate' then 'corrected' when 'skipped' then 'corrected'
			when 'withdrawn' then 'withdrawn' when 'again' then 'again' else 'open' end as state,
		l.reason, l.source, l.received_at, c.outcome, c.corrected_by, c.corrected_at, c.way, c.workbook, c.origin_file as corrected_file, c.origin_line as corrected_line, c.note,
		c.n as corrected_n, c.row_no as corrected_row
	from thing as t
	join (select n, row_no, reason, source, received_at from refused) as l on l.n = t.last.n and l.row_no = t.last.row_no
	left join corrected_read as c on c.original_n = t.first.n and c.original_row = t.first.row_no`,
}

// runOf reads the run from an object's key: data/<chain>/<run>/<table>/<part>.
func runOf(chainName, key string) string {
	rest, _ := strings.CutPrefix(key, "data/"+chainName+"/")
	run, _, _ := strings.Cut(rest, "/")
	return run
}

// Head is the entry of the dataset's chain that the book shows.
func (b *Book) Head() int64 { return b.head.N }
