package stage

import (
	"context"
	"strings"

	"xinshu/connectors"
)

// Reject is a refused row as people are told of it. Its value is masked.
type Reject struct {
	File   string `json:"file"`
	Line   int64  `json:"line"` // 1 is the first line of the file, the header included
	Column string `json:"column"`
	Reason string `json:"reason"`
	Value  string `json:"value"`
}

// longestValue is how many bytes of a refused value stand in the value column; the original has it whole.
const longestValue = 2000

// quarantine writes a row that was refused.
func (b *batch) quarantine(ctx context.Context, t *bound, row int, f refusal) error {
	t.row(row, b.raw)
	if err := b.namedAnyway(); err != nil {
		return err
	}
	r := Reject{File: t.origin.File, Line: t.line(row), Column: b.masker.text(t.columnOf(b.contract, f.fault, row)), Reason: f.reason}
	if f.reason == ColumnUnknown {
		r.Column, r.Value = b.masker.text(t.names[f.stranger]), b.masker.text(t.columns[f.stranger].Value(row))
	}
	if f.fault >= 0 {
		if strings.HasPrefix(f.reason, typeReasons) {
			b.drifts.mistyped(f.fault, b.raw[f.fault])
		}
		r.Value = b.masker.field(f.fault, b.raw[f.fault])
	}
	r.Column, r.Value = strings.Clone(r.Column), strings.Clone(r.Value) // the page's memory goes with the page
	uscc := b.masker.field(b.uscc, b.raw[b.uscc])
	return b.setAside(ctx, r, b.masker.original(t, row), uscc, b.refusedContent())
}

// unread writes a row that the connector could not read into columns.
func (b *batch) unread(ctx context.Context, origin connectors.Origin, c connectors.Reject) error {
	r := Reject{File: origin.File, Line: c.Line, Column: b.masker.text(c.Column), Reason: c.Reason, Value: b.masker.unread(c)}
	original := append(appendJSON([]byte(`{"_row":`), r.Value), '}')
	b.count.add(origin.File, quarantined)
	b.unnamed()
	return b.setAside(ctx, r, original, "", b.unreadContent(r, c))
}

func (b *batch) setAside(ctx context.Context, r Reject, original []byte, uscc, content string) error {
	if len(r.Value) > longestValue {
		r.Value = cut(r.Value, longestValue)
	}
	b.refusedNo++
	b.count.reasons[r.Reason]++
	if b.pull.OnReject != nil {
		b.pull.OnReject(r)
	}
	t := b.table(ctx, QuarantineTable, quarantineSchema)
	t.number(0, b.refusedNo)
	t.optional(1, r.File)
	t.number(2, r.Line)
	t.text(3, r.Reason)
	t.optional(4, r.Column)
	t.optional(5, r.Value)
	t.bytes(6, original)
	t.optional(7, uscc)
	t.number(8, int64(b.received))
	t.text(9, content)
	t.number(10, b.batchTime)
	return t.added(ctx, len(original)+len(r.Value)+len(r.File)+64)
}

// cut shortens text at a character's border.
func cut(s string, most int) string {
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}
