package state

import (
	"context"
	"strconv"
	"strings"
)

// Standing is the newest published statement about an entity under a policy.
type Standing struct {
	Policy, USCC, Kind string
	Version, N         int64
	Body               []byte // JSON of the change
}

// Standings gives the newest statement of each of some codes under each of some policies, by code and
// policy. What a retraction took back stands as the retraction.
func (s *State) Standings(ctx context.Context, policies, codes []string) ([]Standing, error) {
	const op = "read published grades"
	if len(policies) == 0 || len(codes) == 0 {
		return nil, nil
	}
	args := make([]any, 0, len(policies)+len(codes))
	list := func(values []string) string {
		places := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			places[i] = "$" + strconv.Itoa(len(args))
		}
		return strings.Join(places, ", ")
	}
	rows, err := s.db.QueryContext(ctx, `
		select policy, uscc, kind, version, n, body from change
		where policy in (`+list(policies)+`) and uscc in (`+list(codes)+`)
		order by uscc, policy`, args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below says what went wrong
	var all []Standing
	for rows.Next() {
		var st Standing
		var body string
		if err := rows.Scan(&st.Policy, &st.USCC, &st.Kind, &st.Version, &st.N, &body); err != nil {
			return nil, failed(op, err)
		}
		st.Body = []byte(body)
		all = append(all, st)
	}
	return all, failed(op, rows.Err())
}
