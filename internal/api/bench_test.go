package api

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
)

// feedEntities is how many entities the benchmark's feed states.
const feedEntities = 200_000

// BenchmarkChangeFeed reads the whole change feed over HTTP on loopback, as a platform does: streamed,
// streamed with few fields, and in pages. It prints changes a second.
func BenchmarkChangeFeed(b *testing.B) {
	w := newWorld(b)
	w.releaseQuery("2026-01-01", fmt.Sprintf(`
		select '91410481MA' || lpad(cast(i as varchar), 8, '0') as uscc, '某某市某某区某某有限责任公司' || i as name, '91' as category, '410481' as division,
			'C26' as industry, 80000 + i %% 1000 as score, 'B' as grade, 2 as rank, '诚信守法' as class, true as trial
		from range(%d) as r(i) order by uscc`, feedEntities))
	server := httptest.NewServer(w.api)
	defer server.Close()
	whole, narrow := auth.Scope{}, auth.Scope{Fields: []string{"name", "score"}}
	for _, c := range []struct {
		name, query, accept string
		scope               auth.Scope
	}{
		{"streamed", "", lines, whole},
		{"streamed with two fields", "", lines, narrow},
		{"in pages of 5000", "&limit=5000", "application/json", whole},
	} {
		b.Run(c.name, func(b *testing.B) {
			w.actor.Scope = c.scope
			began, read := time.Now(), 0
			for b.Loop() {
				read += w.readFeed(b, server.URL+"/v1/grades/changes?purpose=service"+c.query, c.accept)
			}
			b.ReportMetric(float64(read)/time.Since(began).Seconds(), "changes/s")
		})
	}
}

// readFeed reads the feed to its end and gives how many changes it had.
func (w *world) readFeed(b *testing.B, target, accept string) (read int) {
	b.Helper()
	for since := ""; ; {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, target+"&since="+since, nil)
		w.ok(err)
		r.Header.Set("Accept", accept)
		out, err := http.DefaultClient.Do(r)
		w.ok(err)
		text := bufio.NewReaderSize(out.Body, 1<<20)
		done := false
		for {
			line, err := text.ReadString('\n')
			if err != nil {
				break
			}
			read += strings.Count(line, `"id":"`)
			if at := strings.LastIndex(line, `"next":"`); at >= 0 {
				since, _, _ = strings.Cut(line[at+len(`"next":"`):], `"`)
				done = strings.Contains(line[at:], `"end":true`) || strings.Contains(line[at:], `"more":false`)
			}
		}
		w.ok(out.Body.Close())
		if out.StatusCode != http.StatusOK || since == "" {
			b.Fatal(out.StatusCode)
		}
		if done || accept == lines {
			return read
		}
	}
}
