package dbtable

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// front answers as a server with one table would: a key, a name, a number, an instant, a long text.
func front(long string, repeat int, trouble string) func(string, []string) tdsAnswer {
	return func(query string, _ []string) tdsAnswer {
		switch {
		case strings.Contains(query, "serverproperty"):
			return tdsAnswer{types: []string{"nvarchar"}, rows: [][]any{{"SQL Server 15.0.2000.5"}}}
		case strings.Contains(query, "snapshot_isolation_state"):
			return tdsAnswer{types: []string{"bit"}, rows: [][]any{{true}}}
		case strings.Contains(query, "sys.columns"):
			return tdsAnswer{types: []string{"nvarchar", "nvarchar", "bigint", "bigint"},
				rows: [][]any{{"id", "bigint", 0, 1}, {"名称", "nvarchar", 0, 0}, {"amount", "decimal", 2, 0}, {"op_time", "datetimeoffset", 7, 0}, {"body", "nvarchar", 0, 0}}}
		case strings.HasPrefix(query, "select count(*)"):
			return tdsAnswer{types: []string{"bigint"}, rows: [][]any{{2 * repeat}}}
		case strings.HasPrefix(query, "select cast([id]"):
			const at = "2025-10-28 23:30:00.2500000"
			return tdsAnswer{types: []string{"nvarchar", "max", "nvarchar", "nvarchar", "max", "nvarchar"}, repeat: repeat, fault: trouble,
				rows: [][]any{{"9223372036854775807", "税务𠀀😀", "-0.50", at, long, at}, {"2", nil, nil, nil, "", at}}}
		}
		return tdsAnswer{fault: "nobody expected " + query}
	}
}

func sqlserverSource(t *testing.T, values connectors.Values) connectortest.Source {
	t.Helper()
	return server{values: values}.source(t, connectors.Values{"table": "T]1", "mode": "watermark", "key": "id"})
}

func TestSQLServersRowsCrossTheRealProtocol(t *testing.T) {
	long := strings.Repeat("长文本𠀀", 10_000)
	s, values := startTDS(t, "swordfish-7741", front(long, 1, ""))
	src := sqlserverSource(t, values)
	if text, err := src.Conn.Test(t.Context()); err != nil || text.Place != "SQL Server 15.0.2000.5" {
		t.Fatalf("test says %v, %v", text, err)
	}
	for column, want := range map[string][]string{"id": {"9223372036854775807", "2"}, "名称": {"税务𠀀😀", "<null>"}, "amount": {"-0.50", "<null>"}, "op_time": {"2025-10-28 23:30:00.25", "<null>"}, "body": {long, ""}} {
		src.Column = column
		rows, next, _, err := read(t, src, `{"max":"2025-10-28 23:00:00"}`)
		if err != nil || strings.Join(rows, "|") != strings.Join(want, "|") {
			t.Fatalf("%s came as %.60v, %v", column, rows, err)
		}
		if next != `{"max":"2025-10-28 23:30:00.25"}` {
			t.Fatalf("the watermark is %s", next)
		}
	}
	said(t, s.said, "begin at isolation 5", "end of transaction",
		"select count(*) from [T]]1] where ([op_time] >= todatetimeoffset(cast(@p1 as datetime2(7)), '+08:00') or [op_time] is null) 2025-10-28 23:00:00")
}

func TestManyRowsOfSQLServerStream(t *testing.T) {
	_, values := startTDS(t, "p", front(strings.Repeat("税", 200), 60_000, ""))
	src := sqlserverSource(t, values)
	n, most := int64(0), uint64(0)
	for page, err := range src.Conn.(*conn).Pull(t.Context(), src.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		n += page.Batch.NumRows()
		page.Batch.Release()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}
	if n != 120_000 || most > 60<<20 {
		t.Fatalf("%d rows, %d MB alive at most", n, most>>20)
	}
}

func TestSQLServersTroublesAreNamed(t *testing.T) {
	_, values := startTDS(t, "right", front("", 10, "Snapshot isolation transaction aborted due to update conflict."))
	src := sqlserverSource(t, values)
	if _, _, _, err := read(t, src, ""); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "Snapshot isolation transaction aborted") {
		t.Errorf("an error behind rows gave %v", err)
	}
	values["password"] = "wrong-horse-9917"
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "Login failed for user 'hub'") || strings.Contains(err.Error(), "wrong-horse") {
		t.Errorf("a wrong password gave %v", err)
	}
	values["port"] = "1"
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody listening gave %v", err)
	}
	values["sslmode"], values["tls_ca"] = "verify-ca", "/no/such/file.pem"
	if _, err := Driver().Open(t.Context(), values); err == nil || !strings.Contains(err.Error(), "tls_ca") {
		t.Errorf("a missing certificate gave %v", err)
	}
}

func TestAPullFromSQLServerIsCancelled(t *testing.T) {
	_, values := startTDS(t, "p", front("税", 60_000, ""))
	src := sqlserverSource(t, values)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	pages := 0
	for page, err := range src.Conn.(*conn).Pull(ctx, src.Job, "") {
		if last = err; err != nil {
			break
		}
		pages++
		page.Batch.Release()
		cancel()
	}
	if !errors.Is(last, context.Canceled) || pages > 3 {
		t.Fatalf("after %d pages: %v", pages, last)
	}
	if n, _, _, err := read(t, src, ""); err != nil || len(n) != 120_000 {
		t.Fatalf("the next pull read %d rows, %v", len(n), err)
	}
}
