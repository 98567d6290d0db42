package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"xinshu/internal/chain"
)

// Profile reads the profile that stands in a file of ProfileTable, fields in the contract's order.
func (s *Stager) Profile(ctx context.Context, f chain.File) ([]FieldProfile, error) {
	path, err := s.Lake.Local(ctx, f)
	if err != nil {
		return nil, err
	}
	fields, err := readProfile(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Key, err)
	}
	return fields, nil
}

func readProfile(ctx context.Context, path string) (fields []FieldProfile, err error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // only read
	all, err := pqarrow.ReadTable(ctx, in, parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	rows := array.NewTableReader(all, 0)
	defer rows.Release()
	for rows.Next() {
		record := rows.Record()
		text := func(column string, row int) string {
			c, _ := record.Column(record.Schema().FieldIndices(column)[0]).(*array.String)
			if c == nil || c.IsNull(row) {
				return ""
			}
			return string([]byte(c.Value(row)))
		}
		number := func(column string, row int) int64 {
			c, ok := record.Column(record.Schema().FieldIndices(column)[0]).(*array.Int64)
			if !ok {
				return 0
			}
			return c.Value(row)
		}
		is := func(column string, row int) bool {
			c, ok := record.Column(record.Schema().FieldIndices(column)[0]).(*array.Boolean)
			return ok && c.Value(row)
		}
		for _, column := range profileSchema.Fields() {
			if len(record.Schema().FieldIndices(column.Name)) != 1 {
				return nil, fmt.Errorf("no column %s", column.Name)
			}
		}
		for i := range int(record.NumRows()) {
			p := FieldProfile{Field: text("field", i), Rows: number("rows", i), Nulls: number("nulls", i), Unread: number("unread", i), Coded: is("coded", i),
				Distinct: number("distinct_values", i), Exact: is("distinct_exact", i), Min: text("least", i), Max: text("greatest", i), TopRows: number("top_rows", i)}
			if err := json.Unmarshal([]byte(text("top", i)), &p.Top); err != nil {
				return nil, err
			}
			if given := p.Rows - p.Nulls; p.Coded && given > 0 {
				share := float64(given-p.Unread) / float64(given)
				p.Valid = &share
			}
			fields = append(fields, p)
		}
	}
	return fields, rows.Err()
}
