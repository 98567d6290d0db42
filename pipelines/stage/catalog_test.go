package stage

import (
	"testing"

	"xinshu/catalog"
)

func TestEveryDatasetOfTheCatalogueCanBeStaged(t *testing.T) {
	cat, faults := catalog.Load(catalog.Files)
	for _, f := range faults {
		t.Error(f)
	}
	if len(cat.Datasets) < 108 {
		t.Errorf("%d datasets, the catalogue has at least 108", len(cat.Datasets))
	}
	for _, ds := range cat.Datasets {
		if err := Check(ds, cat); err != nil {
			t.Error(err)
		}
	}
}
