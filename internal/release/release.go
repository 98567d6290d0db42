// Package release owns how the catalogue changes while the hub is in use: a contract or a policy is
// proposed by one person, approved or refused by another, and in force from a day. It refuses to keep
// anything, and to change a file: what was released lies in run state, so that every node reads the
// same, and is laid over the installation's own folder when the catalogue is loaded.
package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// Part is what of the catalogue a proposal is about.
type Part string

// The parts that are released.
const (
	Contract Part = "dataset"
	Policy   Part = "policy"
)

// State is where a proposal stands.
type State string

// The states.
const (
	Proposed  State = "proposed"
	Approved  State = "approved"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
)

// Proposal is the next text of one file of the catalogue.
type Proposal struct {
	ID         string       `json:"id"` // R20251028-0001
	Part       Part         `json:"part"`
	Subject    string       `json:"subject"` // dataset or policy id
	State      State        `json:"state"`
	File       string       `json:"file"`
	Text       string       `json:"text"`
	SHA256     string       `json:"sha256"` // of what the text means: of a policy with what it extends
	Base       string       `json:"base"`   // of the text it was written over; empty: the file is new
	Note       string       `json:"note"`   // why
	InForce    catalog.Date `json:"in_force"`
	By         string       `json:"by"`
	At         time.Time    `json:"at"`
	AnsweredBy string       `json:"answered_by,omitempty"`
	AnsweredAt time.Time    `json:"answered_at,omitzero"`
	Reason     string       `json:"reason,omitempty"` // of the answer
}

// Filter chooses proposals. Empty members choose all.
type Filter struct {
	Part    Part
	Subject string
	State   State
	Before  string // numbers before this one: the next page
	Most    int    // 0: 200
}

// Rows keeps proposals.
type Rows interface {
	// AddProposal gives a proposal its number and stores it.
	AddProposal(ctx context.Context, p Proposal) (Proposal, error)
	// AnswerProposal ends an open proposal; conflict when it was answered already.
	AnswerProposal(ctx context.Context, p Proposal) error
	// Proposal gives one; not_found when there is none.
	Proposal(ctx context.Context, id string) (Proposal, error)
	// Proposals gives the newest first.
	Proposals(ctx context.Context, f Filter) ([]Proposal, error)
	// Released gives, for each file that was ever released, the approved text that is in force on a day.
	Released(ctx context.Context, day catalog.Date) ([]Proposal, error)
}

// Over lays what is released over a catalogue folder.
func Over(files fs.FS, released []Proposal) fs.FS {
	texts := catalog.Texts{}
	for _, p := range released {
		texts[p.File] = []byte(p.Text)
	}
	return catalog.Layer(texts, files)
}

// Load reads a catalogue with what is released laid over it. A policy that calls itself official is so
// only by its release: where no second person approved this very text, it is a trial.
func Load(files fs.FS, released []Proposal) (*catalog.Catalog, []catalog.Fault) {
	cat, faults := catalog.Load(Over(files, released))
	approved := map[string]bool{}
	for _, p := range released {
		approved[p.SHA256] = true
	}
	for i := range cat.Policies {
		if p := &cat.Policies[i]; p.Status == "official" && !approved[p.SHA256] {
			p.Status = "trial"
			p.StatusNote = catalog.Text{ZH: "文件自称正式，但未经第二人批准发布，按试评处理", EN: "its file says official, but no second person released it: it is a trial"}
		}
	}
	return cat, faults
}

// Office takes proposals and answers. Its fields are set once, before use.
type Office struct {
	Files fs.FS // the built-in catalogue with the installation's folder over it
	Rows  Rows
	Now   func() time.Time
}

func (o *Office) today() catalog.Date { return catalog.DateOf(o.Now()) }

// endOfTime is a day after every release.
const endOfTime = catalog.Date(1 << 30)

// newest is the catalogue as it will be once everything approved is in force: what a proposal is
// written over.
func (o *Office) newest(ctx context.Context) (fs.FS, error) {
	released, err := o.Rows.Released(ctx, endOfTime)
	return Over(o.Files, released), err
}

var place = regexp.MustCompile(`^(?:datasets/([a-z0-9-]+)/([a-z0-9-]+)|policies/([a-z0-9-]+))\.yaml$`)

// Most is the greatest size of a proposed file.
const Most = 1 << 20

