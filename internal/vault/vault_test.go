package vault

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"xinshu/internal/fault"
)

func open(t *testing.T, keys ...Key) *Vault {
	t.Helper()
	v, err := New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestASealOpensAtItsPlaceOnly(t *testing.T) {
	k, _ := NewKey()
	v := open(t, k)
	sealed, err := v.Seal("connection/tax/password", []byte("swordfish"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed, "swordfish") || KeyOf(sealed) != k.ID() {
		t.Errorf("sealed as %s", sealed)
	}
	if got, err := v.Open("connection/tax/password", sealed); err != nil || string(got) != "swordfish" {
		t.Errorf("it opens as %q, %v", got, err)
	}
	if got, err := v.Open("connection/court/password", sealed); err == nil {
		t.Errorf("at another place it opens as %q", got)
	}
	twice, _ := v.Seal("connection/tax/password", []byte("swordfish"))
	if twice == sealed {
		t.Error("the same secret has the same seal: equal passwords can be told")
	}
}

func TestEveryChangeOfASealIsFound(t *testing.T) {
	k, _ := NewKey()
	v := open(t, k)
	sealed, _ := v.Seal("p", []byte("swordfish"))
	for at := range sealed {
		for _, c := range []byte("A.") {
			if sealed[at] == c {
				continue
			}
			changed := sealed[:at] + string(c) + sealed[at+1:]
			if got, err := v.Open("p", changed); err == nil {
				t.Fatalf("changed at %d it opens as %q", at, got)
			}
		}
		if _, err := v.Open("p", sealed[:at]); err == nil {
			t.Fatalf("cut at %d it opens", at)
		}
	}
}

func TestAWrongKeyIsSaid(t *testing.T) {
	a, _ := NewKey()
	b, _ := NewKey()
	sealed, _ := open(t, a).Seal("p", []byte("swordfish"))
	_, err := open(t, b).Open("p", sealed)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), a.ID()) || !strings.Contains(err.Error(), "vault.old_keys") {
		t.Errorf("it says %v", err)
	}
}

func TestAKeyDoesNotPrintItself(t *testing.T) {
	k, text := NewKey()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, k); got != "***" {
			t.Errorf("%s prints %s", verb, got)
		}
		if got := fmt.Sprintf(verb, struct{ K Key }{k}); strings.Contains(got, text[:8]) || strings.Contains(got, fmt.Sprint(k.secret)) {
			t.Errorf("inside another value %s prints %s", verb, got)
		}
	}
}

func TestAFileOfKeysIsMadeOnceAndForItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	var all sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		all.Go(func() {
			v, err := OpenFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = v.First()
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("nodes that start together have keys %v", ids)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it lies there as %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that everybody reads: %v", err)
	}
}

func TestARunningVaultOpensWhatAnotherProcessSealedUnderANewKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	running, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := running.Seal("p", []byte("old"))
	id, err := AddKey(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if other.First() != id {
		t.Errorf("it seals under %s, not under the new key %s", other.First(), id)
	}
	after, _ := other.Seal("p", []byte("new"))
	for sealed, want := range map[string]string{before: "old", after: "new"} {
		for _, v := range []*Vault{running, other} {
			if got, err := v.Open("p", sealed); err != nil || string(got) != want {
				t.Errorf("opens as %q, %v; want %s", got, err, want)
			}
		}
	}
}

// held keeps sealed texts in memory.
type held map[string]string

func (h held) Sealed(context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for place, text := range h {
			if !yield(Item{place, text}, nil) {
				return
			}
		}
	}
}

func (h held) Reseal(_ context.Context, old, text Item) (bool, error) {
	if h[old.Place] != old.Text {
		return false, nil
	}
	h[old.Place] = text.Text
	return true, nil
}

func TestRotationSealsEverythingAnewAndOnlyOnce(t *testing.T) {
	a, _ := NewKey()
	b, _ := NewKey()
	h := held{}
	for i := range 20 {
		place := fmt.Sprint("place", i)
		h[place], _ = open(t, a).Seal(place, []byte(fmt.Sprint("secret", i)))
	}
	both := open(t, b, a)
	if total, renewed, err := both.Rotate(t.Context(), h); err != nil || total != 20 || renewed != 20 {
		t.Errorf("%d of %d, %v", renewed, total, err)
	}
	if total, renewed, err := both.Rotate(t.Context(), h); err != nil || total != 20 || renewed != 0 {
		t.Errorf("again: %d of %d, %v", renewed, total, err)
	}
	byKey, err := open(t, b).Check(t.Context(), h)
	if err != nil || byKey[b.ID()] != 20 {
		t.Errorf("under the new key alone: %v, %v", byKey, err)
	}
	if _, err := open(t, a).Check(t.Context(), h); err == nil {
		t.Error("the old key still opens them")
	}
}

func TestASignatureIsTheKeysOwn(t *testing.T) {
	a, _ := NewKey()
	b, _ := NewKey()
	code := open(t, a).Sign([]byte("root 17"))
	if ok, err := open(t, b, a).Signed([]byte("root 17"), code); err != nil || !ok {
		t.Errorf("%v, %v", ok, err)
	}
	if ok, _ := open(t, a).Signed([]byte("root 18"), code); ok {
		t.Error("it signs another statement")
	}
	if _, err := open(t, b).Signed([]byte("root 17"), code); err == nil {
		t.Error("a key that is not at hand is not said")
	}
}
