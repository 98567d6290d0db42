package stage

import (
	"testing"

	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
)

// A large pull becomes several objects of several row groups each, rows in order, none lost.
func TestALargePullIsCutIntoObjectsAndRowGroups(t *testing.T) {
	s, lake := newStager(t)
	const rows = objectRows + groupRows + 10
	result, err := s.Run(t.Context(), penalties(), stream(rows), Pull{Run: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	refused := result.Ledger.Quarantined
	if refused != rows/1000 || result.Ledger.Accepted != rows-refused {
		t.Fatalf("%+v", result.Ledger)
	}
	head, _ := lake.Head(t.Context(), "")
	files := head.Table(RowsTable)
	if len(files) != 2 || files[0].Rows != objectRows || files[0].Rows+files[1].Rows != result.Ledger.Accepted {
		t.Fatalf("files %+v", files)
	}
	path, _ := lake.Local(t.Context(), files[0])
	in, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if in.NumRowGroups() != objectRows/groupRows {
		t.Errorf("%d row groups, want %d", in.NumRowGroups(), objectRows/groupRows)
	}
	column, err := in.MetaData().RowGroup(0).ColumnChunk(colUSCC)
	if err != nil || column.Compression() != compress.Codecs.Zstd {
		t.Errorf("compression %v (%v), want zstd", column.Compression(), err)
	}
	want := int64(0)
	for _, f := range files {
		path, _ := lake.Local(t.Context(), f)
		err := readText(t.Context(), path, []string{"record_key"}, func(values []string) error {
			if want++; want%1000 == 0 { // each thousandth row of the stream is refused
				want++
			}
			if got := values[0]; got != recordKey(want-1) {
				t.Fatalf("row %d has key %s, want %s", want, got, recordKey(want-1))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
