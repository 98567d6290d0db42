package state

import (
	"slices"
	"testing"

	"xinshu/internal/fault"
)

func TestAConnectionIsChangedByWhoSawItLast(t *testing.T) {
	onBoth(t, func(t *testing.T, f *fixture) {
		made := Connection{Role: "source", ID: "court", Kind: "restapi", Body: `{"values":{"address":"http://x"}}`, Secrets: "sealed-1", ChangedBy: "li"}
		kept, err := f.SaveConnection(t.Context(), made)
		f.ok(err)
		if kept.Version != 1 || !kept.ChangedAt.Equal(f.clock) {
			t.Errorf("kept as %+v", kept)
		}
		if _, err := f.SaveConnection(t.Context(), made); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same name a second time: %v", err)
		}
		other := made
		other.Role = "target"
		_, err = f.SaveConnection(t.Context(), other) // a target may have a source's name
		f.ok(err)

		changed := kept
		changed.Body, changed.ChangedBy = `{}`, "wang"
		changed, err = f.SaveConnection(t.Context(), changed)
		f.ok(err)
		if _, err := f.SaveConnection(t.Context(), kept); !fault.Is(err, fault.Conflict) {
			t.Errorf("a change of what was changed meanwhile: %v", err)
		}
		if err := f.RemoveConnection(t.Context(), "source", "court", kept.Version); !fault.Is(err, fault.Conflict) {
			t.Errorf("removing what was changed meanwhile: %v", err)
		}
		got, err := f.Connection(t.Context(), "source", "court")
		f.ok(err)
		if got.Body != `{}` || got.ChangedBy != "wang" || got.Version != 2 || got.Secrets != "sealed-1" {
			t.Errorf("read back as %+v", got)
		}

		f.ok(f.RemoveConnection(t.Context(), "source", "court", changed.Version))
		if _, found, err := f.Secret(t.Context(), got.SecretPlace()); err != nil || found {
			t.Errorf("the secrets of what was removed: %v %v", found, err)
		}
		if _, err := f.Connection(t.Context(), "source", "court"); !fault.Is(err, fault.NotFound) {
			t.Errorf("after its removal: %v", err)
		}
		left, err := f.Connections(t.Context(), "target")
		f.ok(err)
		if len(left) != 1 || left[0].Secrets != "sealed-1" || !slices.ContainsFunc(left, func(c Connection) bool { return c.ID == "court" }) {
			t.Errorf("targets: %+v", left)
		}
	})
}
