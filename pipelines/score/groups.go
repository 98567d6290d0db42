package score

import (
	"slices"

	"xinshu/internal/chain"
)

// RangeGroup is the entities scored at once: some neighbouring ranges, or a slice of a single one.
type RangeGroup struct {
	Records, Entities []chain.File
	From, Until       int64 // ids of a slice, Until excluded; both 0: every entity of the files
}

// What fits into memory: records scored at once for each MB that DuckDB has beyond its own needs.
// Measured under xinshu bench score, with a margin wide enough that no aggregation ever spills: DuckDB
// 1.4 has been seen to crash the process when one does (decision 0013).
const recordsPerMB, ownMB = 4_000, 120

// rangeBits: a stored range holds the entities of so many low bits of their id (protocol.md section 3).
const rangeBits = 16

// Groups cuts the settled ranges into groups of neighbours that fit the memory, and a range that does
// not fit by itself into slices of its ids.
func Groups(settled chain.Entry, memoryMB int) []RangeGroup {
	if memoryMB == 0 {
		memoryMB = 512
	}
	room := int64(max(memoryMB-ownMB, 1)) * recordsPerMB
	var groups []RangeGroup
	var g RangeGroup
	rows := int64(0)
	flush := func() {
		if rows > 0 {
			groups, g, rows = append(groups, g), RangeGroup{}, 0
		}
	}
	for _, one := range ranges(settled) {
		fresh := one.rows()
		if rows+fresh > room {
			flush()
		}
		if fresh > room {
			groups = append(groups, one.slices((fresh+room-1)/room)...)
			continue
		}
		g.Records, g.Entities, rows = append(g.Records, one.Records...), append(g.Entities, one.Entities...), rows+fresh
	}
	flush()
	return groups
}

// ranges gives the settled ranges one by one, in order.
func ranges(settled chain.Entry) []RangeGroup {
	byRange := map[int64]RangeGroup{}
	var order []int64
	add := func(f chain.File, put func(*RangeGroup)) {
		one, known := byRange[f.Range]
		if !known {
			order = append(order, f.Range)
		}
		put(&one)
		byRange[f.Range] = one
	}
	for _, f := range settled.Table("record") {
		add(f, func(one *RangeGroup) { one.Records = append(one.Records, f) })
	}
	for _, f := range settled.Table("entity") {
		add(f, func(one *RangeGroup) { one.Entities = append(one.Entities, f) })
	}
	slices.Sort(order)
	all := make([]RangeGroup, 0, len(order))
	for _, r := range order {
		all = append(all, byRange[r])
	}
	return all
}

// slices cuts a single range into n parts of its ids.
func (g RangeGroup) slices(n int64) []RangeGroup {
	first := slices.Concat(g.Records, g.Entities)[0].Range << rangeBits
	parts := make([]RangeGroup, 0, n)
	for i := range n {
		part := g
		part.From, part.Until = first+(i<<rangeBits)/n, first+((i+1)<<rangeBits)/n
		parts = append(parts, part)
	}
	return parts
}

// ids are the first id that a group may hold and the first after it that it may not.
func (g RangeGroup) ids() (from, until int64) {
	if g.Until != 0 {
		return g.From, g.Until
	}
	for i, f := range slices.Concat(g.Records, g.Entities) {
		low, high := f.Range<<rangeBits, (f.Range+1)<<rangeBits
		if i == 0 || low < from {
			from = low
		}
		until = max(until, high)
	}
	return from, until
}

// rows counts records, and entities where they are more.
func (g RangeGroup) rows() int64 {
	records, entities := int64(0), int64(0)
	for _, f := range g.Records {
		records += f.Rows
	}
	for _, f := range g.Entities {
		entities += f.Rows
	}
	return max(records, entities)
}
