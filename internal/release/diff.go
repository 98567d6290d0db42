package release

import (
	"slices"
	"strings"
)

// Line is one line of the comparison of two texts.
type Line struct {
	Sign string `json:"sign"` // " " stands, "+" comes, "-" goes
	Text string `json:"text"`
}

// mostLines bounds the comparison: beyond it the texts are shown one after the other.
const mostLines = 3000

// Compare gives the lines of two texts in order: those that stand in both, those that go and those
// that come. Of what stands only some lines around a change are kept, with an empty sign between.
func Compare(before, after string, around int) []Line {
	a, b := lines(before), lines(after)
	if len(a) > mostLines || len(b) > mostLines {
		var all []Line
		for _, text := range a {
			all = append(all, Line{"-", text})
		}
		for _, text := range b {
			all = append(all, Line{"+", text})
		}
		return all
	}
	return trimmed(merged(a, b), around)
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// merged finds the longest common sequence of lines.
func merged(a, b []string) []Line {
	long := make([][]int16, len(a)+1)
	for i := range long {
		long[i] = make([]int16, len(b)+1)
	}
	for i := range slices.Backward(a) {
		for j := range slices.Backward(b) {
			if a[i] == b[j] {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	var all []Line
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			all = append(all, Line{" ", a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && long[i+1][j] >= long[i][j+1]:
			all = append(all, Line{"-", a[i]})
			i++
		default:
			all = append(all, Line{"+", b[j]})
			j++
		}
	}
	return all
}

// trimmed leaves out what stands far from any change.
func trimmed(all []Line, around int) []Line {
	near := make([]bool, len(all))
	for i, l := range all {
		if l.Sign == " " {
			continue
		}
		for k := max(0, i-around); k <= min(len(all)-1, i+around); k++ {
			near[k] = true
		}
	}
	var kept []Line
	for i, l := range all {
		switch {
		case near[i]:
			kept = append(kept, l)
		case i > 0 && near[i-1]:
			kept = append(kept, Line{})
		}
	}
	return kept
}
