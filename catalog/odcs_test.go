package catalog

import (
	"maps"
	"reflect"
	"strings"
	"testing"
)

// laid loads a contract's file over the shipped catalogue and gives what it says.
func laid(t *testing.T, path, id string, text []byte) Dataset {
	t.Helper()
	cat, faults := Load(Layer(Texts{path: text}, Files))
	for _, f := range faults {
		t.Errorf("%s", f)
	}
	ds, ok := cat.Dataset(id)
	if !ok {
		t.Fatalf("there is no %s in\n%s", id, text)
	}
	return ds
}

// TestEveryContractGoesOutAndComesBack exports each shipped dataset and imports it into a catalogue
// that does not have it: what comes back says the same.
func TestEveryContractGoesOutAndComesBack(t *testing.T) {
	cat := shipped()
	empty := *cat
	empty.datasets, empty.Datasets = map[string]int{}, nil
	files, count := Texts{}, 0
	for _, ds := range cat.Datasets {
		body, err := ds.ODCS()
		if err != nil {
			t.Fatal(err)
		}
		path, text, notes, faults := empty.FromODCS(ds.ID+".yaml", body)
		if len(faults) > 0 || len(notes) > 0 {
			t.Errorf("%s: %v %v", ds.ID, faults, notes)
			continue
		}
		if path != ds.File {
			t.Errorf("%s goes to %s, not %s", ds.ID, path, ds.File)
		}
		files[path] = text
		count++
	}
	back, faults := Load(Layer(files, Files))
	for _, f := range faults {
		t.Errorf("%s", f)
	}
	for _, ds := range cat.Datasets {
		got, _ := back.Dataset(ds.ID)
		if d := Diff(ds, got); len(d) > 0 {
			t.Errorf("%s: %v", ds.ID, d)
		}
		same(t, ds, got)
	}
	if count != 108 {
		t.Errorf("%d contracts went round, want 108", count)
	}
}

// same compares everything but where a contract lies and what it was put together from.
func same(t *testing.T, want, got Dataset) {
	t.Helper()
	for _, d := range []*Dataset{&want, &got} {
		d.Use, d.File, d.SHA256 = nil, "", ""
		if d.Aliases = maps.Clone(d.Aliases); len(d.Aliases) == 0 {
			d.Aliases = nil
		}
		if len(d.Map) == 0 {
			d.Map = nil
		}
		if len(d.Checks) == 0 {
			d.Checks = nil
		}
	}
	if !reflect.DeepEqual(want, got) {
		a, b := reflect.ValueOf(want), reflect.ValueOf(got)
		for i := range a.NumField() {
			if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
				t.Errorf("%s %s: %+v, want %+v", want.ID, a.Type().Field(i).Name, b.Field(i).Interface(), a.Field(i).Interface())
			}
		}
	}
}

// foreign is a contract as another tool writes it.
const foreign = `apiVersion: v3.1.0
kind: DataContract
id: amr.severe
name: 严重违法失信名单信息
version: 2.1.0
status: active
team: {name: 市场监管局}
schema:
  - name: severe
    properties:
      - {name: uscc, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: entity_name, logicalType: string, required: true}
      - {name: list_date, logicalType: date, required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: list_reason, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 3, logicalTypeOptions: {maxLength: 800}}
      - {name: doc_no, logicalType: string}
      - {name: list_authority, logicalType: string}
      - {name: authority_code, logicalType: string}
      - {name: remove_date, logicalType: timestamp}
slaProperties:
  - {property: frequency, value: weekly}
`

