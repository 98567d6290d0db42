package auth

import (
	"strings"
	"testing"
)

var cheap = Cost{Time: 1, MemoryKB: 64, Threads: 1}

func TestAPasswordFitsItsHashAndNoOther(t *testing.T) {
	a, b := cheap.Hash("an old oak by the river"), cheap.Hash("an old oak by the river")
	if a == b || strings.Contains(a, "oak") || !strings.HasPrefix(a, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("stored as %s and %s", a, b)
	}
	for password, want := range map[string]bool{"an old oak by the river": true, "an old oak by the rive": false, "": false, "an old oak by the river ": false} {
		if got, err := fits(a, password); err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if costOf(a) != cheap || costOf(DefaultCost.Hash("x")) != DefaultCost {
		t.Error("the stored text does not tell its cost")
	}
}

func TestABrokenStoredPasswordIsAnErrorAndNoMatch(t *testing.T) {
	good := cheap.Hash("an old oak by the river")
	for _, stored := range []string{"", "x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=18", 1),
		strings.Replace(good, "m=64", "m=4000000000", 1), strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-5], strings.Replace(good, "m=64", "m=x", 1)} {
		if same, err := fits(stored, "an old oak by the river"); err == nil || same {
			t.Errorf("%q: %v, %v", stored, same, err)
		}
	}
}

func TestRulesOfPasswords(t *testing.T) {
	for _, c := range []struct{ password, why string }{
		{"an old oak by the river", ""},
		{"河边有一棵很老很老的橡树啊", ""},
		{"Tr0ub4dor&3xyz", ""},
		{"short", "at least 12"},
		{"橡树橡树", "at least 12"},
		{"abcabcabcabcabc", "fewer than 5 different"},
		{"P@ssw0rd@2026", "many take"},
		{"Admin@123456", "many take"},
		{"admin 123456", "many take"},
		{"Woaini-1314520", "many take"},
		{"zhang.wei likes tea", "user's name"},
		{"ZhangWei-likes-tea", "user's name"},
		{"张伟住在河边的老橡树的下", "user's name"},
		{"河边的老橡树是张伟的家啊", "user's name"},
		{"1234567890123", "follow one another"},
		{"abcdefghijklmn", "follow one another"},
		{"9876543210987", "follow one another"},
		{"an old oak\x00by the river", "cannot be typed"},
		{"an old oak \xff by the river", "cannot be typed"},
		{strings.Repeat("an old oak ", 40), "more than 256"},
	} {
		err := checkPassword("zhangwei", "张伟", c.password)
		switch {
		case c.why == "" && err != nil:
			t.Errorf("%q is refused: %v", c.password, err)
		case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
			t.Errorf("%q: %v, want %q", c.password, err, c.why)
		}
	}
	for line := range strings.SplitSeq(commonList, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if checkPassword("zhangwei", "张伟", line) == nil {
			t.Errorf("%q of the list is taken", line)
		}
	}
}

func TestAMadePasswordIsGoodAndNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		p := newPassword()
		if err := checkPassword("zhangwei", "张伟", p); err != nil || seen[p] {
			t.Fatalf("%q: %v", p, err)
		}
		seen[p] = true
	}
}
