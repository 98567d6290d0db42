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
	s.checkPulls(before, pulled...)
	s.yearlyResults()
	s.h.do("push")
}

// standing is all that a run may change.
type standing struct {
	heads    map[string]string // newest entry of every chain behind staging
	sealed   map[string]string // hash of the canonical grades of every policy
	records  string            // everything settled, in short
	accepted int64
}

func (s *story) standing() standing {
	s.Helper()
	return standing{s.h.heads(chain.Settled, "scored/", "published/"), s.sealed(), s.records(), s.account.total.Accepted}
}

// unchanged compares what stands now with what stood before.
func (s *story) unchanged(what string, before standing) {
	s.Helper()
	now := s.standing()
	if now.accepted != before.accepted {
		s.Errorf("%s: %d rows are accepted that were known", what, now.accepted-before.accepted)
	}
	if now.records != before.records {
		s.Errorf("%s: what is settled is %s, before %s", what, now.records, before.records)
	}
	if !maps.Equal(now.sealed, before.sealed) {
		s.Errorf("%s: the grades are %v, before %v", what, now.sealed, before.sealed)
	}
	for name, head := range now.heads {
		if head != before.heads[name] {
			s.Errorf("%s: %s stands at %.16s, before %.16s", what, name, head, before.heads[name])
		}
	}
}

// again shows that a second run changes nothing. Its pulls bring known rows again, which stage commits
// account for as duplicates; nothing follows from them.
func (s *story) again() {
	before := s.standing()
	deliveries := s.w.receiver.deliveries + s.w.department.deliveries
	s.runAll()
	s.unchanged("a second run", before)
	if now := s.w.receiver.deliveries + s.w.department.deliveries + s.w.department.answer(s.T); now != deliveries {
		s.Errorf("a second run sends %d deliveries", now-deliveries)
	}
	s.Logf("a second run: no new log entry behind staging, no delivery")
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

// loseTheDatabase throws the state database away and shows that the next run follows the log: at
// least once, so every statement is sent again, under the id it had.
func (s *story) loseTheDatabase() {
	before, cursors := s.standing(), s.cursors()
	s.recreate()
	s.postAgain()
	s.runAll()
	if s.w.department.answer(s.T) == 0 {
		s.Error("no packet came again, though the hub cannot know that they were taken")
	}
	s.w.office.answer(s.T)
	s.h.do("push")
	s.unchanged("after the loss", before)
	if now := s.cursors(); !maps.Equal(now, cursors) {
		s.Errorf("cursors after the loss are %v, before %v", now, cursors)
	}
	s.checkState()
	s.checkReceivers(2)
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
