package state

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"xinshu/internal/chain"
)

// Statement is the newest published statement about an entity under a policy.
type Statement struct {
	Policy, USCC       string
	Version            int64
	N                  int64 // entry of published/<policy> that it was taken in with
	Kind               string
	Division, Industry string
	Trial              bool
	Body               []byte  // the whole change as JSON; a reader may get less of it
	Formerly           []Place // where it was stated before, if that was elsewhere
}

// Place is what readers' areas and industries are compared with.
type Place struct{ Division, Industry string }

const statementColumns = `policy, uscc, version, n, kind, division, industry, trial, body, formerly`

// Stated gives the newest statement about an entity under a policy, and false where there is none.
func (s *State) Stated(ctx context.Context, policy, uscc string) (Statement, bool, error) {
	found, err := scanStatement(s.db.QueryRowContext(ctx, `select `+statementColumns+` from change where policy = $1 and uscc = $2`, policy, uscc))
	if errors.Is(err, sql.ErrNoRows) {
		return Statement{}, false, nil
	}
	return found, err == nil, failed("read what is stated about an entity", err)
}

// StatedAfter gives statements of a policy in the order in which they were taken in, at most so many,
// beginning after the one about uscc that came with entry n. What is stated anew moves to the end, so a
// reader that goes on from its last place misses nothing and sees an entity's versions only grow.
func (s *State) StatedAfter(ctx context.Context, policy string, n int64, uscc string, most int) ([]Statement, error) {
	const op = "read what is stated"
	if err := ctx.Err(); err != nil {
		return nil, failed(op, err)
	}
	// SQLite's driver starts a goroutine for every row of a question that can be called off, which costs
	// more than the row. This one is bounded, and short.
	rows, err := s.db.QueryContext(context.WithoutCancel(ctx), `
		select `+statementColumns+` from change
		where policy = $1 and (n, uscc) > ($2, $3)
		order by n, uscc limit $4`, policy, n, uscc, most)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	list := make([]Statement, 0, most)
	var take taker
	for rows.Next() {
		found, err := take.statement(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		list = append(list, found)
	}
	return list, failed(op, rows.Err())
}

// taker takes statements out of many rows, where an allocation for every text would cost more than the
// rest: words that repeat are kept once, bodies lie together.
type taker struct {
	policy, kind, division, industry, formerly, body sql.RawBytes
	words                                            map[string]string
	room                                             []byte // for bodies
}

const bodiesTogether = 256 << 10

func (t *taker) statement(rows *sql.Rows) (st Statement, err error) {
	var trial int64
	if err := rows.Scan(&t.policy, &st.USCC, &st.Version, &st.N, &t.kind, &t.division, &t.industry, &trial, &t.body, &t.formerly); err != nil {
		return st, err
	}
	st.Policy, st.Kind, st.Division, st.Industry = t.word(t.policy), t.word(t.kind), t.word(t.division), t.word(t.industry)
	st.Trial = trial == 1
	if len(t.formerly) > 0 {
		st.Formerly = placesOf(string(t.formerly))
	}
	if len(t.body) > cap(t.room)-len(t.room) {
		t.room = make([]byte, 0, max(bodiesTogether, len(t.body)))
	}
	from := len(t.room)
	t.room = append(t.room, t.body...)
	st.Body = t.room[from:len(t.room):len(t.room)]
	return st, nil
}

func (t *taker) word(text []byte) string {
	if word, known := t.words[string(text)]; known {
		return word
	}
	if t.words == nil {
		t.words = map[string]string{}
	}
	word := string(text)
	t.words[word] = word
	return word
}

// StatedPolicies names every policy that has published anything, in order.
func (s *State) StatedPolicies(ctx context.Context) ([]string, error) {
	const op = "list what is published"
	rows, err := s.db.QueryContext(ctx, `select chain from chain_head where chain like 'published/%' order by chain`)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var policies []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, failed(op, err)
		}
		policies = append(policies, strings.TrimPrefix(name, chain.Published("")))
	}
	return policies, failed(op, rows.Err())
}

func scanStatement(row interface{ Scan(into ...any) error }) (Statement, error) {
	var (
		st       Statement
		trial    int64
		formerly string
	)
	err := row.Scan(&st.Policy, &st.USCC, &st.Version, &st.N, &st.Kind, &st.Division, &st.Industry, &trial, &st.Body, &formerly)
	st.Trial, st.Formerly = trial == 1, placesOf(formerly)
	return st, err
}

func placesOf(formerly string) (places []Place) {
	for place := range strings.FieldsSeq(formerly) {
		division, industry, _ := strings.Cut(place, "/")
		places = append(places, Place{Division: division, Industry: industry})
	}
	return places
}
