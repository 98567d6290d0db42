package main

import (
	"context"

	"xinshu/catalog"
	"xinshu/internal/alerts"
	"xinshu/internal/cases"
	"xinshu/internal/release"
)

// mostWatched bounds how many cases and proposals are looked at in one pass: more than are ever open.
const mostWatched = 10_000

// orDefault is a setting, or its default where it is not set.
func orDefault(n *int, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return *n
}

var caseWords = map[cases.Kind][2]string{cases.Objection: {"异议", "objection"}, cases.Repair: {"信用修复", "repair"}, cases.Completion: {"信息补充", "completion"}}

// deadlines are the cases that are not decided, with their clocks.
func (a *app) deadlines(ctx context.Context) ([]alerts.Deadline, error) {
	open, err := a.state.Cases(ctx, cases.Filter{Undecided: true, Most: mostWatched})
	today := a.desk.Today()
	var all []alerts.Deadline
	for _, c := range open {
		clock := cases.ClockOf(c, today, a.catalog.Calendars)
		d := alerts.Deadline{No: c.No, KindZH: caseWords[c.Kind][0], KindEN: caseWords[c.Kind][1], Left: clock.Left, Late: clock.Late, Paused: clock.Paused}
		if clock.Due != catalog.NoDate {
			d.Due = clock.Due.String()
		}
		all = append(all, d)
	}
	return all, err
}

var partWords = map[release.Part][2]string{release.Contract: {"数据集", "dataset"}, release.Policy: {"评价办法", "policy"}}

// pending are the changes of contracts and policies that nobody answered, with the working days since
// they were made. In a year without a calendar every day counts.
func (a *app) pending(ctx context.Context) ([]alerts.Pending, error) {
	open, err := a.state.Proposals(ctx, release.Filter{State: release.Proposed, Most: mostWatched})
	today := a.desk.Today()
	var all []alerts.Pending
	for _, p := range open {
		since := catalog.DateOf(p.At.In(shanghai))
		days, unknown := a.catalog.Calendars.Workdays(since, today)
		if unknown != nil {
			days = int(today - since)
		}
		all = append(all, alerts.Pending{ID: p.ID, Subject: p.Subject, KindZH: partWords[p.Part][0], KindEN: partWords[p.Part][1], Since: since.String(), Days: days})
	}
	return all, err
}
