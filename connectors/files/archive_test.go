package files

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

func gzipped(t testing.TB, body string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// member of an archive of a test; raw names are written as they are, without the mark of UTF-8.
type member struct {
	name, body string
	raw        bool
	flags      uint16
}

func zipped(t testing.TB, members ...member) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Deflate, NonUTF8: m.raw, Flags: m.flags})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestArchivesPullKeepsItsPromises(t *testing.T) {
	rows := func(from, to int) (body string, ids []string) {
		body = "id,名称\n"
		for i := from; i < to; i++ {
			ids = append(ids, fmt.Sprintf("r%d", i))
			body += ids[len(ids)-1] + ",x\n"
		}
		return body, ids
	}
	a, ids := rows(0, 5)
	b, more := rows(5, 8)
	ids = append(ids, more...)
	for name, lay := range map[string]func(dir string){
		"gzip": func(dir string) { write(t, dir, "a.csv.gz", gzipped(t, a)); write(t, dir, "b.csv.gz", gzipped(t, b)) },
		"zip": func(dir string) {
			write(t, dir, "p.zip", zipped(t, member{name: "2.csv", body: b}, member{name: "1.csv", body: a}))
		},
		"zip and plain": func(dir string) {
			write(t, dir, "p.zip", zipped(t, member{name: "1.csv", body: a}))
			write(t, dir, "q.csv", b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			open := func(t *testing.T) connectortest.Source {
				dir := t.TempDir()
				lay(dir)
				s := sourceOf(openDir(t, dir, nil), connectors.Values{"page_rows": "2"})
				s.Rows = ids
				return s
			}
			connectortest.Pull(t, open)
			s := open(t)
			s.Job.Values["done"] = "done"
			takeAll(t, s)
		})
	}
}

func TestAMemberIsAnOriginOfItsOwn(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("处罚 舞钢.csv")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "packet.zip", zipped(t,
		member{name: gbk, raw: true, body: "id\n1\n"}, member{name: `sub\许可.csv`, body: "id\n2\n"}, member{name: "z.txt", body: "编号\n9\n"}, member{name: "y.csv", body: "id,id\n"},
		member{name: "读我.docx", body: "x"}, member{name: "y.csv.md5", body: "no"}, member{name: "__MACOSX/y.csv", body: "id\n8\n"}, member{name: "u.csv", body: "\xff\xfei\x00"}))
	c := openDir(t, dir, nil).(*conn)
	var labels, got []string
	var next connectors.Cursor
	for page, err := range c.Pull(t.Context(), sourceOf(c, nil).Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		_, label, _ := strings.Cut(page.Origin.File, "packet.zip/")
		labels = append(labels, label)
		for _, r := range page.Rejects {
			got = append(got, fmt.Sprintf("%s:%d:%s", label, r.Line, r.Reason))
		}
		page.Batch.Release()
		next = page.Next
	}
	expect(t, labels, "sub/许可.csv", "u.csv", "y.csv", "z.txt", "处罚 舞钢.csv", "读我.docx")
	expect(t, got, "u.csv:0:FILE_ENCODING", "y.csv:1:FILE_HEADER", "读我.docx:0:FILE_FORMAT")
	again, _ := outcome(t, c, nil, next)
	expect(t, again)
	mended, _ := outcome(t, c, connectors.Values{"members": "*.csv"}, next) // other settings: refused files are tried again
	if strings.Contains(strings.Join(mended, "\n"), "docx") || len(mended) != 4 {
		t.Fatalf("got %v", mended)
	}
}

