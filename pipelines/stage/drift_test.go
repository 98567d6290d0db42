package stage

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
)

func TestADriftDoesWhatTheContractSays(t *testing.T) {
	odd := clean("2", "colour", "红色")
	noDate := []string{"uscc", goodCode, "entity_name", "舞钢市示例有限公司", "source_record_id", "1", "CF_WSH", "舞文罚〔2025〕1号"}
	many := func(n int, row func(i int) []string) [][]string {
		var rows [][]string
		for i := range n {
			rows = append(rows, row(i))
		}
		return rows
	}
	wordy := many(40, func(i int) []string {
		if i%2 == 0 {
			return clean(fmt.Sprint(i), "staff", "约二十人")
		}
		return clean(fmt.Sprint(i), "staff", "20")
	})
	for _, c := range []struct {
		name     string
		policy   catalog.Drift
		rows     [][]string
		accepted int64
		reasons  string   // reason and column of the rows refused
		drift    []string // kind column action
		frozen   string
	}{
		{"a new column is told and its rows are taken", catalog.Drift{}, [][]string{clean("1"), odd}, 2, "", []string{"unknown colour evolve text"}, ""},
		{"the exchange's own columns are no drift", catalog.Drift{Unknown: catalog.Freeze}, [][]string{clean("1", "STATE", "0", "batch_no", "7")}, 1, "", []string{}, ""},
		{"rows with a value in a new column are refused", catalog.Drift{Unknown: catalog.Quarantine}, [][]string{clean("1"), odd, clean("3", "colour", " ")}, 2, "COLUMN_UNKNOWN colour 红色", []string{"unknown colour quarantine text"}, ""},
		{"one column by name", catalog.Drift{Fields: map[string]string{"colour": catalog.Quarantine}}, [][]string{clean("1", "size", "3"), odd}, 1, "COLUMN_UNKNOWN colour 红色", []string{"unknown size evolve integer", "unknown colour quarantine text"}, ""},
		{"a new column fails the pull", catalog.Drift{Unknown: catalog.Freeze}, [][]string{clean("1"), odd}, 0, "", nil, "column colour is not in the contract"},
		{"a required column that is gone refuses each row for the empty field", catalog.Drift{}, [][]string{noDate}, 0, "REQUIRED CF_JDRQ ", []string{"missing CF_JDRQ evolve "}, ""},
		{"or for the missing column", catalog.Drift{Missing: catalog.Quarantine}, [][]string{slices.Concat(noDate, []string{"severity", "轻微"})}, 0, "REQUIRED CF_JDRQ ", []string{"missing CF_JDRQ quarantine "}, ""},
		{"an optional column asked for by name refuses good rows", catalog.Drift{Fields: map[string]string{"staff": catalog.Quarantine}}, [][]string{clean("1")}, 0, "COLUMN_MISSING staff ", nil, ""},
		{"a column that is gone fails the pull", catalog.Drift{Missing: catalog.Freeze}, [][]string{noDate}, 0, "", nil, "field CF_JDRQ is not sent"},
		{"an optional column that is gone is no news in a few rows", catalog.Drift{Missing: catalog.Freeze}, [][]string{clean("1")}, 1, "", nil, ""},
		{"values of another type are refused and told", catalog.Drift{}, wordy, 20, "TYPE_NUMBER staff 约二十人", []string{"type staff quarantine text"}, ""},
		{"a few of them are no change of type", catalog.Drift{Share: 60}, wordy, 20, "TYPE_NUMBER staff 约二十人", nil, ""},
		{"or fail the pull", catalog.Drift{Type: catalog.Freeze}, wordy, 0, "", nil, "field staff: 20 of 40 rows hold no integer but text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, lake := newStager(t)
			ds := penalties()
			ds.Drift = c.policy
			refused := map[string]bool{}
			result, err := s.Run(t.Context(), ds, pages(pageOf("a.csv", c.rows...)), Pull{Run: "r", OnReject: func(r Reject) {
				refused[r.Reason+" "+r.Column+" "+r.Value] = true
			}})
			if c.frozen != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.frozen) || len(lake.entries) != 0 {
					t.Fatalf("%v, %d entries", err, len(lake.entries))
				}
				return
			}
			if err != nil || result.Ledger.Accepted != c.accepted || result.Ledger.Check() != nil {
				t.Fatalf("%v: %+v", err, result.Ledger)
			}
			if (len(refused) > 0 || c.reasons != "") && (len(refused) != 1 || !refused[c.reasons]) {
				t.Errorf("refused %v, want %s", refused, c.reasons)
			}
			var drift []string
			for _, d := range result.Drift {
				drift = append(drift, d.Kind+" "+d.Column+" "+d.Action+" "+d.Guess)
			}
			if c.drift != nil && !slices.Equal(drift, c.drift) {
				t.Errorf("drift %q, want %q", drift, c.drift)
			}
		})
	}
}

func TestNothingPersonalStandsInADrift(t *testing.T) {
	s, _ := newStager(t)
	result, err := s.Run(t.Context(), penalties(), pages(pageOf("a.csv", clean("1", "经办人证件", "11010519491231002X"))), Pull{Run: "r"})
	if err != nil || len(result.Drift) != 1 {
		t.Fatal(err, result.Drift)
	}
	if d := result.Drift[0]; d.Guess != "personal" || strings.Contains(d.Example, "19491231") {
		t.Errorf("%+v", d)
	}
}

func TestAValueIsGuessed(t *testing.T) {
	for raw, want := range map[string]string{"2025-01-02": "date", "2025年1月2日": "date", "2025-01-02 10:11:12": "datetime", "12": "integer", "12.5": "decimal", "是": "boolean",
		goodCode: "uscc", "11010519491231002X": "personal", "红色": "text"} {
		if got := guess(raw); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
	mixed := sighting{types: map[string]int{"integer": 3, "decimal": 1}}
	if mixed.guess() != "decimal" {
		t.Errorf("whole numbers among decimals: %s", mixed.guess())
	}
}

func TestAnOpenDriftClosesOnlyWhenEnoughRowsDisproveIt(t *testing.T) {
	open := []chain.Drift{{Kind: "unknown", Column: "colour", Rows: 500, First: "2025-10-01", Last: "2025-10-01"}}
	if now := chain.Drifted(open, nil, 3, "2025-10-28"); len(now) != 1 || now[0].Last != "2025-10-01" {
		t.Errorf("a pull of three rows: %+v", now)
	}
	if now := chain.Drifted(open, nil, 100, "2025-10-28"); len(now) != 0 {
		t.Errorf("a pull of a hundred: %+v", now)
	}
	now := chain.Drifted(open, []chain.Drift{{Kind: "unknown", Column: "colour", Rows: 2}, {Kind: "missing", Column: "x"}}, 2, "2025-10-28")
	if len(now) != 2 || now[0].First != "2025-10-01" || now[0].Last != "2025-10-28" || now[1].First != "2025-10-28" {
		t.Errorf("seen again: %+v", now)
	}
}
