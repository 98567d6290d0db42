package console

import (
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/chain"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/pipelines/schedule"
)

func (c *Console) sourcePages() []Page {
	return []Page{
		{Pattern: "GET /sources", Right: auth.SourcesSee, Do: c.sources},
		{Pattern: "GET /sources/new", Right: auth.SourcesChange, Do: func(q *Request) error { return c.newConnection(q, sourceSide) }},
		{Pattern: "POST /sources/new", Right: auth.SourcesChange, Do: func(q *Request) error { return c.newConnection(q, sourceSide) }},
		{Pattern: "GET /sources/{id}", Right: auth.SourcesSee, Do: c.source},
		{Pattern: "GET /sources/{id}/edit", Right: auth.SourcesChange, Do: func(q *Request) error { return c.editConnection(q, sourceSide) }},
		{Pattern: "POST /sources/{id}/edit", Right: auth.SourcesChange, Do: func(q *Request) error { return c.editConnection(q, sourceSide) }},
		{Pattern: "POST /sources/{id}/remove", Right: auth.SourcesChange, Do: func(q *Request) error { return c.removeConnection(q, sourceSide, "sources.removed") }},
		{Pattern: "POST /sources/{id}/try", Right: auth.SourcesChange, Do: c.trySource},
		{Pattern: "GET /sources/{id}/export", Right: auth.SourcesChange, Do: func(q *Request) error { return c.exportConnection(q, sourceSide) }},
		{Pattern: "POST /sources/{id}/pull", Right: auth.RunsStart, Do: c.pullSource},
		{Pattern: "POST /sources/{id}/release", Right: auth.FeedsRelease, Do: c.releaseFeed},
	}
}

func (c *Console) sources(q *Request) error {
	lines, err := c.Desk.Sources(q.Context())
	if err != nil {
		return err
	}
	tally := map[string]int{}
	for _, l := range lines {
		tally[l.State]++
	}
	wanted := q.URL.Query().Get("state")
	shown := slices.DeleteFunc(slices.Clone(lines), func(l desk.SourceLine) bool { return wanted != "" && l.State != wanted })
	titles := map[string]catalog.Text{}
	for _, l := range lines {
		for _, o := range l.Owners {
			titles[o] = ownerTitle(c.Desk.Catalog, o)
		}
	}
	return q.Render("sources/list", map[string]any{"Titles": titles, "Sources": shown, "All": len(lines), "Tally": tally, "State": wanted, "States": []string{"broken", "held", "late", "never", "fresh", "free"}})
}

// historyRuns is how many pulls of a source its page shows.
const historyRuns = 60

func (c *Console) source(q *Request) error {
	id, dataset := q.PathValue("id"), q.URL.Query().Get("dataset")
	conn, err := c.Desk.Connection(q.Context(), desk.SourceRole, id)
	if err != nil {
		return err
	}
	feeds, err := c.Desk.Feeds(q.Context(), id)
	if err != nil {
		return err
	}
	runs, err := c.Desk.SourceHistory(q.Context(), id, dataset, historyRuns)
	if err != nil {
		return err
	}
	tasks, err := c.Desk.Tasks(q.Context(), schedule.Filter{Source: id, Most: 5})
	if err != nil {
		return err
	}
	driver := c.Desk.Drivers[conn.Kind]
	return q.Render("sources/one", map[string]any{"Source": conn, "Kind": driver, "Settings": shownSettings(driver.Settings, conn), "Feeds": feeds, "Runs": runs,
		"Dataset": dataset, "Tasks": tasks.Tasks, "Took": q.durations(runs), "Rows": q.ledgerChart(runs)})
}

