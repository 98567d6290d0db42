package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

var (
	proof = regexp.MustCompile("`([a-z0-9]+): (Test[A-Za-z0-9_]+)`")
	line  = regexp.MustCompile(`(?m)^\| ([0-9.]+|-) \|.*$`)
)

// A table of tests that nobody holds against the tests tells of what was, so each one named in it must
// be there, and each behaviour must have one.
func TestEveryBehaviourHasItsTest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/behaviours.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := testsOfPackages(t)
	seen := map[string]bool{}
	for _, row := range line.FindAllStringSubmatch(string(text), -1) {
		named := proof.FindAllStringSubmatch(row[0], -1)
		if len(named) == 0 || strings.Count(row[0], ": Test") != len(named) {
			t.Errorf("behaviour %s: no test, or one that is not written `package: TestName`: %s", row[1], row[0])
		}
		for _, n := range named {
			if !there[n[1]][n[2]] {
				t.Errorf("behaviour %s: package %s has no test %s", row[1], n[1], n[2])
			}
		}
		if row[1] != "-" && seen[row[1]] {
			t.Errorf("behaviour %s stands there twice", row[1])
		}
		seen[row[1]] = true
	}
	wanted := strings.FieldsSeq("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 26 27 28 29 30" +
		" 6.1 6.2 6.3 6.4 6.5 6.6 6.7 6.8 6.9 6.10 6.11 6.12 6.13 7.1 7.2 7.3 7.4 7.5")
	for n := range wanted {
		if !seen[n] {
			t.Errorf("behaviour %s is not in the table", n)
		}
	}
}

// testsOfPackages reads the names of all tests by the folder of their package; files under a build tag
// count too, for a test that runs on request is still a test.
func testsOfPackages(t *testing.T) map[string]map[string]bool {
	t.Helper()
	tests := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg := filepath.Base(filepath.Dir(path))
		if tests[pkg] == nil {
			tests[pkg] = map[string]bool{}
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && len(f.Type.Params.List) == 1 {
				tests[pkg][f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
