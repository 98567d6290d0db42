package dbtable

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// bound brings a watermark, or an end of a window, into the form the column is compared with. One that
// names its zone is the instant it means: a database would drop the zone without a word.
func (jb *job) bound(text string) string {
	if jb.cursor.kind != other && !jb.zones { // text without zones is a wall time of the source
		if t, layout, ok := connectors.ParseTime(text); ok && strings.Contains(layout, "Z07") {
			zone := connectors.Shanghai
			if jb.cursor.kind != zoned {
				zone = jb.zone
			}
			text = t.In(zone).Format("2006-01-02 15:04:05.999999999")
		}
	}
	if jb.cursor.param != nil {
		text = jb.cursor.param(text)
	}
	return text
}

// Patterns of times that name their zone, and of the two ways to part day and hour.
var (
	zones = []string{"%Z", "%+__:__", "%+____", "%+__", "____-__-__%-__:__"}
	parts = []string{"____-__-__T%", "____-__-__ %"}
)

// checkWritten refuses a text column whose times are written in two ways: 2025-10-28T01:00:00Z is
// later than 2025-10-28 08:30:00 and before it as text, so a row would be passed over for ever.
func (jb *job) checkWritten(ctx context.Context, r reader, at place) error {
	count := func(patterns ...string) (n int64, err error) {
		texts := make([]string, len(patterns))
		for i, p := range patterns {
			texts[i] = jb.cursor.ref + " like " + jb.speak.literal(p)
		}
		return r.count(ctx, "select count(*) from "+jb.table+" where "+strings.Join(texts, " or "))
	}
	total, err := r.count(ctx, "select count(*) from "+jb.table+" where not ("+jb.cursor.empty()+")")
	if err != nil || total == 0 {
		return err
	}
	refuse := func(n int64, how string) error {
		return &fault.Error{Op: jb.op, Code: fault.Invalid, Hint: "let the source write one way, or keep the time in a column of a time type",
			Err: fmt.Errorf("%s of %s is text, and %d of its %d times are written %s: they do not compare", jb.cursor.name, jb.name, n, total, how)}
	}
	withZone, err := count(zones...)
	if err != nil {
		return err
	}
	if withZone > 0 {
		z, err := count("%Z")
		if err != nil {
			return err
		}
		shanghai, err := count("%+08:00")
		if err != nil {
			return err
		}
		if withZone != total || z != total && shanghai != total {
			return refuse(withZone, "with a zone, the others with another or none")
		}
	}
	jb.zones = withZone > 0
	var others []string
	switch {
	case jb.window != nil:
		others = []string{jb.window.From, jb.window.Until}
	case at.Max != nil:
		others = []string{*at.Max}
	}
	for _, text := range others {
		_, layout, isTime := connectors.ParseTime(text)
		named := strings.Contains(layout, "Z07")
		if isTime && named != jb.zones && (jb.zones || jb.window == nil) {
			return refuse(withZone, "with a zone, unlike "+text)
		}
	}
	withT, err := count(parts[0])
	if err != nil || withT == 0 {
		return err
	}
	withBlank, err := count(parts[1])
	if err == nil && withBlank > 0 {
		err = refuse(withT, "with T between day and hour, others with a blank")
	}
	return err
}

// shortTime leaves out the zeros that end a fraction of a second, so that the same instant is the same
// text from every database.
func shortTime(dst, came []byte) ([]byte, error) {
	if i := bytes.LastIndexByte(came, '.'); i > 0 {
		came = bytes.TrimSuffix(bytes.TrimRight(came, "0"), []byte("."))
	}
	return append(dst, came...), nil
}

// atZone gives a decode that brings wall times of a zone to Shanghai; nil when they are there.
// What is no time stays what it was: the contract's check names it.
func atZone(zone *time.Location) func(dst, came []byte) ([]byte, error) {
	if zone.String() == "Asia/Shanghai" {
		return nil
	}
	return func(dst, came []byte) ([]byte, error) {
		for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} { // a fraction is read too
			if t, err := time.ParseInLocation(layout, string(came), zone); err == nil {
				return t.In(connectors.Shanghai).AppendFormat(dst, "2006-01-02 15:04:05.999999999"), nil
			}
		}
		return append(dst, came...), nil
	}
}

// then lets one decode follow another; nil stands for none.
func then(first, second func(dst, came []byte) ([]byte, error)) func(dst, came []byte) ([]byte, error) {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	var between []byte
	return func(dst, came []byte) ([]byte, error) {
		var err error
		if between, err = first(between[:0], came); err != nil {
			return dst, err
		}
		return second(dst, between)
	}
}
