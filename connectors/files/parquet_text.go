package files

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v15/arrow/float16"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/schema"

	"xinshu/connectors"
)

// parquetWriter appends value i as text.
type parquetWriter func(dst []byte, in *parquetValues, i int) []byte

// Times are written to the nanosecond they carry, without trailing zeros.
const (
	dayTime  = "15:04:05.999999999"
	wallTime = time.DateOnly + " " + dayTime
)

// parquetText chooses how the values of a column are written, and whether JSON takes them without
// quotes; nil for types that have no one text (intervals, BSON).
//
// Whole numbers and decimals are exact. A time that is an instant (isAdjustedToUTC) is written as
// Shanghai wall time, one that is none as it stands. What a column only says in bytes must be UTF-8.
func parquetText(descr *schema.Column, int96Local bool) (write parquetWriter, bare bool) {
	logical := descr.LogicalType()
	if scale, ok := decimalScale(descr); ok {
		return decimalText(descr.PhysicalType(), scale), true
	}
	switch descr.PhysicalType() {
	case parquet.Types.Boolean:
		return func(dst []byte, in *parquetValues, i int) []byte { return strconv.AppendBool(dst, in.booleans[i]) }, true
	case parquet.Types.Int32:
		switch t := logical.(type) {
		case schema.DateLogicalType:
			return func(dst []byte, in *parquetValues, i int) []byte {
				return time.Unix(int64(in.int32s[i])*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
			}, false
		case *schema.TimeLogicalType:
			return func(dst []byte, in *parquetValues, i int) []byte {
				return timeOf(int64(in.int32s[i]), schema.TimeUnitMillis).AppendFormat(dst, dayTime)
			}, false
		case *schema.IntLogicalType:
			if !t.IsSigned() {
				return func(dst []byte, in *parquetValues, i int) []byte {
					return strconv.AppendUint(dst, uint64(uint32(in.int32s[i])), 10) // the bits are those of an unsigned number
				}, true
			}
		}
		return func(dst []byte, in *parquetValues, i int) []byte {
			return strconv.AppendInt(dst, int64(in.int32s[i]), 10)
		}, true
	case parquet.Types.Int64:
		return int64Text(logical)
	case parquet.Types.Int96:
		return func(dst []byte, in *parquetValues, i int) []byte {
			t := in.int96s[i].ToTime().UTC()
			if !int96Local {
				t = t.In(connectors.Shanghai)
			}
			return t.AppendFormat(dst, wallTime)
		}, false
	case parquet.Types.Float:
		return func(dst []byte, in *parquetValues, i int) []byte {
			return strconv.AppendFloat(dst, float64(in.floats[i]), 'f', -1, 32)
		}, false // NaN is no JSON
	case parquet.Types.Double:
		return func(dst []byte, in *parquetValues, i int) []byte {
			return strconv.AppendFloat(dst, in.doubles[i], 'f', -1, 64)
		}, false
	case parquet.Types.ByteArray:
		if _, bson := logical.(schema.BSONLogicalType); bson {
			return nil, false
		}
		return func(dst []byte, in *parquetValues, i int) []byte { return append(dst, in.binaries[i]...) }, false
	case parquet.Types.FixedLenByteArray:
		return fixedText(logical), false
	}
	return nil, false
}

func int64Text(logical schema.LogicalType) (parquetWriter, bool) {
	switch t := logical.(type) {
	case *schema.TimestampLogicalType:
		unit, zone := t.TimeUnit(), time.UTC
		if t.IsAdjustedToUTC() {
			zone = connectors.Shanghai
		}
		return func(dst []byte, in *parquetValues, i int) []byte {
			return timeOf(in.int64s[i], unit).In(zone).AppendFormat(dst, wallTime)
		}, false
	case *schema.TimeLogicalType:
		unit := t.TimeUnit()
		return func(dst []byte, in *parquetValues, i int) []byte {
			return timeOf(in.int64s[i], unit).AppendFormat(dst, dayTime)
		}, false
	case *schema.IntLogicalType:
		if !t.IsSigned() {
			return func(dst []byte, in *parquetValues, i int) []byte {
				return strconv.AppendUint(dst, uint64(in.int64s[i]), 10) // the bits are those of an unsigned number
			}, true
		}
	}
	return func(dst []byte, in *parquetValues, i int) []byte { return strconv.AppendInt(dst, in.int64s[i], 10) }, true
}

func timeOf(n int64, unit schema.TimeUnitType) time.Time {
	switch unit {
	case schema.TimeUnitMillis:
		return time.UnixMilli(n).UTC()
	case schema.TimeUnitMicros:
		return time.UnixMicro(n).UTC()
	default:
		return time.Unix(0, n).UTC()
	}
}

func fixedText(logical schema.LogicalType) parquetWriter {
	switch logical.(type) {
	case schema.UUIDLogicalType:
		return func(dst []byte, in *parquetValues, i int) []byte {
			b := in.fixed[i]
			return fmt.Appendf(dst, "%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
		}
	case schema.Float16LogicalType:
		return func(dst []byte, in *parquetValues, i int) []byte {
			return strconv.AppendFloat(dst, float64(float16.FromBits(binary.LittleEndian.Uint16(in.fixed[i])).Float32()), 'f', -1, 32)
		}
	case schema.IntervalLogicalType:
		return nil
	}
	return func(dst []byte, in *parquetValues, i int) []byte { return append(dst, in.fixed[i]...) }
}

// decimalScale is how many digits of a decimal column stand behind the point.
func decimalScale(descr *schema.Column) (int, bool) {
	switch t := descr.LogicalType().(type) {
	case schema.DecimalLogicalType:
		return int(t.Scale()), true
	case *schema.DecimalLogicalType:
		return int(t.Scale()), true
	}
	return 0, false
}

func decimalText(physical parquet.Type, scale int) parquetWriter {
	switch physical {
	case parquet.Types.Int32:
		return func(dst []byte, in *parquetValues, i int) []byte {
			return pointed(dst, strconv.Itoa(int(in.int32s[i])), scale)
		}
	case parquet.Types.Int64:
		return func(dst []byte, in *parquetValues, i int) []byte {
			return pointed(dst, strconv.FormatInt(in.int64s[i], 10), scale)
		}
	case parquet.Types.ByteArray:
		return func(dst []byte, in *parquetValues, i int) []byte { return pointed(dst, signed(in.binaries[i]), scale) }
	case parquet.Types.FixedLenByteArray:
		return func(dst []byte, in *parquetValues, i int) []byte { return pointed(dst, signed(in.fixed[i]), scale) }
	}
	return nil
}

// signed reads big-endian two's complement.
func signed(b []byte) string {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n.String()
}

// pointed sets the point into the digits of a whole number.
func pointed(dst []byte, digits string, scale int) []byte {
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	for len(digits) <= scale {
		digits = "0" + digits
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale == 0 {
		return dst
	}
	return append(append(dst, '.'), digits[len(digits)-scale:]...)
}
