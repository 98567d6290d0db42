package archtest

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A wall says what a package may not import, and why the wall stands.
type wall struct {
	from   string   // package, or prefix ending in "/..."
	except []string // packages inside from that the wall does not bind
	not    []string // packages, or prefixes ending in "/...", that may not be imported
	why    string
}

var walls = []wall{
	{from: "xinshu/internal/fault", not: []string{"xinshu/..."}, why: "it stands under everything, so it can know nothing"},
	{from: "xinshu/internal/chain", not: []string{"xinshu/..."}, why: "the words of the commit protocol stand under the steps and the lake, so that neither knows the other"},
	{from: "xinshu/catalog", not: []string{"xinshu/connectors/...", "xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/duck", "xinshu/internal/state", "xinshu/sql"}, why: "words are read by everyone and read no one"},
	{from: "xinshu/connectors", not: []string{"xinshu/connectors/...", "xinshu/pipelines/...", "xinshu/internal/duck", "xinshu/internal/lake", "xinshu/internal/state"}, why: "the interfaces must not know the kinds that keep them, nor what becomes of a page"},
	{from: "xinshu/connectors/...", except: []string{"xinshu/connectors/all"}, not: []string{"xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/internal/duck", "xinshu/sql"}, why: "data walks from the connector to staging; nobody walks back"},
	{from: "xinshu/pipelines/stage", not: siblings("stage"), why: "steps are siblings: what one leaves for the next lies in the lake"},
	{from: "xinshu/pipelines/settle", not: siblings("settle"), why: "steps are siblings: what one leaves for the next lies in the lake"},
	{from: "xinshu/pipelines/score", not: siblings("score"), why: "steps are siblings: what one leaves for the next lies in the lake"},
	{from: "xinshu/pipelines/schedule", not: append(siblings(""), "xinshu/pipelines/work", "xinshu/internal/duck"), why: "run state keeps schedules and tasks, and must not bring the steps along"},
	{from: "xinshu/pipelines/publish", not: siblings("publish"), why: "steps are siblings: what one leaves for the next lies in the lake"},
	{from: "xinshu/pipelines/push", not: siblings("push"), why: "steps are siblings: what one leaves for the next lies in the lake"},
	{from: "xinshu/pipelines/...", not: beside, why: "what stands beside the stair is wired by cmd alone, so that a step can be tested without it"},
	{from: "xinshu/internal/explain", not: append([]string{"xinshu/pipelines/..."}, beside...), why: "questions about finished runs are asked of the lake's files, not of the steps"},
	{from: "xinshu/internal/results", not: append([]string{"xinshu/pipelines/..."}, beside...), why: "questions about finished runs are asked of the lake's files, not of the steps"},
	{from: "xinshu/internal/quarantine", not: append([]string{"xinshu/pipelines/..."}, beside...), why: "questions about finished runs are asked of the lake's files, not of the steps"},
	{from: "xinshu/internal/missing", not: append([]string{"xinshu/pipelines/..."}, beside...), why: "questions about finished runs are asked of the lake's files, not of the steps"},
	{from: "xinshu/internal/verify", not: append([]string{"xinshu/pipelines/..."}, beside...), why: "questions about finished runs are asked of the lake's files, not of the steps"},
	{from: "xinshu/internal/grading", not: append([]string{"xinshu/pipelines/..."}, beside...), why: "how points are counted is shared by scoring and explaining, which must not know one another"},
	{from: "xinshu/internal/duck", not: []string{"xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/sql"}, why: "the engine knows tables and paths, not what they mean"},
	{from: "xinshu/internal/lake", not: []string{"xinshu/pipelines/...", "xinshu/connectors/...", "xinshu/catalog", "xinshu/internal/state", "xinshu/internal/duck"}, why: "the lake keeps objects and log entries; what is in them is not its business"},
	{from: "xinshu/internal/state", not: append(siblings(""), "xinshu/pipelines/work", "xinshu/internal/lake", "xinshu/internal/duck"), why: "run state follows the log; it is never asked what is true"},
	{from: "xinshu/internal/receive", not: []string{"xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/internal/duck"}, why: "the door proves who posts and what; staging is the pipeline's, and cmd brings the two together"},
	{from: "xinshu/internal/auth", not: []string{"xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/internal/duck", "xinshu/internal/desk"}, why: "who somebody is does not depend on what is asked; users and keys are kept behind an interface"},
	{from: "xinshu/internal/vault", not: []string{"xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/internal/auth"}, why: "a vault seals for whoever asks and keeps nothing"},
	{from: "xinshu/internal/audit", not: []string{"xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/internal/duck", "xinshu/internal/desk"}, why: "the trail is kept behind an interface, so that its chain is checked apart from what keeps it"},
	{from: "xinshu/internal/cases", not: append([]string{"xinshu/pipelines/...", "xinshu/internal/duck", "xinshu/internal/desk"}, beside...), why: "rules are tried without a database and without a lake; rows and marks stand behind interfaces"},
	{from: "xinshu/internal/desk", not: []string{"xinshu/internal/api", "xinshu/internal/console", "xinshu/internal/simulate"}, why: "the desk answers whoever asks; it does not know screens"},
	{from: "xinshu/internal/api", not: []string{"xinshu/internal/console", "xinshu/internal/state", "xinshu/internal/lake", "xinshu/internal/duck"}, why: "the API asks the desk, so that console and API cannot differ"},
	{from: "xinshu/internal/console", not: []string{"xinshu/internal/api", "xinshu/internal/state", "xinshu/internal/lake", "xinshu/internal/duck"}, why: "screens ask the desk, so that console and API cannot differ"},
	{from: "xinshu/internal/simulate", not: []string{"xinshu/pipelines/...", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/internal/duck", "xinshu/connectors/..."}, why: "the province is a stranger: it speaks to the hub only over its protocols"},
}

// beside is what cmd alone wires.
var beside = []string{"xinshu/connectors/restapi", "xinshu/connectors/dbtable", "xinshu/connectors/files", "xinshu/connectors/all", "xinshu/internal/lake", "xinshu/internal/state", "xinshu/internal/simulate", "xinshu/sql"}

func siblings(self string) []string {
	var others []string
	for _, s := range []string{"stage", "settle", "score", "publish", "push"} {
		if s != self {
			others = append(others, "xinshu/pipelines/"+s)
		}
	}
	return append(others, "xinshu/pipelines")
}

// homes says which folders may import a third-party package, so that it can be replaced by opening one folder.
var homes = map[string][]string{
	"github.com/apache/arrow/go/v15":      {"xinshu/connectors/...", "xinshu/pipelines/stage"},
	"github.com/duckdb/duckdb-go":         {"xinshu/internal/duck"},
	"github.com/minio/minio-go/v7":        {"xinshu/internal/lake", "xinshu/connectors/files"},
	"github.com/robfig/cron/v3":           {"xinshu/pipelines/schedule"},
	"github.com/go-resty/resty/v2":        {"xinshu/connectors/restapi"},
	"github.com/jackc/pgx/v5":             {"xinshu/internal/state", "xinshu/connectors/dbtable"},
	"github.com/go-sql-driver/mysql":      {"xinshu/connectors/dbtable"},
	"github.com/microsoft/go-mssqldb":     {"xinshu/connectors/dbtable"},
	"github.com/sijms/go-ora":             {"xinshu/connectors/dbtable"},
	"github.com/jlaffaye/ftp":             {"xinshu/connectors/files"},
	"github.com/xuri/excelize/v2":         {"xinshu/internal/quarantine", "xinshu/internal/guideline"},
	"github.com/apache/thrift":            {"xinshu/connectors/files"},
	"github.com/xuri/nfp":                 {"xinshu/connectors/files"},
	"github.com/richardlehane/mscfb":      {"xinshu/connectors/files"},
	"github.com/tjfoc/gmsm":               {"xinshu/connectors/gm"},
	"github.com/mattn/go-sqlite3":         {"xinshu/internal/state", "xinshu/connectors/dbtable", "xinshu/internal/simulate"},
	"github.com/pressly/goose/v3":         {"xinshu/internal/state"},
	"github.com/spf13/cobra":              {"xinshu/cmd/xinshu"},
	"go.yaml.in/yaml/v3":                  {"xinshu/internal/desk", "xinshu/catalog", "xinshu/cmd/xinshu", "xinshu/internal/console"},
	"github.com/pkg/sftp":                 {"xinshu/connectors/files", "xinshu/internal/simulate"},
	"github.com/danielgtaylor/huma/v2":    {"xinshu/internal/api"},
	"github.com/coreos/go-oidc/v3":        {"xinshu/internal/auth"},
	"golang.org/x/oauth2":                 {"xinshu/internal/auth"},
	"golang.org/x/crypto/argon2":          {"xinshu/internal/auth"},
	"github.com/prometheus/client_golang": {"xinshu/internal/metrics"},
	"golang.org/x/crypto/ssh":             {"xinshu/connectors/files", "xinshu/internal/simulate", "xinshu/internal/sshtest"},
	"github.com/bytedance/sonic":          {"xinshu/connectors/jsonrows", "xinshu/connectors/restapi"},
	"golang.org/x/sync":                   {"xinshu/internal/lake", "xinshu/pipelines", "xinshu/pipelines/score"},
	"golang.org/x/term":                   {"xinshu/cmd/xinshu"},
	"golang.org/x/text":                   {"xinshu/catalog", "xinshu/connectors/...", "xinshu/pipelines/stage", "xinshu/internal/simulate", "xinshu/internal/filetest", "xinshu/internal/bench"},
	"golang.org/x/time":                   {"xinshu/connectors/restapi", "xinshu/internal/auth"},
	"golang.org/x/tools":                  {"xinshu/internal/duck/ducktest"},
}

func TestNoWallIsBroken(t *testing.T) {
	imports := listImports(t)
	for _, w := range walls {
		for pkg, imported := range imports {
			if !matches(w.from, pkg) || contains(w.except, pkg) {
				continue
			}
			for _, imp := range imported {
				for _, not := range w.not {
					if imp != pkg && matches(not, imp) && !within(pkg, imp) {
						t.Errorf("%s imports %s; the wall stands because %s", pkg, imp, w.why)
					}
				}
			}
		}
	}
}

func TestEachThirdPartyPackageHasItsHome(t *testing.T) {
	for pkg, imported := range listImports(t) {
		for _, imp := range imported {
			if host, _, _ := strings.Cut(imp, "/"); !strings.Contains(host, ".") {
				continue // ours, or the standard library's
			}
			lib, at := home(imp)
			if lib == "" {
				t.Errorf("%s imports %s, which has no home: say here which folders may import it", pkg, imp)
			} else if !anyMatch(at, pkg) {
				t.Errorf("%s imports %s, whose home is %s", pkg, imp, strings.Join(at, ", "))
			}
		}
	}
}

func home(imp string) (string, []string) {
	for lib, at := range homes {
		if imp == lib || strings.HasPrefix(imp, lib+"/") {
			return lib, at
		}
	}
	return "", nil
}

func TestTheWallsSeeTheTree(t *testing.T) {
	imports := listImports(t)
	for _, pkg := range []string{"xinshu/cmd/xinshu", "xinshu/catalog", "xinshu/internal/fault", "xinshu/connectors"} {
		if _, ok := imports[pkg]; !ok {
			t.Errorf("%s is not among the packages looked at", pkg)
		}
	}
}

// listImports gives each package of the module with what it imports outside its tests.
func listImports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "xinshu/...")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, errs.String())
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		imports[fields[0]] = fields[1:]
	}
	return imports
}

func matches(pattern, pkg string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
	}
	return pkg == pattern
}

// within lets a package import its own sub-packages and siblings of one kind's folder.
func within(pkg, imp string) bool {
	return strings.HasPrefix(imp, pkg+"/") && pkg != "xinshu/connectors"
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}

func anyMatch(patterns []string, pkg string) bool {
	for _, p := range patterns {
		if matches(p, pkg) {
			return true
		}
	}
	return false
}
