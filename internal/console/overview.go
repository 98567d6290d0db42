package console

import "xinshu/internal/auth"

func (c *Console) overviewPages() []Page {
	return []Page{{"GET /{$}", auth.OverviewSee, c.overview}}
}

func (c *Console) overview(q *Request) error {
	runs, err := c.Desk.Runs(q.Context(), 20)
	if err != nil {
		return err
	}
	return q.Render("overview", map[string]any{"Runs": runs})
}
