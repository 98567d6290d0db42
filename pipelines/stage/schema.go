package stage

import (
	"github.com/apache/arrow/go/v15/arrow"

	"xinshu/catalog"
)

// Tables of a stage chain.
const (
	RowsTable       = "rows"
	QuarantineTable = "quarantine"
	TakenTable      = "taken"
	GoneTable       = "gone"   // records that a whole pull no longer has
	AbsentTable     = "absent" // the same of a feed on hold: they wait until a person or a later pull says
)

// Columns of the rows table before the family's own, in file order.
const (
	colRowNo = iota
	colRecordID
	colRecordKey
	colUSCC
	colEntityName
	colOp
	colSourceTime
	colReceivedOn
	colRowSHA
	colOriginFile
	colOriginLine
	colKind
	commonColumns
)

// wallClock is Shanghai wall time: TIMESTAMP, without a zone, in the Parquet file. Arrow v15 marks a
// timestamp as adjusted to UTC when its zone is empty or UTC and as wall time when it names any other
// zone (pqarrow/schema.go, arrowTimestampToLogical), so a zone is named; the values are not moved.
var wallClock = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Asia/Shanghai"}

// rowsSchema is what settle reads: the common columns, then the family's.
func rowsSchema(family catalog.Family) *arrow.Schema {
	fields := []arrow.Field{
		colRowNo:      {Name: "row_no", Type: arrow.PrimitiveTypes.Int64},
		colRecordID:   {Name: "record_id", Type: arrow.BinaryTypes.String},
		colRecordKey:  {Name: "record_key", Type: arrow.BinaryTypes.String},
		colUSCC:       {Name: "uscc", Type: arrow.BinaryTypes.String},
		colEntityName: {Name: "entity_name", Type: arrow.BinaryTypes.String, Nullable: true},
		colOp:         {Name: "op", Type: arrow.BinaryTypes.String},
		colSourceTime: {Name: "source_time", Type: wallClock},
		colReceivedOn: {Name: "received_on", Type: arrow.FixedWidthTypes.Date32},
		colRowSHA:     {Name: "row_sha", Type: arrow.BinaryTypes.String},
		colOriginFile: {Name: "origin_file", Type: arrow.BinaryTypes.String, Nullable: true},
		colOriginLine: {Name: "origin_line", Type: arrow.PrimitiveTypes.Int64},
		colKind:       {Name: "kind", Type: arrow.BinaryTypes.String},
	}
	for _, c := range family.Columns {
		fields = append(fields, arrow.Field{Name: c.Name, Type: arrowType(c.Type), Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func arrowType(column string) arrow.DataType {
	switch column {
	case "date":
		return arrow.FixedWidthTypes.Date32
	case "timestamp":
		return wallClock
	case "integer", "fen":
		return arrow.PrimitiveTypes.Int64
	case "boolean":
		return arrow.FixedWidthTypes.Boolean
	}
	return arrow.BinaryTypes.String
}

// quarantineSchema is what a steward is shown of a refused row.
var quarantineSchema = arrow.NewSchema([]arrow.Field{
	{Name: "row_no", Type: arrow.PrimitiveTypes.Int64},
	{Name: "origin_file", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "origin_line", Type: arrow.PrimitiveTypes.Int64},
	{Name: "reason", Type: arrow.BinaryTypes.String},
	{Name: "column_name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "original", Type: arrow.BinaryTypes.String},
	{Name: "uscc", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "received_on", Type: arrow.FixedWidthTypes.Date32},
	{Name: "content", Type: arrow.BinaryTypes.String}, // keyed hash of what the row said, wherever it stood
	{Name: "batch_time", Type: wallClock},             // when it was received
}, nil)

// takenSchema lists the source items that a commit completes.
var takenSchema = arrow.NewSchema([]arrow.Field{{Name: "handle", Type: arrow.BinaryTypes.String}}, nil)

// goneSchema names the records that have left, each with the row that was the last about it.
var goneSchema = arrow.NewSchema([]arrow.Field{
	{Name: "record_id", Type: arrow.BinaryTypes.String},
	{Name: "record_key", Type: arrow.BinaryTypes.String},
	{Name: "uscc", Type: arrow.BinaryTypes.String},
	{Name: "row_sha", Type: arrow.BinaryTypes.String},
	{Name: "gone_on", Type: arrow.FixedWidthTypes.Date32},
	{Name: "gone_time", Type: wallClock},
}, nil)
