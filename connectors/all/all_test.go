package all

import (
	"testing"
	"time"
)

func TestEachKindIsListedOnceAndFoundByItsName(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Drivers(time.Now) {
		found, ok := Driver(d.Kind, time.Now)
		if seen[d.Kind] || !ok || found.Kind != d.Kind || d.Open == nil {
			t.Errorf("kind %q", d.Kind)
		}
		seen[d.Kind] = true
	}
	if _, ok := Driver("telegraph", time.Now); ok || len(seen) != 3 {
		t.Errorf("kinds %v", seen)
	}
}
