package desk_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
	"xinshu/internal/quarantine"
)

const good, badCode = "91350100M000100Y43", "91350100M000100Y40"

// severe is a file of amr.severe with so many rows that are good and so many whose code is wrong.
func severe(fine, bad int) string {
	var b strings.Builder
	b.WriteString("uscc,entity_name,list_reason,list_date,remove_date\n")
	for i := range fine + bad {
		code := good
		if i >= fine {
			code = badCode
		}
		fmt.Fprintf(&b, "%s,一号公司,原因%d,2025-03-01,\n", code, i)
	}
	return b.String()
}

func TestTheQuarantineIsReadPageByPage(t *testing.T) {
	d := desktest.Open(t)
	ctx := desktest.As(t, auth.Steward)
	if l := desktest.Ingest(t, d, "amr.severe", "a.csv", severe(3, 23)); l.Quarantined != 23 {
		t.Fatalf("quarantined %d", l.Quarantined)
	}
	desktest.Ingest(t, d, "amr.severe", "b.csv", severe(3, 2)) // rows that came before, once more
	seen, pages, after := map[string]bool{}, 0, ""
	for {
		page, err := d.RefusedPage(ctx, "amr.severe", quarantine.Wanted{State: quarantine.Open, Most: 10}, after)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, row := range page.Rows {
			if seen[row.ID] {
				t.Errorf("%s is on two pages", row.ID)
			}
			seen[row.ID] = true
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(seen) != 23 || pages != 3 {
		t.Errorf("%d rows on %d pages", len(seen), pages)
	}
	page, err := d.RefusedPage(ctx, "amr.severe", quarantine.Wanted{Contains: "原因7", Most: 10}, "")
	if err != nil || len(page.Rows) != 1 {
		t.Errorf("rows that contain a text: %d, %v", len(page.Rows), err)
	}
	if _, err := d.RefusedPage(ctx, "amr.severe", quarantine.Wanted{Most: 10}, "7-x"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a cursor that is none: %v", err)
	}
	sum, err := d.QuarantineSummary(ctx, desk.RefusedRows{Department: "amr"})
	if err != nil || sum.Total.Open != 23 || sum.Total.Repeated != 2 {
		t.Errorf("the summary says %+v, %v", sum.Total, err)
	}
}

func TestARowIsMendedInAFormAndStruckOutWithAReason(t *testing.T) {
	d := desktest.Open(t)
	ctx := desktest.As(t, auth.Steward)
	desktest.Ingest(t, d, "amr.severe", "a.csv", severe(1, 3))
	page, err := d.RefusedPage(ctx, "amr.severe", quarantine.Wanted{State: quarantine.Open, Most: 10}, "")
	if err != nil || len(page.Rows) != 3 {
		t.Fatalf("%d rows, %v", len(page.Rows), err)
	}
	ids := []string{page.Rows[0].ID, page.Rows[1].ID, page.Rows[2].ID}

	row, err := d.Refused(ctx, ids[0])
	if err != nil || row.Field != "uscc" || row.Sentence.ZH == "" || len(row.Fields) < 4 {
		t.Fatalf("the row is shown as %+v, %v", row, err)
	}
	if _, _, err := d.FixRow(ctx, ids[0], map[string]string{"uscc": badCode}); !fault.Is(err, fault.Invalid) {
		t.Errorf("nothing was changed: %v", err)
	}
	if _, _, err := d.FixRow(ctx, ids[0], map[string]string{"colour": "red"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a field that the contract does not have: %v", err)
	}
	again, _, err := d.FixRow(ctx, ids[1], map[string]string{"list_date": "2025-02-30"})
	if err != nil || again.Outcome != "again" || again.Reject == nil {
		t.Errorf("still wrong: %+v, %v", again, err)
	}
	fixed, _, err := d.FixRow(ctx, ids[0], map[string]string{"uscc": good, "list_date": "2025-03-01"})
	if err != nil || fixed.Outcome != "accepted" || fixed.Commit == 0 {
		t.Fatalf("mended: %+v, %v", fixed, err)
	}
	if _, _, err := d.FixRow(ctx, ids[0], map[string]string{"entity_name": "二号公司"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("mended a second time: %v", err)
	}
	if _, err := d.StrikeOut(ctx, ids[2], " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("struck out for no reason: %v", err)
	}
	if _, err := d.StrikeOut(ctx, ids[2], "部门确认误报"); err != nil {
		t.Fatal(err)
	}
	gone, err := d.Refused(ctx, ids[2])
	if err != nil || gone.State != quarantine.Withdrawn || gone.Closed == nil || gone.Closed.Note != "部门确认误报" || gone.Closed.By != "user:li" || gone.Closed.Way != "form" {
		t.Errorf("struck out, it says %+v %+v, %v", gone.State, gone.Closed, err)
	}
	sum, err := d.QuarantineSummary(ctx, desk.RefusedRows{Datasets: []string{"amr.severe"}})
	if want := (quarantine.Sum{Quarantined: 4, Again: 1, Refused: 3, Open: 1, Corrected: 1, Withdrawn: 1}); err != nil || sum.Total != want {
		t.Errorf("the books say %+v, want %+v, %v", sum.Total, want, err)
	}
	entries, _, err := d.Trail.List(ctx, audit.Filter{Action: "quarantine.", Limit: 50})
	if err != nil || len(entries) != 5 { // two looks, two corrections, one withdrawal
		t.Errorf("%d entries in the trail, %v", len(entries), err)
	}
}

func TestADepartmentSeesAndMendsItsOwnRowsAlone(t *testing.T) {
	d := desktest.Open(t)
	desktest.Ingest(t, d, "amr.severe", "a.csv", severe(0, 2))
	own := auth.With(t.Context(), auth.Actor{ID: "user:tax", Roles: []auth.Role{auth.DepartmentUser}, Scope: auth.Scope{Departments: []string{"tax"}}})
	if _, err := d.RefusedPage(own, "amr.severe", quarantine.Wanted{Most: 5}, ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("the page of another department: %v", err)
	}
	if _, err := d.Refused(own, "amr.severe/1/1"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a row of another department: %v", err)
	}
	if _, err := d.StrikeOut(own, "amr.severe/1/1", "不要了"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("striking out a row of another department: %v", err)
	}
	if sum, err := d.QuarantineSummary(own, desk.RefusedRows{}); err != nil || sum.Total.Refused != 0 {
		t.Errorf("the summary counts %+v, %v", sum.Total, err)
	}
	book := filepath.Join(t.TempDir(), "out.xlsx")
	steward := desktest.As(t, auth.Steward)
	if _, err := d.ExportRefused(steward, desk.RefusedRows{Department: "amr"}, book); err != nil {
		t.Fatal(err)
	}
	if _, err := d.CheckWorkbook(own, book, "out.xlsx"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("the workbook of another department: %v", err)
	}
	if r, err := d.CheckWorkbook(steward, book, "out.xlsx"); err != nil || len(r.Datasets) != 1 || r.Datasets[0].Unchanged != 2 {
		t.Errorf("the own workbook: %+v, %v", r, err)
	}
	id, err := d.KeepUpload(steward, book, "out.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WithUpload(own, id, func(string, string) error { return nil }); !fault.Is(err, fault.Forbidden) {
		t.Errorf("somebody else's upload: %v", err)
	}
	if err := d.WithUpload(steward, id, func(path, name string) error {
		_, err := d.TakeWorkbook(steward, path, name)
		return err
	}); err != nil {
		t.Errorf("the kept workbook is not what it was: %v", err)
	}
}
