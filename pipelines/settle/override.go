package settle

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// overrideKind is a steward's statement that a code is valid though its check character is wrong. It
// is about a code and means no record: its key holds the code and the last day on which it is good.
const overrideKind = "steward_override"

// Override is such a statement as it stands now.
type Override struct {
	Code      string       `json:"code"`
	From      catalog.Date `json:"from"`
	Until     catalog.Date `json:"until"` // the last day, included; NoDate: open
	DecidedBy string       `json:"decided_by"`
	Reason    string       `json:"reason"`
	KnownFrom int64        `json:"known_from"` // settled snapshot that brought it
}

// InForce says whether the code is good on a day.
func (o Override) InForce(day catalog.Date) bool {
	return o.From <= day && (o.Until == catalog.NoDate || day <= o.Until)
}

// Statement is the override as a mark. A code has one statement: said again it replaces what it said,
// and what it said before stays in the table of marks. One that is withdrawn ends the day before, so
// that a code is never good after its withdrawal, and history keeps when it was.
func (o Override) Statement(today catalog.Date) Statement {
	until := ""
	if o.Until != catalog.NoDate {
		until = o.Until.String()
	}
	return Statement{ID: "override-" + o.Code, Kind: overrideKind, TargetKey: o.Code + "|" + until, USCC: o.Code,
		EffectiveOn: o.From, DecidedBy: o.DecidedBy, Evidence: o.Reason, ReceivedOn: today}
}

// Overrides gives the newest word on each code that a steward ever stated, in order of the codes.
func (s *Settler) Overrides(ctx context.Context) (all []Override, err error) {
	const op = "read the overrides"
	head, err := s.Lake.Head(ctx, chain.Settled)
	if err != nil {
		return nil, err
	}
	files := head.Table(Mark)
	if len(files) == 0 {
		return nil, nil
	}
	var paths []string
	for _, f := range files {
		path, err := s.Lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	db, err := duck.Open(duck.Options{Threads: 1, MemoryMB: s.Memory, TempDir: s.Lake.TempDir()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Query(ctx, `
		select uscc, target_key, cast(effective_on as varchar), decided_by, evidence, known_from
		from `+duck.Parquet(paths)+` where kind = $1
		qualify row_number() over (partition by mark_id order by known_from desc) = 1 order by uscc`, overrideKind)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		o := Override{Until: catalog.NoDate}
		var key, from string
		if err := rows.Scan(&o.Code, &key, &from, &o.DecidedBy, &o.Reason, &o.KnownFrom); err != nil {
			return nil, &fault.Error{Op: op, Code: fault.Internal, Err: err}
		}
		_, until, _ := strings.Cut(key, "|")
		if o.From, err = catalog.ParseDate(from); err == nil && until != "" {
			o.Until, err = catalog.ParseDate(until)
		}
		if err != nil {
			return nil, &fault.Error{Op: op, Code: fault.Internal, Err: fmt.Errorf("code %s: %w", o.Code, err)}
		}
		all = append(all, o)
	}
	return all, rows.Err()
}
