package desk

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/state"
)

// Runs gives the newest runs first, at most so many.
func (d *Desk) Runs(ctx context.Context, most int) ([]chain.Run, error) {
	return d.State.Runs(ctx, most)
}

// Run gives one run.
func (d *Desk) Run(ctx context.Context, id string) (chain.Run, error) { return d.State.Run(ctx, id) }

// RunsWanted chooses runs. Empty members choose all.
type RunsWanted struct {
	Step, Status, Source string
	Subject              string       // dataset, policy or target
	Day                  catalog.Date // of their beginning; 0 or NoDate: any
	After                string       // cursor: Next of the page before
	Most                 int          // 0: 50; at most 500
}

// RunPage is a page of runs, the newest first.
type RunPage struct {
	Runs []chain.Run
	Next string // empty: the last page
}

// RunPage gives a page of the chosen runs.
func (d *Desk) RunPage(ctx context.Context, w RunsWanted) (p RunPage, err error) {
	f := state.RunFilter{Step: w.Step, Status: w.Status, Source: w.Source}
	if w.Subject != "" {
		f.Subjects = []string{w.Subject}
	}
	if w.Day != catalog.NoDate && w.Day != 0 {
		year, month, day := w.Day.Civil()
		f.Since = time.Date(year, time.Month(month), day, 0, 0, 0, 0, shanghai)
		f.Until = f.Since.AddDate(0, 0, 1)
	}
	if w.After != "" {
		if f.Before, f.BeforeID, err = runCursor(w.After); err != nil {
			return p, err
		}
	}
	most := w.Most
	if most <= 0 {
		most = 50
	}
	most = min(most, 500)
	if p.Runs, err = d.State.FilterRuns(ctx, f, most+1); err != nil || len(p.Runs) <= most {
		return p, err
	}
	p.Runs = p.Runs[:most]
	last := p.Runs[most-1]
	p.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(last.Started.UnixMilli(), 10) + " " + last.ID))
	return p, nil
}

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

func runCursor(cursor string) (time.Time, string, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	at, id, found := strings.Cut(string(text), " ")
	ms, bad := strconv.ParseInt(at, 10, 64)
	if err != nil || bad != nil || !found || ms <= 0 {
		return time.Time{}, "", &fault.Error{Op: "continue the list of runs", Code: fault.Invalid, Err: errors.New("the cursor is none of this list"), Hint: "begin the list anew"}
	}
	return time.UnixMilli(ms), id, nil
}
