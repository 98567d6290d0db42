package console

import (
	"cmp"
	"slices"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/internal/quarantine"
)

func (c *Console) quarantinePages() []Page {
	return []Page{
		{Pattern: "GET /quarantine", Right: auth.QuarantineSee, Do: c.quarantine},
		{Pattern: "GET /quarantine/workbook", Right: auth.QuarantineMend, Do: c.exportWorkbook},
		{Pattern: "POST /quarantine/workbook", Right: auth.QuarantineMend, Do: c.checkWorkbook, Body: desk.MostUpload + bodyLimit},
		{Pattern: "POST /quarantine/workbook/{upload}", Right: auth.QuarantineMend, Do: c.takeWorkbook},
		{Pattern: "POST /quarantine/retry", Right: auth.QuarantineMend, Do: c.retryRefused},
		{Pattern: "GET /quarantine/{dataset}", Right: auth.QuarantineSee, Do: c.refusedPage},
		{Pattern: "GET /quarantine/{dataset}/{n}/{row}", Right: auth.QuarantineSee, Do: c.refusedRow},
		{Pattern: "POST /quarantine/{dataset}/{n}/{row}", Right: auth.QuarantineMend, Do: c.fixRow},
		{Pattern: "POST /quarantine/{dataset}/{n}/{row}/strike", Right: auth.QuarantineMend, Do: c.strikeOut},
	}
}

// ownerSum are the refused rows of one department.
type ownerSum struct {
	ID    string
	Title catalog.Text
	Sum   quarantine.Sum
	Lines []datasetSum
}

type datasetSum struct {
	Dataset catalog.Dataset
	Sum     quarantine.Sum
	Reasons []reasonSum
}

type reasonSum struct {
	quarantine.Sum
	Sentence catalog.Text
}

func (c *Console) quarantine(q *Request) error {
	w := desk.RefusedRows{Department: q.URL.Query().Get("department")}
	sum, behind, err := c.Desk.QuarantineAtHand(q.Context(), w)
	if err != nil {
		return err
	}
	owners := c.byOwner(sum)
	return q.Render("quarantine/list", map[string]any{"Total": sum.Total, "Owners": owners, "Department": w.Department, "Behind": behind,
		"ByOwner": q.ownerBars(owners), "ByReason": q.reasonBars(sum)})
}

// byOwner puts the lines of a summary together by department, those with most open rows first.
func (c *Console) byOwner(sum quarantine.Summary) []ownerSum {
	var owners []ownerSum
	for _, line := range sum.Rows {
		ds, _ := c.Desk.Catalog.Dataset(line.Dataset)
		i := slices.IndexFunc(owners, func(o ownerSum) bool { return o.ID == ds.Owner })
		if i < 0 {
			i = len(owners)
			owners = append(owners, ownerSum{ID: ds.Owner, Title: ownerTitle(c.Desk.Catalog, ds.Owner)})
		}
		o := &owners[i]
		o.Sum.Add(line)
		if n := len(o.Lines); n == 0 || o.Lines[n-1].Dataset.ID != ds.ID {
			o.Lines = append(o.Lines, datasetSum{Dataset: ds})
		}
		last := &o.Lines[len(o.Lines)-1]
		last.Sum.Add(line)
		last.Reasons = append(last.Reasons, reasonSum{line, c.Desk.Sentence(ds.ID, line.Reason)})
	}
	slices.SortStableFunc(owners, func(a, b ownerSum) int { return cmp.Compare(b.Sum.Open, a.Sum.Open) })
	for _, o := range owners {
		slices.SortStableFunc(o.Lines, func(a, b datasetSum) int { return cmp.Compare(b.Sum.Open, a.Sum.Open) })
		for _, l := range o.Lines {
			slices.SortStableFunc(l.Reasons, func(a, b reasonSum) int { return cmp.Compare(b.Open, a.Open) })
		}
	}
	return owners
}

func (q *Request) standingParts(s quarantine.Sum) []chart.Part {
	return []chart.Part{{Value: float64(s.Open), Class: "fill-hold", Name: q.Say("quarantine.open")}, {Value: float64(s.Corrected), Class: "fill-good", Name: q.Say("quarantine.corrected")},
		{Value: float64(s.Withdrawn), Class: "fill-idle", Name: q.Say("quarantine.withdrawn")}}
}

func (q *Request) ownerBars(owners []ownerSum) chart.Picture {
	p := chart.Bars{Title: q.Say("quarantine.by.owner")}
	for _, o := range owners {
		p.Lines = append(p.Lines, chart.Bar{Name: pick(o.Title, q.Lang), Href: "/quarantine?department=" + o.ID, Value: float64(o.Sum.Refused), Parts: q.standingParts(o.Sum), Shown: number(o.Sum.Open)})
	}
	return p
}

// mostReasons bounds the bars of a summary by reason.
const mostReasons = 12

func (q *Request) reasonBars(sum quarantine.Summary) chart.Picture {
	p := chart.Bars{Title: q.Say("quarantine.by.reason")}
	all := map[string]*quarantine.Sum{}
	var reasons []string
	sentences := map[string]string{}
	for _, line := range sum.Rows {
		if all[line.Reason] == nil {
			all[line.Reason] = &quarantine.Sum{}
			reasons = append(reasons, line.Reason)
			sentences[line.Reason] = pick(q.console.Desk.Sentence(line.Dataset, line.Reason), q.Lang)
		}
		all[line.Reason].Add(line)
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return cmp.Compare(all[b].Open, all[a].Open) })
	for _, r := range reasons[:min(len(reasons), mostReasons)] {
		p.Lines = append(p.Lines, chart.Bar{Name: sentences[r], Value: float64(all[r].Refused), Parts: q.standingParts(*all[r]), Shown: number(all[r].Open), Note: r})
	}
	return p
}
