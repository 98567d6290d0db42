package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/alerts"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/chain"
	"xinshu/pipelines/schedule"
	"xinshu/web"
)

// wanted asks for words in every language, and notes who wants them.
type wanted struct {
	t     *testing.T
	words map[string]map[string]string
}

func want(t *testing.T) wanted {
	t.Helper()
	w := wanted{t, map[string]map[string]string{}}
	for _, lang := range Languages {
		var err error
		if w.words[lang], err = readWords(web.Files, lang); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w wanted) key(key, why string) {
	w.t.Helper()
	for _, lang := range Languages {
		if said, known := w.words[lang][key]; !known {
			w.t.Errorf("%s: %s has no words in %s", why, key, lang)
		} else if lang == "zh" && !chinese(said) {
			w.t.Errorf("%s: the words for %s are not Chinese: %s", why, key, said)
		}
	}
}

func TestEveryValueThatAPageShowsHasWords(t *testing.T) {
	w := want(t)
	for _, k := range cases.Kinds {
		w.key("case.kind."+string(k), "cases")
	}
	for _, s := range cases.States {
		w.key("case.state."+string(s), "cases")
	}
	for _, e := range cases.EvidenceKinds {
		w.key("evidence."+e, "cases")
	}
	for _, rule := range alerts.Names {
		w.key("alerts.rule."+rule, "alerts")
	}
	for _, alarm := range []string{chain.FeedEmpty, chain.FeedFew, chain.FeedLate, chain.FeedFewNew} {
		w.key("alarm."+alarm, "feeds")
	}
	for _, state := range schedule.States {
		w.key("status."+state, "tasks")
	}
	for _, do := range schedule.Doings {
		w.key("do."+do, "tasks")
	}
	for _, role := range auth.Roles {
		w.key("role."+string(role), "roles")
	}
	for _, why := range constants(t, "../../pipelines/schedule/task.go", regexp.MustCompile(`^Why`)) {
		w.key("why."+why, "tasks")
	}
	for _, code := range constants(t, "../fault/fault.go", regexp.MustCompile(`.`)) {
		w.key("fault."+code, "faults")
	}
	for _, code := range connectors.FindingCodes {
		w.key("found."+code, "tests of connections")
	}
}

// constants gives the values of the text constants of a file whose names fit.
func constants(t *testing.T, path string, fits *regexp.Regexp) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		for i := range func() int {
			if !is {
				return 0
			}
			return min(len(spec.Names), len(spec.Values))
		}() {
			if said := text(spec.Values[i]); fits.MatchString(spec.Names[i].Name) && said != "{}" {
				values = append(values, said)
			}
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("%s has no such constants", path)
	}
	return values
}

// given are grades as those who give them write them: they are their own words.
var given = regexp.MustCompile(`^([A-Z]|\*)$`)

func TestEveryKindLevelAndTypeOfTheCatalogueHasWords(t *testing.T) {
	w := want(t)
	cat, _ := catalog.Load(catalog.Files)
	for _, family := range cat.Families {
		for kind, levels := range family.Kinds {
			w.key("catalogue.kind."+kind, family.ID)
			for _, level := range levels {
				if !given.MatchString(level) {
					w.key("level."+kind+"."+level, family.ID)
				}
			}
		}
		for _, column := range family.Columns {
			w.key("type."+column.Type, family.ID)
		}
	}
	w.key("diff.dataset", "a contract that is new")
	for _, ds := range cat.Datasets {
		other := cat.Datasets[0]
		other.Version, other.Aliases = ds.Version+1, map[string]string{"a": "uscc"}
		for _, change := range catalog.Diff(ds, other) {
			w.key("diff."+change.What, "changes of a contract")
		}
		w.key("catalogue.cycle."+ds.Cycle, ds.ID)
		w.key("catalogue.share."+ds.Share, ds.ID)
		w.key("deliveries.way."+ds.Way, ds.ID)
		for _, f := range ds.Fields {
			w.key("type."+f.Type, ds.ID)
		}
	}
	if len(cat.Families) == 0 || len(cat.Datasets) == 0 {
		t.Fatal("the catalogue is empty")
	}
}

// putTogether are the actions whose names are made while the hub runs.
var putTogether = map[string][]string{
	"{}.try":     {"source.try", "target.try"},
	"{}.save":    {"source.save", "target.save"},
	"{}.remove":  {"source.remove", "target.remove"},
	"{}.export":  {"source.export", "target.export"},
	"release.{}": {"release.approved", "release.refused", "release.withdrawn"},
	"case.{}":    {"case.accept", "case.refuse", "case.ask", "case.supply", "case.decide", "case.confirm", "case.return", "case.withdraw", "case.close"},
}

// handedOn are actions that a function is given: they are read where it is called.
var handedOn = map[string]int{"d.note": 1, "d.fetched": 1, "s.keep": 2}

