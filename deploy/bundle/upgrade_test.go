//go:build acceptance

// Package bundle holds the offline bundle's scripts; this test installs and upgrades with them.
package bundle

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnUpgradeKeepsData installs the bundle of the previous commit into a folder, lives in it, and
// upgrades it with the bundle of the commit at hand.
func TestAnUpgradeKeepsData(t *testing.T) {
	before := previous(t)
	oldBundle := unpack(t, makeBundle(t, before, "v-before"))
	newBundle := unpack(t, makeBundle(t, filepath.Join("..", ".."), "v-now"))
	root := t.TempDir()
	data := filepath.Join(root, "var", "lib", "xinshu")
	hub := filepath.Join(root, "opt", "xinshu", "current", "bin", "xinshu")

	run(t, filepath.Join(oldBundle, "install.sh"), "--root", root)
	if at := current(t, root); at != "v-before" {
		t.Fatalf("after the installation %s is in use", at)
	}
	lived := []byte(run(t, hub, "demo", "--once", "--json", "--entities", "400", "--data", data))
	grade := run(t, hub, "policy", "list", "--data", data)
	runs := run(t, hub, "feed", "list", "--data", data)

	t.Run("a damaged bundle changes nothing", func(t *testing.T) {
		page := filepath.Join(newBundle, "docs", "operator.zh.md")
		whole := read(t, page)
		write(t, page, append(bytes.Clone(whole), ' '))
		defer write(t, page, whole)
		if out, err := try(t, filepath.Join(newBundle, "install.sh"), "--root", root); err == nil || !strings.Contains(out, "damaged") {
			t.Errorf("the installer said %q", out)
		}
		if at := current(t, root); at != "v-before" {
			t.Errorf("%s is in use", at)
		}
	})

	out := run(t, filepath.Join(newBundle, "install.sh"), "--root", root)
	if at := current(t, root); at != "v-now" {
		t.Fatalf("after the upgrade %s is in use:\n%s", at, out)
	}
	if _, err := os.Stat(filepath.Join(data, "upgrades", "before-v-now")); err != nil {
		t.Errorf("no copy of the run state was kept: %v", err)
	}
	run(t, hub, "verify", "--read-data", "--data", data)
	if now := run(t, hub, "policy", "list", "--data", data); now != grade {
		t.Errorf("policies were\n%s\nand are\n%s", grade, now)
	}
	if now := run(t, hub, "feed", "list", "--data", data); now != runs {
		t.Errorf("feeds were\n%s\nand are\n%s", runs, now)
	}
	again := []byte(run(t, hub, "demo", "--once", "--json", "--entities", "400", "--data", data))
	if was, is := seals(t, lived), seals(t, again); was != is || was == "" {
		t.Errorf("seals were %s and are %s", was, is)
	}
	if out := run(t, filepath.Join(newBundle, "install.sh"), "--root", root); !strings.Contains(out, "installed already") {
		t.Errorf("a second installation said %q", out)
	}

	t.Run("the command is of the installed version and its config", func(t *testing.T) {
		command := filepath.Join(root, "usr", "local", "bin", "xinshu")
		if out := run(t, command, "--version"); !strings.Contains(out, "v-now") {
			t.Errorf("it says %q", out)
		}
		if now := run(t, command, "policy", "list"); now != grade {
			t.Errorf("policies were\n%s\nand are\n%s", grade, now)
		}
	})
	t.Run("removing leaves settings and data", func(t *testing.T) { theProgramGoes(t, newBundle, root) })
	t.Run("a command that is another's stays", func(t *testing.T) { aForeignCommandStays(t, newBundle) })
}

