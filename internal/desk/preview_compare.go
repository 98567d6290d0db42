package desk

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/duck"
)

// compare fills the preview from the two sets of grades.
func (p *PolicyPreview) compare(ctx context.Context, db *duck.DB, a, b catalog.Policy, paths [2][]string, movers int) error {
	var order []string
	switch {
	case slices.Equal(p.From.Grades, p.To.Grades):
		p.Compared, order = "grade", p.From.Grades
	case len(classes(a)) > 1 && slices.Equal(classes(a), classes(b)):
		p.Compared, order = "class", classes(a)
	}
	columns := []duck.Column{{Name: "uscc", Type: "VARCHAR"}, {Name: "name", Type: "VARCHAR"}, {Name: "division", Type: "VARCHAR"}, {Name: "industry", Type: "VARCHAR"},
		{Name: "score", Type: "BIGINT"}, {Name: "grade", Type: "VARCHAR"}, {Name: "class", Type: "VARCHAR"}}
	for i, name := range []string{"graded_a", "graded_b"} {
		if err := db.View(ctx, name, paths[i], columns); err != nil {
			return err
		}
	}
	places := make([][]any, len(order))
	for i, word := range order {
		places[i] = []any{word, int64(i)}
	}
	if err := db.Table(ctx, "place", []duck.Column{{Name: "word", Type: "VARCHAR"}, {Name: "place", Type: "BIGINT"}}, places); err != nil {
		return err
	}
	by := cmp.Or(p.Compared, "grade")
	if err := db.Exec(ctx, `create table moved as
		select coalesce(a.uscc, b.uscc) as uscc, coalesce(b.name, a.name) as name, coalesce(b.division, a.division, '') as division,
			left(coalesce(b.industry, a.industry, ''), 1) as industry, a.grade as a_grade, b.grade as b_grade, a.score as a_score, b.score as b_score,
			pa.place - pb.place as places
		from graded_a as a full join graded_b as b on b.uscc = a.uscc
		left join place as pa on pa.word = a.`+by+` left join place as pb on pb.word = b.`+by); err != nil {
		return err
	}
	if err := p.count(ctx, db); err != nil {
		return err
	}
	var err error
	if p.Areas, err = parts(ctx, db, "division"); err != nil {
		return err
	}
	if p.Industries, err = parts(ctx, db, "industry"); err != nil {
		return err
	}
	p.Movers, err = moversOf(ctx, db, movers)
	return err
}

// count fills matrix and sums.
func (p *PolicyPreview) count(ctx context.Context, db *duck.DB) error {
	p.Matrix = make([][]int64, len(p.From.Grades)+1)
	for i := range p.Matrix {
		p.Matrix[i] = make([]int64, len(p.To.Grades)+1)
	}
	rows, err := db.Query(ctx, `select coalesce(a_grade, ''), coalesce(b_grade, ''), count(*), count(case when places > 0 then 1 end), count(case when places < 0 then 1 end)
		from moved group by all`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var (
			from, to        string
			n, rises, falls int64
		)
		if err := rows.Scan(&from, &to, &n, &rises, &falls); err != nil {
			return err
		}
		p.Matrix[placeOf(p.From.Grades, from)][placeOf(p.To.Grades, to)] += n
		p.Entities, p.Rises, p.Falls = p.Entities+n, p.Rises+rises, p.Falls+falls
		switch {
		case from == "":
			p.Entered += n
		case to == "":
			p.Left += n
		case p.Compared != "":
			p.Same += n - rises - falls
		}
	}
	return rows.Err()
}

// placeOf is where a grade stands in the matrix; what is not graded stands last.
func placeOf(grades []string, grade string) int {
	if i := slices.Index(grades, grade); i >= 0 {
		return i
	}
	return len(grades)
}

func parts(ctx context.Context, db *duck.DB, by string) ([]PreviewPart, error) {
	rows, err := db.Query(ctx, fmt.Sprintf(`select %[1]s, count(*), count(case when places > 0 then 1 end) as rises, count(case when places < 0 then 1 end) as falls
		from moved group by %[1]s order by rises + falls desc, %[1]s limit %[2]d`, by, mostParts))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	all := []PreviewPart{}
	for rows.Next() {
		var p PreviewPart
		if err := rows.Scan(&p.Code, &p.Entities, &p.Rises, &p.Falls); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// moversOf names those whose grade moves most; of equal moves the widest in points, then by code.
func moversOf(ctx context.Context, db *duck.DB, most int) ([]PreviewMover, error) {
	rows, err := db.Query(ctx, fmt.Sprintf(`select uscc, coalesce(name, ''), a_grade, b_grade, a_score, b_score, places
		from moved where a_grade is not null and b_grade is not null and (places <> 0 or places is null and a_grade <> b_grade)
		order by abs(coalesce(places, 0)) desc, abs(b_score - a_score) desc, uscc limit %d`, most))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	all := []PreviewMover{}
	for rows.Next() {
		var (
			m      PreviewMover
			places sql.NullInt64
		)
		if err := rows.Scan(&m.USCC, &m.Name, &m.FromGrade, &m.ToGrade, &m.FromScore, &m.ToScore, &places); err != nil {
			return nil, err
		}
		m.Places = places.Int64
		all = append(all, m)
	}
	return all, rows.Err()
}
