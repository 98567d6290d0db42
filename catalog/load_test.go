package catalog

import "testing"

func TestTheShippedCatalogueHasNoFault(t *testing.T) {
	_, faults := Load(Files)
	for _, f := range faults {
		t.Error(f)
	}
}
