package state

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/vault"
)

func (f *fixture) trail() *audit.Trail {
	f.t.Helper()
	k, _ := vault.NewKey()
	v, err := vault.New(k)
	f.ok(err)
	return audit.New(f.State, v, func() time.Time { return f.clock })
}

var li = auth.Actor{ID: "user:li", Name: "李静", Roles: []auth.Role{auth.Steward, auth.CreditOffice}, Way: auth.WaySession, Address: "10.1.2.3"}

// record writes n entries of one actor.
func (f *fixture) record(trail *audit.Trail, n int) {
	f.t.Helper()
	ctx := auth.With(f.t.Context(), li)
	for i := range n {
		f.clock = f.clock.Add(time.Minute)
		f.ok(trail.Record(ctx, auth.Act{Action: "source.change", Kind: "source", ID: fmt.Sprint("s", i), Detail: map[string]string{"b": "二", "a": fmt.Sprint(i), "<&>": "x"}}))
	}
}

func TestTheTrailKeepsWhoDidWhatAndEachEntryFollowsTheLast(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		trail := f.trail()
		if r, err := trail.Verify(t.Context()); err != nil || r.Entries != 0 {
			t.Fatalf("an empty trail: %+v, %v", r, err)
		}
		f.record(trail, 5)
		r, err := trail.Verify(t.Context())
		if err != nil || r.Entries != 5 || r.First != 1 || r.Last != 5 || len(r.Head) != 64 {
			t.Fatalf("%+v, %v", r, err)
		}
		page, next, err := trail.List(t.Context(), audit.Filter{Limit: 2})
		f.ok(err)
		if len(page) != 2 || page[0].Seq != 5 || next != 4 {
			t.Fatalf("first page: %+v, next %d", page, next)
		}
		e := page[0]
		if e.Actor != "user:li" || e.Name != "李静" || e.Roles != "steward credit_office" || e.Address != "10.1.2.3" || e.ID != "s4" || e.Outcome != auth.Done || e.Detail["b"] != "二" || !e.At.Equal(f.clock) || e.Prev != page[1].Hash {
			t.Errorf("it is kept as %+v", e)
		}
		page, next, err = trail.List(t.Context(), audit.Filter{Limit: 9, After: next})
		f.ok(err)
		if len(page) != 3 || next != 0 {
			t.Errorf("second page: %d entries, next %d", len(page), next)
		}
		for _, filter := range []audit.Filter{{ID: "s3"}, {Text: `"a":"3"`}, {Text: "S3"}, {From: f.clock.Add(-time.Minute), Until: f.clock}, {Action: "source.", ID: "s3"}, {Action: "source.change", ID: "s3"}} {
			page, _, err := trail.List(t.Context(), filter)
			f.ok(err)
			if len(page) != 1 || page[0].ID != "s3" {
				t.Errorf("%+v chooses %+v", filter, page)
			}
		}
		for _, filter := range []audit.Filter{{Text: "s_"}, {Action: "source"}, {Actor: "user:l"}, {Kind: "key"}, {USCC: "x"}} {
			page, _, err := trail.List(t.Context(), filter)
			f.ok(err)
			if len(page) != 0 {
				t.Errorf("%+v chooses %+v", filter, page)
			}
		}
	})
}

