package catalog

import (
	"io/fs"
	"testing"
)

func TestALayerHidesWhatLiesBelow(t *testing.T) {
	l := Layer(Texts{"policies/a.yaml": []byte("upper")}, Texts{"policies/a.yaml": []byte("lower"), "policies/b.yaml": []byte("b"), "codes/c.yaml": []byte("c")})
	for name, want := range map[string]string{"policies/a.yaml": "upper", "policies/b.yaml": "b", "codes/c.yaml": "c"} {
		if got, err := fs.ReadFile(l, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	names, err := fs.Glob(l, "policies/*.yaml")
	if err != nil || len(names) != 2 {
		t.Errorf("policies: %v, %v", names, err)
	}
	if names, err = fs.Glob(l, "*/*.yaml"); err != nil || len(names) != 3 {
		t.Errorf("all: %v, %v", names, err)
	}
	if _, err := fs.ReadFile(l, "policies/z.yaml"); err == nil {
		t.Error("a file that is not there was read")
	}
}
