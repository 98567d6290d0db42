// Package cases owns the rules of objections, repairs and completions: which states a case goes
// through, who may decide it, until when, and what its decision says about records. It refuses to keep
// anything: rows lie in run state, and a decision that changes a score is a mark in the lake before the
// row says so. Applications come from the desk; marks go to settling.
package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"xinshu/catalog"
)

// Kind is what an application asks for.
type Kind string

// The kinds.
const (
	Objection  Kind = "objection"  // the record is wrong
	Repair     Kind = "repair"     // the conduct was put right
	Completion Kind = "completion" // a record is missing
)

// Kinds in the order in which screens show them.
var Kinds = []Kind{Objection, Repair, Completion}

// State is where a case stands.
type State string

// The states. An application is open until it is accepted; while the applicant owes papers it waits.
// A decision is proposed before it is said in the lake; where two persons decide, another confirms it. After upheld it is closed once every
// receiver has answered for the corrected results.
const (
	Open      State = "open"
	Refused   State = "refused"
	Accepted  State = "accepted"
	Waiting   State = "waiting"
	Proposed  State = "proposed"
	Upheld    State = "upheld"
	Rejected  State = "rejected"
	Withdrawn State = "withdrawn"
	Closed    State = "closed"
)

// States in the order in which screens show them.
var States = []State{Open, Accepted, Waiting, Proposed, Upheld, Rejected, Withdrawn, Refused, Closed}

// Decided says that the clock no longer runs.
func (s State) Decided() bool {
	return s == Refused || s == Upheld || s == Rejected || s == Withdrawn || s == Closed
}

// Case is one application and what became of it. It names no natural person: an applicant is the
// entity, whoever acts for it.
type Case struct {
	No       string `json:"no"` // YY-20251028-0001
	Kind     Kind   `json:"kind"`
	State    State  `json:"state"`
	Version  int64  `json:"version"` // grows with every change
	USCC     string `json:"uscc"`
	Name     string `json:"name,omitempty"`
	Target   Target `json:"target"`
	Policy   string `json:"policy,omitempty"` // the evaluation whose result is contested; empty: any
	Way      string `json:"way"`              // where the application came in: platform, department, site, province
	Claim    string `json:"claim"`
	Evidence []Item `json:"evidence"`

	ReceivedOn   catalog.Date `json:"received_on"` // day 0 of the clock
	Limit        Limit        `json:"limit"`
	WaitingSince catalog.Date `json:"waiting_since"` // empty: the applicant owes nothing
	PausedDays   int          `json:"paused_days,omitempty"`
	Decision     *Decision    `json:"decision,omitempty"`
}

// Target is the record that a case is about. One that no row has brought yet is named by document
// number, or by dataset and key.
type Target struct {
	Record    string       `json:"record,omitempty"` // record id
	Dataset   string       `json:"dataset,omitempty"`
	Key       string       `json:"key,omitempty"` // fields joined by |
	DocNo     string       `json:"doc_no,omitempty"`
	Authority string       `json:"authority,omitempty"` // code of who made the record
	Kind      string       `json:"kind,omitempty"`
	Level     string       `json:"level,omitempty"`
	DecidedOn catalog.Date `json:"decided_on"`
}

// Item is a piece of evidence: its title and the digest of its file, which stays with who holds it.
type Item struct {
	Kind   string `json:"kind"` // commitment, rectification, verification, training, report, charity, document
	Title  string `json:"title"`
	SHA256 string `json:"sha256,omitempty"`
}

// Digest gives the digest that is kept of a file of evidence.
func Digest(file io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// EvidenceKinds are the kinds by which evidence of a repair is recorded (Lingyuan 2020, three (six)), and document.
var EvidenceKinds = []string{"commitment", "rectification", "verification", "training", "report", "charity", "document"}

// Decision is what was decided, by whom, and why.
type Decision struct {
	Upheld     bool         `json:"upheld"`
	Withdrawn  bool         `json:"withdrawn,omitempty"` // nobody decided: the applicant took the application back
	Authority  string       `json:"authority,omitempty"` // code of the body that decided
	DocNo      string       `json:"doc_no,omitempty"`
	DecidedOn  catalog.Date `json:"decided_on"`
	Reason     string       `json:"reason"`
	By         string       `json:"by"`                    // who entered it
	ReviewedBy string       `json:"reviewed_by,omitempty"` // who confirmed it
}

// Event is one line of a case's history.
type Event struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	What State     `json:"what"`
	Note string    `json:"note,omitempty"`
}

// Filter chooses cases. Empty members choose all.
type Filter struct {
	Undecided bool // only those whose clock runs
	Kind      Kind
	State     State
	USCC      string
	Datasets  []string // of the record meant
	Before    string   // numbers before this one: the next page
	Most      int      // 0: 200
}