func TestAContractOfAnotherToolRenewsOurs(t *testing.T) {
	cat := shipped()
	path, text, notes, faults := cat.FromODCS("in.yaml", []byte(foreign))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "line 7: team is left out") {
		t.Errorf("notes %v", notes)
	}
	ds := laid(t, path, "amr.severe", text)
	uscc, _ := ds.Field("uscc")
	reason, _ := ds.Field("list_reason")
	removed, _ := ds.Field("remove_date")
	if ds.Version != 2 || ds.Cycle != "weekly" || ds.Family != "listing" || uscc.Type != "uscc" || reason.Max != 800 || removed.Type != "datetime" || strings.Join(ds.Key, " ") != "uscc list_date list_reason" {
		t.Errorf("%+v", ds)
	}
	if len(ds.Checks) != 2 || ds.Map["listed_on"].Field != "list_date" || uscc.Title.ZH != "统一社会信用代码" {
		t.Errorf("what the standard cannot say was lost: %v %v %v", ds.Checks, ds.Map, uscc.Title)
	}
}

func TestAContractThatCannotBeCarriedIsRefusedWithItsLine(t *testing.T) {
	cat := shipped()
	for _, c := range []struct{ name, old, into, want string }{
		{"another kind of document", "kind: DataContract", "kind: DataProduct", "in.yaml:2: kind"},
		{"an older standard", "v3.1.0", "v2.2.2", "in.yaml:1: apiVersion"},
		{"a key the standard does not have", "status: active", "status: active\nsttus: x", "in.yaml:7: key \"sttus\""},
		{"a structure", "{name: doc_no, logicalType: string}", "{name: doc_no, logicalType: object}", "in.yaml:15: field doc_no is a structure"},
		{"a list", "{name: doc_no, logicalType: string}", "{name: doc_no, logicalType: array, items: {name: x}}", "in.yaml:15: field doc_no is a structure"},
		{"a time of day", "{name: doc_no, logicalType: string}", "{name: doc_no, logicalType: time}", "in.yaml:15: field doc_no: type \"time\""},
		{"two fields in one place of the key", "primaryKeyPosition: 3", "primaryKeyPosition: 2", "in.yaml:14: list_date and list_reason"},
		{"a hole in the key", "primaryKeyPosition: 3", "primaryKeyPosition: 4", "none in place 3"},
		{"a classification that is none", "{name: doc_no, logicalType: string}", "{name: doc_no, logicalType: string, classification: secret}", "in.yaml:15: field doc_no: classification"},
		{"a cycle that is none", "value: weekly", "value: fortnightly", "in.yaml:20: frequency"},
		{"a rule of another engine", "slaProperties:", "    quality: [{name: q, type: sql, query: select 1}]\nslaProperties:", "in.yaml:19: key \"query\""},
		{"a dataset that is not there", "id: amr.severe", "id: amr.novel", "in.yaml:3: there is no dataset amr.novel"},
		{"two tables", "slaProperties:", "  - {name: second, properties: []}\nslaProperties:", "this contract has 2"},
		{"no YAML", "kind: DataContract", "kind: [", "in.yaml:"},
		{"a version in words", "version: 2.1.0", "version: newest", "in.yaml:5: version"},
	} {
		text := strings.Replace(foreign, c.old, c.into, 1)
		_, _, _, faults := cat.FromODCS("in.yaml", []byte(text))
		var all []string
		for _, f := range faults {
			all = append(all, f.Error())
		}
		if !strings.Contains(strings.Join(all, "\n"), c.want) {
			t.Errorf("%s: %q, want %q", c.name, all, c.want)
		}
	}
}

func TestAnImportNeverMakesAPersonsFieldPublic(t *testing.T) {
	cat := shipped()
	ds, _ := cat.Dataset("cult.penalty")
	body, err := ds.ODCS()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(body), "classification: personal\n", "description: x\n")
	path, file, _, faults := cat.FromODCS("in.yaml", []byte(text))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	f, _ := laid(t, path, ds.ID, file).Field("CF_FR_ZJHM")
	if f.Sensitivity != "personal" {
		t.Errorf("a resident id's field is %q", f.Sensitivity)
	}
}

func FuzzFromODCS(f *testing.F) {
	cat, _ := Load(Files)
	f.Add([]byte(foreign))
	ds, _ := cat.Dataset("cult.penalty")
	body, _ := ds.ODCS()
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, text, _, faults := cat.FromODCS("in.yaml", body); len(faults) == 0 && len(text) == 0 {
			t.Error("neither a contract nor a fault")
		}
	})
}
