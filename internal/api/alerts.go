package api

import (
	"context"
	"time"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Alert is something that needs a person, or needed one.
type Alert struct {
	ID        string       `json:"id"`
	Rule      string       `json:"rule" enum:"late,hold,quarantine,target,task,disk,expiry,audit,node,clock,case,proposal"`
	Subject   string       `json:"subject" doc:"What it is about: a feed, a target, a task, a folder, a key"`
	Level     string       `json:"level" enum:"warning,critical"`
	Words     catalog.Text `json:"words"`
	Raised    time.Time    `json:"raised"`
	Seen      *time.Time   `json:"seen,omitempty" doc:"When somebody took it on; not there: nobody has"`
	SeenBy    string       `json:"seen_by,omitempty"`
	Escalated *time.Time   `json:"escalated,omitempty"`
	Ended     *time.Time   `json:"ended,omitempty" doc:"Not there: it lasts"`
}

// Taken says that somebody sees to an alert.
type Taken struct {
	ID string `json:"id"`
}

func (a *API) alerts() {
	pages(a, op{Path: "/v1/alerts", ID: "listAlerts", Tag: "alerts", Right: auth.AlertsSee, Words: "All alerts, the newest first", ZH: "全部告警，最新在前。"},
		func(ctx context.Context, _ *Paged, after string, most int) ([]Alert, string, error) {
			list, next, err := a.Desk.Alerts(ctx, after, most)
			return alertsOf(list), next, err
		})
	get(a, op{Path: "/v1/alerts/open", ID: "listOpenAlerts", Tag: "alerts", Right: auth.AlertsSee, Words: "Alerts that last, the oldest first", ZH: "未解除的告警，最早在前。"},
		func(ctx context.Context, _ *struct{}) (List[Alert], error) {
			list, err := a.Desk.OpenAlerts(ctx)
			return listOf(alertsOf(list)), err
		})
	post(a, op{Path: "/v1/alerts/{id}/seen", ID: "seeAlert", Tag: "alerts", Right: auth.AlertsAnswer, Words: "Take an alert on: it is not escalated any more", ZH: "认领一个告警，不再升级。"},
		func(ctx context.Context, in *ByID) (Taken, error) {
			return Taken(*in), a.Desk.SeeAlert(ctx, in.ID)
		})
}

func alertsOf(list []desk.Alert) []Alert {
	told := make([]Alert, len(list))
	for i, a := range list {
		told[i] = Alert{ID: a.ID, Rule: a.Rule, Subject: a.Subject, Level: a.Level, Words: a.Words, Raised: a.Raised, SeenBy: a.SeenBy,
			Seen: unlessZero(a.Seen), Escalated: unlessZero(a.Escalated), Ended: unlessZero(a.Ended)}
	}
	return told
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
