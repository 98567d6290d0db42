package catalog

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

var shipped = sync.OnceValue(func() *Catalog { c, _ := Load(Files); return c })

func TestTheShippedCatalogueHasNoFault(t *testing.T) {
	_, faults := Load(Files)
	for _, f := range faults {
		t.Error(f)
	}
}

// The counts are those of the catalogue that the project promises: the Wugang annex's departments with our datasets, and
// what the platforms bring.
func TestTotalsAreThePromisedOnes(t *testing.T) {
	got := shipped().Totals()
	if got.Departments != 26 || got.Platforms != 8 || got.Families != 12 || got.Datasets != 84+24 || got.OfPlatforms != 24 || got.Calendars != 7 {
		t.Errorf("got %+v", got)
	}
	ways, classes := map[string]int{}, map[string]int{}
	for _, d := range shipped().Datasets {
		if _, ok := shipped().Department(d.Owner); ok {
			ways[d.Way]++
			classes[d.Class]++
		}
	}
	if want := map[string]int{"files": 56, "dbtable": 17, "restapi": 11}; !maps.Equal(ways, want) {
		t.Errorf("departments' datasets by way: %v, want %v", ways, want)
	}
	if want := map[string]int{"C01": 6, "C03": 41, "C05": 2, "C06": 7, "C07": 3, "C09": 17, "C10": 4, "C11": 4}; !maps.Equal(classes, want) {
		t.Errorf("departments' datasets by class: %v, want %v", classes, want)
	}
	for i, d := range shipped().Departments {
		if d.Order != i+1 {
			t.Errorf("department %d of the annex is %s with order %d", i+1, d.ID, d.Order)
		}
	}
}

func TestTheSetsOfDoublePublicityHaveTheirItemsInOrder(t *testing.T) {
	numbers := []string{"SHXYM", "GSZC", "ZZJG", "SWDJ", "SYDW", "SHZZ"}
	licence := strings.Fields("XK_XDR_MC XK_XDR_LB * XK_FRDB XK_FR_ZJLX XK_FR_ZJHM XK_XDR_ZJLX XK_XDR_ZJHM XK_XKWS XK_WSH XK_XKLB XK_XKZS XK_XKBH XK_NR " +
		"XK_JDRQ XK_YXQZ XK_YXQZI XK_XKJG XK_XKJGDM XK_ZT XK_LYDW XK_LYDWDM BZ")
	penalty := strings.Fields("CF_XDR_MC CF_XDR_LB * CF_FRDB CF_FR_ZJLX CF_FR_ZJHM CF_XDR_ZJLX CF_XDR_ZJHM CF_WSH CF_WFXW CF_SY CF_YJ CF_CFLB CF_NR CF_NR_FK " +
		"CF_NR_WFFF CF_NR_ZKDX CF_JDRQ CF_YXQ CF_GSJZQ CF_CFJG CF_CFJGDM CF_SJLY CF_SJLYDM BZ")
	for id, want := range map[string][]string{"xk-2018": licence, "cf-2018": penalty} {
		set, _ := shipped().FieldSet(id)
		at := slices.Index(want, "*")
		want = slices.Delete(want, at, at+1)
		for i, n := range numbers {
			want = slices.Insert(want, at+i, want[0][:2]+"_XDR_"+n)
		}
		var got []string
		for _, f := range set.Fields {
			got = append(got, f.Name)
			if personal := strings.HasSuffix(f.Name, "ZJHM") || strings.HasSuffix(f.Name, "FRDB"); personal != (f.Sensitivity == "personal") {
				t.Errorf("%s: sensitivity %q", f.Name, f.Sensitivity)
			}
		}
		if !slices.Equal(got, want) || len(want) != map[string]int{"xk-2018": 28, "cf-2018": 30}[id] {
			t.Errorf("%s has %d items:\n%v, want\n%v", id, len(got), got, want)
		}
	}
}