// Whatever is done to the trail behind the hub's back is found, and the first entry that does not match is named.
func TestTamperingWithTheTrailIsFound(t *testing.T) {
	copied := `insert into audit_entry select %d, at, actor, name, roles, way, address, action, kind, subject, uscc, purpose, outcome, detail, prev, hash from audit_entry where seq = %d`
	for name, c := range map[string]struct {
		statements []string
		first      int
		says       string
	}{
		"another actor":                    {[]string{`update audit_entry set actor = 'user:wang' where seq = 4`}, 4, "hash does not fit"},
		"another time":                     {[]string{`update audit_entry set at = at + 1 where seq = 4`}, 4, "hash does not fit"},
		"another purpose":                  {[]string{`update audit_entry set purpose = 'audit' where seq = 4`}, 4, "hash does not fit"},
		"another detail":                   {[]string{`update audit_entry set detail = '{"a":"9"}' where seq = 4`}, 4, "hash does not fit"},
		"the same detail written elsewise": {[]string{`update audit_entry set detail = replace(detail, '{', '{ ') where seq = 4`}, 4, "hash does not fit"},
		"another hash":                     {[]string{`update audit_entry set hash = prev where seq = 4`}, 4, "hash does not fit"},
		"a whole entry for another":        {[]string{`delete from audit_entry where seq = 4`, fmt.Sprintf(copied, 4, 3)}, 4, "does not follow"},
		"one gone":                         {[]string{`delete from audit_entry where seq = 4`}, 4, "entries 4 to 4 are not there"},
		"three gone":                       {[]string{`delete from audit_entry where seq between 3 and 5`}, 3, "entries 3 to 5 are not there"},
		"the first gone":                   {[]string{`delete from audit_entry where seq = 1`}, 1, "entries 1 to 1 are not there"},
		"the last gone":                    {[]string{`delete from audit_entry where seq = 8`}, 8, "ends at 7, but 8"},
		"all gone":                         {[]string{`delete from audit_entry`}, 1, "ends at 0, but 8"},
		"one gone, the others moved up":    {[]string{`delete from audit_entry where seq = 4`, `update audit_entry set seq = seq - 1 where seq = 5`, `update audit_entry set seq = seq - 1 where seq = 6`, `update audit_entry set seq = seq - 1 where seq = 7`, `update audit_entry set seq = seq - 1 where seq = 8`}, 4, "does not follow"},
		"two changed places":               {[]string{`update audit_entry set seq = 99 where seq = 4`, `update audit_entry set seq = 4 where seq = 5`, `update audit_entry set seq = 5 where seq = 99`}, 4, "does not follow"},
		"one put behind the end":           {[]string{fmt.Sprintf(copied, 9, 8)}, 9, "does not follow"},
		"one put before the first":         {[]string{fmt.Sprintf(copied, 0, 1)}, 0, "twice"},
		"one put in between":               {[]string{`update audit_entry set seq = seq + 100 where seq > 4`, `update audit_entry set seq = seq - 99 where seq > 100`, fmt.Sprintf(copied, 5, 3)}, 5, "does not follow"},
		"one gone and the head set back":   {[]string{`delete from audit_entry where seq = 8`, `update audit_head set seq = 7`}, 8, "ends at 7"},
		"a root that nobody signed":        {[]string{`delete from audit_entry where seq <= 3`, `insert into audit_root select 1, 3, prev, 3, 1, 'k.AAAA' from audit_entry where seq = 4`}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, f *fixture) {
				trail := f.trail()
				f.record(trail, 8)
				for _, statement := range c.statements {
					if _, err := f.db.ExecContext(t.Context(), statement); err != nil {
						t.Fatal(err)
					}
				}
				_, err := trail.Verify(t.Context())
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) || c.says != "" && !strings.Contains(err.Error(), fmt.Sprintf("entry %d:", c.first)) {
					t.Errorf("it says %v; want entry %d, %s", err, c.first, c.says)
				}
			})
		})
	}
}

func TestACutLeavesASignedRootAndAnEntry(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		trail := f.trail()
		f.record(trail, 8)
		n, err := trail.Cut(t.Context(), f.clock.Add(-3*time.Minute))
		if err != nil || n != 4 {
			t.Fatalf("%d went, %v", n, err)
		}
		r, err := trail.Verify(t.Context())
		if err != nil || r.First != 5 || r.Last != 9 || r.Entries != 5 || r.Cut != 4 {
			t.Fatalf("%+v, %v", r, err)
		}
		if n, err := trail.Cut(t.Context(), f.clock.Add(-3*time.Minute)); err != nil || n != 0 {
			t.Errorf("again: %d went, %v", n, err)
		}
		f.clock = f.clock.Add(time.Hour)
		if n, err := trail.Cut(t.Context(), f.clock); err != nil || n != 5 {
			t.Errorf("a second cut: %d went, %v", n, err)
		}
		if r, err = trail.Verify(t.Context()); err != nil || r.First != 10 || r.Entries != 1 || r.Cut != 9 {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := f.trail().Verify(t.Context()); err == nil {
			t.Error("a hub with another vault takes the root")
		}
		for _, statement := range []string{`update audit_root set entries = 4`, `delete from audit_root`} {
			if _, err := f.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			if _, err := trail.Verify(t.Context()); !fault.Is(err, fault.Invalid) {
				t.Errorf("after %s it says %v", statement, err)
			}
		}
	})
}

func TestATrailThatDoesNotMatchIsNotCut(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		trail := f.trail()
		f.record(trail, 4)
		if _, err := f.db.ExecContext(t.Context(), `update audit_entry set actor = 'user:wang' where seq = 1`); err != nil {
			t.Fatal(err)
		}
		if n, err := trail.Cut(t.Context(), f.clock.Add(time.Hour)); err == nil || n != 0 {
			t.Errorf("evidence went: %d, %v", n, err)
		}
	})
}

// Eight writers in this process and two processes beside it, each with connections of its own.
func TestParallelWritersNeitherLoseNorForkTheTrail(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		const writers, each = 8, 25
		trails := []*audit.Trail{f.trail(), f.trail()} // two of them do not share a queue
		var all sync.WaitGroup
		for range 2 {
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), "XINSHU_TRAIL="+f.address)
			all.Go(func() {
				if out, err := child.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("wrote 100")) {
					t.Errorf("a process beside: %v\n%s", err, out)
				}
			})
		}
		for w := range writers {
			all.Go(func() { writeTrail(t, trails[w%2], fmt.Sprint("w", w), each) })
		}
		all.Wait()
		r, err := f.trail().Verify(t.Context())
		if err != nil || r.Entries != writers*each+2*100 {
			t.Fatalf("%+v, %v", r, err)
		}
		for w := range writers {
			page, _, err := trails[0].List(t.Context(), audit.Filter{Kind: fmt.Sprint("w", w), Limit: 500})
			f.ok(err)
			if len(page) != each {
				t.Errorf("writer %d has %d entries", w, len(page))
			}
		}
	})
}

