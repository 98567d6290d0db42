package console

import (
	"strings"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

func (c *Console) deliveryPages() []Page {
	return []Page{
		{Pattern: "GET /deliveries", Right: auth.DeliveriesSee, Do: c.deliveries},
		{Pattern: "GET /deliveries/targets/{target}", Right: auth.DeliveriesSee, Do: c.deliveryTarget},
		{Pattern: "GET /deliveries/targets/{target}/rejected", Right: auth.DeliveriesSee, Do: c.rejected},
		{Pattern: "GET /deliveries/{id}", Right: auth.DeliveriesSee, Do: c.delivery},
		{Pattern: "POST /deliveries/targets/{target}/retry", Right: auth.DeliveriesChange, Do: c.retryTarget},
		{Pattern: "POST /deliveries/targets/{target}/replay", Right: auth.DeliveriesChange, Do: c.replayTarget},
	}
}

func (c *Console) deliveries(q *Request) error {
	lines, err := c.Desk.Deliveries(q.Context())
	if err != nil {
		return err
	}
	var sum desk.Count
	late := 0
	for _, l := range lines {
		sum.Sent, sum.Acknowledged, sum.Rejected, sum.ForPerson = sum.Sent+l.Count.Sent, sum.Acknowledged+l.Count.Acknowledged, sum.Rejected+l.Count.Rejected, sum.ForPerson+l.Count.ForPerson
		sum.Open += l.Waiting
		if l.Lag == "late" {
			late++
		}
	}
	return q.Render("deliveries/list", map[string]any{"Targets": lines, "Sum": sum, "Late": late})
}

func (c *Console) deliveryTarget(q *Request) error {
	id := q.PathValue("target")
	target, err := c.Desk.Target(q.Context(), id)
	if err != nil {
		return err
	}
	query := q.URL.Query()
	page, err := c.Desk.DeliveriesTo(q.Context(), id, query.Get("state"), query.Get("cursor"), 20)
	if err != nil {
		return err
	}
	return q.Render("deliveries/target", map[string]any{"Target": target, "Page": page, "State": query.Get("state"), "Days": q.daysOf(target.Days), "Waits": q.waitsOf(target.Days),
		"Policies": c.Desk.Policies(q.Context()), "States": []string{"", "due", "awaiting", "done", "open", "void"}})
}

func (c *Console) rejected(q *Request) error {
	query := q.URL.Query()
	target, code := q.PathValue("target"), query.Get("code")
	page, err := c.Desk.Rejected(q.Context(), target, code, query.Get("cursor"), 50)
	if err != nil {
		return err
	}
	return q.Render("deliveries/rejected", map[string]any{"Target": target, "Code": code, "Rows": page.Rows, "Next": page.Next})
}

func (c *Console) delivery(q *Request) error {
	query := q.URL.Query()
	d, err := c.Desk.Delivery(q.Context(), q.PathValue("id"), query.Get("state"), query.Get("after"), 50)
	if err != nil {
		return err
	}
	var accepted, rejected int64
	for _, r := range d.Receipts {
		accepted, rejected = accepted+r.Accepted, rejected+r.Rejected
	}
	return q.Render("deliveries/one", map[string]any{"One": d, "State": query.Get("state"), "Accepted": accepted, "Rejected": rejected,
		"States": []string{"", "acknowledged", "rejected", "due", "sent", "superseded"}})
}

func (c *Console) retryTarget(q *Request) error {
	target := q.PathValue("target")
	rows, err := c.Desk.Retry(q.Context(), target)
	if err != nil {
		return err
	}
	return q.See(address("/deliveries/targets", target), q.say("deliveries.retried", number(rows)))
}

func (c *Console) replayTarget(q *Request) error {
	target := q.PathValue("target")
	from, errFrom := time.ParseInLocation(time.DateOnly, q.PostFormValue("from"), zone)
	until, errUntil := time.ParseInLocation(time.DateOnly, q.PostFormValue("until"), zone)
	if errFrom != nil || errUntil != nil {
		return &fault.Error{Op: "replay to " + target, Code: fault.Invalid, Hint: "give two days, 2006-01-02; the second is included"}
	}
	var policies []string
	if policy := q.PostFormValue("policy"); policy != "" {
		policies = []string{policy}
	}
	task, err := c.Desk.Replay(q.Context(), target, policies, schedule.Replay{From: from, Until: until.AddDate(0, 0, 1), Reason: strings.TrimSpace(q.PostFormValue("reason"))})
	if err != nil {
		return err
	}
	return q.See(address("/tasks", task.ID), q.Say("deliveries.replayed"))
}

// say gives words in the language of the request.
func (q *Request) say(key string, args ...any) string {
	return q.console.pages[q.Lang].say(key, args...)
}
