package files

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/gm"
)

func TestSumsInEveryKindAreCompared(t *testing.T) {
	const body = "id\n1\n"
	m, s := md5.Sum([]byte(body)), sha256.Sum256([]byte(body))
	right := map[string]string{".md5": hex.EncodeToString(m[:]), ".sha256": hex.EncodeToString(s[:]), ".sm3": hex.EncodeToString(gm.SM3([]byte(body)))}
	for kind, sum := range right {
		dir := t.TempDir()
		write(t, dir, "a.csv", body)
		write(t, dir, "a.csv"+kind, strings.ToUpper(sum)+"  a.csv\n")
		write(t, dir, "b.csv", body)
		write(t, dir, "b"+kind, strings.Repeat("0", len(sum)))
		c := openDir(t, dir, nil).(*conn)
		got, _ := outcome(t, c, nil, "")
		expect(t, got, "a.csv:2:1", "b.csv:0:!FILE_CHECKSUM")
		got, _ = outcome(t, c, connectors.Values{"checksum": "none"}, "")
		expect(t, got, "a.csv:2:1", "b.csv:2:1")
		for _, wanted := range []string{"md5", "sm3", "sha256"} {
			got, _ = outcome(t, c, connectors.Values{"checksum": wanted, "pattern": "a*"}, "")
			if "."+wanted == kind {
				expect(t, got, "a.csv:2:1")
			} else {
				expect(t, got, "a.csv:0:!FILE_CHECKSUM")
			}
		}
	}
	dir := t.TempDir()
	write(t, dir, "a.csv", body)
	write(t, dir, "a.csv.md5", right[".md5"])
	write(t, dir, "a.csv.sm3", strings.Repeat("0", 64)) // one of two is wrong
	got, _ := outcome(t, openDir(t, dir, nil).(*conn), nil, "")
	expect(t, got, "a.csv:0:!FILE_CHECKSUM")
}

func TestLayingTheCompanionAnewIsEnough(t *testing.T) {
	for _, place := range placesUnderTest {
		t.Run(place, func(t *testing.T) {
			const body = "id\n1\n"
			c, put := placeUnderTest(t, place)
			job := connectors.Values{"checksum": "required"}
			put("a.csv", body)
			got, next := outcome(t, c, job, "")
			expect(t, got, "a.csv:0:!FILE_CHECKSUM")
			got, again := outcome(t, c, job, next)
			expect(t, got) // refused once, not at every pull
			if again != next {
				t.Fatalf("the place moved from %s to %s", next, again)
			}
			put("a.csv.sm3", "wrong")
			got, next = outcome(t, c, job, next)
			expect(t, got, "a.csv:0:!FILE_CHECKSUM")
			put("a.csv.sm3", hex.EncodeToString(gm.SM3([]byte(body))))
			got, next = outcome(t, c, job, next)
			expect(t, got, "a.csv:2:1")
			put("a.csv.sm3", hex.EncodeToString(gm.SM3([]byte(body)))+"  a.csv") // of a file that was taken it says nothing new
			got, _ = outcome(t, c, job, next)
			expect(t, got)
		})
	}
}

// A listing to the minute shows the same of two sums that were laid within it.
func TestACompanionLaidAnewWithinTheMinuteIsSeen(t *testing.T) {
	const body = "id\n1\n"
	c, put := placeUnderTest(t, "ftp")
	job := connectors.Values{"checksum": "sm3"}
	put("a.csv", body)
	put("a.csv.sm3", strings.Repeat("0", 64))
	got, next := outcome(t, c, job, "")
	expect(t, got, "a.csv:0:!FILE_CHECKSUM")
	got, again := outcome(t, c, job, next)
	expect(t, got)
	if again != next {
		t.Fatalf("the place moved from %s to %s", next, again)
	}
	put("a.csv.sm3", hex.EncodeToString(gm.SM3([]byte(body))))
	got, _ = outcome(t, c, job, next)
	expect(t, got, "a.csv:2:1")
}

func TestAFileRefusedBySettingsIsTriedAgainWithOthers(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.dat", "id;x\n1;2\n")
	c := openDir(t, dir, nil).(*conn)
	got, next := outcome(t, c, nil, "")
	expect(t, got, "a.dat:0:!FILE_FORMAT")
	got, next = outcome(t, c, connectors.Values{"page_rows": "7"}, next)
	expect(t, got)
	got, _ = outcome(t, c, connectors.Values{"format": "csv", "delimiter": "semicolon"}, next)
	expect(t, got, "a.dat:2:1")
}

func TestCompanionsMoveWithTheirFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.csv", "b.csv", "b.json"} {
		body := map[string]string{".csv": "id\n1\n", ".json": `[{"id":1}]`}[filepath.Ext(name)]
		write(t, dir, name, body)
		sum := sha256.Sum256([]byte(body))
		write(t, dir, name+".sha256", hex.EncodeToString(sum[:]))
	}
	write(t, dir, "a.ok", "")
	write(t, dir, "b.ok", "")
	s := sourceOf(openDir(t, dir, nil), connectors.Values{"done": "done", "ready": "ok"})
	c := s.Conn.(*conn)
	var pages []connectors.Page
	for page, err := range c.Pull(t.Context(), s.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		page.Batch.Release()
		pages = append(pages, page)
	}
	for i := range pages { // b.ok is needed by b.json until b.csv is away
		if err := c.Ack(t.Context(), s.Job, func(yield func(string, error) bool) { yield(pages[i].Taken[0], nil) }); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "b.ok")); (err != nil) != (i == 2) {
			t.Fatalf("after %d files: b.ok %v", i+1, err)
		}
	}
	moved, _ := filepath.Glob(filepath.Join(dir, "done", "*"))
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(moved) != 8 || len(left) != 1 {
		t.Fatalf("moved %v, left %v", moved, left)
	}
}