func TestEveryActOfTheTrailHasWords(t *testing.T) {
	w, found := want(t), 0
	take := func(path string, file *ast.File, e ast.Expr) {
		s := source{path: path, file: file, spoken: spoken{hints: map[string]string{}}}
		s.take(s.hints, e)
		for said := range s.hints {
			actions := []string{said}
			if made, is := putTogether[said]; is {
				actions = made
			} else if strings.Contains(said, "{}") {
				t.Errorf("%s: the action %s is made while the hub runs: say in the test what it may be", path, said)
				continue
			}
			for _, action := range actions {
				found++
				w.key("act."+action, path)
			}
		}
	}
	for _, root := range []string{"../../internal", "../../cmd", "../../pipelines"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.CompositeLit:
					if !slices.Contains([]string{"auth.Act", "Act"}, named(x.Type)) {
						return true
					}
					for _, e := range x.Elts {
						if pair, is := e.(*ast.KeyValueExpr); is && named(pair.Key) == "Action" {
							take(path, file, pair.Value)
						} else if is && named(pair.Key) == "Kind" && text(pair.Value) != "{}" {
							w.key("subject."+text(pair.Value), path)
						} else if is && named(pair.Key) == "Detail" {
							details(pair.Value, func(name string) { w.key("detail."+name, path) })
						}
					}
				case *ast.CallExpr:
					if at, is := handedOn[named(x.Fun)]; is && at < len(x.Args) {
						take(path, file, x.Args[at])
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 40 {
		t.Errorf("only %d actions were found", found)
	}
}

func details(e ast.Expr, name func(string)) {
	if lit, is := e.(*ast.CompositeLit); is {
		for _, e := range lit.Elts {
			if pair, is := e.(*ast.KeyValueExpr); is && text(pair.Key) != "{}" {
				name(text(pair.Key))
			}
		}
	}
}

func TestFaultsAreToldInTheReadersLanguage(t *testing.T) {
	files := web.Files
	words, err := readWords(files, "zh")
	if err != nil {
		t.Fatal(err)
	}
	said, err := readSentences(files, "zh")
	if err != nil {
		t.Fatal(err)
	}
	zh := &views{lang: "zh", words: words, sentences: said, lack: func(key string) { t.Errorf("no words for %s", key) }}
	zh.sentences.value = zh.value
	for name, c := range map[string]struct {
		text string
		want told
	}{
		"what was tried, why and what to do are taken apart": {"pull court.debtor: it answered nonsense of some other kind (check page_param and next_path)",
			told{Why: []string{"拉取 court.debtor"}, Do: []string{"请检查 page_param 和 next_path"}, Original: []string{"pull court.debtor: it answered nonsense of some other kind (check page_param and next_path)"}}},
		"nothing is left of a sentence that has words": {"open a case: there is no such case", told{Why: []string{"登记申请", "没有这个案件"}}},
		"a driver's sentence stays, behind what it was about": {"reach the database: dial tcp 10.1.2.3:5432: i/o timeout",
			told{Why: []string{"连接数据库"}, Original: []string{"reach the database: dial tcp 10.1.2.3:5432: i/o timeout"}}},
		"half a sentence is not put into words": {"read the form: there is no route to the host over there", told{Why: []string{"读取表单"}, Original: []string{"read the form: there is no route to the host over there"}}},
		"a bracket that holds no hint stays":    {"read the form: nonsense (of some kind)", told{Why: []string{"读取表单"}, Original: []string{"read the form: nonsense (of some kind)"}}},
		"a platform's Chinese is said as it is": {"push to housing: 目标平台维护中", told{Why: []string{"推送到 housing", "目标平台维护中"}}},
	} {
		got := zh.tell(c.text)
		if !slices.Equal(got.Why, c.want.Why) || !slices.Equal(got.Do, c.want.Do) || !slices.Equal(got.Original, c.want.Original) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	alarm := zh.alarm(catalog.Text{ZH: "任务 nightly@1（nightly, pull court/court.debtor）失败，等待处理：reach the database: dial tcp 10.1.2.3:5432: i/o timeout"})
	if alarm.Lead != "任务 nightly@1（nightly，拉取 court/court.debtor）失败，等待处理" || !slices.Equal(alarm.Why, []string{"连接数据库"}) || len(alarm.Original) != 1 {
		t.Errorf("the alert is told as %+v", alarm)
	}
	if whole := zh.alarm(catalog.Text{ZH: "磁盘剩余 5 MB：请清理"}); whole.Lead != "磁盘剩余 5 MB：请清理" || whole.Why != nil {
		t.Errorf("the alert is told as %+v", whole)
	}
	for text, want := range map[string]string{
		"read 412, accepted 400, duplicate 9, quarantined 3, skipped 0, gone 2": "读取 412，接收 400，重复 9，隔离 3，略过 0，消失 2",
		"the source gave no row, ON HOLD: no row came, 12 are usual":            "来源没有数据行，已暂停采信：没有到数，通常 12 行",
		"grade henan-2020 is in use by nightly@1":                               "grade henan-2020 正被 nightly@1 使用",
		"it is upheld already, by user:li.jing on 2026-02-16":                   "已是“已支持”状态，由 用户 li.jing 于 2026-02-16 办理",
		"name at least one of commitment, training":                             "请至少提供其中一种：信用承诺、专题培训",
		"one of [pull settle]":                                                  "可选 拉取、归并",
		"3 changed, 7 new":                                                      "变化 3，首次 7",
		"held: 2026-02-16 is not a cut-off date (12-31) of this yearly policy":  "暂不发布：2026-02-16 不是此年度办法的评价基准日（12-31）",
		strings.Repeat("no row came, ", 5000):                                   strings.Repeat("no row came, ", 5000),
	} {
		if got := zh.note(text); got != want {
			t.Errorf("%.60s: %.100s", text, got)
		}
	}
}
