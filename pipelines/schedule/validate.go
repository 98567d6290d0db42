package schedule

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

const (
	defaultCap      = 10
	mostCap         = 1000
	defaultAttempts = 5
	mostAttempts    = 50
)

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Validate checks a schedule as somebody wants to save it and gives it with its defaults written out
// and the next time after from filled in. Everything that can never fire is refused.
func (p Planner) Validate(s Schedule, from time.Time) (Schedule, error) {
	op := "check schedule " + quoted(s.ID)
	bad := func(hint, format string, args ...any) error {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	s.Zone, s.CatchUp, s.Overlap = cmp.Or(s.Zone, DefaultZone), cmp.Or(s.CatchUp, CatchUpOnce), cmp.Or(s.Overlap, OverlapSkip)
	s.Cap, s.Attempts = cmp.Or(s.Cap, defaultCap), cmp.Or(s.Attempts, defaultAttempts)
	switch {
	case !idForm.MatchString(s.ID):
		return s, bad("letters, digits, - and _, at most 64, for example court-nightly", "%s is no id", quoted(s.ID))
	case utf8.RuneCountInString(s.Title) > 200 || !utf8.ValidString(s.Title):
		return s, bad("at most 200 characters", "the title is too long")
	case (s.Spec == "") == (len(s.Fresh) == 0):
		return s, bad("give a cron expression, or the datasets to wait for", "it has either times or datasets that must be fresh, not both and not neither")
	case !slices.Contains([]string{CatchUpSkip, CatchUpOnce, CatchUpAll}, s.CatchUp):
		return s, bad("skip, once or all", "catch_up is %s", quoted(s.CatchUp))
	case !slices.Contains([]string{OverlapSkip, OverlapQueue}, s.Overlap):
		return s, bad("skip or queue", "overlap is %s", quoted(s.Overlap))
	case s.Cap < 1 || s.Cap > mostCap:
		return s, bad(fmt.Sprintf("1 to %d", mostCap), "cap is %d", s.Cap)
	case s.Attempts < 1 || s.Attempts > mostAttempts:
		return s, bad(fmt.Sprintf("1 to %d", mostAttempts), "attempts is %d", s.Attempts)
	case len(s.Fresh) > 500:
		return s, bad("at most 500", "it waits for %d datasets", len(s.Fresh))
	}
	if err := s.Work.Check(); err != nil {
		return s, err
	}
	if s.Work.Replay != nil {
		return s, bad("ask for it at the target", "a replay is no work for a schedule")
	}
	if s.Work.Again != nil {
		return s, bad("start it once, by hand", "a stretch read again is no work for a schedule")
	}
	if s.Spec == "" {
		_, err := p.conditions(rule{}, s)
		s.NextAt = time.Time{}
		return s, err
	}
	r, err := p.rule(s)
	if err != nil {
		return s, err
	}
	if s.NextAt = r.next(from); s.NextAt.IsZero() {
		return s, bad("see xinshu schedule next", "%s never comes%s", quoted(s.Spec), onDays(s.Days))
	}
	if !r.ever(from) {
		return s, bad("change the times or the window", "none of the times of %s lies in the window %s", quoted(s.Spec), s.Window)
	}
	if s.Paused {
		s.NextAt = time.Time{}
	}
	return s, nil
}

func onDays(days string) string {
	switch days {
	case WorkingDays:
		return " on a working day"
	case RestDays:
		return " on a day of rest"
	}
	return ""
}

// Next gives the next n firings after from: what a person sees before saving.
func (p Planner) Next(s Schedule, from time.Time, n int) ([]time.Time, error) {
	r, err := p.rule(s)
	if err != nil {
		return nil, err
	}
	times := []time.Time{}
	for range n {
		if from = r.next(from); from.IsZero() {
			break
		}
		times = append(times, from)
	}
	if len(times) == 0 {
		return nil, &fault.Error{Op: "find the next times", Code: fault.Invalid, Err: fmt.Errorf("%s never comes%s", quoted(s.Spec), onDays(s.Days)), Hint: "30 February, or a day that the conditions exclude"}
	}
	return times, nil
}

// Check refuses work that contradicts itself. Whether the sources, datasets and policies exist is
// asked where they are known.
func (w Work) Check() error {
	bad := func(hint, format string, args ...any) error {
		return &fault.Error{Op: "check the work", Code: fault.Invalid, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	if w.Do == DoReplay && w.Replay != nil {
		return w.checkReplay(bad)
	}
	if !slices.Contains(Doings, w.Do) || w.Replay != nil {
		return bad(fmt.Sprintf("one of %v", Doings), "do is %s", quoted(w.Do))
	}
	if len(w.Datasets) > 500 || len(w.Policies) > 100 || len(w.Targets) > 500 {
		return bad("leave the list empty for all", "the work names too many things")
	}
	for name, text := range map[string]string{"as_of": w.AsOf, "corrected_to": w.CorrectedTo} {
		if text == "" {
			continue
		}
		if _, err := catalog.ParseDate(text); err != nil {
			return bad("a day as 2025-12-31", "%s is %s", name, quoted(text))
		}
	}
	pulls := w.Do == DoPull || w.Do == DoRun
	if !pulls && (w.Source != "" || len(w.Datasets) > 0 || w.Reload || w.Again != nil) {
		return bad("leave source, datasets, reload and again out", "%s pulls nothing", w.Do)
	}
	if a := w.Again; a != nil {
		if w.Source == "" || len(w.Datasets) != 1 {
			return bad("name one source and one dataset", "a stretch is one source's, of one dataset")
		}
		if a.From == "" || a.Until == "" || len(a.From)+len(a.Until)+len(a.Slice) > 200 {
			return bad("for example from 2025-01-01 until 2025-02-01", "%w", errors.New("both ends of the stretch are needed"))
		}
	}
	return nil
}

// checkReplay refuses a window that is not clear.
func (w Work) checkReplay(bad func(hint, format string, args ...any) error) error {
	r := w.Replay
	byTime := !r.From.IsZero() && r.From.Before(r.Until)
	byRelease := r.First > 0 && r.First <= r.Last && len(w.Policies) == 1
	switch {
	case len(w.Targets) != 1:
		return bad("name one target", "a replay goes to one target")
	case byTime == byRelease:
		return bad("give a beginning and a later end in time, or one policy with its first and last release", "the window is not clear")
	case r.Reason == "":
		return bad("say why; it is kept in the audit trail", "no reason is given")
	}
	return nil
}
