package release

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// shelf keeps proposals in memory.
type shelf struct{ all []Proposal }

func (s *shelf) AddProposal(_ context.Context, p Proposal) (Proposal, error) {
	p.ID = "R" + string(rune('1'+len(s.all)))
	s.all = append(s.all, p)
	return p, nil
}

func (s *shelf) AnswerProposal(_ context.Context, p Proposal) error {
	for i := range s.all {
		if s.all[i].ID == p.ID {
			s.all[i] = p
		}
	}
	return nil
}

func (s *shelf) Proposal(_ context.Context, id string) (Proposal, error) {
	for _, p := range s.all {
		if p.ID == id {
			return p, nil
		}
	}
	return Proposal{}, fault.Newf(fault.NotFound, "find", "none")
}

func (s *shelf) Proposals(context.Context, Filter) ([]Proposal, error) { return s.all, nil }

func (s *shelf) Released(_ context.Context, day catalog.Date) ([]Proposal, error) {
	byFile := map[string]Proposal{}
	for _, p := range s.all {
		if p.State == Approved && p.InForce <= day {
			byFile[p.File] = p
		}
	}
	var all []Proposal
	for _, p := range byFile {
		all = append(all, p)
	}
	return all, nil
}

func newOffice() (*Office, *shelf) {
	s := &shelf{}
	return &Office{Files: catalog.Files, Rows: s, Now: func() time.Time { return time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC) }}, s
}

const (
	policyFile  = "policies/heilongjiang-2021.yaml"
	datasetFile = "datasets/amr/severe.yaml"
)

func text(t *testing.T, file string, edits ...string) []byte {
	t.Helper()
	body, err := fs.ReadFile(catalog.Files, file)
	if err != nil {
		t.Fatal(err)
	}
	out := string(body)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(out, edits[i]) {
			t.Fatalf("%s does not hold %q", file, edits[i])
		}
		out = strings.Replace(out, edits[i], edits[i+1], 1)
	}
	return []byte(out)
}

func TestAProposalIsChecked(t *testing.T) {
	for _, c := range []struct {
		name, file string
		text       []byte
		note       string
		from       catalog.Date
		want       string
		code       fault.Code
	}{
		{"a file that is none of the catalogue", "../etc/passwd", nil, "n", catalog.NoDate, "no file that is released", fault.Invalid},
		{"rules are not released", "rules/severity-order-36.yaml", nil, "n", catalog.NoDate, "no file that is released", fault.Invalid},
		{"without a reason", policyFile, text(t, policyFile, "points: -40,", "points: -50,"), " ", catalog.NoDate, "no reason", fault.Invalid},
		{"in force yesterday", policyFile, text(t, policyFile, "points: -40,", "points: -50,"), "n", 0, "which is past", fault.Invalid},
		{"what is in force already", policyFile, text(t, policyFile), "n", catalog.NoDate, "says what is in force", fault.Conflict},
		{"a policy whose sums do not hold", policyFile, text(t, policyFile, "total: 150", "total: 140"), "n", catalog.NoDate, policyFile, fault.Invalid},
		{"no YAML", policyFile, []byte("{"), "n", catalog.NoDate, policyFile + ":1", fault.Invalid},
		{"a contract that changes without a version", datasetFile, text(t, datasetFile, "cycle: daily", "cycle: weekly"), "n", catalog.NoDate, "its version stays 1", fault.Invalid},
		{"a contract of another file", "datasets/amr/other.yaml", text(t, datasetFile), "n", catalog.NoDate, "belongs in datasets/amr/", fault.Invalid},
		{"a contract with its version", datasetFile, text(t, datasetFile, "cycle: daily", "cycle: weekly", "version: 1", "version: 2"), "n", catalog.NoDate, "", ""},
	} {
		o, _ := newOffice()
		_, err := o.Propose(t.Context(), c.file, c.text, "甲", c.note, c.from)
		if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, c.code) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTwoPersonsReleaseAPolicy(t *testing.T) {
	o, s := newOffice()
	official := text(t, policyFile, "status: trial", "status: official")
	// A file that calls itself official is none by that.
	own := catalog.Layer(catalog.Texts{policyFile: official}, catalog.Files)
	day := catalog.DateOf(o.Now())
	trial := func(files fs.FS) bool {
		released, err := s.Released(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		cat, faults := Load(files, released)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		p, _ := cat.Policy("heilongjiang-2021")
		return p.Status != "official"
	}
	if !trial(own) {
		t.Error("a file of the installation's folder made itself official")
	}
	p, err := o.Propose(t.Context(), policyFile, official, "甲", "省里公布附件2", day.AddDays(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Answer(t.Context(), p.ID, Approved, "甲", ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("who proposed approved it: %v", err)
	}
	if _, err := o.Answer(t.Context(), p.ID, Refused, "乙", " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("refused without a reason: %v", err)
	}
	if _, err := o.Answer(t.Context(), p.ID, Withdrawn, "乙", ""); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another withdrew it: %v", err)
	}
	for range 2 { // said again, nothing changes
		if p, err = o.Answer(t.Context(), p.ID, Approved, "乙", ""); err != nil || p.State != Approved || p.AnsweredBy != "乙" {
			t.Fatalf("%+v, %v", p, err)
		}
	}
	if _, err := o.Answer(t.Context(), p.ID, Refused, "乙", "反悔"); !fault.Is(err, fault.Conflict) {
		t.Errorf("answered otherwise: %v", err)
	}
	if !trial(catalog.Files) {
		t.Error("it is in force before its day")
	}
	day = day.AddDays(2)
	if trial(catalog.Files) {
		t.Error("it is not in force on its day")
	}
}

func TestAnOlderTextIsNotApprovedOverANewerOne(t *testing.T) {
	o, _ := newOffice()
	first, err := o.Propose(t.Context(), policyFile, text(t, policyFile, "points: -40,", "points: -50,"), "甲", "n", catalog.NoDate)
	if err != nil {
		t.Fatal(err)
	}
	second, err := o.Propose(t.Context(), policyFile, text(t, policyFile, "points: -40,", "points: -60,"), "丙", "n", catalog.NoDate)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Answer(t.Context(), first.ID, Approved, "乙", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Answer(t.Context(), second.ID, Approved, "乙", ""); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "changed since") {
		t.Errorf("approved over a text it was not written over: %v", err)
	}
}

func TestAComparisonShowsWhatGoesAndComes(t *testing.T) {
	show := func(before, after string) string {
		var out []string
		for _, l := range Compare(before, after, 1) {
			out = append(out, l.Sign+l.Text)
		}
		return strings.Join(out, "|")
	}
	for _, c := range []struct{ name, before, after, want string }{
		{"nothing", "a\nb\n", "a\nb\n", ""},
		{"a changed line with its neighbours", "a\nb\nc\nd\n", "a\nb\nC\nd\n", " b|-c|+C| d"},
		{"far lines are left out", "a\nb\nc\nd\ne\nf\ng\n", "A\nb\nc\nd\ne\nf\nG\n", "-a|+A| b|| f|-g|+G"},
		{"a new file", "", "a\nb", "+a|+b"},
		{"an emptied one", "a", "", "-a"},
	} {
		if got := show(c.before, c.after); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
