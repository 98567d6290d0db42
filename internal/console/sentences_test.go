package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"xinshu/web"
)

// spoken is what the tree says in English where a page may show it: sentence to the place it was found at.
type spoken struct{ ops, hints, causes, notes map[string]string }

// elsewhere are folders whose faults no page shows.
var elsewhere = []string{"testdata", "simulate", "bench", "acceptance", "browsertest", "filetest", "ftptest", "mariatest", "pgtest", "pglocal",
	"sshtest", "archtest", "desktest", "apitest", "s3test", "connectortest", "supervised", "console", "backup"}

func TestEverySentenceOfAFaultHasWords(t *testing.T) {
	said := readSpoken(t, "../../internal", "../../pipelines", "../../connectors", "../../catalog")
	for _, lang := range Languages {
		if lang == "en" {
			continue
		}
		words, err := readSentences(web.Files, lang)
		if err != nil {
			t.Fatal(err)
		}
		for kind, texts := range map[string]map[string]string{"hint": said.hints, "cause": said.causes, "note": said.notes} {
			for _, text := range slices.Sorted(maps.Keys(texts)) {
				if got, known := words.in(strings.ReplaceAll(text, "{}", "7")); !known {
					t.Errorf("%s: the %s has no words in %s: %s", texts[text], kind, lang, text)
				} else if lang == "zh" && !chinese(got) {
					t.Errorf("%s: the words for %q are not Chinese: %s", texts[text], text, got)
				}
			}
		}
		for _, text := range slices.Sorted(maps.Keys(said.ops)) {
			if _, known := words.doing(strings.ReplaceAll(text, "{}", "7")); !known {
				t.Errorf("%s: what is tried has no words in %s: %s", said.ops[text], lang, text)
			}
		}
		unused(t, lang, said)
	}
}

// unused finds sentences that nobody says any more. What is put together while it runs stands in composed.yaml.
func unused(t *testing.T, lang string, said spoken) {
	t.Helper()
	for file, texts := range map[string]map[string]string{"ops": said.ops, "hints": said.hints, "causes": said.causes, "notes": said.notes} {
		text, err := fs.ReadFile(web.Files, "locales/"+lang+"/sentences/"+file+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var part map[string]string
		if err := yaml.Unmarshal(text, &part); err != nil {
			t.Fatal(err)
		}
		for _, sentence := range slices.Sorted(maps.Keys(part)) {
			if _, is := texts[sentence]; !is {
				t.Errorf("%s/%s.yaml has words for what nobody says: %s", lang, file, sentence)
			}
		}
	}
}

// verbs are the places of a format.
var verbs = regexp.MustCompile(`%[-+# 0]*\d*(\.\d+)?[a-zA-Z]`)

// blank is what is no word: a text that holds hardly more is filled by other sentences.
var blank = regexp.MustCompile(`[{}\s:;,."()%]`)

func readSpoken(t *testing.T, roots ...string) spoken {
	t.Helper()
	s := spoken{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}}
	for _, root := range append(roots, ".") {
		err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() && root != "." && slices.Contains(elsewhere, e.Name()):
				return filepath.SkipDir
			case e.IsDir() || filepath.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go"):
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
			if err == nil {
				(&source{spoken: s, path: p, file: file, helpers: map[string]helper{}}).read()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(s.ops) < 50 || len(s.hints) < 100 || len(s.causes) < 100 || len(s.notes) < 5 {
		t.Fatalf("the tree says hardly anything: %d, %d, %d, %d", len(s.ops), len(s.hints), len(s.causes), len(s.notes))
	}
	return s
}

// source is one file that is read.
type source struct {
	spoken
	path    string
	file    *ast.File
	helpers map[string]helper
}

// helper is a small function that makes the faults of a file: where its hint and its cause stand among
// its parameters; -1: nowhere.
type helper struct{ hint, cause int }

func (s *source) read() {
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch f := n.(type) {
		case *ast.FuncDecl:
			s.helps(f.Name.Name, f.Type, f.Body)
		case *ast.AssignStmt:
			for i := range min(len(f.Lhs), len(f.Rhs)) {
				if body, is := f.Rhs[i].(*ast.FuncLit); is {
					s.helps(named(f.Lhs[i]), body.Type, body.Body)
				}
			}
		}
		return true
	})
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.CompositeLit:
			if named(x.Type) == "fault.Error" {
				for _, e := range x.Elts {
					if pair, is := e.(*ast.KeyValueExpr); is {
						switch named(pair.Key) {
						case "Op":
							s.take(s.ops, pair.Value)
						case "Hint":
							s.take(s.hints, pair.Value)
						case "Err":
							s.take(s.causes, pair.Value)
						}
					}
				}
			}
		case *ast.CallExpr:
			name := named(x.Fun)
			if name == "fault.Newf" {
				s.take(s.ops, x.Args[1])
				s.take(s.causes, x.Args[2])
			}
			// Accounts gather all that is wrong with a form before they make one fault of it.
			if strings.Contains(s.path, "/internal/auth/") && slices.Contains([]string{"errors.New", "fmt.Errorf", "add"}, name) {
				s.take(s.causes, x.Args[0])
			}
			if name == "chain.Notef" {
				s.take(s.notes, x.Args[0])
			}
			if h, is := s.helpers[name]; is {
				if h.hint >= 0 && h.hint < len(x.Args) {
					s.take(s.hints, x.Args[h.hint])
				}
				if h.cause >= 0 && h.cause < len(x.Args) {
					s.take(s.causes, x.Args[h.cause])
				}
			}
		}
		return true
	})
}

