package stage

import (
	"encoding/hex"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"xinshu/connectors"
)

// mixed yields pages of uneven length whose rows are good, repeated, refused, warned of and a natural
// person's; some columns repeat a few values, some are mostly empty, some never repeat.
func mixed(rows int) iter.Seq2[connectors.Page, error] {
	fields := make([]arrow.Field, len(wide))
	for i, name := range wide {
		fields[i] = arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	return func(yield func(connectors.Page, error) bool) {
		for at, n := 0, 0; at < rows; n++ {
			b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
			first := at
			for ; at < rows && at-first < []int{1, 700, 5000, 2048, 3}[n%5]; at++ {
				key := at
				if at%50 == 7 {
					key = at - 7 // the row before it again
				}
				code, sort, fine, category, authority := goodCode, "法人及非法人组织", "", "警告", ""
				switch key % 97 {
				case 3:
					code = "91410481MA44K7X22B"
				case 5:
					sort = "自然人"
				case 9:
					category, fine = "罚款", strconv.Itoa(key%9+1)
				case 11:
					code = " 91410481 ma44k7x22a"
				case 13:
					authority = organCode
				}
				for c, v := range []string{recordKey(int64(key)), code, fmt.Sprintf("舞钢市第%d号商贸有限公司", key/7), sort,
					fmt.Sprintf("舞市监罚〔2025〕%d号", key), "未按规定悬挂许可证", category, []string{"轻微", "一般", ""}[key%3],
					fmt.Sprintf("2025-%02d-%02d", key%9+1, key%28+1), fine, "舞钢市市场监督管理局", authority} {
					if v == "" {
						b.Field(c).AppendNull()
						continue
					}
					b.Field(c).(*array.StringBuilder).Append(v)
				}
			}
			page := connectors.Page{Batch: b.NewRecord(), Origin: connectors.Origin{File: "mixed.csv", Line: int64(first) + 2}, Next: "end"}
			b.Release()
			if !yield(page, nil) {
				return
			}
		}
	}
}

// However many goroutines judge, and in whatever order they end, the objects are the same.
func TestTheSamePagesGiveTheSameBytes(t *testing.T) {
	var want Result
	for _, cores := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(cores)
		s, _ := newStager(t)
		got, err := s.Run(t.Context(), penalties(), mixed(30_000), Pull{Run: "r1"})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if cores == 1 {
			want = got
			continue
		}
		if got.Ledger != want.Ledger || len(got.Entry.Files) != len(want.Entry.Files) {
			t.Fatalf("with %d cores %+v, with one %+v", cores, got.Ledger, want.Ledger)
		}
		for i, f := range got.Entry.Files {
			if f.SHA256 != want.Entry.Files[i].SHA256 {
				t.Errorf("%s differs with %d cores", f.Key, cores)
			}
		}
	}
	if l := want.Ledger; l.Accepted == 0 || l.Duplicate == 0 || l.Quarantined == 0 || l.Skipped == 0 || len(want.Warnings) == 0 {
		t.Fatalf("the pages do not mix all fates: %+v", want)
	}
}

// What stands in the file is what judging row by row gives, in the same order.
func TestBlocksComeToWhatRowsComeTo(t *testing.T) {
	s, lake := newStager(t)
	result, err := s.Run(t.Context(), penalties(), mixed(12_000), Pull{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	stored := readTable(t, lake, RowsTable)
	c, err := compile(penalties(), words{})
	if err != nil {
		t.Fatal(err)
	}
	checker, raw, bind, seen := newRowChecker(c, 20389), make([]string, len(c.fields)), binder{contract: c}, map[string]bool{}
	var id identity
	n := 0
	for page := range mixed(12_000) {
		bound, err := bind.bind(page)
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(page.Batch.NumRows()) {
			bound.row(i, raw)
			if checker.check(raw) != accepted {
				continue
			}
			id.of(checker)
			sum := hex.EncodeToString(id.content[:])
			if seen[sum] {
				continue
			}
			seen[sum] = true
			want := map[string]string{"row_no": strconv.Itoa(n + 1), "record_id": hex.EncodeToString(id.record[:]), "record_key": string(id.key), "uscc": checker.code,
				"entity_name": checker.entityName(), "op": checker.op, "row_sha": sum, "origin_file": "mixed.csv", "origin_line": strconv.FormatInt(bound.line(i), 10), "kind": checker.kind}
			for k, v := range checker.out {
				if c.columns[k].Type == "text" && v.set {
					want[c.columns[k].Name] = v.text
				}
			}
			for k, col := range c.columns {
				if _, there := stored[n][col.Name]; there != checker.out[k].set {
					t.Fatalf("row %d: %s is there: %v, want %v", n+1, col.Name, there, checker.out[k].set)
				}
			}
			for name, v := range want {
				if stored[n][name] != v {
					t.Fatalf("row %d: %s is %q, want %q", n+1, name, stored[n][name], v)
				}
			}
			n++
		}
		page.Batch.Release()
	}
	if int64(n) != result.Ledger.Accepted || n != len(stored) {
		t.Errorf("%d rows stand in the file, %+v, want %d", len(stored), result.Ledger, n)
	}
}
