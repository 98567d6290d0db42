package console

import (
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

func (c *Console) cataloguePages() []Page {
	return []Page{
		{Pattern: "GET /catalogue", Right: auth.CatalogueSee, Do: c.catalogue},
		{Pattern: "GET /catalogue/datasets/{dataset}", Right: auth.CatalogueSee, Do: c.dataset},
		{Pattern: "GET /catalogue/datasets/{dataset}/profile", Right: auth.CatalogueSee, Do: c.datasetProfile},
		{Pattern: "GET /catalogue/datasets/{dataset}/lineage", Right: auth.CatalogueSee, Do: c.datasetLineage},
		{Pattern: "GET /catalogue/indicators/{policy}/{indicator}", Right: auth.CatalogueSee, Do: c.indicatorOrigin},
	}
}

func (c *Console) catalogue(q *Request) error {
	query := q.URL.Query()
	w := desk.Wanted{Text: query.Get("q"), Owner: query.Get("owner"), Family: query.Get("family"), State: query.Get("state")}
	all, err := c.Desk.Catalogue(q.Context(), desk.Wanted{})
	if err != nil {
		return err
	}
	owners, err := c.Desk.Catalogue(q.Context(), w)
	if err != nil {
		return err
	}
	tally, datasets := map[string]int{}, 0
	for _, o := range all {
		for _, ds := range o.Datasets {
			tally[ds.State]++
			datasets++
		}
	}
	return q.Render("catalogue/list", map[string]any{"Owners": owners, "All": all, "Tally": tally, "Datasets": datasets, "Wanted": w, "Families": c.Desk.Catalog.Families,
		"States": []string{"broken", "held", "late", "never", "fresh", "free", "unconnected"}})
}

func (c *Console) dataset(q *Request) error {
	d, err := c.Desk.Dataset(q.Context(), q.PathValue("dataset"))
	if err != nil {
		return err
	}
	lists := map[string]catalog.CodeList{}
	for _, f := range d.FeedState.Dataset.Fields {
		if list, ok := c.Desk.Catalog.CodeList(f.Codes); ok {
			lists[f.Codes] = list
		}
	}
	drifts := 0
	for _, f := range d.Feeds {
		drifts += len(f.Drift)
	}
	return q.Render("catalogue/dataset", map[string]any{"One": d, "Dataset": d.FeedState.Dataset, "Tab": "contract", "Lists": lists, "Drifts": drifts, "Trend": q.trendOf(d), "Quality": q.qualityOf(d)})
}

func (c *Console) datasetProfile(q *Request) error {
	d, err := c.Desk.Dataset(q.Context(), q.PathValue("dataset"))
	if err != nil {
		return err
	}
	profile, err := c.Desk.Profile(q.Context(), d.FeedState.Dataset.ID, q.URL.Query().Get("run"))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	titles := map[string]catalog.Text{}
	for _, f := range d.FeedState.Dataset.Fields {
		titles[f.Name] = f.Title
	}
	tops := map[string]chart.Picture{}
	for _, f := range profile.Fields {
		b := chart.Bars{Title: pick(titles[f.Field], q.Lang), Most: float64(f.TopRows)}
		for i, v := range f.Top {
			if i == 5 || f.Top[0].Rows == 1 { // values that never repeat tell nothing
				break
			}
			b.Lines = append(b.Lines, chart.Bar{Name: v.Value, Value: float64(v.Rows), Shown: number(v.Rows), Note: percent(v.Rows, f.TopRows)})
		}
		if len(b.Lines) > 0 {
			tops[f.Field] = b
		}
	}
	return q.Render("catalogue/profile", map[string]any{"One": d, "Dataset": d.FeedState.Dataset, "Tab": "profile", "Profile": profile, "Titles": titles, "Tops": tops})
}

func (c *Console) datasetLineage(q *Request) error {
	d, err := c.Desk.Dataset(q.Context(), q.PathValue("dataset"))
	if err != nil {
		return err
	}
	l, err := c.Desk.Lineage(q.Context(), d.FeedState.Dataset.ID)
	if err != nil {
		return err
	}
	columns := map[string]catalog.Text{}
	for _, col := range d.Family.Columns {
		columns[col.Name] = col.Title
	}
	return q.Render("catalogue/lineage", map[string]any{"One": d, "Dataset": d.FeedState.Dataset, "Tab": "lineage", "Lineage": l, "Columns": columns,
		"Field": q.URL.Query().Get("field"), "Own": []string{"uscc", "name", "kind", "record_key"}})
}

func (c *Console) indicatorOrigin(q *Request) error {
	o, err := c.Desk.IndicatorOrigin(q.Context(), q.PathValue("policy"), q.PathValue("indicator"))
	if err != nil {
		return err
	}
	p, _ := c.Desk.Catalog.Policy(o.Policy)
	return q.Render("catalogue/indicator", map[string]any{"Origin": o, "Policy": p})
}

// trendOf draws what the last pulls brought, a column a pull.
func (q *Request) trendOf(d desk.DatasetDetail) chart.Picture {
	c := chart.Columns{Title: q.say("catalogue.trend"), Series: []chart.Part{{Name: q.say("catalogue.accepted"), Class: "fill-good"}, {Name: q.say("catalogue.duplicate"), Class: "fill-idle"}, {Name: q.say("catalogue.quarantined"), Class: "fill-hold"}}}
	for _, r := range d.Runs {
		l := r.Ledger
		day := r.Started.In(zone).Format("01-02")
		c.Columns = append(c.Columns, chart.Column{Name: day, Href: "/runs/" + r.ID,
			Title:  q.say("catalogue.run", r.Started.In(zone).Format("2006-01-02 15:04"), number(l.Accepted), number(l.Duplicate), number(l.Quarantined)),
			Values: []float64{float64(l.Accepted), float64(l.Duplicate), float64(l.Quarantined)}})
	}
	if !q.console.opens(q.Actor, "GET /runs/{id}") {
		for i := range c.Columns {
			c.Columns[i].Href = ""
		}
	}
	return c
}

// qualityOf draws the share of refused rows over the last pulls; nothing for fewer than two.
func (q *Request) qualityOf(d desk.DatasetDetail) chart.Picture {
	s := chart.Spark{Title: q.say("catalogue.quality"), Class: "c2", Most: 1}
	for _, r := range d.Runs {
		if r.Ledger.Read > 0 {
			s.Values = append(s.Values, float64(r.Ledger.Quarantined)/float64(r.Ledger.Read))
		}
	}
	if len(s.Values) > 0 {
		s.Most = max(slices.Max(s.Values), 0.01)
	}
	return s
}
