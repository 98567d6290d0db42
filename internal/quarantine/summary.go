package quarantine

import (
	"context"

	"xinshu/internal/duck"
)

// Sum counts the refused rows of one dataset with one reason. The books balance twice:
// quarantined = refused + repeated + again, and refused = open + corrected + withdrawn.
type Sum struct {
	Dataset     string `json:"dataset"`
	Reason      string `json:"reason"`      // of the newest row that says the same
	Quarantined int64  `json:"quarantined"` // refused rows, as the ledgers of the runs count them
	Repeated    int64  `json:"repeated"`    // of these, those that say what an earlier one said
	Again       int64  `json:"again"`       // of these, those in whose place a row was given that was refused too
	Refused     int64  `json:"refused"`     // what is left: things to mend
	Open        int64  `json:"open"`
	Corrected   int64  `json:"corrected"`
	Withdrawn   int64  `json:"withdrawn"`
}

// Add counts another line in.
func (s *Sum) Add(o Sum) {
	s.Quarantined += o.Quarantined
	s.Repeated += o.Repeated
	s.Again += o.Again
	s.Refused += o.Refused
	s.Open += o.Open
	s.Corrected += o.Corrected
	s.Withdrawn += o.Withdrawn
}

// Summary is the state of the quarantine: a line for each dataset and reason, and all together.
type Summary struct {
	Rows  []Sum `json:"rows"`
	Total Sum   `json:"total"`
}

// Summarise counts the refused rows of datasets, in the order given, reasons in order of the alphabet.
// Of a query it takes datasets and reason.
func Summarise(ctx context.Context, lake Lake, db *duck.DB, q Query) (Summary, error) {
	all := Summary{Rows: []Sum{}}
	for _, dataset := range q.Datasets {
		b, err := OpenBook(ctx, lake, db, dataset)
		if err != nil {
			return all, err
		}
		of, err := b.Sums(ctx, q.Reason)
		if err != nil {
			return all, err
		}
		for _, s := range of {
			all.Rows = append(all.Rows, s)
			all.Total.Add(s)
		}
	}
	return all, nil
}

// Sums counts the refused rows of the book, by reason; of one reason alone where it is named.
func (b *Book) Sums(ctx context.Context, reason string) (all []Sum, err error) {
	if b.empty {
		return nil, nil
	}
	rows, err := b.db.Query(ctx, `
		select reason, cast(sum(seen) as bigint), cast(sum(seen) - count(*) as bigint), count(*) filter (state = 'again'), count(*) filter (state <> 'again'),
			count(*) filter (state = 'open'), count(*) filter (state = 'corrected'), count(*) filter (state = 'withdrawn')
		from standing where $1 = '' or reason = $1 group by reason order by reason`, reason)
	if err != nil {
		return nil, b.failed(err)
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		s := Sum{Dataset: b.dataset}
		if err := rows.Scan(&s.Reason, &s.Quarantined, &s.Repeated, &s.Again, &s.Refused, &s.Open, &s.Corrected, &s.Withdrawn); err != nil {
			return nil, b.failed(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		return nil, b.failed(err)
	}
	return all, nil
}
