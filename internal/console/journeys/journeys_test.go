package journeys

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/browsertest"
	"xinshu/internal/console"
	"xinshu/internal/desk"
	"xinshu/internal/supervised"
	"xinshu/web"
)

// entities make a province that is up soon and has every kind of trouble in it.
const entities = 300

// TestJourneys runs every script of this folder, in the order of their names, against one hub that
// has just been installed: 01 is its first start. XINSHU_JOURNEY=part runs those whose name has the
// part, after 01. XINSHU_PICTURES=folder keeps the screenshots.
func TestJourneys(t *testing.T) {
	scripts, err := filepath.Glob("*.mjs")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no journeys here: %v", err)
	}
	h := start(t)
	for i, script := range scripts {
		name := strings.TrimSuffix(script, ".mjs")
		if only := os.Getenv("XINSHU_JOURNEY"); i > 0 && !strings.Contains(name, only) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			browsertest.Run(t, browsertest.Journey{Script: script, Base: h.base, Values: h.values, Pictures: os.Getenv("XINSHU_PICTURES")})
		})
	}
	text, err := os.ReadFile(h.log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "words are missing") || strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("the hub's log says: %s", line)
		}
	}
}

// hub is the service that is up, and what a person would have read off its log.
type hub struct {
	base   string
	log    string
	values map[string]any
}

var (
	says  = regexp.MustCompile(`console and API on (http://\S+);`)
	token = regexp.MustCompile(`(?m)^ {4}([A-Za-z0-9_-]{43})$`)
)

// volunteers is a file as a department lays it: the last row's hours are words.
const volunteers = `uscc,entity_name,service_date,hours,organiser,source_record_id,src_dept_code,op,op_time
11410481MB1WEXLW33,舞钢市宏林管理局,2026-01-10,12,垭口街道办事处,V-1,city-gov,I,2026-01-12 09:00:00
12410481MB2GPGPK1G,舞钢市银景诊所事务中心,2026-01-11,8,垭口街道办事处,V-2,city-gov,I,2026-01-12 09:00:00
12410481MBPDCBT918,舞钢市瑞创医院事务中心,2026-01-11,八小时,寺坡街道办事处,V-3,city-gov,I,2026-01-12 09:00:00
`

// inbox is a folder of a department that nobody has connected yet.
func inbox(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "volunteers_20260112.csv"), []byte(volunteers), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pages are the paths of the console's pages that need nothing named, by who looks at them: the first
// administrator, somebody with the roles that an administrator does not have, and who is not signed in.
func pages(t *testing.T) map[string][]string {
	t.Helper()
	c, err := console.New(console.Options{Desk: &desk.Desk{}, Files: web.Files, Guard: &auth.Guard{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	administrator := auth.Actor{ID: "a", Roles: []auth.Role{auth.Administrator}}
	others := auth.Actor{ID: "b", Roles: []auth.Role{auth.Steward, auth.CreditOffice}}
	by := map[string][]string{}
	for _, p := range c.Pages() {
		path, isGet := strings.CutPrefix(p.Pattern, "GET ")
		path = strings.TrimSuffix(path, "{$}")
		if path == "/quarantine/workbook" {
			path += "?department=amr" // one workbook is for one department
		}
		switch {
		case !isGet || strings.Contains(path, "{") || p.Pattern == "GET /":
		case path == "/setup" || strings.HasPrefix(path, "/sign-in/"): // 01 is the set-up; there is no other provider to be sent to here
		case p.Right == auth.Anyone:
			by["anyone"] = append(by["anyone"], path)
		case administrator.May(p.Right):
			by["administrator"] = append(by["administrator"], path)
		case others.May(p.Right):
			by["others"] = append(by["others"], path)
		default:
			t.Errorf("nobody here may see %s", path)
		}
	}
	return by
}

func start(t *testing.T) hub {
	t.Helper()
	dir := t.TempDir()
	binary, log := filepath.Join(dir, "xinshu"), filepath.Join(dir, "demo.log")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "xinshu/cmd/xinshu").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	h := hub{log: log}
	server, err := supervised.Start(supervised.Program{Path: binary, Log: log, Within: 5 * time.Minute,
		Args: []string{"demo", "--entities", fmt.Sprint(entities), "--data", filepath.Join(dir, "data"), "--addr", "127.0.0.1:0"},
		Ready: func() error {
			text, err := os.ReadFile(log)
			if err != nil {
				return err
			}
			said := says.FindSubmatch(text)
			if said == nil {
				return fmt.Errorf("it has not said where it listens")
			}
			first := token.FindSubmatch(text)
			if first == nil {
				return fmt.Errorf("it has not said with which token the first administrator is made")
			}
			h.base = string(said[1])
			h.values = map[string]any{"token": string(first[1]), "name": "wang", "password": "seven lanterns over the quiet bridge",
				"soon": "2026-12-31", "pages": pages(t), "inbox": inbox(t), "steward": "zhao", "stewardPassword": "nine boats cross the evening river"}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return h
}
