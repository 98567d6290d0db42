package state

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/chain"
)

// BenchmarkOutbox takes in a first release of 20,000 entities for five targets and has one target
// accept all of it in deliveries of 500.
func BenchmarkOutbox(b *testing.B) {
	const entities = 20_000
	log := &memoryLog{}
	e := log.append(chain.Entry{Chain: chain.Published("p")})
	for i := range entities {
		uscc := fmt.Sprintf("91410481%010d", i)
		body, err := json.Marshal(map[string]any{"id": rowID("p", uscc, 1), "policy": "p", "division": "410481", "industry": "C26", "trial": true, "uscc": uscc,
			"wording": "公共信用综合评价结果供参考使用，不作为失信惩戒的直接依据。", "name": "某某市某某有限责任公司", "maker": "省公共信用信息平台", "seal": fmt.Sprintf("%064d", i)})
		if err != nil {
			b.Fatal(err)
		}
		log.stated["published/p#1"] = append(log.stated["published/p#1"], connectors.Row{ID: rowID("p", uscc, 1), Kind: "grade", Version: 1, USCC: uscc, Body: body})
	}
	for b.Loop() {
		s, err := Open(b.Context(), filepath.Join(b.TempDir(), "state.db"), time.Now)
		if err != nil {
			b.Fatal(err)
		}
		s.Log, s.Changes = log, log.changes
		if err := s.SetTargets(b.Context(), []Target{{ID: "a"}, {ID: "b"}, {ID: "c", Regions: []string{"41"}}, {ID: "d"}, {ID: "e"}}); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := s.CommitRun(b.Context(), chain.Run{ID: e.Run, Chain: e.Chain, N: 1}); err != nil {
			b.Fatal(err)
		}
		filled := time.Now()
		for {
			d, _, found, err := s.Claim(b.Context(), "a", 500)
			if err != nil {
				b.Fatal(err)
			}
			if !found {
				break
			}
			if err := s.Answered(b.Context(), d, connectors.Receipt{}, accepted(d), time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(filled.Sub(began).Seconds(), "s/fill")
		b.ReportMetric(time.Since(filled).Seconds(), "s/push")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
