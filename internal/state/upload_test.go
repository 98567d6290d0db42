package state

import (
	"errors"
	"iter"
	"testing"
	"time"

	"xinshu/internal/fault"
)

func TestAnUploadedFileIsKeptWholeAndNotForEver(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		keep := func(id string, parts iter.Seq2[string, error]) error {
			return f.SaveUpload(t.Context(), Upload{ID: id, Name: "mended.xlsx", SHA256: "aa", Bytes: 3, By: "li"}, time.Hour, parts)
		}
		broken := func(yield func(string, error) bool) { _ = yield("a", nil) && yield("", errors.New("cut off")) }
		if err := keep("half", broken); err == nil {
			t.Error("half a file was kept")
		}
		if _, found, _ := f.UploadPart(t.Context(), "half", 0); found {
			t.Error("a part of half a file was kept")
		}
		two := func(yield func(string, error) bool) { _ = yield("ab", nil) && yield("c", nil) }
		f.ok(keep("one", two))
		got, err := f.Upload(t.Context(), "one")
		f.ok(err)
		whole := ""
		for no := 0; ; no++ {
			part, found, err := f.UploadPart(t.Context(), "one", no)
			f.ok(err)
			if !found {
				break
			}
			whole += part
		}
		if whole != "abc" || got.Name != "mended.xlsx" || got.By != "li" {
			t.Errorf("kept as %q %+v", whole, got)
		}
		f.clock = f.clock.Add(2 * time.Hour)
		f.ok(keep("two", two))
		if _, err := f.Upload(t.Context(), "one"); !fault.Is(err, fault.NotFound) {
			t.Errorf("an old one: %v", err)
		}
		f.ok(f.ForgetUpload(t.Context(), "two"))
		if _, found, _ := f.UploadPart(t.Context(), "two", 0); found {
			t.Error("a forgotten one has parts")
		}
	})
}
