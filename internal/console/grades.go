package console

import (
	"fmt"
	"net/url"
	"strconv"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

func (c *Console) gradePages() []Page {
	return []Page{
		{Pattern: "GET /grades", Right: auth.GradesSum, Do: c.grades},
		{Pattern: "GET /grades/{policy}", Right: auth.GradesSum, Do: c.gradesOf},
		{Pattern: "GET /grades/{policy}/movers", Right: auth.GradesSee, Do: c.movers},
	}
}

// gradesShown is the distribution of one policy with its picture.
type gradesShown struct {
	Policy  catalog.Policy
	Sum     desk.Distribution
	Picture chart.Picture
}

func (c *Console) grades(q *Request) error {
	var all []gradesShown
	for _, p := range c.Desk.Policies(q.Context()) {
		sum, err := c.Desk.Distribution(q.Context(), p.ID)
		if err != nil {
			return err
		}
		all = append(all, gradesShown{p, sum, q.sharesOf(p, sum)})
	}
	return q.Render("grades/list", map[string]any{"Policies": all})
}

func (c *Console) gradesOf(q *Request) error {
	id := q.PathValue("policy")
	sum, err := c.Desk.Distribution(q.Context(), id)
	if err != nil {
		return err
	}
	p, _ := c.Desk.Catalog.Policy(id) // the desk found it
	query := q.URL.Query()
	from, to := whole(query.Get("from")), whole(query.Get("to"))
	data := map[string]any{"Policy": p, "Sum": sum, "Shares": q.sharesOf(p, sum), "Areas": q.partsOf(p, sum.Areas, "grades.areas"), "Industries": q.partsOf(p, sum.Industries, "grades.industries"),
		"Form": q.purposeForm("", query)}
	moved, err := c.Desk.Movement(q.Context(), id, from, to)
	switch {
	case err == nil:
		data["Moved"], data["Matrix"] = moved, q.matrixOf(moved)
	case fault.Is(err, fault.NotFound): // fewer than two releases
	default:
		return err
	}
	return q.Render("grades/policy", data)
}

// movers names the entities behind a cell of the matrix, for a purpose.
func (c *Console) movers(q *Request) error {
	id, query := q.PathValue("policy"), q.URL.Query()
	m := desk.Moving{Policy: id, Purpose: purposeOf(query), From: whole(query.Get("from")), To: whole(query.Get("to")), GradeFrom: query.Get("grade_from"), GradeTo: query.Get("grade_to"), After: query.Get("after")}
	p, _ := c.Desk.Catalog.Policy(id)
	data := map[string]any{"Policy": p, "Asked": m, "Form": q.purposeForm("", query), "Ranks": c.ranks(q)}
	if m.Purpose != "" {
		movers, err := c.Desk.Movers(q.Context(), m)
		if err != nil {
			return err
		}
		q.remember(m.Purpose)
		data["Movers"] = movers
	}
	return q.Render("grades/movers", data)
}

// whole reads a number of an address; 0 where there is none.
func whole(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (q *Request) sharesOf(p catalog.Policy, sum desk.Distribution) chart.Picture {
	b := chart.Bars{Title: q.say("grades.shares")}
	for i, g := range sum.Grades {
		name := g.Grade
		if class := pick(g.Class, q.Lang); class != g.Grade {
			name += " " + class
		}
		v := float64(g.Entities)
		b.Lines = append(b.Lines, chart.Bar{Name: name, Value: v, Parts: []chart.Part{{Value: v, Class: gradeClass(i, len(p.Grades))}}, Shown: number(g.Entities), Note: percent(g.Entities, sum.Entities)})
	}
	return b
}

// mostParts bounds how many areas or industries one picture shows.
const mostParts = 15

func (q *Request) partsOf(p catalog.Policy, parts []desk.Part, title string) chart.Picture {
	if len(parts) == 0 || len(parts) == 1 && parts[0].Code == "" {
		return nil
	}
	b := chart.Bars{Title: q.say(title)}
	for i, part := range parts {
		if i == mostParts {
			break
		}
		line := chart.Bar{Name: part.Code, Value: float64(part.Entities), Shown: number(part.Entities)}
		if part.Code == "" {
			line.Name = q.say("grades.unknown")
		} else if title == "grades.industries" {
			line.Name = part.Code + " " + q.say("industry."+part.Code)
		}
		for j, n := range part.Grades {
			line.Parts = append(line.Parts, chart.Part{Value: float64(n), Class: gradeClass(j, len(p.Grades)), Name: p.Grades[j].Grade})
		}
		b.Lines = append(b.Lines, line)
	}
	return b
}

// matrixOf draws a movement; each cell of who moved leads to their names.
func (q *Request) matrixOf(m desk.Movement) chart.Picture {
	x := chart.Matrix{Title: q.say("grades.movement"), Corner: q.say("grades.corner")}
	for i, from := range m.Grades {
		x.Rows = append(x.Rows, q.gradeName(from))
		x.Cols = append(x.Cols, q.gradeName(from))
		var row []chart.Cell
		for j, to := range m.Grades {
			n := m.Counts[i][j]
			cell := chart.Cell{N: n, Shown: number(n), Same: i == j}
			if n == 0 {
				cell.Shown = "·"
			}
			if n > 0 && i != j && q.Actor.May(auth.GradesSee) {
				v := url.Values{"from": {fmt.Sprint(m.From.N)}, "to": {fmt.Sprint(m.To.N)}, "grade_from": {from}, "grade_to": {to}}
				cell.Href = address("/grades", m.Policy, "movers") + "?" + v.Encode()
			}
			row = append(row, cell)
		}
		x.Cells = append(x.Cells, row)
	}
	return x
}

func (q *Request) gradeName(grade string) string {
	if grade == "" {
		return q.say("grades.notgraded")
	}
	return grade
}
