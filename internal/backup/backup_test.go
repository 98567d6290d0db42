package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
	"xinshu/internal/lake/s3test"
	"xinshu/internal/pgtest"
	"xinshu/internal/state"
)

// hub is a lake with a chain of commits and its run state.
type hub struct {
	*testing.T
	lake    *lake.Lake
	state   *state.State
	address string
	now     time.Time
	commits int
}

func open(t *testing.T, store lake.Store, address string) *hub {
	t.Helper()
	h := &hub{T: t, address: address, now: time.Now()}
	var err error
	if h.lake, err = lake.New(store, lake.Options{Cache: t.TempDir(), Node: "n", Now: func() time.Time { return h.now }}); err != nil {
		t.Fatal(err)
	}
	if address == "" {
		return h
	}
	if h.state, err = state.Open(t.Context(), address, time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.state.Close() })
	return h
}

// commit puts one object into a chain and notes the run.
func (h *hub) commit(text string) {
	h.Helper()
	h.commits++
	run, name := fmt.Sprint("run", h.commits), chain.Stage("tax.arrears")
	path := filepath.Join(h.lake.TempDir(), run)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
	f, err := h.lake.Put(h.Context(), chain.Object{Chain: name, Run: run, Table: "rows", Range: chain.NoRange, Path: path, Rows: 1})
	if err != nil {
		h.Fatal(err)
	}
	head, err := h.lake.Head(h.Context(), name)
	if err != nil {
		h.Fatal(err)
	}
	if _, err := h.lake.Commit(h.Context(), chain.Draft{Base: head, Entry: chain.Entry{Chain: name, Intent: chain.Intent(run), Run: run}, Files: []chain.File{f}}); err != nil {
		h.Fatal(err)
	}
	if err := h.state.SaveRun(h.Context(), chain.Run{ID: run, Step: "pull", Subject: "tax.arrears", Started: time.Now(), Status: "done"}); err != nil {
		h.Fatal(err)
	}
}

func (h *hub) maker() *Maker {
	return &Maker{State: h.state, Lake: h.lake, Now: time.Now, Node: "n", Xinshu: "v1"}
}

// stores are one of each kind, empty.
func stores(t *testing.T) map[string]lake.Store {
	t.Helper()
	folder, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server, err := s3test.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	bucket, err := lake.OpenS3(t.Context(), server.Config("backups"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]lake.Store{"folder": folder, "s3": bucket}
}

func TestABackupMovesAHubFromOneStoreAndDatabaseToTheOther(t *testing.T) {
	to := stores(t)
	for name, store := range stores(t) {
		t.Run("from "+name, func(t *testing.T) {
			addresses := map[string]string{"folder": filepath.Join(t.TempDir(), "s.db"), "s3": pgtest.Start(t)}
			other := map[string]string{"folder": "s3", "s3": "folder"}[name]
			h := open(t, store, addresses[name])
			h.commit("one")
			h.commit("two")
			if _, err := h.lake.Seal(t.Context(), "p", "2025-12-31", []byte(`{"a":1}`)); err != nil {
				t.Fatal(err)
			}
			if _, err := h.lake.NewEpoch(t.Context(), 6, "an earlier restore"); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if _, err := h.maker().Make(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			h.commit("three") // after the backup
			s, err := Find(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			place := open(t, to[other], "")
			r := Restorer{Lake: place.lake, Address: addresses[other]}
			done, err := r.Restore(t.Context(), dir, s)
			if err != nil || done.Epoch != 8 {
				t.Fatalf("epoch %d: %v", done.Epoch, err)
			}
			back := open(t, to[other], addresses[other])
			report, err := back.lake.Verify(t.Context(), true)
			if err != nil || report.Entries != 2 || report.Objects != 2 || report.Seals != 1 {
				t.Errorf("%+v: %v", report, err)
			}
			if runs, err := back.state.Runs(t.Context(), 10); err != nil || len(runs) != 2 {
				t.Errorf("%d runs: %v", len(runs), err)
			}
			elsewhere, err := lake.OpenFolder(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			third := open(t, elsewhere, "")
			again, err := (&Restorer{Lake: third.lake, Address: filepath.Join(t.TempDir(), "x.db")}).Restore(t.Context(), dir, s)
			if err != nil || again.Epoch <= done.Epoch {
				t.Errorf("a second restore of one backup begins epoch %d after %d: %v", again.Epoch, done.Epoch, err)
			}
		})
	}
}

// TestABackupBesideGarbageCollectionIsWhole takes objects away while they are being copied: the walk is made again.
func TestABackupBesideGarbageCollectionIsWhole(t *testing.T) {
	folder, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store := &vanishing{Store: folder}
	h := open(t, store, filepath.Join(t.TempDir(), "s.db"))
	for i := range 3 {
		h.commit(fmt.Sprint("rows ", i))
	}
	store.once = true
	dir := t.TempDir()
	s, err := h.maker().Make(t.Context(), dir)
	if err != nil || store.once {
		t.Fatalf("%v; the trouble came: %t", err, !store.once)
	}
	if err := Check(t.Context(), dir, s); err != nil || s.Lake.Objects < 6 {
		t.Errorf("%d objects: %v", s.Lake.Objects, err)
	}
}

// vanishing is a store whose object is gone the first time it is asked for.
type vanishing struct {
	lake.Store
	once bool
}

// Get serves lake.Store.
func (v *vanishing) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if v.once && strings.HasPrefix(key, "data/") {
		v.once = false
		return nil, lake.ErrAbsent
	}
	return v.Store.Get(ctx, key)
}

func TestOneBackupAtATimeAndStateAlone(t *testing.T) {
	folder, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, folder, filepath.Join(t.TempDir(), "s.db"))
	h.commit("one")
	dir := t.TempDir()
	free, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.maker().Make(t.Context(), dir); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second backup beside the first gives %v", err)
	}
	free()
	m := h.maker()
	m.NoLake = true
	s, err := m.Make(t.Context(), dir)
	if err != nil || s.Lake != nil {
		t.Fatalf("%v, %+v", err, s.Lake)
	}
	address := filepath.Join(t.TempDir(), "again.db")
	done, err := (&Restorer{Lake: h.lake, Address: address, Above: 40}).Restore(t.Context(), dir, s)
	if err != nil || done.Epoch != 41 {
		t.Errorf("state alone over a store that stands: epoch %d, %v", done.Epoch, err)
	}
	full, err := h.maker().Make(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&Restorer{Lake: h.lake, Address: filepath.Join(t.TempDir(), "x.db")}).Restore(t.Context(), dir, full); !fault.Is(err, fault.Conflict) {
		t.Errorf("a whole restore over a store that stands gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.maker().Make(ctx, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("a backup that is stopped gives %v", err)
	}
}

func TestRowsComeBackAsTheyWere(t *testing.T) {
	row := []any{int64(1 << 62), int64(-7), "文本 <&> \u2028 \\ \"", "", nil, []byte{0, 255, 10}, 1.0, 2.5e300}
	line, err := encodeRow(row)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeRow(line)
	if err != nil || fmt.Sprintf("%#v", back) != fmt.Sprintf("%#v", row) {
		t.Errorf("%v\n%#v\n%#v", err, row, back)
	}
}
