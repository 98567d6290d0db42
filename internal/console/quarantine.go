package console

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/console/chart"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
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

func (c *Console) refusedPage(q *Request) error {
	query, id := q.URL.Query(), q.PathValue("dataset")
	state := strings.TrimSpace(query.Get("state"))
	if !query.Has("state") {
		state = quarantine.Open
	}
	w := quarantine.Wanted{State: state, Reason: query.Get("reason"), Run: query.Get("run"), Contains: strings.TrimSpace(query.Get("q")), Most: 50}
	page, err := c.Desk.RefusedPage(q.Context(), id, w, query.Get("cursor"))
	if err != nil {
		return err
	}
	sum, err := c.Desk.QuarantineSummary(q.Context(), desk.RefusedRows{Datasets: []string{id}})
	if err != nil {
		return err
	}
	ds, _ := c.Desk.Catalog.Dataset(id)
	rows := make([]refusedLine, len(page.Rows))
	for i, row := range page.Rows {
		rows[i] = refusedLine{row, c.Desk.Sentence(id, row.Reason)}
	}
	return q.Render("quarantine/dataset", map[string]any{"Dataset": ds, "Owner": ownerTitle(c.Desk.Catalog, ds.Owner), "Rows": rows, "Next": page.Next, "Sum": sum.Total,
		"Reasons": c.byOwner(sum), "Wanted": w, "State": state, "States": []string{quarantine.Open, quarantine.Corrected, quarantine.Withdrawn, quarantine.Again, ""}})
}

type refusedLine struct {
	quarantine.Row
	Sentence catalog.Text
}

func (q *Request) refusedID() string {
	return q.PathValue("dataset") + "/" + q.PathValue("n") + "/" + q.PathValue("row")
}

func (c *Console) refusedRow(q *Request) error { return c.refusedForm(q, nil, nil, nil) }

// refusedForm shows one row with its form. typed holds what was written into it before.
func (c *Console) refusedForm(q *Request, typed map[string]string, faults []desk.FieldFault, problem *fault.Error) error {
	row, err := c.Desk.Refused(q.Context(), q.refusedID())
	if err != nil {
		return err
	}
	wrong := map[string]catalog.Text{}
	for _, f := range faults {
		wrong[f.Field] = f.Text
	}
	lists := map[string]catalog.CodeList{}
	for _, f := range row.Fields {
		if list, ok := c.Desk.Catalog.CodeList(f.Codes); ok && f.Codes != "" {
			lists[f.Name] = list
		}
	}
	return q.Render("quarantine/row", map[string]any{"Row": row, "Typed": typed, "Faults": wrong, "Problem": problem, "Codes": lists})
}

// fixRow stages the row as the form has it. Fields that were left as they were are not a change.
func (c *Console) fixRow(q *Request) error {
	if err := q.readForm(); err != nil {
		return err
	}
	typed := map[string]string{}
	for name, values := range q.PostForm {
		if field, ok := strings.CutPrefix(name, "field/"); ok {
			typed[field] = values[0]
		}
	}
	fixed, faults, err := c.Desk.FixRow(q.Context(), q.refusedID(), typed)
	if len(faults) > 0 || fault.Is(err, fault.Invalid) {
		q.Status = http.StatusUnprocessableEntity
		return c.refusedForm(q, typed, faults, shownFault(err))
	}
	if err != nil {
		return err
	}
	if fixed.Reject != nil {
		reason := pick(c.Desk.Sentence(q.PathValue("dataset"), fixed.Reject.Reason), q.Lang)
		return q.See(address("/quarantine", q.PathValue("dataset")), q.Say("quarantine.refused.again", reason))
	}
	return q.See(address("/quarantine", q.PathValue("dataset")), q.Say("quarantine.fixed", q.Say("outcome."+fixed.Outcome)))
}

