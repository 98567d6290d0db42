package stage

import (
	"math"
	"math/bits"
)

const (
	exactDistinct = 4096 // different values up to which they are counted exactly
	sketchBits    = 12   // 4,096 registers: an error of about 1.6 in 100
	registers     = 1 << sketchBits
)

// distinct counts different values by their hashes: exactly while they are few, then by HyperLogLog.
// Two counts of parts merge to what one count of the whole would have been, in whatever order.
type distinct struct {
	few    map[uint64]struct{} // nil once there were too many
	sketch []uint8             // nil until then
}

func newDistinct() *distinct { return &distinct{few: map[uint64]struct{}{}} }

func (d *distinct) add(h uint64) {
	if d.sketch != nil {
		d.mark(h)
		return
	}
	d.few[h] = struct{}{}
	if len(d.few) > exactDistinct {
		d.spread()
	}
}

// spread goes over to the sketch.
func (d *distinct) spread() {
	if d.sketch != nil {
		return
	}
	d.sketch = make([]uint8, registers)
	for h := range d.few {
		d.mark(h)
	}
	d.few = nil
}

func (d *distinct) mark(h uint64) {
	h = mix(h)                                                              // the sketch wants every bit of a hash to be as good as any other
	rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1)) + 1) // 53 at most
	if at := h >> (64 - sketchBits); d.sketch[at] < rank {
		d.sketch[at] = rank
	}
}

func (d *distinct) merge(o *distinct) {
	if o.sketch == nil {
		for h := range o.few {
			d.add(h)
		}
		return
	}
	d.spread()
	for i, rank := range o.sketch {
		d.sketch[i] = max(d.sketch[i], rank)
	}
}

// count gives the number of different values, and whether it is exact.
func (d *distinct) count() (n int64, exact bool) {
	if d.sketch == nil {
		return int64(len(d.few)), true
	}
	sum, empty := 0.0, 0
	for _, rank := range d.sketch {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			empty++
		}
	}
	const m = float64(registers)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && empty > 0 { // few values: counting the empty registers is nearer
		estimate = m * math.Log(m/float64(empty))
	}
	return int64(estimate + 0.5), false
}

// mix spreads a hash over all its bits (the finishing steps of splitmix64).
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