func TestAContractInheritsAndItsOwnEntriesWin(t *testing.T) {
	d, ok := shipped().Dataset("cult.penalty")
	if !ok {
		t.Fatal("cult.penalty is not there")
	}
	if d.Subject != (Subject{USCC: "CF_XDR_SHXYM", Name: "CF_XDR_MC", Category: "CF_XDR_LB"}) {
		t.Errorf("subject %+v", d.Subject)
	}
	if _, ok := d.Field("uscc"); ok || d.Aliases["uscc"] != "CF_XDR_SHXYM" {
		t.Error("uscc must be another name of CF_XDR_SHXYM here, not a second field")
	}
	if d.Map["level"].Field != "severity" || d.Map["doc_no"].Field != "CF_WSH" || d.Map["fine_fen"].Field != "CF_NR_FK" {
		t.Errorf("map %+v", d.Map)
	}
	if d.Kind.Const != "penalty" || d.Aliases["CF_XDR"] != "CF_XDR_MC" || len(d.SHA256) != 64 || d.File != "datasets/cult/penalty.yaml" {
		t.Errorf("got %+v", d)
	}
	set, _ := shipped().FieldSet("cf-2018")
	if set.Map["level"].Field != "" || len(set.Fields) != 30 {
		t.Error("putting the contract together changed the field set")
	}
}

func TestASourceOfTheOldStyleSaysSoInItsContract(t *testing.T) {
	fsys := small()
	fsys["datasets/amr/permit.yaml"] = file(`
		id: amr.permit
		title: {zh: 许可, en: licences}
		owner: amr
		family: licence
		kind: licence
		class: C03
		share: unconditional
		way: files
		cycle: daily
		version: 1
		use: [common, xk-2018, xk-2015]
		key: [source_record_id]`)
	c, faults := Load(fsys)
	d, ok := c.Dataset("amr.permit")
	if !ok || len(faults) > 0 {
		t.Fatalf("faults: %v", faults)
	}
	status, _ := d.Field("XK_ZT")
	if status.Codes != "status-2015" || d.Map["level"].Values["1"] != "revoked" || d.Aliases["XK_SXQ"] != "XK_YXQZ" {
		t.Errorf("status %+v, level %+v", status, d.Map["level"])
	}
}

// small is a catalogue with all that is shared and one department, and no dataset.
func small() fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, pattern := range []string{"families/*.yaml", "fieldsets/*.yaml", "codes/*.yaml", "rules/*.yaml", "departments/*.yaml", "platforms/*.yaml", "calendars/2025.yaml"} {
		names, _ := fs.Glob(Files, pattern)
		for _, name := range names {
			text, _ := fs.ReadFile(Files, name)
			fsys[name] = &fstest.MapFile{Data: text}
		}
	}
	fsys["datasets/amr/good.yaml"] = file(goodDataset)
	return fsys
}

const goodDataset = `
	id: amr.good
	title: {zh: 名录, en: list}
	owner: amr
	family: listing
	kind: abnormal_list
	class: C05
	share: unconditional
	way: files
	cycle: daily
	version: 1
	use: [common]
	fields:
	  - {name: list_date, type: date, title: {zh: 列入日期, en: listed on}, required: true}
	  - {name: reason, type: text, title: {zh: 原因, en: reason}}
	key: [source_record_id]
	map: {listed_on: list_date}
	checks:
	  - {code: DATE_FUTURE, message: {zh: 日期, en: date}, rule: not_future, fields: [list_date]}`

// file takes the indentation of the test off a text; its first line is line 1.
func file(text string) *fstest.MapFile {
	lines := strings.Split(strings.TrimPrefix(text, "\n"), "\n")
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], "\t"))]
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return &fstest.MapFile{Data: []byte(strings.Join(lines, "\n") + "\n")}
}

