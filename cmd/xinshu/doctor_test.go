package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/internal/pgtest"
	"xinshu/internal/simulate"
)

// diagnose runs the doctor; lines are "status area says".
func diagnose(t *testing.T, args ...string) (lines []string, err error) {
	t.Helper()
	out, _, err := try(t, 0, "", append([]string{"doctor", "--json"}, args...)...)
	var report struct{ Checks []finding }
	if bad := json.Unmarshal(out, &report); bad != nil {
		t.Fatalf("%v: %v\n%s", bad, err, out)
	}
	for _, f := range report.Checks {
		if f.Status != statusOK && f.Do == "" {
			t.Errorf("nobody is told what to do about: %s %s", f.Area, f.Says)
		}
		lines = append(lines, f.Status+" "+f.Area+" "+f.Says)
	}
	return lines, err
}

func has(lines []string, begin, part string) bool {
	for _, line := range lines {
		if strings.HasPrefix(line, begin) && strings.Contains(line, part) {
			return true
		}
	}
	return false
}

func TestTheDoctorSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if lines, err := diagnose(t, "--data", data); err != nil || !has(lines, "warn state", "no run state yet") || !has(lines, "ok store", "refuses to overwrite") {
		t.Errorf("a new hub: %v\n%s", err, strings.Join(lines, "\n"))
	}
	xinshu(t, "", "demo", "--once", "--json", "--entities", "20", "--clock", simulate.Days[0].Format(time.DateOnly), "--data", data)
	lines, err := diagnose(t, "--data", data)
	if err != nil || !has(lines, "ok state", "SQLite") || !has(lines, "ok catalogue", "108 datasets") || !has(lines, "ok vault", "") || !has(lines, "ok disk", "left") && !has(lines, "warn disk", "left") {
		t.Errorf("a hub at work: %v\n%s", err, strings.Join(lines, "\n"))
	}
	if err := os.Chmod(filepath.Join(data, "vault.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "xinshu.yaml")
	text := fmt.Sprintf("data: %q\nsources: [{name: gone, kind: files, values: {place: folder, root: %q}}]\n", data, filepath.Join(data, "no such folder"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err = diagnose(t, "-c", config)
	if err == nil || !has(lines, "bad keys", "0644") || !has(lines, "warn data", "everybody") || !has(lines, "bad source", "gone") {
		t.Errorf("a careless one: %v\n%s", err, strings.Join(lines, "\n"))
	}
}

func TestTheDoctorGoesOnWithoutADatabase(t *testing.T) {
	config := filepath.Join(t.TempDir(), "xinshu.yaml")
	write := func(dsn string) {
		if err := os.WriteFile(config, fmt.Appendf(nil, "data: %q\nstate: {dsn: %q}\n", t.TempDir(), dsn), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("postgres://hub:swordfish@127.0.0.1:1/hub?connect_timeout=2")
	lines, err := diagnose(t, "-c", config)
	if text := strings.Join(lines, "\n"); err == nil || !has(lines, "bad state", "") || !has(lines, "ok store", "") || strings.Contains(text+err.Error(), "swordfish") {
		t.Errorf("%v\n%s", err, text)
	}
	write(pgtest.Start(t))
	xinshu(t, "", "migrate", "up", "-c", config)
	if lines, err := diagnose(t, "-c", config); err != nil || !has(lines, "ok state", "PostgreSQL") {
		t.Errorf("%v\n%s", err, strings.Join(lines, "\n"))
	}
	if err := os.WriteFile(config, []byte("store: {kind: tape}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if lines, err := diagnose(t, "-c", config); err == nil || !has(lines, "bad config", "tape") {
		t.Errorf("%v\n%s", err, strings.Join(lines, "\n"))
	}
}
