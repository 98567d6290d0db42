//go:build acceptance

package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
)

// repository is the root of the source tree; the binary and the samples lie beside and above it.
func repository() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// hub is the real binary with a config of its own, and a second pair of eyes on its lake: commands
// act through the process alone, checks read the store directly.
type hub struct {
	t      *testing.T
	config string
	lake   *lake.Lake
	db     *duck.DB
	runs   int
	spent  time.Duration
}

func newHub(t *testing.T, config string, bucket lake.S3Config) *hub {
	t.Helper()
	path := filepath.Join(t.TempDir(), "xinshu.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := lake.OpenS3(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	l, err := lake.New(store, lake.Options{Cache: t.TempDir(), Node: "acceptance"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(duck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &hub{t: t, config: path, lake: l, db: db}
}

// do runs one command line and gives what it printed; anything but exit code 0 ends the test.
func (h *hub) do(args ...string) string {
	h.t.Helper()
	out, said, code := h.try(args...)
	if code != 0 {
		h.t.Fatalf("xinshu %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, said)
	}
	return out
}

func (h *hub) try(args ...string) (out, said string, code int) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(repository(), "xinshu"), append(args, "-c", h.config)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	h.runs++
	h.spent += took
	if cmd.ProcessState == nil {
		h.t.Fatalf("the binary cannot be started, run make build: %v", err)
	}
	h.t.Logf("%5.1fs  xinshu %s", took.Seconds(), strings.Join(args, " "))
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

func (h *hub) head(chainName string) chain.Entry {
	h.t.Helper()
	e, err := h.lake.Head(h.t.Context(), chainName)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// heads is where every chain with one of the prefixes stands: the hash of its newest entry.
func (h *hub) heads(prefixes ...string) map[string]string {
	h.t.Helper()
	names, err := h.lake.Chains(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	heads := map[string]string{}
	for _, name := range names {
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				e := h.head(name)
				heads[name] = fmt.Sprintf("%d %s", e.N, e.SHA256)
			}
		}
	}
	return heads
}

// rows asks over the rows of one table of a chain's head, which stand under the name held. Every
// value comes as text, null as the empty one.
func (h *hub) rows(e chain.Entry, table, query string) [][]string {
	h.t.Helper()
	var paths []string
	for _, f := range e.Table(table) {
		path, err := h.lake.Local(h.t.Context(), f)
		if err != nil {
			h.t.Fatal(err)
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil
	}
	if err := h.db.Exec(h.t.Context(), "create or replace view held as select * from "+duck.Parquet(paths)); err != nil {
		h.t.Fatal(err)
	}
	rows, err := h.db.Query(h.t.Context(), query)
	if err != nil {
		h.t.Fatalf("%s: %v", e.Chain, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		h.t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			h.t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, v := range values {
			if v := *v.(*any); v != nil {
				row[i] = fmt.Sprint(v)
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return all
}
