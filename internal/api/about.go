package api

import (
	"context"

	"xinshu/catalog"
	"xinshu/internal/auth"
)

// About is what this hub is.
type About struct {
	Version   string         `json:"version"`
	Go        string         `json:"go" doc:"with which it was built"`
	Libraries []Library      `json:"libraries" nullable:"false"`
	Catalogue catalog.Totals `json:"catalogue"`
}

// Library is one that is built in.
type Library struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// Whoami is the account that asks.
type Whoami struct {
	ID     string       `json:"id" example:"client:city"`
	Name   string       `json:"name"`
	Roles  []auth.Role  `json:"roles" nullable:"false"`
	Rights []auth.Right `json:"rights" nullable:"false" doc:"all that it may do"`
	Scope  Scope        `json:"scope"`
	Way    string       `json:"way" doc:"how it showed who it is: bearer or signature"`
}

// WorkingYear is the calendar of one year.
type WorkingYear struct {
	Year        int      `json:"year"`
	WorkingDays int      `json:"working_days"`
	Off         []string `json:"off" nullable:"false" doc:"weekdays without work, MM-DD"`
	Work        []string `json:"work" nullable:"false" doc:"weekend days that are worked, MM-DD"`
}

// about tells of the hub and of who asks.
func (a *API) about() {
	get(a, op{Path: "/v1/about", ID: "getAbout", Tag: "overview", Right: auth.Self, Words: "Version and libraries of this hub", ZH: "版本与所用的库。"},
		func(context.Context, *Empty) (About, error) {
			built, err := a.Desk.Built()
			out := About{Version: a.Version, Go: built.GoVersion, Libraries: []Library{}, Catalogue: a.Desk.Catalog.Totals()}
			for _, m := range built.Deps {
				out.Libraries = append(out.Libraries, Library{m.Path, m.Version})
			}
			return out, err
		})
	get(a, op{Path: "/v1/self", ID: "getSelf", Tag: "accounts", Right: auth.Self, Words: "The account that asks, and what it may do", ZH: "当前账号、角色、权限与范围。"},
		func(ctx context.Context, _ *Empty) (Whoami, error) {
			actor := auth.From(ctx)
			out := Whoami{ID: actor.ID, Name: actor.Name, Roles: append([]auth.Role{}, actor.Roles...), Rights: []auth.Right{}, Scope: Scope(actor.Scope), Way: actor.Way}
			for _, r := range auth.Rights() {
				if actor.May(r) {
					out.Rights = append(out.Rights, r)
				}
			}
			return out, nil
		})
	get(a, op{Path: "/v1/calendars", ID: "listCalendars", Tag: "catalogue", Right: auth.CatalogueSee, Words: "Working days, by year", ZH: "工作日历。"},
		func(context.Context, *Empty) (List[WorkingYear], error) {
			out := listOf[WorkingYear](nil)
			for _, y := range a.Desk.Catalog.Calendars.Years() {
				first, _ := catalog.MakeDate(y.Year-1, 12, 31)
				last, _ := catalog.MakeDate(y.Year, 12, 31)
				days, err := a.Desk.Catalog.Calendars.Workdays(first, last)
				if err != nil {
					return out, err
				}
				out.Items = append(out.Items, WorkingYear{Year: y.Year, WorkingDays: days, Off: append([]string{}, y.Off...), Work: append([]string{}, y.Work...)})
			}
			return out, nil
		})
}