// durations draws how long the pulls of a list took, the oldest first.
func (q *Request) durations(runs []chain.Run) chart.Picture {
	p := chart.Columns{Title: q.Say("sources.took"), Height: 90, Series: []chart.Part{{Name: q.Say("status.done"), Class: "c1"}, {Name: q.Say("status.failed"), Class: "fill-bad"}}}
	for _, r := range slices.Backward(runs) {
		if r.Step != "pull" || r.Ended.IsZero() {
			continue
		}
		took := r.Ended.Sub(r.Started)
		values := []float64{took.Seconds(), 0}
		if r.Status != "done" {
			values = []float64{0, max(took.Seconds(), 0.05)}
		}
		p.Columns = append(p.Columns, chart.Column{Title: r.Subject + " " + exact(r.Started) + " " + shower{views: q.console.pages[q.Lang]}.duration(took), Href: "/runs/" + r.ID, Values: values})
	}
	return p
}

// ledgerChart draws the ledgers of pulls that read rows, the oldest first.
func (q *Request) ledgerChart(runs []chain.Run) chart.Picture {
	p := chart.Columns{Title: q.Say("sources.rows"), Height: 90, Series: []chart.Part{{Name: q.Say("ledger.accepted"), Class: "fill-good"},
		{Name: q.Say("ledger.duplicate"), Class: "fill-idle"}, {Name: q.Say("ledger.quarantined"), Class: "fill-hold"}, {Name: q.Say("ledger.skipped"), Class: "c6"}}}
	for _, r := range slices.Backward(runs) {
		l := r.Ledger
		if l.Read == 0 {
			continue
		}
		p.Columns = append(p.Columns, chart.Column{Title: r.Subject + " " + exact(r.Started) + " " + number(l.Read), Href: "/runs/" + r.ID,
			Values: []float64{float64(l.Accepted), float64(l.Duplicate), float64(l.Quarantined), float64(l.Skipped)}})
	}
	return p
}

// trySource reaches a source that is there and shows its first rows.
func (c *Console) trySource(q *Request) error {
	id := q.PathValue("id")
	var datasets []string
	if one := q.PostFormValue("dataset"); one != "" {
		datasets = []string{one}
	}
	trial, err := c.Desk.TrySaved(q.Context(), desk.SourceRole, id, datasets, previewRows)
	return q.Render("sources/trial", map[string]any{"ID": id, "Trial": c.shownTrial(trial), "Fault": shownFault(err)})
}

// pullSource queues a pull: now, from the beginning, or a stretch once more.
func (c *Console) pullSource(q *Request) error {
	id := q.PathValue("id")
	w := schedule.Work{Do: schedule.DoPull, Source: id, Reload: q.PostFormValue("reload") != ""}
	if one := q.PostFormValue("dataset"); one != "" {
		w.Datasets = []string{one}
	}
	if from, until := strings.TrimSpace(q.PostFormValue("from")), strings.TrimSpace(q.PostFormValue("until")); from != "" || until != "" {
		w.Again = &schedule.Again{From: from, Until: until, Slice: strings.TrimSpace(q.PostFormValue("slice"))}
	}
	task, err := c.Desk.Start(q.Context(), w)
	if err != nil {
		return err
	}
	return q.See(address("/tasks", task.ID), q.Say("sources.queued"))
}

func (c *Console) releaseFeed(q *Request) error {
	id, dataset := q.PathValue("id"), q.PostFormValue("dataset")
	if _, err := c.Desk.ReleaseFeed(q.Context(), id, dataset, q.PostFormValue("reason")); err != nil {
		return err
	}
	return q.See(address("/sources", id), q.Say("sources.released", dataset))
}

// datasetTitle gives a dataset's title in the language of the request.
func (q *Request) datasetTitle(id string) string {
	ds, ok := q.console.Desk.Catalog.Dataset(id)
	if !ok {
		return id
	}
	return pick(ds.Title, q.Lang)
}

// ownerTitle gives the title of a department or a platform.
func ownerTitle(cat *catalog.Catalog, id string) catalog.Text {
	if d, ok := cat.Department(id); ok {
		return d.Title
	}
	if p, ok := cat.Platform(id); ok {
		return p.Title
	}
	return catalog.Text{ZH: id, EN: id}
}
