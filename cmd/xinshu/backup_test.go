package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xinshu/internal/backup"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/pgtest"
	"xinshu/internal/simulate"
)

// TestAHubLostAfterItsBackupGoesOnFromIt lives up to a day, is backed up, lives on and is lost. From the
// backup, on either database, it lives through the lost days again: the same seals, versions above all
// those the lost hub gave out, and nothing left open at receivers that had some of it already. Backup
// and restore are killed on the way.
func TestAHubLostAfterItsBackupGoesOnFromIt(t *testing.T) {
	lost, kept := filepath.Join(t.TempDir(), "hub"), filepath.Join(t.TempDir(), "backups")
	demo := func(data string, more ...string) Summary {
		out, _ := xinshu(t, "", append([]string{"demo", "--once", "--json", "--entities", "60", "--data", data}, more...)...)
		return summaryOf(t, out)
	}
	fourth := simulate.Days[3].Format(time.DateOnly)
	demo(lost, "--clock", fourth)
	platforms := t.TempDir() // what departments still have to give on the day of the backup
	if err := os.CopyFS(platforms, os.DirFS(lost)); err != nil {
		t.Fatal(err)
	}
	for _, point := range []string{fault.MidBackup + ":3", fault.MidBackup + ":200", fault.BeforeBackup} {
		if _, killed := xinshu(t, fault.CrashEnv+"="+point, "backup", "--to", kept, "--data", lost); !killed {
			t.Fatalf("the backup was not killed at %s", point)
		}
		if sets, err := backup.List(kept); err != nil || len(sets) != 0 {
			t.Fatalf("a backup killed at %s passes for whole: %v, %v", point, sets, err)
		}
	}
	xinshu(t, "", "backup", "--to", kept, "--data", lost)
	want := demo(lost)
	wantVersions, wantReceived := versions(t, lost), received(t, lost)

	for name, dsn := range map[string]string{"sqlite": "", "postgres": pgtest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "again")
			config := filepath.Join(t.TempDir(), "xinshu.yaml")
			if err := os.WriteFile(config, fmt.Appendf(nil, "data: %q\nstate: {dsn: %q}\n", data, dsn), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, point := range []string{fault.MidRestore + ":7", fault.MidRestore + ":600", fault.BeforeWhole} {
				if _, killed := xinshu(t, fault.CrashEnv+"="+point, "restore", "--from", kept, "-c", config); !killed {
					t.Fatalf("the restore was not killed at %s", point)
				}
				if _, _, err := try(t, 0, "", "verify", "-c", config); err == nil || !strings.Contains(err.Error(), "not brought back to its end") {
					t.Fatalf("after a restore killed at %s the hub starts: %v", point, err)
				}
			}
			xinshu(t, "", "restore", "--from", kept, "-c", config)
			xinshu(t, "", "verify", "--read-data", "-c", config)
			if _, _, err := try(t, 0, "", "restore", "--from", kept, "-c", config); err == nil {
				t.Fatal("a restore over a hub that stands was done")
			}
			// The departments lay out once more what the lost hub took after its backup; receivers hold
			// what they got.
			for _, from := range []struct{ dir, name string }{{platforms, "demo.json"}, {platforms, "province/exports"}, {platforms, "province/folders"},
				{platforms, "province/frontend"}, {lost, "province/received.db"}, {lost, "province/inbox"}} {
				copyUnder(t, from.dir, from.name, data)
			}
			got := demo(data, "-c", config)
			if got.Deliveries.Open != 0 || got.Deliveries.Rejected != want.Deliveries.Rejected {
				t.Errorf("deliveries are %+v, they were %+v", got.Deliveries, want.Deliveries)
			}
			for i, p := range want.Policies {
				if got.Policies[i].Seal != p.Seal || got.Policies[i].AsOf != p.AsOf {
					t.Errorf("the seal of %s differs", p.ID)
				}
			}
			later := 0
			for id, v := range versions(t, data) {
				if v >= 1<<40 {
					later++
				} else if v != wantVersions[id] {
					t.Errorf("%s has version %d, the lost hub gave it %d", id, v, wantVersions[id])
				}
			}
			if got := received(t, data); !maps.Equal(got, wantReceived) {
				t.Errorf("receivers end on %d grades, or on others than the %d of the lost hub", len(got), len(wantReceived))
			}
			if later == 0 {
				t.Error("nothing was published after the restore; the test shows nothing about versions")
			}
			xinshu(t, "", "verify", "--read-data", "-c", config)
		})
	}
}

