//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"strings"

	"xinshu/internal/chain"
)

// delivered is what `push --json` says of a target.
type delivered struct {
	Target                             string
	Deliveries                         int
	Sent, Acknowledged, Rejected, Open int64
	Failure                            string
}

// pushed asks the hub how far it is. Nothing is due any more, so asking sends nothing.
func (s *story) pushed() map[string]delivered {
	s.Helper()
	var reports []delivered
	s.w.must(json.Unmarshal([]byte(s.h.do("push", "--json")), &reports))
	byTarget := map[string]delivered{}
	for _, r := range reports {
		byTarget[r.Target] = r
	}
	return byTarget
}

// checkReceivers: both receivers hold each published result once, in the words of the store, and the
// hub knows who accepted and who refused it. times is how often each row was sent.
func (s *story) checkReceivers(times int) {
	s.Helper()
	want := map[string]statement{}
	for _, policy := range policies {
		for _, r := range s.h.rows(s.h.head(chain.Published(policy)), "grade", "select uscc, version, score, grade, maker, wording, cast(as_of as varchar) from held") {
			id := fmt.Sprintf("%s/%s/%s", policy, r[0], r[1])
			want[id] = statement{ID: id, USCC: r[0], Policy: policy, Version: json.Number(r[1]), Grade: r[3], Maker: r[4], Wording: r[5], AsOf: r[6], Status: "trial",
				Score: json.Number(points(s.number(r[2])))}
		}
	}
	if len(want) != len(policies)*len(s.cast.everybody) {
		s.Errorf("%d results are published, want one for each of %d entities under %d policies", len(want), len(s.cast.everybody), len(policies))
	}
	reports := s.pushed()
	for target, shelf := range map[string]*shelf{"city-share": s.w.receiver.shelf, "dept-sftp": s.w.department.shelf} {
		for id, w := range want {
			got := shelf.rows[id]
			w.Kind = "grade"
			if got != w {
				s.Fatalf("%s holds %+v, the store says %+v", target, got, w)
			}
			if shelf.times[id] != times {
				s.Fatalf("%s got %s %d times, want %d", target, id, shelf.times[id], times)
			}
		}
		if len(shelf.rows) != len(want) || len(shelf.changed) > 0 {
			s.Errorf("%s holds %d rows, want %d; %d ids came again with other words", target, len(shelf.rows), len(want), len(shelf.changed))
		}
		all, refused := int64(len(want)), int64(len(shelf.refuse)*len(policies))
		if r := reports[target]; r.Deliveries != 0 || r.Sent != all || r.Rejected != refused || r.Acknowledged != all-refused || r.Open != 0 || r.Failure != "" {
			s.Errorf("the hub says of %s %+v, want sent %d, rejected %d, the rest acknowledged", target, r, all, refused)
		}
	}
	if s.w.receiver.unsigned > 0 {
		s.Errorf("%d calls had no good signature", s.w.receiver.unsigned)
	}
	s.checkOffice()
	s.Logf("each of %d results is at both receivers, sent %d times, kept once", len(want), times)
}

// points writes hundredths as the receivers get them: at most two places.
func points(hundredths int64) string {
	sign := ""
	if hundredths < 0 {
		sign, hundredths = "-", -hundredths
	}
	text := fmt.Sprintf("%s%d.%02d", sign, hundredths/100, hundredths%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
