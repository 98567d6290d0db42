package console

import (
	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

func (c *Console) overviewPages() []Page {
	return []Page{{Pattern: "GET /{$}", Right: auth.OverviewSee, Do: c.overview}}
}

func (c *Console) overview(q *Request) error {
	runs, err := c.Desk.Runs(q.Context(), 20)
	if err != nil {
		return err
	}
	return q.Render("overview", map[string]any{"Runs": runs})
}

// nowhere answers what no page does.
func nowhere(q *Request) error {
	return fault.Newf(fault.NotFound, "open "+q.URL.Path, "there is no such page")
}
