package main

import (
	"context"
	"time"

	"xinshu/internal/alerts"
	"xinshu/pipelines/schedule"
)

// clockOff is by how much a node's clock may be off before it is told: times of requests and of leases
// are still far from being misjudged.
const clockOff = 5 * time.Second

// members are the nodes by name, each as it was last seen, and what the time is: both by the clock that
// all nodes share, so that a node whose own clock is wrong seems neither lost nor loses the others.
func (a *app) members(ctx context.Context) ([]alerts.Member, time.Time, error) {
	skew, err := a.state.Skew(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	nodes, err := a.state.Nodes(ctx, a.now().Add(-7*24*time.Hour))
	if err != nil {
		return nil, time.Time{}, err
	}
	var members []alerts.Member
	for _, n := range nodes { // by name
		m := alerts.Member{Name: n.Name, Seen: n.Seen.Add(-n.Skew), Skew: n.Skew}
		if last := len(members) - 1; last >= 0 && members[last].Name == m.Name {
			if m.Seen.After(members[last].Seen) {
				members[last] = m
			}
			continue
		}
		members = append(members, m)
	}
	return members, a.now().Add(-skew), nil
}

// there names the nodes that were seen lately.
func (a *app) there(ctx context.Context) ([]string, error) {
	members, now, err := a.members(ctx)
	var names []string
	for _, m := range members {
		if now.Sub(m.Seen) <= seenLately {
			names = append(names, m.Name)
		}
	}
	return names, err
}

// wrongClocks looks at the nodes that are there.
func (a *app) wrongClocks(ctx context.Context) ([]alerts.Finding, error) {
	members, now, err := a.members(ctx)
	if err != nil {
		return nil, err
	}
	var there []alerts.Member
	for _, m := range members {
		if now.Sub(m.Seen) <= seenLately {
			there = append(there, m)
		}
	}
	off := clockOff
	if c := a.config.Alerts.Clock; c != "" {
		off = duration(c)
	}
	return alerts.WrongClocks(there, off, schedule.Tolerated(duration(a.config.Serve.Lease))), nil
}