func (c *Console) strikeOut(q *Request) error {
	if _, err := c.Desk.StrikeOut(q.Context(), q.refusedID(), q.PostFormValue("reason")); err != nil {
		if fault.Is(err, fault.Invalid) {
			q.Status = http.StatusUnprocessableEntity
			return c.refusedForm(q, nil, nil, shownFault(err))
		}
		return err
	}
	return q.See(address("/quarantine", q.PathValue("dataset")), q.Say("quarantine.struck"))
}

func (c *Console) retryRefused(q *Request) error {
	w := desk.RefusedRows{Department: q.PostFormValue("department"), Reason: q.PostFormValue("reason")}
	if id := q.PostFormValue("dataset"); id != "" {
		w.Datasets = []string{id}
	}
	done, err := c.Desk.RetryRefused(q.Context(), w)
	if err != nil {
		return err
	}
	var open, taken int64
	for _, r := range done {
		open, taken = open+r.Open, taken+r.Accepted+r.Duplicate+r.Skipped
	}
	to := "/quarantine"
	if len(w.Datasets) > 0 {
		to = address(to, w.Datasets[0])
	}
	return q.See(to, q.Say("quarantine.retried", number(open), number(taken)))
}

// exportWorkbook gives the open rows of a department or a dataset as a workbook.
func (c *Console) exportWorkbook(q *Request) (err error) {
	query := q.URL.Query()
	w := desk.RefusedRows{Department: query.Get("department"), Reason: query.Get("reason")}
	name := cmp.Or(query.Get("dataset"), w.Department)
	if id := query.Get("dataset"); id != "" {
		w.Datasets = []string{id}
	}
	if name == "" {
		return fault.Newf(fault.Invalid, "export the refused rows", "name a department or a dataset")
	}
	dir, err := os.MkdirTemp(c.Desk.Data, "workbook-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "refused.xlsx")
	if _, err := c.Desk.ExportRefused(q.Context(), w, path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	return q.File("quarantine-"+name+"-"+c.Desk.Today().String()+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", f)
}

// checkWorkbook looks at a mended workbook and keeps it until somebody decides to take it in.
func (c *Console) checkWorkbook(q *Request) (err error) {
	if err := q.readForm(); err != nil {
		return err
	}
	defer func() {
		if q.MultipartForm != nil {
			err = errors.Join(err, q.MultipartForm.RemoveAll())
		}
	}()
	in, header, err := q.FormFile("workbook")
	if err != nil {
		return &fault.Error{Op: "take the workbook", Code: fault.Invalid, Err: errors.New("no file came with the form"), Hint: "choose the .xlsx file that was mended"}
	}
	defer func() { _ = in.Close() }() // only read
	f, err := os.CreateTemp(c.Desk.Data, "upload-*.xlsx")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if _, err := io.Copy(f, in); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	name := filepath.Base(header.Filename)
	looked, err := c.Desk.CheckWorkbook(q.Context(), f.Name(), name)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	data := map[string]any{"Looked": looked, "Name": name, "Fault": shownFault(err), "Upload": ""}
	if looked == nil || len(looked.Faults) > 0 {
		q.Status = http.StatusUnprocessableEntity
	} else {
		upload, err := c.Desk.KeepUpload(q.Context(), f.Name(), name)
		if err != nil {
			return err
		}
		data["Upload"] = upload
	}
	return q.Render("quarantine/workbook", data)
}

// takeWorkbook takes in a workbook that was looked at.
func (c *Console) takeWorkbook(q *Request) error {
	id := q.PathValue("upload")
	var done *desk.Resubmitted
	err := c.Desk.WithUpload(q.Context(), id, func(path, name string) (err error) {
		done, err = c.Desk.TakeWorkbook(q.Context(), path, name)
		return err
	})
	if err != nil && (done == nil || len(done.Faults) == 0) {
		return err
	}
	if err == nil {
		if err := c.Desk.ForgetUpload(q.Context(), id); err != nil {
			return err
		}
	}
	return q.Render("quarantine/taken", map[string]any{"Done": done, "Fault": shownFault(err)})
}