func (s *source) helps(name string, sign *ast.FuncType, body *ast.BlockStmt) {
	makes := false
	if body != nil {
		ast.Inspect(body, func(n ast.Node) bool {
			lit, is := n.(*ast.CompositeLit)
			makes = makes || is && named(lit.Type) == "fault.Error"
			return !makes
		})
	}
	if !makes {
		return
	}
	h, at := helper{-1, -1}, 0
	for _, field := range sign.Params.List {
		for _, p := range field.Names {
			switch p.Name {
			case "hint":
				h.hint = at
			case "format", "why", "what":
				h.cause = at
			}
			at++
		}
	}
	if h.hint >= 0 || h.cause >= 0 {
		s.helpers[name] = h
	}
}

// take keeps a text with its place. A variable stands for every text that the file gives to its name.
func (s *source) take(to map[string]string, e ast.Expr) {
	if id, is := e.(*ast.Ident); is {
		for _, given := range s.given(id.Name) {
			s.take(to, given)
		}
		return
	}
	if said := text(e); len(blank.ReplaceAllString(said, "")) > 2 {
		to[said] = s.path
	}
}

func (s *source) given(name string) (texts []ast.Expr) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		names, values := []ast.Expr{}, []ast.Expr{}
		switch x := n.(type) {
		case *ast.AssignStmt:
			names, values = x.Lhs, x.Rhs
		case *ast.ValueSpec:
			for _, id := range x.Names {
				names = append(names, id)
			}
			values = x.Values
		}
		for i := range min(len(names), len(values)) {
			if id, is := names[i].(*ast.Ident); is && id.Name == name {
				if _, again := values[i].(*ast.Ident); !again && text(values[i]) != "{}" {
					texts = append(texts, values[i])
				}
			}
		}
		return true
	})
	return texts
}

// named gives the name of a type, a function or a key: "fault.Error", "bad".
func named(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return named(x.X) + "." + x.Sel.Name
	}
	return ""
}

// text gives what an expression says, with {} for what only shows while it runs.
func text(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.BasicLit:
		said, _ := strconv.Unquote(x.Value)
		said = strings.ReplaceAll(said, "%q", `"{}"`)
		return verbs.ReplaceAllString(said, "{}")
	case *ast.BinaryExpr:
		return text(x.X) + text(x.Y)
	case *ast.ParenExpr:
		return text(x.X)
	case *ast.CallExpr:
		switch named(x.Fun) {
		case "fmt.Sprintf", "fmt.Errorf", "errors.New", "chain.Notef":
			return text(x.Args[0])
		case "strconv.Quote", "quoted":
			return `"{}"`
		}
	}
	return "{}"
}
