package console

import (
	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// targetPages are the platforms that results are pushed to, as connections: how far their deliveries
// are stands under /deliveries/targets.
func (c *Console) targetPages() []Page {
	return []Page{
		{Pattern: "GET /settings/targets", Right: auth.TargetsSee, Do: c.targets},
		{Pattern: "GET /settings/targets/new", Right: auth.TargetsChange, Do: func(q *Request) error { return c.newConnection(q, targetSide) }},
		{Pattern: "POST /settings/targets/new", Right: auth.TargetsChange, Do: func(q *Request) error { return c.newConnection(q, targetSide) }},
		{Pattern: "GET /settings/targets/{id}", Right: auth.TargetsSee, Do: c.target},
		{Pattern: "GET /settings/targets/{id}/edit", Right: auth.TargetsChange, Do: func(q *Request) error { return c.editConnection(q, targetSide) }},
		{Pattern: "POST /settings/targets/{id}/edit", Right: auth.TargetsChange, Do: func(q *Request) error { return c.editConnection(q, targetSide) }},
		{Pattern: "POST /settings/targets/{id}/remove", Right: auth.TargetsChange, Do: func(q *Request) error { return c.removeConnection(q, targetSide, "target.removed") }},
		{Pattern: "POST /settings/targets/{id}/try", Right: auth.TargetsChange, Do: c.tryTarget},
		{Pattern: "GET /settings/targets/{id}/export", Right: auth.TargetsChange, Do: func(q *Request) error { return c.exportConnection(q, targetSide) }},
	}
}

func (c *Console) targets(q *Request) error {
	list, err := c.Desk.Connections(q.Context(), desk.TargetRole)
	if err != nil {
		return err
	}
	return q.Render("settings/targets", map[string]any{"Targets": list})
}

func (c *Console) target(q *Request) error {
	return c.showTarget(q, map[string]any{})
}

// tryTarget reaches a target that is there; nothing is sent.
func (c *Console) tryTarget(q *Request) error {
	trial, err := c.Desk.TrySaved(q.Context(), desk.TargetRole, q.PathValue("id"), nil, 0)
	if err != nil {
		return c.showTarget(q, map[string]any{"Fault": shownFault(err)})
	}
	return c.showTarget(q, map[string]any{"Found": trial.Found})
}

func (c *Console) showTarget(q *Request, data map[string]any) error {
	conn, err := c.Desk.Connection(q.Context(), desk.TargetRole, q.PathValue("id"))
	if err != nil {
		return err
	}
	driver := c.Desk.Drivers[conn.Kind]
	data["Target"], data["Kind"], data["Settings"] = conn, driver, shownSettings(driver.Settings, conn)
	return q.Render("settings/target", data)
}
