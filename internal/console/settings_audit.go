package console

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
)

func (c *Console) auditPages() []Page {
	return []Page{
		{Pattern: "GET /settings/audit", Right: auth.AuditSee, Do: c.auditList},
		{Pattern: "GET /settings/audit/export", Right: auth.AuditSee, Do: c.auditExport},
		{Pattern: "POST /settings/audit/verify", Right: auth.AuditSee, Do: c.auditVerify},
	}
}

// auditFilter reads the filter of the trail from the address.
func (q *Request) auditFilter() (audit.Filter, error) {
	get := q.URL.Query().Get
	f := audit.Filter{Actor: get("actor"), Action: get("action"), USCC: get("uscc"), Purpose: get("purpose"), Outcome: get("outcome"), Text: get("text")}
	if f.Actor != "" && !strings.Contains(f.Actor, ":") {
		f.Actor = auth.UserID(f.Actor) // a page shows the name alone
	}
	for name, at := range map[string]*time.Time{"from": &f.From, "until": &f.Until} {
		t, err := dayOf(get(name), name)
		if err != nil {
			return f, err
		}
		*at = t
	}
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1) // the day that is named is still in it
	}
	f.After, _ = strconv.ParseInt(get("after"), 10, 64) // no number: from the newest
	return f, nil
}

func (c *Console) auditList(q *Request) error {
	f, err := q.auditFilter()
	if err != nil {
		return err
	}
	f.Limit = 50
	entries, next, err := c.Desk.Acts(q.Context(), f)
	if err != nil {
		return err
	}
	older, newest := "", ""
	if next > 0 {
		if older, err = withQuery(q.URL.Query(), "after", next); err != nil {
			return err
		}
	}
	if f.After > 0 {
		if newest, err = withQuery(q.URL.Query(), "after", ""); err != nil {
			return err
		}
	}
	export := func(form string) string {
		v := url.Values{"form": {form}}
		for name, values := range q.URL.Query() {
			if name != "after" {
				v[name] = values
			}
		}
		return "/settings/audit/export?" + v.Encode()
	}
	return q.Render("settings/audit", map[string]any{"Entries": entries, "Older": older, "Newer": newest, "Purposes": auth.Purposes, "CSV": export(audit.CSV), "Lines": export(audit.JSONLines)})
}

// auditExport writes what the filter chooses as a file.
func (c *Console) auditExport(q *Request) error {
	f, err := q.auditFilter()
	if err != nil {
		return err
	}
	f.After = 0
	form := q.URL.Query().Get("form")
	kind := map[string]string{audit.CSV: "text/csv; charset=utf-8", audit.JSONLines: "application/x-ndjson"}[form]
	if kind == "" {
		form, kind = audit.CSV, "text/csv; charset=utf-8"
	}
	h := q.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="audit-`+c.Now().In(zone).Format("20060102-1504")+"."+form+`"`)
	h.Set("Cache-Control", "no-store")
	return c.Desk.ExportActs(q.Context(), q.w, form, f)
}

// auditVerify holds the whole chain against itself.
func (c *Console) auditVerify(q *Request) error {
	report, err := c.Desk.VerifyActs(q.Context())
	if err != nil {
		return err
	}
	return q.See("/settings/audit", q.Say("audit.verified", number(report.Entries), number(report.Last)))
}