// Each case changes the good file and names a fault that this must give.
func TestFaultsNameFileAndLine(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"an unknown key", "version: 1", "version: 1\nowners: amr", `11: key "owners" is unknown here`},
		{"an unknown key in a field", "{name: reason,", "{name: reason, kind: x,", `14: key "kind" is unknown here`},
		{"an unknown key in a mapping", "{listed_on: list_date}", "{listed_on: {feld: list_date}}", `16: key "feld" is unknown here`},
		{"a key given twice", "class: C05", "class: C05\nclass: C06", `7: mapping key "class" already defined at line 6`},
		{"broken YAML", "key: [source_record_id]", "key: [source_record_id", `15: did not find expected ',' or ']'`},
		{"a word where a number belongs", "version: 1", "version: one", "10: a str `one` stands where a whole number belongs"},
		{"an id that is not the file's", "id: amr.good", "id: amr.other", "1: dataset amr.other of amr belongs in datasets/amr/, in a file named for what follows the point; this is datasets/amr/good.yaml"},
		{"an owner nobody knows", "owner: amr", "owner: nobody", "3: owner \"nobody\" is no department and no platform"},
		{"no English title", "{zh: 名录, en: list}", "{zh: 名录}", "2: a title is needed in zh and en"},
		{"a class that is none", "C05", "C14", `6: class "C14" is not in the code list catalogue-class`},
		{"a way that is none", "way: files", "way: mail", `8: "mail" is none of restapi, dbtable, files`},
		{"a family that is none", "family: listing", "family: lists", `4: family "lists" is unknown or has faults`},
		{"a kind that is none", "kind: abnormal_list", "kind: abnormal", `5: kind "abnormal" is none of family listing`},
		{"a kind value that is none", "kind: abnormal_list", "kind: {field: reason, values: {异常: abnormal}}", `5: kind "abnormal" is none of family listing`},
		{"a field set that is none", "use: [common]", "use: [common, cf-2017]", `11: field set "cf-2017" is unknown or has faults`},
		{"a field type that is none", "type: date", "type: day", `13: "day" is none of text`},
		{"a field given twice", "{name: reason,", "{name: list_date,", `14: field "list_date": every field needs a name of its own`},
		{"a code list that is none", "en: reason}}", "en: reason}, codes: reasons}", `14: field reason: code list "reasons" is unknown or has faults`},
		{"no key", "key: [source_record_id]", "key: []", "15: a dataset needs a record key"},
		{"a key field that is none", "key: [source_record_id]", "key: [source_record_id, number]", `15: key: field "number" is unknown`},
		{"a key field that may be empty", "key: [source_record_id]", "key: [reason]", "15: key: field reason must be required"},
		{"a column the family lacks", "{listed_on: list_date}", "{listed: list_date}", "16: family listing has no column listed"},
		{"a mapping from no field", "{listed_on: list_date}", "{listed_on: date}", `16: listed_on: field "date" is unknown`},
		{"a mapping of the wrong type", "{listed_on: list_date}", "{listed_on: reason}", "16: listed_on: a date cannot be made from field reason of type text"},
		{"a mapping with two sources", "{listed_on: list_date}", "{listed_on: {field: list_date, const: x}}", "16: listed_on: exactly one of field, first and const is needed"},
		{"a check rule that is none", "rule: not_future", "rule: future", `18: check DATE_FUTURE: rule "future" is none of not_after, not_future, positive_iff, required_if, uscc`},
		{"a check on no date", "fields: [list_date]", "fields: [reason]", "18: check DATE_FUTURE: field reason is no date"},
		{"a check with too few fields", "rule: not_future", "rule: not_after", "18: check DATE_FUTURE: rule not_after takes 2 fields"},
		{"a drift policy that is none", "version: 1", "version: 1\ndrift: {unknown: ignore}", `11: "ignore" is none of`},
		{"a type that should evolve", "version: 1", "version: 1\ndrift: {type: evolve}", `11: "evolve" is none of`},
		{"a share beyond all", "version: 1", "version: 1\ndrift: {share: 101}", "11: share is a percentage"},
		{"a field's drift policy that is none", "version: 1", "version: 1\ndrift: {fields: {reason: drop}}", `11: "drop" is none of evolve, quarantine, freeze`},
		{"a stock that is none", "version: 1", "version: 1\nstock: half", `11: "half" is none of whole`},
		{"a guard beyond all", "version: 1", "version: 1\nguard: {least: 101}", "11: least is a share of a usual pull in percent, 0 to 100"},
		{"a guard of news below nothing", "version: 1", "version: 1\nguard: {least_new: -1}", "11: least_new is a share of a usual pull in percent, 0 to 100"},
		{"a duty from no date", "version: 1", "version: 1\nduty: {working_days: 7, from: reason}", `11: a duty counts working days from a date field; "reason" is none`},
		{"an alias to no field", "key: [", "aliases: {LRRQ: list_day}\nkey: [", `15: alias LRRQ: field "list_day" is unknown`},
		{"an alias that is one of its own fields", "key: [", "aliases: {reason: list_date}\nkey: [", "15: alias reason is the name of a field"},
		{"a set whose columns the family lacks", "use: [common]", "use: [common, cf-2018]", "11: family listing has no column"},
		{"two documents", "id: amr.good", "id: amr.good\n---\nid: x", "1: the file must hold one document, and holds more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := small()
			bad := strings.Replace(string(fsys["datasets/amr/good.yaml"].Data), c.from, c.to, 1)
			if bad == string(fsys["datasets/amr/good.yaml"].Data) {
				t.Fatal("the case changes nothing")
			}
			fsys["datasets/amr/good.yaml"] = &fstest.MapFile{Data: []byte(bad)}
			fsys["datasets/amr/other.yaml"] = file(strings.ReplaceAll(goodDataset, "amr.good", "amr.other"))
			cat, faults := Load(fsys)
			if _, ok := cat.Dataset("amr.good"); ok {
				t.Error("the broken file must be left out")
			}
			if _, ok := cat.Dataset("amr.other"); !ok {
				t.Error("the other file must load")
			}
			named := func(f Fault) bool { return strings.HasPrefix(f.Error(), "datasets/amr/good.yaml:"+c.want) }
			if !slices.ContainsFunc(faults, named) || slices.ContainsFunc(faults, func(f Fault) bool { return f.File != "datasets/amr/good.yaml" }) {
				t.Errorf("got %v\nwant datasets/amr/good.yaml:%s", faults, c.want)
			}
		})
	}
}

