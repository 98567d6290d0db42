package guideline

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"xinshu/catalog"
)

func TestTheTableHasEveryItemOfEveryDataset(t *testing.T) {
	cat, faults := catalog.Load(catalog.Files)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	rows := Rows(cat, cat.Datasets)
	items := 0
	for _, ds := range cat.Datasets {
		items += len(ds.Fields)
	}
	if len(rows) != items || len(cat.Datasets) != 108 {
		t.Fatalf("%d rows for %d items of %d datasets", len(rows), items, len(cat.Datasets))
	}
	at := func(name string) int { return slices.Index(Header, name) }
	codes := map[string]string{}
	for _, row := range rows {
		for _, must := range []string{"信息资源分类-类", "信息资源分类-项", "信息资源分类-目", "信息资源代码", "信息资源名称", "信息资源提供方", "信息资源格式", "信息项名称", "数据类型", "共享类型", "共享方式", "更新周期"} {
			if i := at(must); i < 0 || row[i] == "" {
				t.Fatalf("%s is empty in %v", must, row)
			}
		}
		if (row[at("共享类型")] == "有条件共享") != (row[at("共享条件")] != "") {
			t.Errorf("the condition of sharing: %v", row)
		}
		name, code := row[at("信息资源提供方")]+row[at("信息资源名称")], row[at("信息资源代码")]
		if other, taken := codes[code]; taken && other != name {
			t.Fatalf("code %s is that of %s and of %s", code, other, name)
		}
		codes[code] = name
	}
	if len(codes) != 108 {
		t.Errorf("%d codes", len(codes))
	}
	first := rows[slices.IndexFunc(rows, func(r []string) bool {
		return r[at("信息资源名称")] == "严重违法失信名单信息" && r[at("信息项标识")] == "list_date"
	})]
	for name, want := range map[string]string{"数据类型": "日期型D", "数据长度": "8", "是否必填": "是", "共享类型": "无条件共享", "共享方式": "共享平台方式-数据库", "更新周期": "每日", "信息资源分类-类": "部门信息资源"} {
		if got := first[at(name)]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestTheTableIsWrittenInBothForms(t *testing.T) {
	cat, _ := catalog.Load(catalog.Files)
	ds, _ := cat.Dataset("amr.severe")
	rows := Rows(cat, []catalog.Dataset{ds})
	var b bytes.Buffer
	if err := CSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	read, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff"))).ReadAll()
	if err != nil || len(read) != len(rows)+1 || !slices.Equal(read[1], rows[0]) {
		t.Errorf("CSV: %v, %v", err, read)
	}
	b.Reset()
	if err := XLSX(&b, rows); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	cells, err := book.GetRows("信息资源目录")
	if err != nil || len(cells) != len(rows)+1 || cells[1][10] != rows[0][10] {
		t.Errorf("XLSX: %v, %v", err, cells)
	}
}
