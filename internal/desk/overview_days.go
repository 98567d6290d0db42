package desk

import (
	"context"
	"slices"
	"sync"
	"time"

	"xinshu/internal/state"
)

// Weeks is how far back the overview looks at runs.
const Weeks = 26

// pastDays keeps the counts of days that are over: they do not change, and there are many runs in
// half a year.
type pastDays struct {
	mu    sync.Mutex
	until time.Time // midnight before which list holds
	days  []state.RunDay
}

// list gives the days from a Monday 26 weeks ago to the one that began at midnight. The day before
// is counted anew: a run of its last minutes may have ended after midnight.
func (p *pastDays) list(ctx context.Context, s *state.State, midnight time.Time) ([]state.RunDay, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	yesterday := midnight.AddDate(0, 0, -1)
	since := FirstDay(midnight)
	if !p.until.Equal(yesterday) {
		days, err := s.RunDays(ctx, since)
		if err != nil {
			return nil, err
		}
		p.days = slices.DeleteFunc(days, func(d state.RunDay) bool { return !d.Day.Before(wallDay(yesterday)) })
		p.until = yesterday
	}
	recent, err := s.RunDays(ctx, yesterday)
	return slices.Concat(p.days, recent), err
}

// FirstDay is the Monday with which 26 weeks begin that end with the week of a day.
func FirstDay(midnight time.Time) time.Time {
	monday := midnight.AddDate(0, 0, -(int(midnight.Weekday())+6)%7)
	return monday.AddDate(0, 0, -7*(Weeks-1))
}

// RunDay is what ran on one day, by Shanghai's wall.
type RunDay = state.RunDay