func theProgramGoes(t *testing.T, bundle, root string) {
	run(t, filepath.Join(bundle, "install.sh"), "--remove", "--root", root)
	for path, stays := range map[string]bool{"usr/local/bin/xinshu": false, "opt/xinshu": false, "etc/xinshu/xinshu.yaml": true, "etc/xinshu/secrets.env": true, "var/lib/xinshu/state.db": true} {
		if _, err := os.Lstat(filepath.Join(root, path)); (err == nil) != stays {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func aForeignCommandStays(t *testing.T, bundle string) {
	root := t.TempDir()
	command := filepath.Join(root, "usr", "local", "bin", "xinshu")
	if err := os.MkdirAll(filepath.Dir(command), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, command, []byte("another's"))
	if out := run(t, filepath.Join(bundle, "install.sh"), "--root", root); !strings.Contains(out, "stays as it is") {
		t.Errorf("the installer said %q", out)
	}
	run(t, filepath.Join(bundle, "install.sh"), "--remove", "--root", root)
	if string(read(t, command)) != "another's" {
		t.Error("it was replaced")
	}
	if run(t, filepath.Join(bundle, "install.sh"), "--root", root, "--no-command"); string(read(t, command)) != "another's" {
		t.Error("it was replaced")
	}
}

// previous gives the tree of the previous commit. A checkout without history has none; there the same tree
// is upgraded to itself under another version, which shows the installer and not the change of tables.
func previous(t *testing.T) string {
	t.Helper()
	here := filepath.Join("..", "..")
	known := exec.CommandContext(t.Context(), "git", "cat-file", "-e", "HEAD^:deploy/bundle/make.sh")
	known.Dir = here
	if out, err := known.CombinedOutput(); err != nil {
		t.Logf("this checkout holds no previous commit, the tree upgrades itself: %s", bytes.TrimSpace(out))
		return here
	}
	return checkout(t, "HEAD^")
}

// checkout lays the tree of a commit into a folder of its own.
func checkout(t *testing.T, commit string) string {
	t.Helper()
	dir := t.TempDir()
	archive := exec.CommandContext(t.Context(), "git", "archive", commit)
	archive.Dir = filepath.Join("..", "..")
	body, err := archive.Output()
	if err != nil {
		t.Fatalf("git archive %s: %v", commit, err)
	}
	tar := exec.CommandContext(t.Context(), "tar", "-x", "-C", dir)
	tar.Stdin = bytes.NewReader(body)
	if out, err := tar.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	return dir
}

func makeBundle(t *testing.T, tree, version string) string {
	t.Helper()
	t.Setenv("BUILD_FLAGS", "") // shares what the build of the tests has compiled: minutes
	out := run(t, filepath.Join(tree, "deploy", "bundle", "make.sh"), version, t.TempDir())
	lines := strings.Split(strings.TrimSpace(out), "\n")
	archive := lines[len(lines)-1]
	sum := exec.CommandContext(t.Context(), "sha256sum", "--check", "--quiet", filepath.Base(archive)+".sha256")
	sum.Dir = filepath.Dir(archive)
	if out, err := sum.CombinedOutput(); err != nil {
		t.Fatalf("the archive does not match its checksum: %s", out)
	}
	return archive
}

func unpack(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	run(t, "tar", "-xzf", archive, "-C", dir)
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the archive holds %v", found)
	}
	return found[0]
}

func current(t *testing.T, root string) string {
	t.Helper()
	to, err := os.Readlink(filepath.Join(root, "opt", "xinshu", "current"))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(to)
}

// seals gives the policies with their seals as one line.
func seals(t *testing.T, summary []byte) string {
	t.Helper()
	var s struct {
		Policies []struct {
			ID   string `json:"id"`
			AsOf string `json:"as_of"`
			Seal string `json:"seal"`
		} `json:"policies"`
	}
	if err := json.Unmarshal(summary, &s); err != nil {
		t.Fatalf("%v: %s", err, summary)
	}
	var line strings.Builder
	for _, p := range s.Policies {
		line.WriteString(p.ID + " " + p.AsOf + " " + p.Seal + "; ")
	}
	return line.String()
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

func try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	return string(out), err
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func write(t *testing.T, path string, body []byte) {
	t.Helper()
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
}