func TestAllFaultsComeAtOnce(t *testing.T) {
	fsys := small()
	fsys["datasets/amr/good.yaml"].Data = []byte(strings.NewReplacer("C05", "C99", "way: files", "way: mail", "type: date", "type: day").Replace(string(fsys["datasets/amr/good.yaml"].Data)))
	fsys["codes/bad.yaml"] = file("\nid: bad\ntitle: {zh: 坏, en: bad}\nvalues:\n  - {code: a, zh: 甲, en: a}\n  - {code: b, zh: 乙, en: b, alias: [甲]}")
	fsys["families/listing.yaml"] = &fstest.MapFile{Data: append(fsys["families/listing.yaml"].Data, "colums: []\n"...)}
	_, faults := Load(fsys)
	var files []string
	for _, f := range faults {
		files = append(files, fmt.Sprintf("%s:%d", f.File, f.Line))
	}
	want := []string{"codes/bad.yaml:5", "datasets/amr/good.yaml:4", "datasets/amr/good.yaml:6", "datasets/amr/good.yaml:8", "datasets/amr/good.yaml:13", "families/listing.yaml:"}
	for _, w := range want {
		if !slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(f, w) }) {
			t.Errorf("no fault at %s among %v", w, faults)
		}
	}
}

func TestAFileThatNothingReadsIsAFault(t *testing.T) {
	fsys := small()
	for _, name := range []string{"datasets/lost.yaml", "departments/amr.yml", "rules/periods.yaml", "dataset/amr/good.yaml"} {
		fsys[name] = file("\nid: x")
	}
	for _, name := range []string{"README.md", "xinshu.yaml", ".git/config.yaml"} {
		fsys[name] = file("\nnot ours")
	}
	_, faults := Load(fsys)
	var files []string
	for _, f := range faults {
		files = append(files, f.File)
	}
	if want := []string{"dataset/amr/good.yaml", "datasets/lost.yaml", "departments/amr.yml", "rules/periods.yaml"}; !slices.Equal(files, want) {
		t.Errorf("got %v, want faults in %v", faults, want)
	}
}

func TestTwoDepartmentsCannotHaveOnePlace(t *testing.T) {
	fsys := small()
	fsys["departments/tax.yaml"].Data = []byte(strings.Replace(string(fsys["departments/tax.yaml"].Data), "order: 9", "order: 1", 1))
	if _, faults := Load(fsys); len(faults) != 1 || faults[0].Error() != "departments/tax.yaml:2: order 1 is that of amr" {
		t.Errorf("got %v", faults)
	}
}

