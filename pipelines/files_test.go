package pipelines

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/connectors/files"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

const courtHeader = "uscc,entity_name,case_no,court,publish_date,performance\n"

func courtRow(code, n int) string {
	return fmt.Sprintf("%s,样例有限公司,(2025)豫0481执%d号,某市人民法院,2025-09-01,全部未履行\n", codes[code], n)
}

// folderHub is a hub whose court lays files into a folder.
func folderHub(t *testing.T, values connectors.Values) (h *hub, dir string) {
	t.Helper()
	h = newHub(t, nil)
	dir = t.TempDir()
	h.Runs = diary{}
	h.Drivers = map[string]connectors.Driver{"files": files.Driver()}
	job := connectors.Values{}
	maps.Copy(job, values)
	h.Sources = []Source{{Name: "court", Kind: "files", Values: connectors.Values{"root": dir}, Datasets: map[string]connectors.Values{h.ds: job}}}
	return h, dir
}

// diary remembers runs, so that what was not acknowledged yet is.
type diary map[string]chain.Run

func (d diary) SaveRun(_ context.Context, r chain.Run) error   { d[r.ID] = r; return nil }
func (d diary) CommitRun(_ context.Context, r chain.Run) error { d[r.ID] = r; return nil }
func (d diary) Run(_ context.Context, id string) (chain.Run, error) {
	if r, ok := d[id]; ok {
		return r, nil
	}
	return chain.Run{}, fault.Newf(fault.NotFound, "run", "no run %s", id)
}

func lay(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestAFileWithNothingButAHeaderMovesAwayToo(t *testing.T) {
	h, dir := folderHub(t, connectors.Values{"done": "done"})
	lay(t, dir, "a.csv", courtHeader)
	p := h.pull(Choice{})
	h.wants("ledger", ledger(p), "0=0+0")
	h.wants("left", names(t, dir), "[done]")
	h.wants("moved", names(t, filepath.Join(dir, "done")), "[a.csv]")
	before := h.head().N
	h.pull(Choice{})
	h.wants("commits when nothing lies there", h.head().N, before)
	lay(t, dir, "b.csv", courtHeader+courtRow(0, 1))
	h.wants("ledger of a file with a row", ledger(h.pull(Choice{})), "1=1+0")
}

func TestALinkIsReadByHandAndNotByASource(t *testing.T) {
	h, dir := folderHub(t, nil)
	elsewhere := t.TempDir()
	lay(t, elsewhere, "real.csv", courtHeader+courtRow(0, 1))
	link := filepath.Join(dir, "link.csv")
	if err := os.Symlink(filepath.Join(elsewhere, "real.csv"), link); err != nil {
		t.Fatal(err)
	}
	h.wants("by a source", ledger(h.pull(Choice{})), "0=0+0")
	ds, _ := h.Catalog.Dataset(h.ds)
	result, err := h.Ingest(t.Context(), Hand{File: link, Dataset: ds})
	if err != nil || result.Ledger.Accepted != 1 {
		t.Fatalf("%+v, %v", result.Ledger, err)
	}
	if err := os.Remove(filepath.Join(elsewhere, "real.csv")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Ingest(t.Context(), Hand{File: link, Dataset: ds}); err == nil {
		t.Fatal("a link that leads nowhere was read")
	}
}

// The cases of the collected behaviours that a folder of files can meet.
func TestBehavioursOfFiles(t *testing.T) {
	h, dir := folderHub(t, nil)
	for i := range 3 {
		lay(t, dir, fmt.Sprintf("%d.csv", i), courtHeader+courtRow(i, i))
	}
	h.wants("first read", ledger(h.pull(Choice{})), "3=3+0")
	place, n := h.place(), h.head().N

	// 15 and 17: no rows is a success that changes nothing, and a second read gives nothing.
	h.wants("second read", ledger(h.pull(Choice{})), "0=0+0")
	h.wants("commits", h.head().N, n)

	// 5: a failed run leaves the cursor where it was; 14: what it had not finished comes with the next,
	// what was finished does not.
	lay(t, dir, "3.csv", courtHeader+courtRow(0, 3))
	lay(t, dir, "4.csv", courtHeader+courtRow(1, 4))
	h.Sources[0].Datasets[h.ds]["page_rows"] = "no number"
	if _, err := h.try(Choice{}); err == nil {
		t.Fatal("a broken setting went through")
	}
	h.wants("place after a failure", h.place(), place)
	delete(h.Sources[0].Datasets[h.ds], "page_rows")
	h.wants("read after a failure", ledger(h.pull(Choice{})), "2=2+0")
	if err := os.Remove(filepath.Join(dir, "4.csv")); err != nil {
		t.Fatal(err)
	}
	h.wants("a file that is gone", ledger(h.pull(Choice{})), "0=0+0")

	// 10 and 16: a source that begins anew reads all files again, the same rows each time.
	h.Sources[0].Name, h.Sources[0].Values["root"] = "court", dir
	ds, _ := h.Catalog.Dataset(h.ds)
	var twice []string
	for range 2 {
		conn, err := files.Driver().Open(t.Context(), h.Sources[0].Values)
		if err != nil {
			t.Fatal(err)
		}
		result, err := h.Stager.Run(t.Context(), ds, conn.(connectors.Puller).Pull(t.Context(), connectors.Job{Dataset: ds}, ""),
			stage.Pull{Run: fmt.Sprint("again", len(twice)), ByHand: true})
		if err != nil {
			t.Fatal(err)
		}
		twice = append(twice, fmt.Sprintf("%+v", result.Ledger))
		_ = conn.Close()
	}
	if twice[0] != twice[1] || !strings.Contains(twice[0], "Read:4 Accepted:0 Duplicate:4") {
		t.Fatalf("two full reads: %v", twice)
	}
}

func TestTenThousandSmallFilesAreOneCommitAndASmallPlace(t *testing.T) {
	h, dir := folderHub(t, nil)
	const most = 10_000
	var used []time.Duration
	for _, n := range []int{most / 4, most} {
		for i := range n {
			name := filepath.Join(dir, fmt.Sprintf("行政处罚_市场监管局_20251103%06d_1.csv", i))
			if _, err := os.Stat(name); err == nil {
				continue
			}
			if err := os.WriteFile(name, []byte(courtHeader+courtRow(i%3, i)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, began := h.head().N, cpuTime(t)
		p := h.pull(Choice{})
		used = append(used, cpuTime(t)-began)
		h.wants("commits", h.head().N, before+1)
		if p.Result.Ledger.Quarantined > 0 {
			t.Fatalf("ledger %+v", p.Result.Ledger)
		}
	}
	head := h.head()
	t.Logf("%d files: a place of %d KB, a log entry with a cursor of %d KB, %v of processor time for %d files, then %v for %d", most, len(h.place())>>10,
		len(head.Cursor.After)>>10, used[0], most/4, used[1], most-most/4)
	if size := len(head.Cursor.Before) + len(head.Cursor.After); size > 1<<20 {
		t.Errorf("the places of one log entry take %d bytes", size)
	}
	if len(names(t, dir)) != most {
		t.Fatal("files went away")
	}
	began := cpuTime(t)
	h.wants("a second read", ledger(h.pull(Choice{})), "0=0+0")
	t.Logf("a pull that finds nothing new: %v", cpuTime(t)-began)
	if per := func(d time.Duration, n int) time.Duration { return d / time.Duration(n) }; per(used[1], most-most/4) > 4*per(used[0], most/4) {
		t.Errorf("the time of a file grows with their number: %v", used)
	}
}