func copyUnder(t *testing.T, from, name, to string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "cp", "-r", "--parents", name, to)
	cmd.Dir = from
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// received gives what each receiver holds of each entity: the grade its newest statement tells.
func received(t *testing.T, data string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(data, "province", "received.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `select target || ' ' || policy || ' ' || uscc, case when kind = 'retraction' then kind else coalesce(grade, '') end from received order by version`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	newest := map[string]string{}
	for rows.Next() {
		var of, says string
		if err := rows.Scan(&of, &says); err != nil {
			t.Fatal(err)
		}
		newest[of] = says
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return newest
}

// versions gives the newest version of every grade that a hub published.
func versions(t *testing.T, data string) map[string]int64 {
	t.Helper()
	newest := map[string]int64{}
	eachChain(t, data, func(head chain.Entry, query func(question) []string) {
		if !strings.HasPrefix(head.Chain, chain.Published("")) {
			return
		}
		for _, line := range query(question{table: "grade", sql: "select concat_ws(' ', uscc, version) from held"}) {
			fields := strings.Fields(line) // chain, table, code, version
			version, err := strconv.ParseInt(fields[3], 10, 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			newest[head.Chain+" "+fields[2]] = version
		}
	})
	return newest
}

func TestABackupInOneFileIsWhole(t *testing.T) {
	data, file, kept := t.TempDir(), filepath.Join(t.TempDir(), "hub.tar"), t.TempDir()
	xinshu(t, "", "demo", "--once", "--json", "--entities", "20", "--clock", simulate.Days[0].Format(time.DateOnly), "--data", data)
	out, _ := xinshu(t, "", "backup", "--to", file, "--data", data, "--json")
	var s backup.Set
	if err := json.Unmarshal(out, &s); err != nil || s.Lake == nil || s.Lake.Objects == 0 || s.State.Rows == 0 {
		t.Fatalf("the document: %v\n%s", err, out)
	}
	again := filepath.Join(t.TempDir(), "again")
	xinshu(t, "", "restore", "--from", file, "--into", again)
	if diff := differences(holdings(t, data), holdings(t, again)); diff != "" {
		t.Error(diff)
	}
	oneByteOff(t, data, kept)
}

// oneByteOff changes a byte in each kind of file of a backup: each is found.
func oneByteOff(t *testing.T, data, kept string) {
	t.Helper()
	for range 2 { // the second copies next to nothing
		xinshu(t, "", "backup", "--to", kept, "--data", data)
	}
	s, err := backup.Find(kept, "")
	if err != nil || s.Lake.Copied*10 > s.Lake.Objects {
		t.Fatalf("the second backup copied %d objects of %d: %v", s.Lake.Copied, s.Lake.Objects, err)
	}
	for _, pattern := range []string{"objects/data/stage/*/*/*/*.parquet", "objects/log/settled/*.json", "objects/seal/*/*/*.json",
		"sets/" + s.ID + "/objects.jsonl.gz", "sets/" + s.ID + "/state/run.jsonl.gz", "sets/" + s.ID + "/backup-*.json"} {
		found, err := filepath.Glob(filepath.Join(kept, pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("the backup has no %s", pattern)
			continue
		}
		right, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		wrong := slices.Clone(right)
		wrong[len(wrong)/2] ^= 1
		if err := os.WriteFile(found[0], wrong, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := backup.Find(kept, s.ID)
		if err == nil {
			err = backup.Check(t.Context(), kept, s)
		}
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("a changed byte in %s gives %v", pattern, err)
		}
		if err := os.WriteFile(found[0], right, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	xinshu(t, "", "backup", "check", "--from", kept)
	xinshu(t, "", "backup", "--to", kept, "--data", data, "--keep", "1")
	if sets, err := backup.List(kept); err != nil || len(sets) != 1 {
		t.Errorf("%d backups were kept: %v", len(sets), err)
	}
	xinshu(t, "", "backup", "check", "--from", kept)
}
