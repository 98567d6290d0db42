package console

import (
	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

func (c *Console) runPages() []Page {
	return []Page{
		{Pattern: "GET /runs", Right: auth.RunsSee, Do: c.tasks},
		{Pattern: "GET /runs/steps", Right: auth.RunsSee, Do: c.runs},
		{Pattern: "GET /runs/{id}", Right: auth.RunsSee, Do: c.run},
		{Pattern: "POST /runs", Right: auth.RunsStart, Do: c.startTask},
		{Pattern: "GET /tasks/{id}", Right: auth.RunsSee, Do: c.task},
		{Pattern: "GET /tasks/{id}/events", Right: auth.RunsSee, Do: c.taskEvents},
		{Pattern: "POST /tasks/{id}/cancel", Right: auth.RunsStart, Do: c.cancelTask},
		{Pattern: "POST /tasks/{id}/retry", Right: auth.RunsStart, Do: c.retryTask},
	}
}

// tasks lists pieces of work, the newest first.
func (c *Console) tasks(q *Request) error {
	query := q.URL.Query()
	f := schedule.Filter{Schedule: query.Get("schedule"), Source: query.Get("source"), After: query.Get("cursor"), Most: 50}
	if s := query.Get("state"); s != "" {
		f.States = []string{s}
	}
	page, err := c.Desk.Tasks(q.Context(), f)
	if err != nil {
		return err
	}
	sources, err := c.Desk.Connections(q.Context(), desk.SourceRole)
	if err != nil {
		return err
	}
	return q.Render("runs/tasks", map[string]any{"Page": page, "Sources": sources, "Filter": f, "State": query.Get("state"), "States": schedule.States})
}

// stepNames are the steps that a list of runs can be narrowed to.
var stepNames = []string{"pull", "settle", "score", "publish", "replay", "push", "correct", "receive", "ingest", "release", "acknowledge"}

// runs lists the steps that were done, the newest first.
func (c *Console) runs(q *Request) error {
	query := q.URL.Query()
	w := desk.RunsWanted{Step: query.Get("step"), Status: query.Get("status"), Source: query.Get("source"), Subject: query.Get("subject"), After: query.Get("cursor"), Day: catalog.NoDate}
	if day := query.Get("day"); day != "" {
		var err error
		if w.Day, err = catalog.ParseDate(day); err != nil {
			return fault.Newf(fault.Invalid, "choose the day", "%q is no day such as 2026-11-22", day)
		}
	}
	page, err := c.Desk.RunPage(q.Context(), w)
	if err != nil {
		return err
	}
	return q.Render("runs/steps", map[string]any{"Page": page, "Wanted": w, "Day": query.Get("day"), "Steps": stepNames, "Statuses": []string{"running", "done", "failed", "interrupted"}})
}

func (c *Console) run(q *Request) error {
	r, err := c.Desk.Run(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.Render("runs/run", map[string]any{"Run": r, "Title": q.datasetTitle(r.Subject)})
}

// startTask queues the whole job, or one step of it.
func (c *Console) startTask(q *Request) error {
	task, err := c.Desk.Start(q.Context(), schedule.Work{Do: q.PostFormValue("do"), NoPush: q.PostFormValue("no_push") != ""})
	if err != nil {
		return err
	}
	return q.See(address("/tasks", task.ID), q.Say("sources.queued"))
}

func (c *Console) cancelTask(q *Request) error {
	id := q.PathValue("id")
	if _, err := c.Desk.CancelTask(q.Context(), id); err != nil {
		return err
	}
	return q.See(address("/tasks", id), q.Say("tasks.cancelled"))
}

func (c *Console) retryTask(q *Request) error {
	id := q.PathValue("id")
	if _, err := c.Desk.RetryTask(q.Context(), id); err != nil {
		return err
	}
	return q.See(address("/tasks", id), q.Say("tasks.retried"))
}
