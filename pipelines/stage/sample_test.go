package stage

import (
	"iter"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/catalog"
	"xinshu/connectors"
)

// words is a catalogue of one family and three code lists.
type words struct{}

func (words) Family(id string) (catalog.Family, bool) {
	return catalog.Family{
		ID:    "penalty",
		Kinds: map[string][]string{"penalty": {"minor", "general", "serious"}, "severe_list": nil, "public_grade": {"*"}},
		Columns: []catalog.Column{
			{Name: "doc_no", Type: "text"}, {Name: "title", Type: "text"}, {Name: "penalty_category", Type: "text"},
			{Name: "level", Type: "text"}, {Name: "simple_procedure", Type: "boolean"}, {Name: "decided_on", Type: "date"},
			{Name: "seen_at", Type: "timestamp"}, {Name: "fine_fen", Type: "fen"}, {Name: "quantity", Type: "integer"},
			{Name: "score_x100", Type: "integer"}, {Name: "authority", Type: "text"}, {Name: "authority_uscc", Type: "text"},
		},
	}, id == "penalty"
}

func (words) CodeList(id string) (catalog.CodeList, bool) {
	lists := map[string][]catalog.CodeValue{
		"category": {{Code: "警告", ZH: "警告"}, {Code: "罚款", ZH: "罚款", Alias: []string{"FK"}}, {Code: "没收违法所得", ZH: "没收违法所得"}, {Code: "其他", ZH: "其他"}},
		"subject":  {{Code: "1", ZH: "法人及非法人组织"}, {Code: "2", ZH: "自然人"}, {Code: "3", ZH: "个体工商户"}},
		"severity": {{Code: "1", ZH: "轻微"}, {Code: "2", ZH: "一般"}, {Code: "9", ZH: "未定"}},
	}
	list, ok := lists[id]
	return catalog.CodeList{ID: id, Values: list}, ok
}

func (words) CheckUSCC(raw string) catalog.Verdict {
	return catalog.CheckUSCCWith(raw, func(code string) bool { return code == pilotCode })
}

// penalties is a contract that uses everything a contract can say.
func penalties() catalog.Dataset {
	return catalog.Dataset{
		ID: "cult.penalty", Family: "penalty", Kind: catalog.Mapping{Const: "penalty"}, SHA256: "contract", File: "catalog/datasets/cult/penalty.yaml",
		Subject: catalog.Subject{USCC: "uscc", Name: "entity_name", Category: "XDR_LB"},
		Fields: []catalog.Field{
			{Name: "uscc", Type: "uscc", Required: true}, {Name: "entity_name", Type: "text", Required: true, Max: 20},
			{Name: "source_record_id", Type: "text", Required: true}, {Name: "op", Type: "text"}, {Name: "op_time", Type: "datetime"},
			{Name: "XDR_LB", Type: "text", Codes: "subject"},
			{Name: "CF_FRDB", Type: "text", Sensitivity: "personal"}, {Name: "CF_FR_ZJHM", Type: "text", Sensitivity: "personal"},
			{Name: "CF_WSH", Type: "text", Title: catalog.Text{ZH: "决定书文号"}}, {Name: "CF_SY", Type: "text", Max: 30},
			{Name: "CF_CFLB", Type: "text", Codes: "category"}, {Name: "severity", Type: "text", Codes: "severity"},
			{Name: "simple", Type: "boolean"}, {Name: "CF_JDRQ", Type: "date", Required: true}, {Name: "CF_YXQ", Type: "date"},
			{Name: "seen_at", Type: "datetime"}, {Name: "CF_NR_FK", Type: "wan"}, {Name: "staff", Type: "integer"}, {Name: "score", Type: "decimal"},
			{Name: "CF_CFJG", Type: "text"}, {Name: "CF_LYJG", Type: "text"}, {Name: "CF_CFJGDM", Type: "uscc"},
		},
		Key: []string{"source_record_id"},
		Map: map[string]catalog.Mapping{
			"doc_no": {Field: "CF_WSH"}, "title": {Field: "CF_SY"}, "penalty_category": {Field: "CF_CFLB"},
			"level":            {Field: "severity", Values: map[string]string{"轻微": "minor", "一般": "general", "严重": "serious"}},
			"simple_procedure": {Field: "simple"}, "decided_on": {Field: "CF_JDRQ"}, "seen_at": {Field: "seen_at"}, "fine_fen": {Field: "CF_NR_FK"},
			"quantity": {Field: "staff"}, "score_x100": {Field: "score"}, "authority": {First: []string{"CF_CFJG", "CF_LYJG"}},
			"authority_uscc": {Field: "CF_CFJGDM"},
		},
		Checks: []catalog.Check{
			{Code: "DATE_FUTURE", Rule: "not_future", Fields: []string{"CF_JDRQ"}},
			{Code: "DATE_ORDER", Rule: "not_after", Fields: []string{"CF_JDRQ", "CF_YXQ"}},
			{Code: "FINE_NAMED", Rule: "positive_iff", Fields: []string{"CF_NR_FK", "CF_CFLB"}, Words: []string{"罚款"}},
		},
		Aliases: map[string]string{"CF_XDR_SHXYM": "uscc", "CF_XDR_MC": "entity_name", "CF_FDDB": "CF_FRDB"},
	}
}

