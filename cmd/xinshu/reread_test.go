package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/alerts"
	"xinshu/internal/auth"
)

// contract is the text of a new dataset of the market authority's.
func contract(t *testing.T, id string) string {
	t.Helper()
	text, err := fs.ReadFile(catalog.Files, "datasets/amr/severe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(text), "id: amr.severe", "id: "+id, 1)
}

func layInto(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	lay(t, file, text)
}

// readerOver is a hub whose catalogue folder is a test's, and who looks at it.
func readerOver(t *testing.T, c Config) *reader {
	t.Helper()
	a := openedHub(t, c)
	return &reader{app: a, seen: a.config.texts}
}

func TestALookAtTheCatalogueFolder(t *testing.T) {
	dir := t.TempDir()
	own, other := dir+"/datasets/amr/own.yaml", dir+"/datasets/amr/other.yaml"
	layInto(t, own, contract(t, "amr.own"))
	r := readerOver(t, Config{Catalog: dir, Receive: ReceiveConfig{Senders: []SenderConfig{{Name: "bureau", Datasets: []string{"amr.own"}}}}})
	look := func(what string, changed bool, refused string) catalog.Texts {
		t.Helper()
		texts, got := r.look(t.Context())
		var said []string
		for _, f := range alerts.BrokenFiles(r.flaws()) {
			said = append(said, f.EN)
		}
		if all := strings.Join(said, "; "); got != changed || (refused == "") != (all == "") || !strings.Contains(all, refused) {
			t.Errorf("%s: changed %v, refused %q", what, got, all)
		}
		return texts
	}
	look("nothing happened", false, "")
	text := contract(t, "amr.other")
	layInto(t, other, text[:len(text)/2])
	look("half of a file is there", false, "")
	layInto(t, other, text)
	look("the rest of it came", false, "")
	if texts := look("it stands still", true, ""); len(texts) != 2 {
		t.Errorf("%d files", len(texts))
	}
	layInto(t, other, "id: amr.other\nfields: 7\n")
	look("a broken one", false, "")
	if texts := look("it stands still", false, "amr/other.yaml"); len(texts) != 1 {
		t.Errorf("the hub would read by %d files", len(texts))
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	look("it is gone again", false, "")
	if err := os.Rename(own, dir+"/own.yaml.away"); err != nil {
		t.Fatal(err)
	}
	layInto(t, other, text)
	look("a file in use went away", false, "")
	look("it stands still", false, "dataset amr.own is gone, and sender bureau still brings it")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	look("the folder went away", false, "amr.own") // until it was looked at twice
	look("it stays away", false, "the folder is empty or gone")
	layInto(t, own, contract(t, "amr.own"))
	look("it is back as it was", false, "")
}

// TestADatasetLaidIntoARunningHubAppears lays files into the catalogue folder of a hub that serves: a broken
// one changes nothing and is told, in the log, by an alert and by the doctor; mended it appears.
func TestADatasetLaidIntoARunningHubAppears(t *testing.T) {
	dir := t.TempDir()
	c := Config{Data: dir + "/data", Catalog: dir + "/catalogue", Alerts: AlertsConfig{Every: "1s"}}
	c.Serve.Addr, c.Serve.Workers = freeAddr(t), -1
	c.defaults()
	layInto(t, c.Catalog+"/datasets/amr/first.yaml", contract(t, "amr.first"))
	key := keyOf(t, c)

	said, err := os.Create(dir + "/said")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = said.Close() }()
	before := slog.Default() // serving sets the process's
	t.Cleanup(func() { slog.SetDefault(before) })
	terminal := &terminal{in: strings.NewReader(""), out: said, err: said}
	ctx, stop := context.WithCancel(auth.With(t.Context(), auth.Shell("test")))
	open := func(texts catalog.Texts) (*app, error) {
		c.texts = texts
		return terminal.open(ctx, c)
	}
	a, err := open(nil)
	if err != nil {
		t.Fatal(err)
	}
	looks, ended := make(chan time.Time), make(chan error, 1)
	go func() { ended <- terminal.serveOn(ctx, a, open, "", looks) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	look := func(times int) {
		t.Helper()
		for range times {
			select {
			case looks <- hubClock():
			case err := <-ended:
				t.Fatalf("the hub ended: %v", err)
			}
		}
	}
	await := func(what, path, words string, there bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for ; ; pass(ctx, 20*time.Millisecond) {
			last := bodyOf(ctx, t, "http://"+c.Serve.Addr+path, key)
			if last != "" && strings.Contains(last, words) == there {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("%s: %s answers %.400s", what, path, last)
			}
		}
	}
	for dial := (net.Dialer{}); ; pass(t.Context(), 10*time.Millisecond) { // until it listens
		c, err := dial.DialContext(t.Context(), "tcp", c.Serve.Addr)
		if err == nil {
			_ = c.Close()
			break
		}
	}
	const datasets, told = "/v1/catalogue", "/v1/alerts/open"
	await("at first", datasets, `"amr.first"`, true)
	second := c.Catalog + "/datasets/amr/second.yaml"
	layInto(t, second, "id: amr.second\nfields: 7\n")
	look(3) // the third is taken when the second is over
	await("a broken file is told", told, "second.yaml", true)
	await("and changes nothing", datasets, `"amr.first"`, true)
	await("and brings nothing", datasets, `"amr.second"`, false)
	if text, err := os.ReadFile(said.Name()); err != nil || strings.Count(string(text), "the catalogue folder changed and is not taken") != 1 || !strings.Contains(string(text), "second.yaml") {
		t.Errorf("the log says %s (%v)", text, err)
	}
	d := &doctor{config: Config{Catalog: c.Catalog}, now: hubClock}
	d.catalogue()
	if !slices.ContainsFunc(d.found, func(f finding) bool {
		return f.Area == "catalogue" && f.Status == statusBad && strings.Contains(f.Says, "second.yaml")
	}) {
		t.Errorf("the doctor says %+v", d.found)
	}
	layInto(t, second, contract(t, "amr.second"))
	look(2)
	await("mended it appears", datasets, `"amr.second"`, true)
	await("beside the other", datasets, `"amr.first"`, true)
	await("and the alert ends", told, "second.yaml", false)
}

// keyOf gives a key to a hub that does not run.
func keyOf(t *testing.T, c Config) string {
	t.Helper()
	a, err := openApp(t.Context(), c, hubClock)
	if err != nil {
		t.Fatal(err)
	}
	key := (&office{app: a, t: t}).hire(auth.Administrator).key
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return key
}

// bodyOf gives an answer; nothing where there is none, or a problem.
func bodyOf(ctx context.Context, t *testing.T, url, key string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return ""
	}
	r.Header.Set("Authorization", "Bearer "+key)
	out, err := http.DefaultClient.Do(r)
	if errors.Is(err, syscall.ECONNREFUSED) {
		t.Error("a running hub turned somebody away")
	}
	if err != nil {
		return ""
	}
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	if err != nil || out.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}