func TestTheHashCoversWhatDecidesARow(t *testing.T) {
	hash := func(change string) string {
		fsys := small()
		if change != "" {
			fsys[change].Data = append(fsys[change].Data, "# changed\n"...)
		}
		c, _ := Load(fsys)
		d, _ := c.Dataset("amr.good")
		return d.SHA256
	}
	first := hash("")
	if again := hash("codes/severity.yaml"); first == "" || again != first {
		t.Errorf("a file that the contract does not use changed its hash: %s, %s", first, again)
	}
	for _, change := range []string{"datasets/amr/good.yaml", "fieldsets/common.yaml", "families/listing.yaml", "codes/op.yaml"} {
		if hash(change) == first {
			t.Errorf("a change of %s leaves the hash", change)
		}
	}
}

func TestShowAndListKnowEveryThing(t *testing.T) {
	c := shipped()
	parts := map[string]int{}
	for _, item := range c.List() {
		parts[item.Part]++
		if _, ok := c.Show(item.ID); !ok || item.Title.ZH == "" {
			t.Errorf("%s %s is listed and not shown", item.Part, item.ID)
		}
	}
	totals := c.Totals()
	want := map[string]int{
		"department": totals.Departments, "platform": totals.Platforms, "family": totals.Families, "fieldset": totals.FieldSets, "codes": totals.CodeLists,
		"dataset": totals.Datasets, "policy": totals.Policies, "rules": totals.Rules, "calendar": totals.Calendars,
	}
	if !maps.Equal(parts, want) {
		t.Errorf("listed %v, loaded %v", parts, want)
	}
	if _, ok := c.Show("nothing.such"); ok {
		t.Error("what is not there was shown")
	}
}

func TestARecordedPilotCodeIsValidInItsCatalogue(t *testing.T) {
	fsys := small()
	fsys[overridesFile] = file("\noverrides:\n  - {code: 91410481M0001XUF46, decided_by: 市信用办, decided_on: 2025-03-01, evidence: 公示系统查询页}")
	c, faults := Load(fsys)
	if v := c.CheckUSCC("91410481m0001xuf46"); !v.Valid || len(faults) > 0 {
		t.Errorf("%+v, %v", v, faults)
	}
	if v := shipped().CheckUSCC("91410481M0001XUF46"); v.Valid {
		t.Error("no code may be let in that nobody recorded")
	}
	for _, code := range []string{"91330100799655058B", "91330100799655O58B", "11010519491231002X"} {
		fsys[overridesFile] = file("\noverrides:\n  - {code: " + code + ", decided_by: 市信用办, decided_on: 2025-03-01, evidence: 公示系统查询页}")
		if _, faults := Load(fsys); len(faults) != 1 || faults[0].Line != 2 || strings.Contains(faults[0].Message, "19491231") {
			t.Errorf("%s: %v", code, faults)
		}
	}
}

// FuzzLoad tries one text as each kind of file: whatever it holds, it loads or gives faults with lines.
func FuzzLoad(f *testing.F) {
	f.Add(string(file(goodDataset).Data))
	for _, name := range []string{"fieldsets/xk-2018.yaml", "codes/op.yaml", "families/listing.yaml", "calendars/2025.yaml", "rules/severity-order-36.yaml"} {
		text, err := fs.ReadFile(Files, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("id: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		l := &loader{cat: shipped(), texts: map[string][]byte{}}
		try(t, text, "datasets/amr/good.yaml", l.dataset)
		try(t, text, "fieldsets/xk-2018.yaml", l.fieldSet)
		try(t, text, "codes/op.yaml", l.codeList)
		try(t, text, "families/listing.yaml", l.family)
		try(t, text, "rules/severity-order-36.yaml", l.severity)
		try(t, text, "rules/publicity-order-36.yaml", l.publicity)
		try(t, text, "calendars/2025.yaml", l.year)
	})
}

func try[T any](t *testing.T, text, name string, check func(*T, place) []Fault) {
	var v T
	at, faults := decode(name, []byte(text), &v)
	if len(faults) == 0 {
		faults = check(&v, at)
	}
	lines := 1
	for _, breaks := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} { // YAML counts them all
		lines += strings.Count(text, breaks)
	}
	for _, f := range faults {
		if f.File != name || f.Line < 1 || f.Line > lines || f.Message == "" {
			t.Fatalf("a fault that leads nowhere: %+v in %q", f, text)
		}
	}
}