// A code of facts 1.5 and an id number with a right check character that belongs to nobody.
const (
	goodCode   = "91410481MA44K7X22A"
	otherCode  = "92410481MA45B3C11A"
	organCode  = "11410481005458125T"
	pilotCode  = "91410481MA44K7X221" // wrong check character, recorded by a steward
	residentID = "110101199003078515"
)

// clean is a row that every rule accepts.
func clean(id string, with ...string) []string {
	row := []string{"uscc", goodCode, "entity_name", "舞钢市示例有限公司", "source_record_id", id, "XDR_LB", "法人及非法人组织",
		"CF_WSH", "舞文罚〔2025〕" + id + "号", "CF_SY", "未按规定悬挂许可证", "CF_CFLB", "警告", "CF_JDRQ", "2025-09-01", "CF_CFJG", "市文广旅局"}
	return append(row, with...)
}

// pageOf makes a page from rows of name, value, name, value; a later value of a name wins, <null> is null.
func pageOf(file string, rows ...[]string) connectors.Page {
	var names []string
	place := map[string]int{}
	for _, row := range rows {
		for i := 0; i < len(row); i += 2 {
			if _, ok := place[row[i]]; !ok {
				place[row[i]] = len(names)
				names = append(names, row[i])
			}
		}
	}
	fields := make([]arrow.Field, len(names))
	for i, name := range names {
		fields[i] = arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, row := range rows {
		values := make([]*string, len(names))
		for i := 0; i < len(row); i += 2 {
			values[place[row[i]]] = &row[i+1]
		}
		for i, v := range values {
			if v == nil || *v == "<null>" {
				b.Field(i).AppendNull()
				continue
			}
			b.Field(i).(*array.StringBuilder).Append(*v)
		}
	}
	return connectors.Page{Batch: b.NewRecord(), Origin: connectors.Origin{File: file, Line: 2}, Next: connectors.Cursor("after " + file)}
}

func pages(list ...connectors.Page) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		for _, p := range list {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// noon of the day the tests live in, in Shanghai.
func noon() time.Time { return time.Date(2025, 10, 28, 4, 0, 0, 0, time.UTC) }

func newStager(t testing.TB) (*Stager, *folder) {
	t.Helper()
	lake := &folder{dir: t.TempDir()}
	return &Stager{Lake: lake, Words: words{}, Now: noon}, lake
}

// table reads a table of an entry back as text: one map a row, null left out.
func readTable(t testing.TB, lake *folder, name string) []map[string]string {
	t.Helper()
	head, err := lake.Head(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, f := range head.Table(name) {
		path, _ := lake.Local(t.Context(), f)
		rows = append(rows, parquetRows(t, path)...)
	}
	return rows
}
