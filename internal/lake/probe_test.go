package lake_test

import (
	"context"
	"testing"

	"xinshu/internal/lake"
)

// careless is a store that lets objects be overwritten.
type careless struct{ lake.Store }

func (c careless) Put(ctx context.Context, key string, body []byte) error {
	if err := c.Delete(ctx, key); err != nil {
		return err
	}
	return c.Store.Put(ctx, key, body)
}

func TestAProbeTellsAStoreThatOverwrites(t *testing.T) {
	folder, err := lake.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		store   lake.Store
		refuses bool
	}{{folder, true}, {careless{folder}, false}} {
		l, err := lake.New(c.store, lake.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.Probe(t.Context())
		if err != nil || p.Refuses != c.refuses {
			t.Errorf("%+v, %v; it refuses: %t", p, err, c.refuses)
		}
		for info := range folder.List(t.Context(), "", "") {
			t.Errorf("the probe left %s", info.Key)
		}
	}
}
