package identity

import (
	"context"
	"strings"
	"time"

	"xinshu/internal/duck"
)

// judgements reads all of them; a split has a row for each of its parts.
func judgements(ctx context.Context, db *duck.DB) ([]Judgement, error) {
	rows, err := db.Query(ctx, `
		select
			j.judgement_id, j.kind, coalesce(j.uscc, ''), coalesce(j.successor, ''), coalesce(j.dataset, ''), coalesce(j.record_id, ''),
			coalesce(j.undoes, ''), j.effective_on, j.decided_by, j.reason, coalesce(j.evidence, ''), coalesce(u.judgement_id, '')
		from settled_judgement as j
		left join settled_judgement as u on u.kind = 'undo' and u.undoes = j.judgement_id
		order by j.known_from, j.judgement_id, j.dataset nulls first, j.record_id nulls first`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	all := []Judgement{}
	for rows.Next() {
		var j Judgement
		var dataset, record string
		var on time.Time
		if err := rows.Scan(&j.ID, &j.Kind, &j.From, &j.Into, &dataset, &record, &j.Undoes, &on, &j.By, &j.Reason, &j.Evidence, &j.UndoneBy); err != nil {
			return nil, err
		}
		j.EffectiveOn = date(on)
		if j.State = "stands"; j.UndoneBy != "" {
			j.State = "undone"
		}
		if n := len(all); n == 0 || all[n-1].ID != j.ID {
			all = append(all, j)
		}
		last := &all[len(all)-1]
		if dataset != "" {
			last.Datasets = append(last.Datasets, dataset)
		}
		if record != "" {
			last.Records = append(last.Records, record)
		}
	}
	return all, rows.Err()
}

// numbers reads those that belong to nobody, with their claims and what lies under them.
func numbers(ctx context.Context, db *duck.DB) ([]Number, error) {
	rows, err := db.Query(ctx, `
		with open_number as (
			select number, number_id from settled_alias
			where kind = 'seen' and number not in (select code from identity where dataset is null and record_id is null)
		),
		held as (
			select o.number, r.dataset, count(distinct r.record_id) as records, min(r.received_on) as since
			from settled_record as r
			join open_number as o on o.number_id = r.entity_id
			where r.known_to is null
			group by o.number, r.dataset
		),
		marked as (
			select m.uscc as number, count(distinct split_part(m.mark_id, '/', 1)) as marks
			from settled_mark as m
			where m.uscc in (select number from open_number)
			group by m.uscc
		)
		select
			o.number, coalesce(c.claims, ''), coalesce(m.marks, 0),
			coalesce(h.dataset, ''), coalesce(h.records, 0), coalesce(h.since, date '1970-01-01')
		from open_number as o
		left join (
			select number, string_agg(distinct uscc, ' ' order by uscc) as claims from number_claim group by number
		) as c on c.number = o.number
		left join marked as m on m.number = o.number
		left join held as h on h.number = o.number
		order by o.number, h.dataset`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	all := []Number{}
	for rows.Next() {
		var n Number
		var h Held
		var claims string
		var since time.Time
		if err := rows.Scan(&n.Number, &claims, &n.Marks, &h.Dataset, &h.Records, &since); err != nil {
			return nil, err
		}
		h.Since = date(since)
		if k := len(all); k == 0 || all[k-1].Number != n.Number {
			n.Claims, n.Held, n.State = strings.Fields(claims), []Held{}, Waiting
			if len(n.Claims) > 1 {
				n.State = Ambiguous
			}
			all = append(all, n)
		}
		if h.Dataset != "" {
			last := &all[len(all)-1]
			last.Held, last.Records = append(last.Held, h), last.Records+h.Records
		}
	}
	return all, rows.Err()
}
