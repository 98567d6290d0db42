package duck

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/internal/fault"
)

func open(t *testing.T) *DB {
	t.Helper()
	d, err := Open(Options{Threads: 2, MemoryMB: 256, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestTheNetworkIsNeverAskedForAnExtension(t *testing.T) {
	d := open(t)
	for _, setting := range []string{"autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions"} {
		var value bool
		if err := d.One(t.Context(), "select cast(current_setting('"+setting+"') as boolean)", nil, &value); err != nil {
			t.Fatal(err)
		}
		if value {
			t.Errorf("%s is on", setting)
		}
	}
	if err := d.Exec(t.Context(), "select * from read_parquet('s3://bucket/key')"); err == nil {
		t.Error("reading from S3 should need an extension that is not there")
	}
}

func TestMemoryIsBoundedAndTheRestSpillsToTheFolderGiven(t *testing.T) {
	dir := t.TempDir()
	d, err := Open(Options{Threads: 1, MemoryMB: 64, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	var temp, limit string
	if err := d.One(t.Context(), "select current_setting('temp_directory'), current_setting('memory_limit')", nil, &temp, &limit); err != nil {
		t.Fatal(err)
	}
	if temp != dir || limit != "64.0 MiB" {
		t.Errorf("temp_directory %q, memory_limit %q", temp, limit)
	}
	// 3M rows of text do not fit into 64 MiB; sorted and counted they must still come out whole.
	var n int64
	err = d.One(t.Context(), "select count(*) from (select repeat('信', 20) || i as k from range(3000000) as r(i) order by k offset 1)", nil, &n)
	if err != nil || n != 2_999_999 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestWhatOneStatementMakesTheNextOneSees(t *testing.T) {
	d := open(t)
	if err := d.Exec(t.Context(), "create temp table x as select 7 as n; create macro twice(n) as 2 * n"); err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := d.One(t.Context(), "select twice(n) from x where n = $1", []any{7}, &n); err != nil || n != 14 {
		t.Errorf("%d, %v", n, err)
	}
}

// wallDate stands for catalog.Date: a value with a Time method.
type wallDate struct{}

func (wallDate) Time() time.Time { return time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC) }

var relation = []Column{{Name: "id", Type: "BIGINT"}, {Name: "version", Type: "INTEGER"}, {Name: "name", Type: "VARCHAR"},
	{Name: "on", Type: "DATE"}, {Name: "current", Type: "BOOLEAN"}, {Name: "made_at", Type: "TIMESTAMP"}}

func TestATableGoesToParquetAndComesBackAsAView(t *testing.T) {
	d := open(t)
	at := time.Date(2026, 4, 1, 23, 59, 58, 0, time.UTC)
	rows := [][]any{{2, 1, "乙", wallDate{}, true, at}, {int64(1), int32(3), nil, nil, nil, nil}}
	if err := d.Table(t.Context(), "made", relation, rows); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "range=00001", "it's.parquet")
	if _, err := d.Copy(t.Context(), "select * from made", file); err == nil {
		t.Fatal("a folder that is not there should be an error")
	}
	file = filepath.Join(t.TempDir(), "it's.parquet")
	n, err := d.Copy(t.Context(), "select * from made order by id -- a comment at the end", file)
	if err != nil || n != 2 {
		t.Fatalf("%d rows, %v", n, err)
	}
	if err := d.View(t.Context(), "seen", []string{file}, relation); err != nil {
		t.Fatal(err)
	}
	var name string
	var version int32
	var on, seenAt time.Time
	if err := d.One(t.Context(), `select name, version, "on", made_at from seen where id = 2`, nil, &name, &version, &on, &seenAt); err != nil {
		t.Fatal(err)
	}
	if name != "乙" || version != 1 || !on.Equal(wallDate{}.Time()) || !seenAt.Equal(at) {
		t.Errorf("got %q, %d, %v, %v", name, version, on, seenAt)
	}
	var missing sql.NullString
	if err := d.One(t.Context(), "select name from seen where id = 1", nil, &missing); err != nil || missing.Valid {
		t.Errorf("null came back as %v, %v", missing, err)
	}
	if err := d.View(t.Context(), "seen", nil, relation); err != nil {
		t.Fatal(err)
	}
	got, err := d.Describe(t.Context(), "select * from seen")
	if err != nil || !slices.Equal(got, relation) {
		t.Errorf("an empty view has columns %v, %v", got, err)
	}
}

func TestARowOfTheWrongWidthIsNamed(t *testing.T) {
	err := open(t).Table(t.Context(), "made", relation[:2], [][]any{{1, 1}, {1}})
	if err == nil || !strings.Contains(err.Error(), "row 2: has 1 cells for 2 columns") {
		t.Error(err)
	}
}

func TestACancelledStatementEndsWithTheCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := open(t).Exec(ctx, "-- why\nselect 1")
	var e *fault.Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Op != `run "select 1"` {
		t.Error(err)
	}
}