func TestABadArchiveIsOneRejectThatSaysWhy(t *testing.T) {
	good, packed := zipped(t, member{name: "a.csv", body: "id\n1\n"}), gzipped(t, "id\n1\n")
	broken := []byte(zipped(t, member{name: "a.csv", body: "id\n" + strings.Repeat("1234567\n", 100)}))
	broken[40] ^= 0x55
	flipped := []byte(packed)
	flipped[len(flipped)-6] ^= 0x55 // of the checksum
	many := make([]member, 30)
	for i := range many {
		many[i] = member{name: fmt.Sprintf("%02d.csv", i), body: "id\n1\n"}
	}
	for name, c := range map[string]struct{ file, body, says string }{
		"a gzip that is cut":                               {"a.csv.gz", packed[:len(packed)-9], "cut off"},
		"a gzip of no byte":                                {"a.csv.gz", "", "cut off"},
		"a gzip whose checksum is wrong":                   {"a.csv.gz", string(flipped), "checksum"},
		"text called gzip":                                 {"a.csv.gz", "id\n1\n12345678901234567890", "header"},
		"a gzip with something behind it":                  {"a.csv.gz", packed + "rubbish and more of it", "header"},
		"a tar in a gzip":                                  {"a.tar.gz", packed, "archive in an archive"},
		"a gzip of a gzip":                                 {"a.csv.gz.gz", gzipped(t, packed), "archive in an archive"},
		"a zip that is cut":                                {"a.zip", good[:len(good)-30], "not a valid zip"},
		"a zip of no byte":                                 {"a.zip", "", "not a valid zip"},
		"a zip whose checksum is wrong":                    {"a.zip", string(broken), "a.csv: "},
		"a zip in a zip":                                   {"a.zip", zipped(t, member{name: "b.zip", body: good}), "archive in an archive: b.zip"},
		"an encrypted zip":                                 {"a.zip", zipped(t, member{name: "秘.csv", body: "id\n1\n", flags: 1}), "encrypted: 秘.csv"},
		"a zip with more members than allowed":             {"a.zip", zipped(t, many...), "30 members"},
		"a zip with a table of contents that fills memory": {"a.zip", zipped(t, slices.Repeat([]member{{name: strings.Repeat("x", 60) + ".log"}}, 20_000)...), "table of contents"},
		"a zip that names a file twice":                    {"a.zip", zipped(t, member{name: "a.csv", body: "id\n1\n"}, member{name: "./a.csv", body: "id\n2\n"}), "twice"},
		"a zip without data":                               {"a.zip", zipped(t, member{name: ".hidden", body: "x"}), "no member"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.file, c.body)
			write(t, dir, "z.csv", "id\n7\n")
			conn := openDir(t, dir, nil).(*conn)
			var reasons []string
			for page, err := range conn.Pull(t.Context(), sourceOf(conn, connectors.Values{"members_max": "20"}).Job, "") {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Rejects {
					reasons = append(reasons, r.Reason+" "+r.Value)
				}
				page.Batch.Release()
			}
			if len(reasons) != 1 || !strings.HasPrefix(reasons[0], "FILE_ARCHIVE ") || !strings.Contains(reasons[0], c.says) {
				t.Errorf("got %q, want %q", reasons, c.says)
			}
			got, _ := outcome(t, conn, connectors.Values{"members_max": "20", "pattern": "z.csv"}, "")
			expect(t, got, "z.csv:2:7")
		})
	}
}

// zeros gives any number of the same byte, so that a bomb is made without holding it.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), int64(*z))
	clear(p[:n])
	*z -= zeros(n)
	return int(n), nil
}

func TestABombEndsAsARejectInBoundedTimeAndMemory(t *testing.T) {
	const size = 256 << 20
	var packed, archive bytes.Buffer
	g, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	body := zeros(size)
	if _, err := io.Copy(g, &body); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&archive)
	for i := range 2 {
		f, err := z.Create(fmt.Sprintf("%d.csv", i))
		if err != nil {
			t.Fatal(err)
		}
		body = zeros(size / 4)
		if _, err := io.Copy(f, &body); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file, body, says string
		values           connectors.Values
	}{
		"gzip by its growth":  {"a.csv.gz", packed.String(), "unpacked_ratio", nil},
		"gzip by its size":    {"a.csv.gz", packed.String(), "unpacked_mb", connectors.Values{"unpacked_ratio": "5000", "unpacked_mb": "64"}},
		"zip by its growth":   {"a.zip", archive.String(), "unpacked_ratio", nil},
		"zip by all its size": {"a.zip", archive.String(), "unpacked_mb", connectors.Values{"unpacked_ratio": "5000", "unpacked_mb": "100"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.file, c.body)
			conn := openDir(t, dir, nil).(*conn)
			job, err := readJob(connectors.Job{Values: c.values}, "test")
			if err != nil {
				t.Fatal(err)
			}
			found, err := conn.place.list(t.Context(), ".")
			if err != nil {
				t.Fatal(err)
			}
			allocated := testing.AllocsPerRun(1, func() {
				p, err := conn.look(t.Context(), job, found[0], sums{})
				if err != nil || p.reason != fileArchive || !strings.Contains(p.what, c.says) {
					t.Errorf("got %s %q, %v", p.reason, p.what, err)
				}
			})
			if allocated > 5000 {
				t.Errorf("%v allocations: what comes out is not dropped as it comes", allocated)
			}
			got, _ := outcome(t, conn, c.values, "")
			expect(t, got, c.file+":0:!FILE_ARCHIVE")
		})
	}
}

func TestAPackedFileNeedsNoTellingName(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.dat", gzipped(t, "id\n1\n"))
	write(t, dir, "b.csv", zipped(t, member{name: "1.csv", body: "id\n2\n"}))
	c := openDir(t, dir, nil).(*conn)
	got, _ := outcome(t, c, connectors.Values{"pattern": "a.dat", "archive": "gzip", "format": "csv"}, "")
	expect(t, got, "a.dat:2:1")
	got, _ = outcome(t, c, connectors.Values{"pattern": "b.csv", "archive": "zip"}, "")
	expect(t, got, "1.csv:2:2")
}

func TestAnArchiveHasTheSumOfItsFile(t *testing.T) {
	dir := t.TempDir()
	body := gzipped(t, "id\n1\n")
	sum := md5.Sum([]byte(body))
	write(t, dir, "a.csv.gz", body)
	write(t, dir, "a.csv.gz.md5", strings.Repeat("0", 32))
	c := openDir(t, dir, nil).(*conn)
	got, next := outcome(t, c, nil, "")
	expect(t, got, "a.csv.gz:0:!FILE_CHECKSUM")
	write(t, dir, "a.csv.gz.md5", hex.EncodeToString(sum[:]))
	got, _ = outcome(t, c, nil, next)
	expect(t, got, "a.csv.gz:2:1")
}