// Propose stores the next text of a file, in force from a day once somebody else approves it.
func (o *Office) Propose(ctx context.Context, file string, text []byte, by, note string, from catalog.Date) (Proposal, error) {
	op := "propose " + file
	bad := func(hint, format string, args ...any) (Proposal, error) {
		return Proposal{}, &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	at := place.FindStringSubmatch(file)
	switch {
	case at == nil:
		return bad("it is datasets/<owner>/<name>.yaml or policies/<id>.yaml", "%q is no file that is released", file)
	case len(text) > Most:
		return bad("", "the file is larger than %d bytes", Most)
	case strings.TrimSpace(note) == "" || len([]rune(note)) > 2000:
		return bad("the second person wants to know why, in at most 2000 characters", "no reason is given")
	}
	if from == catalog.NoDate {
		from = o.today()
	}
	if from < o.today() {
		return bad("results of past days stay what they were", "it would be in force from %s, which is past", from)
	}
	p := Proposal{Part: Contract, Subject: at[1] + "." + at[2], State: Proposed, File: file, Text: string(text), Note: strings.TrimSpace(note), InForce: from, By: by}
	if at[3] != "" {
		p.Part, p.Subject = Policy, at[3]
	}
	files, err := o.newest(ctx)
	if err != nil {
		return p, err
	}
	before, err := fs.ReadFile(files, file)
	if err == nil {
		p.Base = Sum(before)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	if p.Base == Sum(text) {
		return p, &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("it says what is in force already, or approved"), Hint: "there is nothing to release"}
	}
	if p.SHA256, err = judge(files, p); err != nil {
		return p, err
	}
	return o.Rows.AddProposal(ctx, p)
}

// judge reads the catalogue as it would be with a proposal, refuses what would not load, and gives the
// hash of what the text means.
func judge(files fs.FS, p Proposal) (string, error) {
	op := "read " + p.File
	was, _ := catalog.Load(files)
	cat, faults := catalog.Load(catalog.Layer(catalog.Texts{p.File: []byte(p.Text)}, files))
	for _, f := range faults {
		if f.File == p.File || !slices.Contains(was.Faults, f) {
			return "", &fault.Error{Op: op, Code: fault.Invalid, Err: f, Hint: "mend the line named"}
		}
	}
	if p.Part == Policy {
		policy, ok := cat.Policy(p.Subject)
		if !ok {
			return "", &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf("the file does not hold policy %s", p.Subject), Hint: "its id is its file's name"}
		}
		return policy.SHA256, nil
	}
	ds, ok := cat.Dataset(p.Subject)
	if !ok {
		return "", &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf("the file does not hold dataset %s", p.Subject), Hint: "its id is its folder and its file's name"}
	}
	if old, had := was.Dataset(p.Subject); had && ds.Version <= old.Version && len(catalog.Diff(old, ds)) > 0 {
		return "", &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf("the contract changes and its version stays %d", ds.Version), Hint: fmt.Sprintf("give it version %d", old.Version+1)}
	}
	return ds.SHA256, nil
}

// Answer approves or refuses a proposal; its proposer may only withdraw it.
func (o *Office) Answer(ctx context.Context, id string, answer State, by, reason string) (Proposal, error) {
	p, err := o.Rows.Proposal(ctx, id)
	if err != nil {
		return p, err
	}
	op := string(answer) + " " + id
	if p.State != Proposed {
		if p.State == answer && p.AnsweredBy == by {
			return p, nil
		}
		return p, &fault.Error{Op: op, Code: fault.Conflict, Err: fmt.Errorf("it is %s by %s already", p.State, p.AnsweredBy), Hint: "propose anew what should be otherwise"}
	}
	switch answer {
	case Withdrawn:
		if by != p.By {
			return p, &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("it is another's proposal"), Hint: "refuse it, with a reason"}
		}
	case Approved, Refused:
		if by == p.By {
			return p, &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("who proposed it cannot answer it"), Hint: "a second person with the right does; you can withdraw it"}
		}
	default:
		return p, fault.Newf(fault.Invalid, op, "%q is no answer", answer)
	}
	if answer == Refused && strings.TrimSpace(reason) == "" {
		return p, &fault.Error{Op: op, Code: fault.Invalid, Err: errors.New("no reason is given"), Hint: "say why, so that the proposer can mend it"}
	}
	if answer == Approved {
		if err := o.still(ctx, &p); err != nil {
			return p, err
		}
	}
	p.State, p.AnsweredBy, p.AnsweredAt, p.Reason = answer, by, o.Now(), strings.TrimSpace(reason)
	return p, o.Rows.AnswerProposal(ctx, p)
}

// still refuses to approve what was written over an older text, or would no longer load. A day that
// passed while the proposal lay there becomes today.
func (o *Office) still(ctx context.Context, p *Proposal) error {
	files, err := o.newest(ctx)
	if err != nil {
		return err
	}
	base := ""
	if text, err := fs.ReadFile(files, p.File); err == nil {
		base = Sum(text)
	}
	if base != p.Base {
		return &fault.Error{Op: "approve " + p.ID, Code: fault.Conflict, Err: fmt.Errorf("%s changed since it was proposed", p.File), Hint: "propose it again over the text of today"}
	}
	meant, err := judge(files, *p)
	if err != nil {
		return err
	}
	if meant != p.SHA256 {
		return &fault.Error{Op: "approve " + p.ID, Code: fault.Conflict, Err: errors.New("something that it rests on changed since it was proposed"), Hint: "propose it again"}
	}
	p.InForce = max(p.InForce, o.today())
	return nil
}

// Sum names a text: what Base of a proposal is made of. A text that is not there has none.
func Sum(text []byte) string {
	if text == nil {
		return ""
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}
