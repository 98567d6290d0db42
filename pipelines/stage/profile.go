package stage

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"xinshu/catalog"
)

// ProfileTable holds one row for each field of the contract: what the rows of a pull brought in it.
const ProfileTable = "profile"

var profileSchema = arrow.NewSchema([]arrow.Field{
	{Name: "field", Type: arrow.BinaryTypes.String},
	{Name: "rows", Type: arrow.PrimitiveTypes.Int64},
	{Name: "nulls", Type: arrow.PrimitiveTypes.Int64},
	{Name: "unread", Type: arrow.PrimitiveTypes.Int64},
	{Name: "coded", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "distinct_values", Type: arrow.PrimitiveTypes.Int64},
	{Name: "distinct_exact", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "least", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "greatest", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "top_rows", Type: arrow.PrimitiveTypes.Int64},
	{Name: "top", Type: arrow.BinaryTypes.String},
}, nil)

// FieldProfile says what the rows of one pull brought in one field. It covers every row that could be
// read into columns, whatever became of it, but those about natural persons. A person field has no
// values here: neither least and greatest nor top.
type FieldProfile struct {
	Field    string     `json:"field"`
	Rows     int64      `json:"rows"`
	Nulls    int64      `json:"nulls"`                 // empty, or a word that stands for nothing
	Unread   int64      `json:"unread"`                // values that are not of the field's type or list
	Valid    *float64   `json:"valid_share,omitempty"` // of codes: the share of the values given that are valid
	Distinct int64      `json:"distinct"`              // exact up to 4,096 values, else a HyperLogLog estimate
	Exact    bool       `json:"distinct_exact"`
	Min      string     `json:"min,omitempty"` // of the values that could be read
	Max      string     `json:"max,omitempty"`
	Top      []TopValue `json:"top"`
	TopRows  int64      `json:"top_rows"` // rows among which the top values were counted: less than all where values hardly repeat
	Coded    bool       `json:"-"`
}

// TopValue is a value that came often.
type TopValue struct {
	Value string `json:"value"`
	Rows  int64  `json:"rows"`
}

const (
	topValues  = 10
	topTracked = 1000 // values whose rows are counted at once; beyond twice as many the rarest are forgotten
	longestTop = 120  // bytes of a value that are looked at and shown
)

// profile gathers what one goroutine saw of the fields. Its parts merge in any order.
type profile struct {
	contract *contract
	fields   []fieldSeen
	scratch  []int64
}

type fieldSeen struct {
	rows, nulls, unread int64
	different           *distinct
	least, greatest     value
}

func newProfile(c *contract) *profile {
	p := &profile{contract: c, fields: make([]fieldSeen, len(c.fields))}
	for i := range p.fields {
		p.fields[i].different = newDistinct()
	}
	return p
}

// tally is how often each value of a field came in a block, for the collector to add up in order.
type tally struct {
	word int32
	rows int64
}

// look takes a judged block in, and notes the tallies of its fields on it.
func (p *profile) look(k *block) {
	skips := slices.Contains(k.verdicts, skipped)
	for f := range k.fields {
		w, seen := &k.fields[f], &p.fields[f]
		k.tallies[f] = k.tallies[f][:0]
		if len(w.at) == 0 { // the page does not carry it
			for _, v := range k.verdicts {
				if v != skipped {
					seen.rows++
					seen.nulls++
				}
			}
			continue
		}
		p.scratch = append(p.scratch[:0], make([]int64, len(w.list))...)
		for i, at := range w.at {
			if !skips || k.verdicts[i] != skipped {
				p.scratch[at]++
			}
		}
		field := &p.contract.fields[f]
		counted := len(w.list)
		if w.alone {
			counted = int(slices.Max(w.at[:min(len(w.at), tryRows)])) + 1
		}
		k.counted[f] = 0
		for at, rows := range p.scratch {
			if rows == 0 {
				continue
			}
			v := &w.list[at]
			seen.rows += rows
			if !v.given() {
				seen.nulls += rows
				if at < counted {
					k.counted[f] += rows
				}
				continue
			}
			seen.see(v, field, rows)
			if at < counted {
				k.counted[f] += rows
				k.tallies[f] = append(k.tallies[f], tally{int32(at), rows}) // a block is small
			}
		}
	}
}

// given says whether a value was sent at all.
func (w *word) given() bool {
	return w.set || w.reason != "" && w.reason != USCCPlaceholder
}

