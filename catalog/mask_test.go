package catalog

import (
	"strings"
	"testing"
)

func TestMaskIDs(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"alone", "11010519491231002X", "110*************2X"},
		{"inside Chinese text", "法定代表人张某，身份证号11010519491231002X，电话", "法定代表人张某，身份证号110*************2X，电话"},
		{"a small x", "11010519491231002x.", "110*************2X."},
		{"two of them", "440524188001010014;110105194912310029", "440524188001010014;110*************29"},
		{"full width", "号码１１０１０５１９４９１２３１００２Ｘ。", "号码110*************2X。"},
		{"set apart by blanks", "证件 110105 19491231 002X 有效", "证件 110*************2X 有效"},
		{"set apart by hyphens", "110105-19491231-002X", "110*************2X"},
		{"a wrong check character is still a person's number", "110105194912310029", "110*************29"},
		{"15 digits", "旧证号110105491231002", "旧证号110**********02"},
		{"glued to a document number", "20211103110105194912310021", ""},
		{"glued to a document number, right check", "2021110311010519491231002X", "20211103110*************2X"},
		{"a foreigner's permanent residence card", "911124198108030024", "911*************24"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "" {
				c.want = c.text
			}
			got, found := MaskIDs(c.text)
			if got != c.want || found != (c.want != c.text) {
				t.Errorf("%q: got %q, %v, want %q", c.text, got, found, c.want)
			}
		})
	}
}

func TestMaskIDsLeavesOtherNumbersAlone(t *testing.T) {
	for _, s := range append([]string{
		"", "2021-10-10 12:34:56.123456", "舞市监罚〔2021〕000123号", "110108000000016", "410481100001238", "410481000125743", "6222021234567890123",
		"豫舞应急罚2021年第0000000123号 2021-12-20 2022-01-05", "999999194912310021", "110105194913310021",
	}, realCodes...) {
		if got, found := MaskIDs(s); found || got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestKeyedHashMatchesOnlyUnderTheSameKey(t *testing.T) {
	// RFC 4231, test case 2
	if got := KeyedHash([]byte("Jefe"), "what do ya want for nothing?"); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Errorf("got %s", got)
	}
	if KeyedHash([]byte("a"), "x") == KeyedHash([]byte("b"), "x") {
		t.Error("the key makes no difference")
	}
}

func FuzzMaskIDs(f *testing.F) {
	f.Add("法定代表人 110105 19491231 002X")
	f.Add("１１０１０５１９４９１２３１００２Ｘ")
	f.Add("20211103110105194912310021")
	f.Fuzz(func(t *testing.T, s string) {
		masked, found := MaskIDs(s)
		if found == (masked == s) {
			t.Fatalf("%q: %q, %v", s, masked, found)
		}
		if again, found := MaskIDs(masked); found {
			t.Fatalf("%q still holds one after masking: %q, %q", s, masked, again)
		}
		if strings.Count(s, "") > 0 && !found && masked != s {
			t.Fatal("changed without finding")
		}
	})
}
