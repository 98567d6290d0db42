package desk

import (
	"context"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/alerts"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// Alert is something that needs a person, or needed one.
type Alert struct {
	alerts.Alert
	Words catalog.Text `json:"words"`
}

// OpenAlerts gives the alerts that last, the oldest first.
func (d *Desk) OpenAlerts(ctx context.Context) ([]Alert, error) {
	if err := auth.Require(ctx, auth.AlertsSee); err != nil {
		return nil, err
	}
	list, err := d.State.OpenAlerts(ctx)
	return worded(list), err
}

// Alerts gives a page of all alerts, the newest first, and the cursor of the next page; empty: the last.
func (d *Desk) Alerts(ctx context.Context, after string, most int) (page []Alert, next string, err error) {
	if err := auth.Require(ctx, auth.AlertsSee); err != nil {
		return nil, "", err
	}
	var last alerts.Alert
	if after != "" {
		at, id, found := strings.Cut(after, "/")
		raised, bad := time.Parse(time.RFC3339Nano, at)
		if !found || bad != nil {
			return nil, "", &fault.Error{Op: "list alerts", Code: fault.Invalid, Hint: "after is what the page before gave, or nothing"}
		}
		last = alerts.Alert{Raised: raised, ID: id}
	}
	list, err := d.State.Alerts(ctx, last, most+1)
	if err != nil {
		return nil, "", err
	}
	if len(list) > most {
		list = list[:most]
		end := list[most-1]
		next = end.Raised.Format(time.RFC3339Nano) + "/" + end.ID
	}
	return worded(list), next, nil
}

// SeeAlert notes that the actor has seen an alert and answers for it: it is not escalated any more.
func (d *Desk) SeeAlert(ctx context.Context, id string) error {
	if err := auth.Require(ctx, auth.AlertsAnswer); err != nil {
		return err
	}
	return d.noted(ctx, auth.Act{Action: "alert.see", Kind: "alert", ID: id}, func() error {
		return d.State.SeeAlert(ctx, id, auth.From(ctx).Name)
	})
}

func worded(list []alerts.Alert) []Alert {
	all := make([]Alert, len(list))
	for i, a := range list {
		all[i] = Alert{Alert: a, Words: catalog.Text{ZH: a.ZH, EN: a.EN}}
	}
	return all
}
