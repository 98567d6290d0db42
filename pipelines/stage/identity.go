package stage

import (
	"crypto/sha256"
	"strconv"
)

// Separators inside hashed text; neither occurs in what departments send.
const (
	unitSeparator   = 0x1f
	recordSeparator = 0x1e
)

// identity is what tells one row from another: whose record it states, and what it says of it.
type identity struct {
	key     []byte   // readable record key
	record  hash16   // of dataset and record key
	content [32]byte // of what is stored of the row
	size    int      // bytes of content, a fair measure of the row's share of memory
	scratch []byte
}

// of reads the identity of the row that the checker has just accepted. The content is what staging
// keeps: record key, subject, operation, the source's own time where it gives one, kind and family
// columns, after normalisation and masking. So it does not change with a contract's unmapped fields,
// nor with batch time, place of origin or day of receipt.
func (id *identity) of(r *rowChecker) {
	id.key = id.key[:0]
	b := append(id.scratch[:0], r.ID...) //nolint:gocritic // scratch is taken back, grown, at the end
	for n, i := range r.key {
		text := r.fields[i].canonical(r.row[i])
		if n > 0 {
			id.key = append(id.key, '|')
		}
		id.key = append(id.key, text...)
		b = append(b, unitSeparator)
		b = append(b, text...)
	}
	whole := sha256.Sum256(b)
	copy(id.record[:], whole[:])

	b = appendPart(b[:0], "record_key", string(id.key))
	b = appendPart(b, "uscc", r.code)
	b = appendPart(b, "entity_name", r.entityName())
	b = appendPart(b, "op", r.op)
	if r.opTime >= 0 && r.row[r.opTime].set {
		b = appendNumber(b, "op_time", r.row[r.opTime].num)
	}
	b = appendPart(b, "kind", r.kind)
	for n := range r.columns {
		v := &r.out[n]
		switch {
		case !v.set:
		case r.columns[n].Type == "text":
			b = appendPart(b, r.columns[n].Name, v.text)
		default:
			b = appendNumber(b, r.columns[n].Name, v.num)
		}
	}
	id.content = sha256.Sum256(b)
	id.size = len(b)
	id.scratch = b
}

func appendPart(b []byte, name, text string) []byte {
	b = append(b, name...)
	b = append(b, unitSeparator)
	b = append(b, text...)
	return append(b, recordSeparator)
}

func appendNumber(b []byte, name string, n int64) []byte {
	b = append(b, name...)
	b = append(b, unitSeparator)
	b = strconv.AppendInt(b, n, 10)
	return append(b, recordSeparator)
}

// recordOf is the record of a key whose fields are at hand one by one.
func recordOf(dataset string, key []string) (record hash16) {
	b := []byte(dataset)
	for _, text := range key {
		b = append(b, unitSeparator)
		b = append(b, text...)
	}
	whole := sha256.Sum256(b)
	copy(record[:], whole[:])
	return record
}
