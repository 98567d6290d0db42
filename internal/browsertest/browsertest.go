// Package browsertest owns journeys of people through the console in a real Chromium: it runs a
// script under Node.js against a hub that is up, and fails the test for what a person would stumble
// over: an error in the browser's console, a request that went wrong, a page that scrolls sideways on
// a phone, a finding of axe. It refuses to know what the pages are about; the scripts do.
package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"xinshu/internal/supervised"
)

// runner starts the browser, gives a journey what it uses, and looks at every page.
//
//go:embed runner.mjs
var runner []byte

// Journey is one way through the console.
type Journey struct {
	Script   string         // path of the .mjs file
	Base     string         // address of the hub
	Values   map[string]any // what the script may need: a password, a code to look for
	Pictures string         // folder for screenshots; empty: a temporary one
}

// Run runs a journey. Nothing is left behind when the test ends.
func Run(t testing.TB, j Journey) {
	t.Helper()
	out, err := j.run(t)
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(j.Script), err, out)
	}
	t.Logf("%s", out)
}

// run gives what the runner said.
func (j Journey) run(t testing.TB) ([]byte, error) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("no node found; deploy/dev/servers.sh installs what the tests need")
	}
	dir := t.TempDir()
	if j.Pictures == "" {
		j.Pictures = dir
	}
	script, err := filepath.Abs(j.Script)
	if err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(dir, "runner.mjs")
	if err := os.WriteFile(main, runner, 0o600); err != nil {
		t.Fatal(err)
	}
	order, err := json.Marshal(map[string]any{"script": script, "base": j.Base, "values": j.Values, "pictures": j.Pictures,
		"modules": modules(t.Context(), t), "chromium": chromium(t), "root": os.Geteuid() == 0})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, main) //nolint:gosec // the runner of this package
	cmd.Stdin = strings.NewReader(string(order))
	return cmd.CombinedOutput()
}

// modules gives the folder of the Node.js modules; the first call of a machine installs them.
func modules(ctx context.Context, t testing.TB) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(filepath.Dir(here), "..", "..", "deploy", "dev", "browser.sh"), "where") //nolint:gosec // the repository's own script
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("install the modules of the browser tests: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := supervised.Find(name); err == nil {
			return path
		}
	}
	t.Fatal("no chromium found; deploy/dev/servers.sh installs what the tests need")
	return ""
}
