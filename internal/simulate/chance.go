package simulate

import "math/rand/v2"

// chance draws numbers that depend on nothing but a seed and the words it was begun with: any row of
// any day can be made again alone, in any order, and comes out the same.
type chance struct {
	pcg  rand.PCG
	rand *rand.Rand
}

func newChance() *chance {
	c := &chance{}
	c.rand = rand.New(&c.pcg)
	return c
}

// begin starts the sequence that belongs to a seed and two numbers.
func (c *chance) begin(seed, a, b uint64) { c.pcg.Seed(mix(seed^mix(a)), mix(b)+seed) }

// mix spreads neighbouring numbers far apart (SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// permille says yes so many times in a thousand.
func (c *chance) permille(n int) bool { return c.rand.IntN(1000) < n }

// between gives a number from low to high, both included.
func (c *chance) between(low, high int) int {
	if high <= low {
		return low
	}
	return low + c.rand.IntN(high-low+1)
}

// one picks a word.
func (c *chance) one(words []string) string { return words[c.rand.IntN(len(words))] }

// weighed is a word and how often it is drawn beside its neighbours.
type weighed struct {
	word   string
	weight int
}

// draw picks a word by its weight; none given, it is empty.
func (c *chance) draw(words []weighed) string {
	sum := 0
	for _, w := range words {
		sum += w.weight
	}
	if sum == 0 {
		return ""
	}
	n := c.rand.IntN(sum)
	for _, w := range words {
		if n -= w.weight; n < 0 {
			return w.word
		}
	}
	return ""
}
