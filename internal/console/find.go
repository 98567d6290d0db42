package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

func (c *Console) findPages() []Page {
	return []Page{
		{Pattern: "GET /find", Right: auth.GradesSee, Do: c.find},
		{Pattern: "GET /find/{uscc}", Right: auth.GradesSee, Do: c.explain},
	}
}

// find searches when a purpose is named, and asks for one before.
func (c *Console) find(q *Request) error {
	query := q.URL.Query()
	text, purpose := strings.TrimSpace(query.Get("q")), purposeOf(query)
	data := map[string]any{"Text": text, "Purpose": purpose, "Form": q.purposeForm("/find", query)}
	if text == "" || purpose == "" {
		data["Wanting"] = text != ""
		return q.Render("find/list", data)
	}
	if utf8.RuneCountInString(text) < 2 {
		data["Short"], q.Status = true, http.StatusUnprocessableEntity
		return q.Render("find/list", data)
	}
	found, err := c.Desk.Search(q.Context(), desk.Search{Text: text, Purpose: purpose, After: query.Get("after"), Most: 20})
	if fault.Is(err, fault.Invalid) {
		data["Fault"], q.Status = faultOf(err), http.StatusUnprocessableEntity
		return q.Render("find/list", data)
	}
	if err != nil {
		return err
	}
	q.remember(purpose)
	data["Found"], data["Asked"], data["Policies"] = found, true, c.Desk.Policies(q.Context())
	data["Ranks"] = c.ranks(q)
	return q.Render("find/list", data)
}

// explain shows one entity's grade under one policy, down to record and clause.
func (c *Console) explain(q *Request) error {
	query := q.URL.Query()
	uscc, purpose := q.PathValue("uscc"), purposeOf(query)
	if purpose == "" {
		to := url.Values{"q": {uscc}}
		http.Redirect(q.w, q.Request, "/find?"+to.Encode(), http.StatusSeeOther)
		return nil
	}
	policies := c.Desk.Policies(q.Context())
	policy := query.Get("policy")
	if policy == "" {
		standing, err := c.Desk.Grades(q.Context(), uscc, purpose)
		if err != nil {
			return err
		}
		for _, g := range standing.Grades {
			if policy == "" || g.Grade != "" && standing.Grades[0].Grade == "" {
				policy = g.Policy
			}
		}
		if policy == "" && len(policies) > 0 {
			policy = policies[0].ID
		}
		to := url.Values{"policy": {policy}, "purpose": {purpose}}
		http.Redirect(q.w, q.Request, address("/find", standing.USCC)+"?"+to.Encode(), http.StatusSeeOther)
		return nil
	}
	asOf := catalog.NoDate
	if day := query.Get("as_of"); day != "" {
		var err error
		if asOf, err = catalog.ParseDate(day); err != nil {
			return &fault.Error{Op: "explain " + uscc, Code: fault.Invalid, Err: err, Hint: "give as_of as 2006-01-02"}
		}
	}
	told, err := c.Desk.Explain(q.Context(), desk.Asked{USCC: uscc, Policy: policy, AsOf: asOf, Purpose: purpose})
	if err != nil && (!fault.Is(err, fault.NotFound) || told.Entity.USCC == "") {
		return err
	}
	q.remember(purpose)
	var p catalog.Policy
	for _, each := range policies {
		if each.ID == policy {
			p = each
		}
	}
	return q.Render("find/entity", map[string]any{"Told": told, "Policy": p, "Policies": policies, "Purpose": purpose, "NotGraded": faultOf(err), "Ranks": c.ranks(q),
		"History": q.historyOf(told, p), "Balance": q.balanceOf(told), "Standing": standingBy(told.Grades), "Query": query, "Class": classOf(p, told.Grade)})
}

// standingBy lays an entity's grades by policy.
func standingBy(grades []desk.Standing) map[string]desk.Standing {
	by := map[string]desk.Standing{}
	for _, g := range grades {
		by[g.Policy] = g
	}
	return by
}

func classOf(p catalog.Policy, grade string) catalog.Text {
	for _, g := range p.Grades {
		if g.Grade == grade {
			return g.Class
		}
	}
	return catalog.Text{}
}

// ranks gives the colour of each grade of each policy: 1 the best to 5.
func (c *Console) ranks(q *Request) map[string]map[string]int {
	all := map[string]map[string]int{}
	for _, p := range c.Desk.Policies(q.Context()) {
		all[p.ID] = map[string]int{}
		for i, g := range p.Grades {
			all[p.ID][g.Grade] = shade(i, len(p.Grades))
		}
	}
	return all
}

// historyOf draws the score of everything published of an entity.
func (q *Request) historyOf(told desk.Explained, p catalog.Policy) chart.Picture {
	if len(told.History) < 2 {
		return nil
	}
	l := chart.Line{Title: q.say("find.history"), Steps: true, Height: 130, Series: []chart.Series{{Name: q.say("find.score"), Class: "c1"}}, Most: float64(p.Total) / 100}
	for _, s := range slices.Backward(told.History) {
		if s.Score == nil {
			continue
		}
		v := float64(*s.Score) / 100
		l.Places = append(l.Places, s.AsOf.String())
		l.Titles = append(l.Titles, q.say("find.history.point", s.AsOf.String(), s.Grade, points(int64(*s.Score))))
		l.Series[0].Values = append(l.Series[0].Values, v)
		l.Most = max(l.Most, v)
		l.From = min(l.From, v)
	}
	if len(l.Places) < 2 { // a retraction has no score
		return nil
	}
	return l
}

// balanceOf draws what each group of indicators gives or takes.
func (q *Request) balanceOf(told desk.Explained) chart.Picture {
	b := chart.Bars{Title: q.say("find.balance")}
	for _, g := range told.Sums {
		v, class := float64(g.Points)/100, "fill-good"
		if v < 0 {
			v, class = -v, "fill-bad"
		}
		b.Lines = append(b.Lines, chart.Bar{Name: pick(g.Title, q.Lang), Value: v, Parts: []chart.Part{{Value: v, Class: class}}, Shown: signed(int64(g.Points)), Href: "#group-" + g.ID})
	}
	return b
}

// signed shows points with their sign.
func signed(v int64) string {
	if v > 0 {
		return "+" + points(v)
	}
	return points(v)
}