func writeTrail(t *testing.T, trail *audit.Trail, kind string, n int) {
	for i := range n {
		if err := trail.Record(auth.With(t.Context(), li), auth.Act{Action: "test", Kind: kind, ID: fmt.Sprint(i)}); err != nil {
			t.Error(err)
			return
		}
	}
}

// TestMain is also the body of the processes beside.
func TestMain(m *testing.M) {
	address := os.Getenv("XINSHU_TRAIL")
	if address == "" {
		os.Exit(m.Run())
	}
	s, err := Open(context.Background(), address, time.Now)
	if err == nil {
		trail := audit.New(s, nil, time.Now)
		for i := 0; i < 100 && err == nil; i++ {
			err = trail.Record(context.Background(), auth.Act{Action: "test", Kind: "beside", ID: fmt.Sprint(i)})
		}
		err = errors.Join(err, s.Close())
	}
	fmt.Println("wrote 100", err)
	if err != nil {
		os.Exit(1)
	}
}

func TestALookNamesItsPurposeOrIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		trail := f.trail()
		const uscc = "91410481MA9G2ABC1X"
		bank := auth.Actor{ID: "client:bank", Roles: []auth.Role{auth.ThirdParty}, Scope: auth.Scope{Purpose: "service"}}
		for _, c := range []struct {
			actor   auth.Actor
			purpose string
			code    fault.Code
		}{
			{li, "supervision", ""}, {li, "other: 年度调研", ""}, {li, "", fault.Invalid}, {li, "curiosity", fault.Invalid}, {li, "other", fault.Invalid}, {li, "audit: more", fault.Invalid},
			{bank, "service", ""}, {bank, "supervision", fault.Forbidden},
		} {
			if err := trail.Viewed(auth.With(t.Context(), c.actor), uscc, c.purpose); fault.CodeOf(err) != c.code {
				t.Errorf("%s for %q: %v, want %q", c.actor.ID, c.purpose, err, c.code)
			}
		}
		page, _, err := trail.List(t.Context(), audit.Filter{USCC: uscc})
		f.ok(err)
		if len(page) != 8 || page[0].Outcome != auth.Refused || page[0].Purpose != "supervision" || page[7].Outcome != auth.Done || page[7].Purpose != "supervision" {
			t.Errorf("kept: %+v", page)
		}
	})
}

func TestIdentityNumbersDoNotEnterTheTrail(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		trail := f.trail()
		const id = "11010519491231002X"
		f.ok(trail.Record(t.Context(), auth.Act{Action: "search", ID: id, USCC: id, Purpose: "other: 查 " + id, Detail: map[string]string{"text": "张三" + id}}))
		var out bytes.Buffer
		n, err := trail.Export(t.Context(), &out, audit.JSONLines, audit.Filter{})
		if err != nil || n != 2 || strings.Contains(out.String(), id) || !strings.Contains(out.String(), "110*") {
			t.Errorf("%d lines, %v: %s", n, err, out.String())
		}
	})
}

func TestAnExportIsWholeAndChecksByItself(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		trail := f.trail()
		f.record(trail, 3)
		f.ok(trail.Record(t.Context(), auth.Act{Action: "=cmd()", Kind: "x", ID: "+1", Detail: map[string]string{"q": "逗号,\"引号\"\n换行"}}))
		var lines bytes.Buffer
		n, err := trail.Export(auth.With(t.Context(), li), &lines, audit.JSONLines, audit.Filter{})
		if err != nil || n != 5 {
			t.Fatalf("%d lines, %v", n, err)
		}
		prev := ""
		for line := range bytes.Lines(lines.Bytes()) {
			var e struct {
				audit.Entry
				Hash string `json:"hash"`
			}
			f.ok(json.Unmarshal(line, &e))
			if e.Prev != prev || e.Sum() != e.Hash {
				t.Errorf("line %d does not check", e.Seq)
			}
			prev = e.Hash
		}
		var sheet bytes.Buffer
		if n, err := trail.Export(t.Context(), &sheet, audit.CSV, audit.Filter{Kind: "x"}); err != nil || n != 1 {
			t.Fatalf("%d rows, %v", n, err)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(sheet.String(), "\uFEFF"))).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][7] != "'=cmd()" || rows[1][9] != "'+1" || !strings.Contains(rows[1][13], "逗号") {
			t.Errorf("%v, %q", err, rows)
		}
		if _, err := trail.Export(t.Context(), &sheet, "pdf", audit.Filter{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown form: %v", err)
		}
	})
}

// No act without its entry: when the trail cannot be written, the caller is told.
func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		trail := f.trail()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.ok(trail.Record(ctx, auth.Act{Action: "a"})) // an act that was asked for is kept though the asker is gone
		f.ok(f.Close())
		if err := trail.Record(t.Context(), auth.Act{Action: "b"}); err == nil {
			t.Error("a closed database keeps it")
		}
	})
}
