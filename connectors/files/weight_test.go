package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// around is a place that does something of a test's before it opens a file.
type around struct {
	place
	opening func(name string, times int)
	times   map[string]int
}

func (a *around) open(ctx context.Context, name string, from int64) (io.ReadCloser, error) {
	a.times[name]++
	a.opening(name, a.times[name])
	return a.place.open(ctx, name, from)
}

func TestFilesThatVanishOrGrowAreLeftToTheNextPull(t *testing.T) {
	for name, c := range map[string]struct {
		at     int // opening at which it happens
		happen func(t *testing.T, dir string)
		then   []string
	}{
		"gone between the list and the first reading": {1, func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "b.csv")) }, nil},
		"gone between the two readings":               {2, func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "b.csv")) }, nil},
		"grown since it was listed":                   {1, func(t *testing.T, dir string) { write(t, dir, "b.csv", "id\n2\n22\n") }, []string{"b.csv:2:2", "b.csv:3:22"}},
		"replaced by another of the same size":        {1, func(t *testing.T, dir string) { replace(t, dir, "b.csv", "id\n3\n") }, []string{"b.csv:2:3"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i, name := range []string{"a.csv", "b.csv", "c.csv"} {
				write(t, dir, name, fmt.Sprintf("id\n%d\n", i+1))
				old := time.Now().Add(-time.Hour)
				if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
					t.Fatal(err)
				}
			}
			conn := openDir(t, dir, nil).(*conn)
			conn.place = &around{place: conn.place, times: map[string]int{}, opening: func(name string, times int) {
				if name == "b.csv" && times == c.at {
					c.happen(t, dir)
				}
			}}
			got, next := outcome(t, conn, nil, "")
			expect(t, got, "a.csv:2:1", "c.csv:2:3")
			got, _ = outcome(t, conn, nil, next)
			expect(t, got, c.then...)
		})
	}
}

// dripping gives one byte at a time, after a while.
type dripping struct {
	place
	every time.Duration
	slow  int // openings that drip; those after them do not
}

func (d *dripping) open(ctx context.Context, name string, from int64) (io.ReadCloser, error) {
	in, err := d.place.open(ctx, name, from)
	if d.slow--; err != nil || d.slow < 0 {
		return in, err
	}
	return &drops{ctx, in, d.every}, nil
}

type drops struct {
	ctx context.Context //nolint:containedctx // as a place's reader holds it
	io.ReadCloser
	every time.Duration
}

func (d *drops) Read(p []byte) (int, error) {
	if err := rest(d.ctx, d.every); err != nil {
		return 0, err
	}
	return d.ReadCloser.Read(p[:1])
}

func TestASlowDripIsGivenUpInBoundedTime(t *testing.T) {
	dir := t.TempDir()
	body := "id\n" + strings.Repeat("1\n", 100_000)
	write(t, dir, "a.csv", body)
	synctest.Test(t, func(t *testing.T) { // the minutes pass at once
		for name, c := range map[string]struct {
			slow  int
			every time.Duration
			given error
		}{
			"one line that drips is opened anew": {1, time.Second, nil},
			"every line drips":                   {100, time.Second, errStalled},
			"every line says nothing":            {100, 1000 * time.Hour, errStalled},
			"slow and steady is not given up":    {1, 100 * time.Microsecond, nil},
		} {
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			drip := &dripping{place: &folder{root}, every: c.every, slow: c.slow}
			conn := &conn{place: drip, stall: time.Minute, pause: time.Second, now: time.Now}
			is, err := drip.stat(t.Context(), "a.csv")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			in, err := conn.read(t.Context(), "a.csv", is)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(in)
			if !errors.Is(err, c.given) || c.given == nil && (err != nil || string(got) != body) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			if took := time.Since(began); took > 7*time.Minute {
				t.Errorf("%s: it took %v", name, took)
			}
			_ = in.Close()
			_ = root.Close()
		}
	})
}

func TestABrokenLineFailsThePullWithoutHalfAFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.csv", "id\n1\n")
	write(t, dir, "b.csv", "id\n"+strings.Repeat("2\n", 1000))
	c := openDir(t, dir, nil).(*conn)
	c.pause = 0
	sound := c.place
	c.place = &cutting{place: sound, after: 100, cause: errors.New("connection reset by peer")}
	var got []string
	var next connectors.Cursor
	var last error
	for page, err := range c.Pull(t.Context(), sourceOf(c, nil).Job, "") {
		if last = err; err != nil {
			break
		}
		got = append(got, filepath.Base(page.Origin.File))
		page.Batch.Release()
		next = page.Next
	}
	expect(t, got, "a.csv")
	if !fault.Is(last, fault.Unavailable) || !strings.Contains(last.Error(), "b.csv") || !strings.Contains(last.Error(), "reset") {
		t.Fatalf("got %v, want unavailable, naming file and cause", last)
	}
	c.place = sound
	rest, _ := outcome(t, c, nil, next)
	if len(rest) != 1000 || rest[0] != "b.csv:2:2" {
		t.Fatalf("%d rows then, first %q", len(rest), rest[0])
	}
}

func TestAHundredThousandNamesAreListedAndOneIsRead(t *testing.T) {
	dir := t.TempDir()
	for i := range 100_000 {
		file, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("other_%06d.log", i)), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "penalty_1.csv", "id\n1\n")
	for name, open := range map[string]func() connectors.Conn{
		"folder": func() connectors.Conn { return openDir(t, dir, nil) },
		"sftp":   func() connectors.Conn { return openSFTP(t, sftpValues(startSSH(t), dir)) },
		"ftp":    func() connectors.Conn { return openSFTP(t, ftpOver(t, dir)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := open().(*conn)
			got, next := outcome(t, c, connectors.Values{"pattern": "penalty_*.csv"}, "")
			expect(t, got, "penalty_1.csv:2:1")
			if len(next) > 200 {
				t.Errorf("the cursor remembers what was not wanted: %d bytes", len(next))
			}
		})
	}
}
