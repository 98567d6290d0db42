//go:build acceptance

package acceptance

import (
	"database/sql"
	"encoding/json"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"xinshu/internal/chain"
)

// runAll is everything once more: pull, settle, score and publish each policy, push.
func (s *story) runAll() {
	s.Helper()
	before := s.stageHeads()
	s.h.do("run", "--policy", lingyuan+","+jiangyin, "--as-of", s.today.Format(time.DateOnly))
	s.checkPulls(before, register, frontend, departments, gateway, province)
	s.yearlyResults()
	s.h.do("push")
}

// again shows that a second run changes nothing.
func (s *story) again() {
	results := map[string]map[string]graded{}
	for _, policy := range policies {
		results[policy] = s.scored(policy)
	}
	records := s.records()
	published, sealed := s.h.heads("published/"), s.sealed()
	settled := s.h.heads(chain.Settled, "scored/")
	deliveries := s.w.receiver.deliveries + s.w.department.deliveries
	accepted := s.account.total.Accepted
	s.runAll()
	if s.account.total.Accepted != accepted {
		s.Errorf("a second run accepts %d rows more", s.account.total.Accepted-accepted)
	}
	if now := s.h.heads("published/"); !maps.Equal(now, published) {
		s.Errorf("a second run moves published chains from %v to %v", published, now)
	}
	if now := s.sealed(); !maps.Equal(now, sealed) {
		s.Errorf("a second run gives other grades: seals %v, before %v", now, sealed)
	}
	if now := s.records(); now != records {
		s.Errorf("a second run moves what is settled: %s, before %s", now, records)
	}
	for _, policy := range policies {
		if !maps.Equal(s.scored(policy), results[policy]) {
			s.Errorf("a second run changes results of %s", policy)
		}
	}
	if now := s.w.receiver.deliveries + s.w.department.deliveries + s.w.department.answer(s.T); now != deliveries {
		s.Errorf("a second run sends %d deliveries", now-deliveries)
	}
	if now := s.h.heads(chain.Settled, "scored/"); !maps.Equal(now, settled) {
		s.Errorf("a second run writes new log entries: %v, before %v", now, settled)
	}
	s.Logf("a second run: the same records, seals and versions, no delivery")
}

// records is a short account of everything settled.
func (s *story) records() string {
	head := s.h.head(chain.Settled)
	text := ""
	for _, q := range [][2]string{
		{"record", "select count(*), bit_xor(hash(record_id, version, row_sha, known_from, known_to, status)) from held"},
		{"entity", "select count(*), bit_xor(hash(entity_id, uscc, name, in_scope_from, in_scope_until, known_from, known_to)) from held"},
		{"mark", "select count(*), bit_xor(hash(mark_id, kind, target_record_id, effective_on)) from held"},
	} {
		for _, r := range s.h.rows(head, q[0], q[1]) {
			text += q[0] + " " + r[0] + " " + r[1] + "; "
		}
	}
	return text
}

// sealed gives the hash of the canonical grade rows in each policy's newest seal.
func (s *story) sealed() map[string]string {
	s.Helper()
	hashes := map[string]string{}
	for _, policy := range policies {
		seals, err := s.h.lake.Seals(s.Context(), policy)
		s.w.must(err)
		for _, seal := range seals {
			var body struct {
				AsOf  string `json:"as_of"`
				Grade string `json:"grade_sha256"`
			}
			s.w.must(json.Unmarshal(seal.Body, &body))
			if before := hashes[policy]; before != "" && before != body.AsOf+" "+body.Grade {
				s.Errorf("%s has two seals with different grades: %s and %s %s", policy, before, body.AsOf, body.Grade)
			}
			hashes[policy] = body.AsOf + " " + body.Grade
		}
	}
	return hashes
}

// verify reads every object of the store against its hash.
func (s *story) verify() {
	s.Helper()
	var r struct{ Chains, Entries, Objects, Bytes, Seals int64 }
	s.w.must(json.Unmarshal([]byte(s.h.do("verify", "--read-data", "--json")), &r))
	if r.Chains == 0 || r.Entries < r.Chains || r.Objects == 0 || r.Bytes == 0 || r.Seals < int64(len(policies)) {
		s.Errorf("verify looked at too little: %+v", r)
	}
	s.Logf("verify --read-data: %d chains, %d log entries, %d objects with %d bytes, %d seals, all as they should be", r.Chains, r.Entries, r.Objects, r.Bytes, r.Seals)
}

// loseTheDatabase throws the state database away and shows that the next run follows the log.
func (s *story) loseTheDatabase() {
	published, sealed, records := s.h.heads("published/"), s.sealed(), s.records()
	cursors := s.cursors()
	s.recreate()
	accepted := s.account.total.Accepted
	s.runAll()
	if s.w.department.answer(s.T) == 0 {
		s.Error("no packet came again, though the hub cannot know that they were taken")
	}
	s.h.do("push")
	if s.account.total.Accepted != accepted {
		s.Errorf("after the loss %d rows are accepted that were known", s.account.total.Accepted-accepted)
	}
	if now := s.h.heads("published/"); !maps.Equal(now, published) {
		s.Errorf("the loss moves published chains from %v to %v: versions were given anew", published, now)
	}
	if now := s.sealed(); !maps.Equal(now, sealed) {
		s.Errorf("the loss gives other grades: seals %v, before %v", now, sealed)
	}
	if now := s.records(); now != records {
		s.Errorf("the loss moves what is settled: %s, before %s", now, records)
	}
	if now := s.cursors(); !maps.Equal(now, cursors) {
		s.Errorf("cursors after the loss are %v, before %v", now, cursors)
	}
	s.checkState()
	s.checkReceivers(2) // at least once: the same ids came again, and each is kept once
	s.Logf("a lost database: followed from the log; no row, cursor or version lost, every delivery repeated under its id")
}

func (s *story) cursors() map[string]string {
	cursors := map[string]string{}
	for name, e := range s.stageHeads() {
		if e.Cursor != nil {
			cursors[name] = e.Cursor.After
		}
	}
	return cursors
}

// recreate drops the state database and makes an empty one of the same name.
func (s *story) recreate() {
	config, err := pgx.ParseConfig(s.w.stateDSN)
	s.w.must(err)
	name := config.Database
	config.Database = "postgres"
	c, err := pgx.ConnectConfig(s.Context(), config)
	s.w.must(err)
	defer func() { _ = c.Close(s.Context()) }()
	for _, statement := range []string{"drop database " + name + " with (force)", "create database " + name} {
		_, err := c.Exec(s.Context(), statement)
		s.w.must(err)
	}
}

// checkState compares run state with the log it follows.
func (s *story) checkState() {
	db, err := sql.Open("pgx", s.w.stateDSN)
	s.w.must(err)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(s.Context(), "select chain, n, sha256, cursor from chain_head")
	s.w.must(err)
	defer func() { _ = rows.Close() }()
	known := 0
	for rows.Next() {
		var name, sha, cursor string
		var n int64
		s.w.must(rows.Scan(&name, &n, &sha, &cursor))
		head := s.h.head(name)
		if n != head.N || sha != head.SHA256 || head.Cursor != nil && cursor != head.Cursor.After {
			s.Errorf("state knows %s at entry %d, cursor %q; the log ends at %d", name, n, cursor, head.N)
		}
		known++
	}
	s.w.must(rows.Err())
	if chains := len(s.h.heads("stage/", chain.Settled, "scored/", "published/")); known != chains {
		s.Errorf("state knows %d chains, the log has %d", known, chains)
	}
}
