package desk

import (
	"context"
)

// Todo is something that waits for a person.
type Todo struct {
	What  string // broken, held, late, never, for_person, rejected ...
	Count int64
	Path  string // of the console
	Tone  string // bad, warn, hold, info
}

// todo gathers what waits for a person who may do something about it, the most pressing first.
func (d *Desk) todo(_ context.Context, o Overview) ([]Todo, error) {
	var list []Todo
	add := func(what string, n int64, path, tone string) {
		if n > 0 {
			list = append(list, Todo{What: what, Count: n, Path: path, Tone: tone})
		}
	}
	add(Broken, int64(o.Tally[Broken]), "/runs?status=failed", "bad")
	add(Held, int64(o.Tally[Held]), "/sources?state=held", "hold")
	var person, rejected int64
	for _, c := range o.Counts {
		person += c.ForPerson
		rejected += c.Rejected
	}
	add("for_person", person, "/deliveries", "bad")
	add("rejected", rejected, "/deliveries", "warn")
	add(Late, int64(o.Tally[Late]), "/sources?state=late", "warn")
	add(Never, int64(o.Tally[Never]), "/sources?state=never", "warn")
	return list, nil
}
