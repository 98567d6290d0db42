package chain

import "slices"

// Drift is one way in which a source sends something else than its dataset's contract says.
type Drift struct {
	Kind    string `json:"kind"`              // unknown, missing, type
	Column  string `json:"column"`            // as the source calls it; of a missing field its own name
	Field   string `json:"field,omitempty"`   // of the contract; empty for an unknown column
	Action  string `json:"action"`            // what the contract had done: evolve, quarantine
	Rows    int64  `json:"rows"`              // of the newest pull that showed it
	Guess   string `json:"guess,omitempty"`   // type that the values look like; personal: a person's number
	Longest int    `json:"longest,omitempty"` // characters of the longest value looked at
	Example string `json:"example,omitempty"` // masked
	First   string `json:"first"`             // day it was first seen, 2006-01-02
	Last    string `json:"last"`
}

// enough is how many rows say that what is not among them is no longer sent: a source that names only
// columns with a value may leave one out of a small pull.
const enough = 100

// Drifted gives the drifts that are open after a pull of so many rows: what it showed, with the day
// of its first sight, and what it was too small to disprove.
func Drifted(open, shown []Drift, rows int64, today string) []Drift {
	var now []Drift
	for _, d := range shown {
		d.First, d.Last = today, today
		if i := slices.IndexFunc(open, d.same); i >= 0 {
			d.First = open[i].First
		}
		now = append(now, d)
	}
	for _, d := range open {
		if !slices.ContainsFunc(shown, d.same) && rows < min(enough, d.Rows) {
			now = append(now, d)
		}
	}
	return now
}

func (d Drift) same(o Drift) bool { return d.Kind == o.Kind && d.Column == o.Column }
