package console

import (
	"net/url"

	"xinshu/internal/auth"
)

func (c *Console) alertPages() []Page {
	return []Page{
		{Pattern: "GET /alerts", Right: auth.AlertsSee, Do: c.alerts},
		{Pattern: "POST /alerts/{id}/seen", Right: auth.AlertsAnswer, Do: c.seeAlert},
	}
}

// alerts lists what lasts, and below it everything that ever was, page by page.
func (c *Console) alerts(q *Request) error {
	open, err := c.Desk.OpenAlerts(q.Context())
	if err != nil {
		return err
	}
	after := q.URL.Query().Get("after")
	page, next, err := c.Desk.Alerts(q.Context(), after, 50)
	if err != nil {
		return err
	}
	older, newest := "", ""
	if next != "" {
		older = "/alerts?" + url.Values{"after": {next}}.Encode()
	}
	if after != "" {
		newest = "/alerts"
	}
	return q.Render("alerts/list", map[string]any{"Open": open, "All": page, "Older": older, "Newer": newest})
}

func (c *Console) seeAlert(q *Request) error {
	if err := c.Desk.SeeAlert(q.Context(), q.PathValue("id")); err != nil {
		return err
	}
	return q.See("/alerts", q.Say("alerts.seen.done"))
}
