package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// smallHub lays down a config with one source, one target and two policies, and gives its path. Its
// data folder is beside it.
func smallHub(t testing.TB) (config, data string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "data")
	register, severe := []string{"uscc,entity_name,est_date,reg_status,industry_code"}, []string{"uscc,entity_name,list_reason,list_date"}
	for i, code := range []string{"91350100M000100Y43", "91330100799655058B", "914403001922038216"} {
		register = append(register, fmt.Sprintf("%s,公司%d,201%d-03-01,存续,C", code, i, i))
		severe = append(severe, fmt.Sprintf("%s,公司%d,伪造材料%d,2025-03-01", code, i, i))
	}
	severe = append(severe, "91330100799655058X,坏码,伪造材料,2025-03-01")
	for name, text := range map[string]string{
		"in/reg.csv":    strings.Join(register, "\n"),
		"in/severe.csv": strings.Join(severe, "\n"),
		"xinshu.yaml": fmt.Sprintf(`data: %s
policies: [heilongjiang-2021, lingyuan-2021]
sources:
  - name: amr
    kind: files
    collected: "2025-10-28"
    values: {root: %s}
    datasets: {amr.reg: {pattern: reg.csv}, amr.severe: {pattern: severe.csv}}
targets:
  - {id: share, kind: files, values: {root: %s, packet: json}}
`, data, filepath.Join(dir, "in"), filepath.Join(dir, "out")),
		"out/README": "the receiver's folder",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "xinshu.yaml"), data
}

var diskFull = regexp.MustCompile(`(?i)no space left|disk is full|out of disk`)

// TestAFullDiskIsNamedAndNothingIsHalfDone runs a hub on file systems that are too small, each a little
// larger than the one before, so that the disk is full at one write after another: of the state, of the
// lake, of DuckDB. The run must say so; once there is room the next run ends like one that never met it.
func TestAFullDiskIsNamedAndNothingIsHalfDone(t *testing.T) {
	if os.Getuid() != 0 && os.Getenv("XINSHU_IN_NAMESPACE") == "" {
		inNamespace(t)
		return
	}
	config, calm := smallHub(t)
	run := []string{"run", "--as-of", "2025-12-31", "-c", config}
	xinshu(t, "", run...)
	want := holdings(t, calm)
	if len(want) < 12 {
		t.Fatalf("the hub holds only %d statements", len(want))
	}
	step := 160
	if full() {
		step = 24
	}
	filled := 0
	for size := 64; ; size += step { // kilobytes
		config, data := smallHub(t)
		run := []string{"run", "--as-of", "2025-12-31", "-c", config}
		if err := os.Mkdir(data, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", data, "tmpfs", 0, fmt.Sprintf("size=%dk", size)); err != nil {
			t.Fatalf("mount a small file system: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(data, 0) })
		_, killed, err := try(t, 0, "", run...)
		enough := err == nil
		switch {
		case killed:
			t.Fatalf("%d KB: the process was killed", size)
		case err != nil && !diskFull.MatchString(err.Error()):
			t.Errorf("%d KB: the error does not name the full disk: %v", size, err)
		case strings.Contains(fmt.Sprint(err), "goroutine "):
			t.Errorf("%d KB: %v", size, err)
		}
		if err := syscall.Mount("tmpfs", data, "tmpfs", syscall.MS_REMOUNT, "size=256m"); err != nil {
			t.Fatal(err)
		}
		if !enough {
			filled++
			xinshu(t, "", run...)
		}
		if diff := differences(want, holdings(t, data)); diff != "" {
			t.Errorf("full at %d KB: %s", size, diff)
		}
		xinshu(t, "", "verify", "--read-data", "-c", config)
		if enough {
			break
		}
	}
	if filled < 3 {
		t.Errorf("the disk was full only %d times", filled)
	}
	t.Logf("the disk was full in %d runs, each at another write: every one named it, and the next run ended like one that never met it", filled)
}

// inNamespace runs this test again where an ordinary user may mount.
func inNamespace(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--mount", self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "XINSHU_IN_NAMESPACE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in a namespace of its own: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}
