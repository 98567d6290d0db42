package stage

import (
	"slices"

	"xinshu/internal/chain"
)

// FileLedger accounts for the rows of one origin: a file, a table, a service address.
type FileLedger struct {
	File        string `json:"file"`
	Read        int64  `json:"read"`
	Accepted    int64  `json:"accepted"`
	Duplicate   int64  `json:"duplicate"`
	Quarantined int64  `json:"quarantined"`
	Skipped     int64  `json:"skipped"`
}

// Report is what a person who brought files is told: the sums, each file, each refused row.
type Report struct {
	Read        int64        `json:"read"`
	Accepted    int64        `json:"accepted"`
	Duplicate   int64        `json:"duplicate"`
	Quarantined int64        `json:"quarantined"`
	Skipped     int64        `json:"skipped"`
	Files       []FileLedger `json:"files"`
	Rejects     []Reject     `json:"rejects"`

	told []Reject // since the last Add; they count once their pull is committed
}

// NewReport gives an empty report. Its Refused goes into Pull.OnReject, its Add takes each Result.
func NewReport() *Report { return &Report{Files: []FileLedger{}, Rejects: []Reject{}} }

// Refused notes one refused row.
func (r *Report) Refused(reject Reject) { r.told = append(r.told, reject) }

// Add counts the result of one pull, with the refused rows of its files. What was told of a pull that
// failed afterwards is forgotten.
func (r *Report) Add(result Result) {
	for _, reject := range r.told {
		if slices.ContainsFunc(result.Files, func(f FileLedger) bool { return f.File == reject.File }) {
			r.Rejects = append(r.Rejects, reject)
		}
	}
	r.told = nil
	l := result.Ledger
	r.Read += l.Read
	r.Accepted += l.Accepted
	r.Duplicate += l.Duplicate
	r.Quarantined += l.Quarantined
	r.Skipped += l.Skipped
	r.Files = append(r.Files, result.Files...)
}

// counts keeps the books of one pull.
type counts struct {
	files   []FileLedger
	place   map[string]int
	last    int // of the file that the last row came from
	reasons map[string]int64
	warned  map[string]int64
	unknown []string
}

func newCounts() counts {
	return counts{place: map[string]int{}, last: -1, reasons: map[string]int64{}, warned: map[string]int64{}}
}

// open turns to the book of a file; a file without a row has one too.
func (c *counts) open(file string) *FileLedger {
	if c.last < 0 || c.files[c.last].File != file {
		i, ok := c.place[file]
		if !ok {
			i = len(c.files)
			c.files = append(c.files, FileLedger{File: file})
			c.place[file] = i
		}
		c.last = i
	}
	return &c.files[c.last]
}

// add counts one row.
func (c *counts) add(file string, v verdict) {
	f := c.open(file)
	f.Read++
	switch v {
	case accepted:
		f.Accepted++
	case duplicate:
		f.Duplicate++
	case quarantined:
		f.Quarantined++
	case skipped:
		f.Skipped++
	}
}

// know notes the columns that the contract does not know.
func (c *counts) know(t *bound) {
	for i, name := range t.names {
		if t.field[i] < 0 && !slices.Contains(c.unknown, name) {
			c.unknown = append(c.unknown, name)
		}
	}
}

// result gives the books as they stand. The ledger's read is counted row by row at the door, its
// other numbers where each row ends, so that a row lost between them is found out.
func (b *batch) result() Result {
	r := Result{Files: b.count.files, Reasons: b.count.reasons, Warnings: b.count.warned, Unknown: b.count.unknown}
	l := chain.Ledger{Declared: b.declared, Read: b.read, Accepted: b.rowNo, Quarantined: b.refusedNo}
	for _, f := range b.count.files {
		l.Duplicate += f.Duplicate
		l.Skipped += f.Skipped
	}
	r.Ledger = l
	return r
}
