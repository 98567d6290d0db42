package dbtable

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"xinshu/connectors"
)

// pgBinary are the types that are asked for in the protocol's binary form: the server then prints
// nothing and the hub reads no text again. All others come as the server's own text.
var pgBinary = pgx.QueryResultFormatsByOID{
	pgtype.Int2OID: 1, pgtype.Int4OID: 1, pgtype.Int8OID: 1, pgtype.NumericOID: 1, pgtype.BoolOID: 1, pgtype.DateOID: 1,
	pgtype.TimestampOID: 1, pgtype.TimestamptzOID: 1, pgtype.UUIDOID: 1, pgtype.ByteaOID: 1,
}

// pgDecode turns binary values into the text that a cast to text would give.
var pgDecode = map[string]func(dst, came []byte) ([]byte, error){
	"int2": pgInt, "int4": pgInt, "int8": pgInt, "numeric": pgNumeric, "bool": pgBool, "date": pgDate, "timestamp": pgTimestamp, "timestamptz": pgInstant,
	"uuid": pgUUID, "bytea": pgBytes,
}

// pgColumn makes a column of PostgreSQL: decoded here, or plain text, or cast to text by the server. A
// time with zone becomes Shanghai wall time without one, bytes become hexadecimal digits.
func pgColumn(col column, declared string, zone *time.Location) column {
	col.ref = postgresDialect.quote(col.name)
	col.text, col.exact = col.ref, "cast("+col.ref+" as text)"
	if decode, ok := pgDecode[declared]; ok {
		col.decode = decode
	}
	switch declared {
	case "text", "varchar", "name":
		col.kind = words
	case "bpchar":
		col.kind, col.text = words, col.exact // the cast drops the blanks it was filled up with
	case "timestamp":
		col.kind, col.decode = wall, then(pgTimestamp, atZone(zone))
	case "timestamptz":
		col.kind, col.exact = zoned, "cast("+col.ref+" at time zone 'Asia/Shanghai' as text)"
	case "bytea":
		col.exact, col.bind = "encode("+col.ref+", 'hex')", "decode(%s, 'hex')"
	case "int2", "int4", "int8", "numeric", "bool", "date", "uuid":
	case "json", "xml", "point", "box", "path", "polygon", "circle", "lseg", "line":
		col.text, col.lob = col.exact, true // they have no order
	default:
		col.text = col.exact
	}
	return col
}

var errLength = errors.New("the server sent a value of a length its type does not have")

func pgInt(dst, came []byte) ([]byte, error) {
	switch len(came) {
	case 2:
		return strconv.AppendInt(dst, int64(int16(binary.BigEndian.Uint16(came))), 10), nil // the sign is in the bits
	case 4:
		return strconv.AppendInt(dst, int64(int32(binary.BigEndian.Uint32(came))), 10), nil // the sign is in the bits
	case 8:
		return strconv.AppendInt(dst, int64(binary.BigEndian.Uint64(came)), 10), nil // the sign is in the bits
	}
	return dst, errLength
}

func pgBool(dst, came []byte) ([]byte, error) {
	if len(came) != 1 {
		return dst, errLength
	}
	return strconv.AppendBool(dst, came[0] != 0), nil
}

func pgBytes(dst, came []byte) ([]byte, error) { return hex.AppendEncode(dst, came), nil }

func pgUUID(dst, came []byte) ([]byte, error) {
	if len(came) != 16 {
		return dst, errLength
	}
	for i, part := range [5][]byte{came[:4], came[4:6], came[6:8], came[8:10], came[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst, nil
}

// Days and microseconds are counted from 2000-01-01; the ends of their ranges are the two infinities.
const (
	pgEpoch      = 946684800 // of 2000-01-01 in seconds from 1970
	dayMicros    = 86_400_000_000
	pgForever32  = 1<<31 - 1
	pgForever64  = 1<<63 - 1
	lastShift    = -252_460_800_000_000 // 1992-01-01 in microseconds: since then Shanghai stands at +8
	shanghaiPlus = 8 * 3_600_000_000
)

func pgDate(dst, came []byte) ([]byte, error) {
	if len(came) != 4 {
		return dst, errLength
	}
	days := int32(binary.BigEndian.Uint32(came)) // the sign is in the bits
	switch days {
	case pgForever32:
		return append(dst, "infinity"...), nil
	case -pgForever32 - 1:
		return append(dst, "-infinity"...), nil
	}
	dst, before := appendDay(dst, int64(days))
	return appendEra(dst, before), nil
}

func pgTimestamp(dst, came []byte) ([]byte, error) {
	if len(came) != 8 {
		return dst, errLength
	}
	return appendWall(dst, int64(binary.BigEndian.Uint64(came))), nil // the sign is in the bits
}

// pgInstant is what the clocks of Shanghai showed: they stood an hour ahead in some summers until 1991,
// and six minutes ahead before 1901.
func pgInstant(dst, came []byte) ([]byte, error) {
	if len(came) != 8 {
		return dst, errLength
	}
	micros := int64(binary.BigEndian.Uint64(came)) // the sign is in the bits
	switch {
	case micros == pgForever64 || micros == -pgForever64-1:
	case micros > lastShift:
		micros += shanghaiPlus
	default:
		_, offset := time.UnixMicro(micros + pgEpoch*1_000_000).In(shanghai).Zone()
		micros += int64(offset) * 1_000_000
	}
	return appendWall(dst, micros), nil
}

// shanghai is the zone with its history.
var shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return connectors.Shanghai
	}
	return zone
}()

func appendWall(dst []byte, micros int64) []byte {
	switch micros {
	case pgForever64:
		return append(dst, "infinity"...)
	case -pgForever64 - 1:
		return append(dst, "-infinity"...)
	}
	days, rest := micros/dayMicros, micros%dayMicros
	if rest < 0 {
		days, rest = days-1, rest+dayMicros
	}
	dst, before := appendDay(dst, days)
	seconds, fraction := rest/1_000_000, rest%1_000_000
	dst = append(dst, ' ')
	dst = append(twoDigits(dst, seconds/3600), ':')
	dst = append(twoDigits(dst, seconds/60%60), ':')
	dst = twoDigits(dst, seconds%60)
	if fraction > 0 {
		dst = append(dst, '.')
		for unit := int64(100_000); fraction > 0; unit /= 10 {
			dst = append(dst, byte('0'+fraction/unit))
			fraction %= unit
		}
	}
	return appendEra(dst, before)
}

func twoDigits(dst []byte, n int64) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// appendDay writes the day so many days after 2000-01-01 in the Gregorian calendar, and says whether
// it lies before Christ: the year 0 is written 0001 BC.
func appendDay(dst []byte, days int64) ([]byte, bool) {
	// Counted in cycles of 400 years that begin on 1 March, so that the leap day is the last of a year.
	days += 730_425 // days from 0000-03-01 to 2000-01-01
	cycle := days / 146_097
	if days%146_097 < 0 {
		cycle--
	}
	day := days - cycle*146_097
	year := (day - day/1460 + day/36_524 - day/146_096) / 365
	day -= 365*year + year/4 - year/100
	month := (5*day + 2) / 153
	day -= (153*month+2)/5 - 1
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	year += cycle * 400
	before := year <= 0
	if before {
		year = 1 - year
	}
	for unit := int64(1000); unit > year && unit > 1; unit /= 10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendInt(dst, year, 10)
	dst = append(dst, '-')
	dst = append(twoDigits(dst, month), '-')
	return twoDigits(dst, day), before
}

func appendEra(dst []byte, before bool) []byte {
	if before {
		return append(dst, " BC"...)
	}
	return dst
}
