//go:build acceptance

package acceptance

import (
	"slices"
	"sort"
	"strings"
	"time"

	"xinshu/internal/chain"
)

// feed is what one source holds of one dataset, and the test's own reading of what a pull gives.
type feed struct {
	source, dataset string
	columns         []string // of the file or table
	code            string   // column that holds the code
	needs           []string // columns that may not be empty
	dated           string   // column whose date may not lie after the day of the pull
	gives           manner

	rows  []row  // everything the source holds
	given int    // rows handed over before, where each is given once
	max   string // greatest op_time handed over before
}

// manner is what a source gives at a pull.
type manner int

const (
	everything manner = iota // all rows, each time
	since                    // rows whose op_time is not below the greatest seen: the last ones come again
	once                     // what was not given before: files taken, rows flagged
)

// next is what the source gives at the next pull.
func (f *feed) next() []row {
	switch f.gives {
	case once:
		rows := f.rows[f.given:]
		f.given = len(f.rows)
		return rows
	case since:
		var rows []row
		from := f.max
		for _, r := range f.rows {
			if r["op_time"] >= from {
				rows = append(rows, r)
				f.max = max(f.max, r["op_time"])
			}
		}
		return rows
	default:
		return f.rows
	}
}

// account judges rows as a person would who has the contract in hand, and counts them.
type account struct {
	seen  map[string]map[string]bool // by dataset: what was accepted, word for word
	total chain.Ledger
	rows  map[string]chain.Ledger // by dataset, over all pulls
}

func newAccount() *account {
	return &account{seen: map[string]map[string]bool{}, rows: map[string]chain.Ledger{}}
}

// take counts the rows of one pull on a day.
func (a *account) take(f *feed, rows []row, today time.Time) chain.Ledger {
	l := chain.Ledger{Read: int64(len(rows))}
	seen := a.seen[f.dataset]
	if seen == nil {
		seen = map[string]bool{}
		a.seen[f.dataset] = seen
	}
	for _, r := range rows {
		words := wordForWord(r)
		switch {
		case r["CF_XDR_LB"] == "自然人":
			l.Skipped++
		case !f.sound(r, today):
			l.Quarantined++
		case seen[words]:
			l.Duplicate++
		default:
			seen[words] = true
			l.Accepted++
		}
	}
	a.total = a.total.Add(l)
	a.rows[f.dataset] = a.rows[f.dataset].Add(l)
	return l
}

func (f *feed) sound(r row, today time.Time) bool {
	for _, name := range f.needs {
		if strings.TrimSpace(r[name]) == "" {
			return false
		}
	}
	return soundCode(r[f.code]) && (f.dated == "" || r[f.dated] <= today.Format(time.DateOnly))
}

// wordForWord is a row as a text: its cells that are not empty, in the order of their names.
func wordForWord(r row) string {
	cells := make([]string, 0, len(r))
	for name, value := range r {
		if value != "" {
			cells = append(cells, name+"="+value)
		}
	}
	sort.Strings(cells)
	return strings.Join(cells, "\x1f")
}

// columnsOf are the columns that rows have, sorted.
func columnsOf(rows []row) []string {
	var names []string
	for _, r := range rows {
		for name := range r {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// table is the rows as records under a header.
func table(columns []string, rows []row) [][]string {
	records := [][]string{columns}
	for _, r := range rows {
		record := make([]string, len(columns))
		for i, name := range columns {
			record[i] = r[name]
		}
		records = append(records, record)
	}
	return records
}
