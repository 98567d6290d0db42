package desk_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/pipelines"
)

// debtors is a file of court.debtor with so many rows that are good and so many whose code is wrong.
func debtors(fine, bad int) string {
	text := "uscc,entity_name,case_no,court,publish_date,performance\n"
	for i := range fine + bad {
		code := good
		if i >= fine {
			code = badCode
		}
		text += fmt.Sprintf("%s,一号公司,(2025)豫0481执%d号,舞钢市人民法院,2025-09-01,全部未履行\n", code, i)
	}
	return text
}

// bring makes a source that reads a dataset from a folder with this file, and gives the folder.
func bring(t *testing.T, d *desk.Desk, source, dataset, body string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "rows.csv"), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	draft := desk.Draft{Role: desk.SourceRole, ID: source, Kind: "files", Values: map[string]string{"place": "folder", "root": root},
		Datasets: map[string]map[string]string{dataset: {"pattern": "*.csv"}}}
	if _, faults, err := d.SaveConnection(desktest.As(t, auth.Administrator), draft); err != nil || len(faults) > 0 {
		t.Fatal(faults, err)
	}
	return root
}

// The court delivered two working days ago and not since, the registry today; the folder of the
// health office is gone; the police were never asked.
func aDayOfTheHub(t *testing.T) *desk.Desk {
	d := desktest.Open(t)
	clock := desktest.Clock
	now := func() time.Time { return clock }
	d.Now, d.Pipeline.Now, d.Pipeline.Stager.Now = now, now, now
	pull := func(source string) error {
		_, err := d.Pipeline.Pull(t.Context(), pipelines.Choice{Source: source})
		return err
	}
	bring(t, d, "court-folder", "court.debtor", debtors(4, 2))
	bring(t, d, "amr-folder", "amr.severe", severe(5, 3))
	gone := bring(t, d, "health-folder", "health.inst", "uscc\n")
	bring(t, d, "police-folder", "police.penalty", "uscc\n")
	if err := pull("court-folder"); err != nil {
		t.Fatal(err)
	}
	clock = clock.AddDate(0, 0, 2)
	if err := pull("amr-folder"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(gone); err != nil {
		t.Fatal(err)
	}
	if err := pull("health-folder"); err == nil {
		t.Fatal("a folder that is gone was read")
	}
	return d
}

func TestTheOverviewSaysHowEachFeedStandsAndWhatWaitsForWhom(t *testing.T) {
	d := aDayOfTheHub(t)
	if _, err := d.QuarantineSummary(as(t, auth.Steward, auth.Scope{}), desk.RefusedRows{}); err != nil { // which waits, as a page does not
		t.Fatal(err)
	}
	whole := map[string]string{"court.debtor": desk.Late, "amr.severe": desk.Fresh, "health.inst": desk.Broken, "police.penalty": desk.Never}
	for _, c := range []struct {
		name    string
		role    auth.Role
		own     []string // departments
		feeds   map[string]string
		waiting map[string]int64
	}{
		{"a steward sees every feed and what is to be mended", auth.Steward, nil, whole, map[string]int64{desk.Broken: 1, desk.Late: 1, desk.Never: 1, "quarantine": 5}},
		{"an auditor sees the same", auth.Auditor, nil, whole, map[string]int64{desk.Broken: 1, desk.Late: 1, desk.Never: 1, "quarantine": 5}},
		{"an administrator has no business with refused rows", auth.Administrator, nil, whole, map[string]int64{desk.Broken: 1, desk.Late: 1, desk.Never: 1}},
		{"the credit office is not sent to pages of sources", auth.CreditOffice, nil, whole, map[string]int64{}},
		{"the registry sees its own", auth.DepartmentUser, []string{"amr"}, map[string]string{"amr.severe": desk.Fresh}, map[string]int64{"quarantine": 3}},
		{"the court sees its own", auth.DepartmentUser, []string{"court"}, map[string]string{"court.debtor": desk.Late}, map[string]int64{"quarantine": 2}},
		{"a department without refused rows has nothing to do", auth.DepartmentUser, []string{"police"}, map[string]string{"police.penalty": desk.Never}, map[string]int64{}},
		{"a steward of one department counts its feeds alone", auth.Steward, []string{"court"}, map[string]string{"court.debtor": desk.Late}, map[string]int64{desk.Late: 1, "quarantine": 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := d.Overview(as(t, c.role, auth.Scope{Departments: c.own}), 1)
			if err != nil {
				t.Fatal(err)
			}
			feeds, tally := map[string]string{}, map[string]int{}
			for _, owner := range o.Feeds {
				for _, f := range owner.Datasets {
					feeds[f.Dataset.ID] = f.State
					if f.Dataset.Owner != owner.ID {
						t.Errorf("%s stands under %s", f.Dataset.ID, owner.ID)
					}
				}
			}
			for _, state := range c.feeds {
				tally[state]++
			}
			waiting := map[string]int64{}
			for _, w := range o.Waiting {
				waiting[w.What] = w.Count
			}
			if !maps.Equal(feeds, c.feeds) || !maps.Equal(o.Tally, tally) {
				t.Errorf("feeds stand as %v, counted %v, want %v", feeds, o.Tally, c.feeds)
			}
			if !maps.Equal(waiting, c.waiting) {
				t.Errorf("waiting: %v, want %v", waiting, c.waiting)
			}
			if o.Road.Datasets != len(c.feeds) {
				t.Errorf("the road begins with %d datasets", o.Road.Datasets)
			}
		})
	}
}

func TestTheOverviewCountsTheRowsOfItsDays(t *testing.T) {
	d := aDayOfTheHub(t)
	ctx := desktest.As(t, auth.Steward)
	for days, read := range map[int]int64{1: 8, 7: 14} { // the court's six came the day before yesterday
		o, err := d.Overview(ctx, days)
		if err != nil {
			t.Fatal(err)
		}
		if rows := o.Road.Rows; rows.Read != read || rows.Read != rows.Accepted+rows.Quarantined || o.Road.Sources != 4 {
			t.Errorf("over %d days: %+v", days, o.Road)
		}
		if today := o.Today.Ledger; today.Read != 8 || today.Accepted != 5 || today.Quarantined != 3 || o.Today.Failed != 1 {
			t.Errorf("today: %+v", o.Today)
		}
	}
}