func (s *fieldSeen) see(v *word, f *field, rows int64) {
	switch {
	case v.reason != "":
		s.unread += rows
		s.different.add(hash(v.raw))
		return
	case f.numeric():
		s.different.add(mix(uint64(v.num))) // any bits will do
	default:
		s.different.add(hash(v.text))
	}
	if f.personal {
		return
	}
	if !s.least.set || f.less(v.value, s.least) {
		s.least = v.value
		s.least.text = strings.Clone(v.text)
	}
	if !s.greatest.set || f.less(s.greatest, v.value) {
		s.greatest = v.value
		s.greatest.text = strings.Clone(v.text)
	}
}

func (f *field) numeric() bool {
	switch f.Type {
	case "", "text", "uscc":
		return false
	}
	return true
}

func (f *field) less(a, b value) bool {
	if f.numeric() {
		return a.num < b.num
	}
	return a.text < b.text
}

func (p *profile) merge(o *profile) {
	for i := range p.fields {
		a, b := &p.fields[i], &o.fields[i]
		a.rows, a.nulls, a.unread = a.rows+b.rows, a.nulls+b.nulls, a.unread+b.unread
		a.different.merge(b.different)
		if b.least.set && (!a.least.set || p.contract.fields[i].less(b.least, a.least)) {
			a.least = b.least
		}
		if b.greatest.set && (!a.greatest.set || p.contract.fields[i].less(a.greatest, b.greatest)) {
			a.greatest = b.greatest
		}
	}
}

// tops counts the values that come often, block after block.
type tops struct {
	fields []map[string]int64
	rows   []int64
}

func newTops(c *contract) *tops {
	t := &tops{fields: make([]map[string]int64, len(c.fields)), rows: make([]int64, len(c.fields))}
	for i := range t.fields {
		t.fields[i] = map[string]int64{}
	}
	return t
}

func (t *tops) add(k *block, m masker) {
	for f, tallies := range k.tallies {
		if m.fields[f].personal || len(k.fields[f].at) == 0 {
			continue
		}
		t.rows[f] += k.counted[f]
		into := t.fields[f]
		for _, y := range tallies {
			v := &k.fields[f].list[y.word]
			shown := v.text
			switch {
			case v.reason != "":
				shown = m.field(f, v.raw)
			case m.fields[f].numeric():
				shown = m.fields[f].canonical(v.value)
			case m.fields[f].Type != "uscc":
				shown, _ = catalog.MaskIDs(v.text)
			}
			shown = shortened(shown)
			if n, known := into[shown]; known {
				into[shown] = n + y.rows
			} else {
				into[strings.Clone(shown)] = y.rows
			}
		}
		if len(into) > 2*topTracked {
			t.fields[f] = map[string]int64{}
			for _, v := range most(into, topTracked) {
				t.fields[f][v.Value] = v.Rows
			}
		}
	}
}

// most gives the n values that came most often; of equals the lesser value is first.
func most(counted map[string]int64, n int) []TopValue {
	all := make([]TopValue, 0, len(counted))
	for v, rows := range counted {
		all = append(all, TopValue{v, rows})
	}
	slices.SortFunc(all, func(a, b TopValue) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Value, b.Value)) })
	return all[:min(n, len(all))]
}

// profiled writes the profile of the pull. Rows that a person gave in the place of refused ones are
// no batch of the source's.
func (b *batch) profiled(ctx context.Context) error {
	whole := newProfile(b.contract)
	for _, p := range b.line.profiles {
		whole.merge(p)
	}
	if b.pull.mending != nil || whole.fields[0].rows == 0 {
		return nil
	}
	t := b.table(ctx, ProfileTable, profileSchema)
	for i := range whole.fields {
		s, f := &whole.fields[i], &b.fields[i]
		n, exact := s.different.count()
		top := most(b.tops.fields[i], topValues)
		listed, err := json.Marshal(top)
		if err != nil {
			return err
		}
		t.text(0, f.Name)
		t.number(1, s.rows)
		t.number(2, s.nulls)
		t.number(3, s.unread)
		t.number(4, truth(f.Type == "uscc" || f.codes != nil))
		t.number(5, n)
		t.number(6, truth(exact))
		t.optional(7, b.extreme(f, s.least))
		t.optional(8, b.extreme(f, s.greatest))
		t.number(9, b.tops.rows[i])
		t.bytes(10, listed)
		if err := t.added(ctx, len(listed)+100); err != nil {
			return err
		}
	}
	return nil
}

// extreme shows the least or greatest value as it may be kept.
func (b *batch) extreme(f *field, v value) string {
	if !v.set || f.personal {
		return ""
	}
	s := f.canonical(v)
	if !f.numeric() && f.Type != "uscc" {
		s, _ = catalog.MaskIDs(s)
	}
	return shortened(s)
}

func shortened(s string) string {
	if len(s) > longestTop {
		return cut(s, longestTop) + "…"
	}
	return s
}

func truth(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
