// Package chain owns the words of the commit protocol: log entry, file, ledger, cursor, run. It
// refuses to store or read anything; internal/lake does that. It stands under the steps so that a
// step and the lake can speak of the same entry without importing one another.
package chain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Settled is the one chain of settled records.
const Settled = "settled"

// Stage gives the chain of a dataset's accepted and quarantined rows.
func Stage(dataset string) string { return "stage/" + dataset }

// Scored gives the chain of a policy's results.
func Scored(policy string) string { return "scored/" + policy }

// Published gives the chain of a policy's change log.
func Published(policy string) string { return "published/" + policy }

// NoRange marks a file that is not cut by entity range.
const NoRange = -1

// File is one immutable data object as a log entry lists it.
type File struct {
	Table  string `json:"table"`
	Key    string `json:"key"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows"`
	N      int64  `json:"n"`      // the log entry that brought it
	Range  int64  `json:"range"`  // entity_id >> 16, or NoRange
	MinID  int64  `json:"min_id"` // smallest and largest entity_id in it; 0 when not ranged
	MaxID  int64  `json:"max_id"`
	Source string `json:"source,omitempty"` // stage only: the source whose pull brought it; empty: a person, or a hub that did not note it yet
}

// Object is a local file that is to become a data object of a chain.
type Object struct {
	Chain, Run, Table string
	Part              int
	Range             int64 // NoRange when not cut by entity range
	Path              string
	Rows              int64
	MinID, MaxID      int64
}

// Input is a chain entry that a commit was made from.
type Input struct {
	Chain  string `json:"chain"`
	N      int64  `json:"n"`
	SHA256 string `json:"sha256"`
}

// Cursor is a source's place before and after the rows of a stage commit. Only the connector that
// made it can read it.
type Cursor struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// Ledger accounts for every row read: read = accepted + duplicate + quarantined + skipped.
type Ledger struct {
	Declared    *int64 `json:"declared"` // what the source says it has; null when it does not say
	Read        int64  `json:"read"`
	Accepted    int64  `json:"accepted"`
	Duplicate   int64  `json:"duplicate"`
	Quarantined int64  `json:"quarantined"`
	Skipped     int64  `json:"skipped"` // rows about natural persons: counted, not stored
}

// Check fails unless the ledger balances and reads what the source declared.
func (l Ledger) Check() error {
	if sum := l.Accepted + l.Duplicate + l.Quarantined + l.Skipped; sum != l.Read {
		return fmt.Errorf("ledger does not balance: read %d, accounted for %d", l.Read, sum)
	}
	if l.Declared != nil && *l.Declared != l.Read {
		return fmt.Errorf("the source declared %d rows, %d were read", *l.Declared, l.Read)
	}
	return nil
}

// Add sums two ledgers; a declared count survives only where both have one.
func (l Ledger) Add(o Ledger) Ledger {
	sum := Ledger{Read: l.Read + o.Read, Accepted: l.Accepted + o.Accepted, Duplicate: l.Duplicate + o.Duplicate,
		Quarantined: l.Quarantined + o.Quarantined, Skipped: l.Skipped + o.Skipped}
	if l.Declared != nil && o.Declared != nil {
		d := *l.Declared + *o.Declared
		sum.Declared = &d
	}
	return sum
}

// Engine names what made an entry.
type Engine struct {
	DuckDB string `json:"duckdb"`
	Xinshu string `json:"xinshu"`
}

// Entry is one log entry: the whole state of its chain after one commit.
type Entry struct {
	Format         int     `json:"format"` // 1
	Chain          string  `json:"chain"`
	N              int64   `json:"n"` // 1 for the first; 0 means the chain is empty
	ParentSHA256   string  `json:"parent_sha256"`
	CommitID       string  `json:"commit_id"`
	Intent         string  `json:"intent"`
	Run            string  `json:"run"`
	Fence          int64   `json:"fence"`
	Node           string  `json:"node"`
	WrittenAt      string  `json:"written_at"` // RFC 3339, UTC
	Engine         Engine  `json:"engine"`
	Inputs         []Input `json:"inputs"`
	ContractSHA256 string  `json:"contract_sha256,omitempty"`
	PolicySHA256   string  `json:"policy_sha256,omitempty"`
	SQLSHA256      string  `json:"sql_sha256,omitempty"`
	Cursor         *Cursor `json:"cursor,omitempty"` // stage only
	Ledger         *Ledger `json:"ledger,omitempty"` // stage only

	Feeds map[string]Feed `json:"feeds,omitempty"` // stage only: by source; a draft without any carries the head's on

	Manifests []string `json:"manifests"`
	Files     []File   `json:"files"`

	SHA256 string `json:"-"` // of the entry's own bytes; set by the lake when it reads or writes one
}

// Table gives the files of one table, in the order listed.
func (e Entry) Table(name string) []File {
	var files []File
	for _, f := range e.Files {
		if f.Table == name {
			files = append(files, f)
		}
	}
	return files
}

// Since gives the files of one table that came after entry n.
func (e Entry) Since(name string, n int64) []File {
	var files []File
	for _, f := range e.Table(name) {
		if f.N > n {
			files = append(files, f)
		}
	}
	return files
}

// Draft is a commit to be made: what replaces or joins the files of the chain's head.
type Draft struct {
	Base  Entry           // the head the work was done on
	Entry Entry           // Chain, Intent, Run, Inputs, hashes, Cursor, Ledger; the lake fills the rest
	Keep  func(File) bool // which of Base's files stay; nil keeps all
	Files []File          // what this commit brings; the lake sets N
}

// Intent names a piece of work, so that the same work is committed once: a hash over its parts.
func Intent(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x1f")))
	return hex.EncodeToString(h[:])
}

// Run is one execution of one step, as run state keeps it.
type Run struct {
	ID      string // sortable, unique
	Step    string // pull, settle, score, publish, push
	Subject string // dataset, policy or target
	Source  string // whose rows it took in; empty for other steps, and where it is not known
	Started time.Time
	Ended   time.Time // zero while running
	Status  string    // running, done, failed, interrupted
	Ledger  Ledger
	Chain   string // the chain it committed to; empty when it committed nothing
	N       int64
	Error   string
	Task    string // of which it is a step; empty: none
}
