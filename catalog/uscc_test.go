package catalog

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// realCodes carry both check characters right; found in public material.
var realCodes = []string{
	"91350100M000100Y43", // the example of GB 32100-2015 itself
	"91330100799655058B", "914403001922038216", "9144030071526726XG", "91110000802100433B", "91440300MA5H0HLK5U",
	"91133100MA0D8N1J7G", "91230500MA1B3N1N2M", "11230500001755309F", "11330000002482322Q", "114400000069401674",
	"12100000400000624D", "12100000400000456B", "12100000400002697C", "51100000500009247D", "51100000500012681T", "1210000040077753X1",
	// made up for fixtures
	"91410481MA44K7X22A", "92410481MA45B3C11A", "93410481MA40N5T83T", "11410481005458125T", "12410481416912345D",
	"51410481501234569C", "91320281142243171E", "91211382MA0XU3Q711",
}

func TestCleanCodesAreValidWithoutAWarning(t *testing.T) {
	for _, code := range realCodes {
		v := CheckUSCC(code)
		if !v.Valid || v.Reason != "" || len(v.Warnings) != 0 || v.Normalized != code || v.Input != code {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct{ name, raw, reason, normalized string }{
		{"Z is not of the alphabet, the standard's own counter-example", "91350100M000100Y4Z", USCCCharset, "91350100M000100Y4Z"},
		{"a typing error in the check character", "12100000400000624X", USCCCheck, "12100000400000624X"},
		{"both check characters wrong", "51100000500000024G", USCCCheck, "51100000500000024G"},
		{"both wrong, a company", "91320100250571846X", USCCCheck, "91320100250571846X"},
		{"both wrong, from a web page", "91310115MA1G4L1WXK", USCCCheck, "91310115MA1G4L1WXK"},
		{"two digits changed places", "91330100799655085B", USCCCheck, "91330100799655085B"},
		{"the letter O for a zero", "91330100799655O58B", USCCCharset, "91330100799655O58B"},
		{"17 characters", "9133010079965505B", USCCLength, "9133010079965505B"},
		{"letters in the division", "9133AB00799655058B", USCCStruct, "9133AB00799655058B"},
		{"registration department 0", "013301007996550581", USCCStruct, "013301007996550581"},
		{"18 zeros pass the arithmetic and are still nothing", "000000000000000000", USCCPlaceholder, ""},
		{"17 zeros and an X", "00000000000000000X", USCCPlaceholder, ""},
		{"all ones", "111111111111111111", USCCPlaceholder, ""},
		{"empty", "", USCCPlaceholder, ""},
		{"blanks only", " \t　", USCCPlaceholder, ""},
		{"无", "无", USCCPlaceholder, ""},
		{"暂无 with blanks", " 暂 无 ", USCCPlaceholder, ""},
		{"a hyphen", "-", USCCPlaceholder, ""},
		{"a slash of full width", "／", USCCPlaceholder, ""},
		{"null", "null", USCCPlaceholder, ""},
		{"a registration number of 15 digits", "410481100001238", IDLegacyReg, "410481100001238"},
		{"a registration number of 13 digits", "3304811104905", IDLegacyReg, "3304811104905"},
		{"an organisation code", "79965505-8", IDLegacyOrg, "799655058"},
		{"words of 18 characters", "一二三四五六七八九十一二三四五六七八", USCCCharset, "一二三四五六七八九十一二三四五六七八"},
		{"words", "企外苏宁承字第1021", USCCLength, "企外苏宁承字第1021"},
		{"bytes that are no text", "\xff\xfe", USCCLength, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := CheckUSCC(c.raw)
			if v.Valid || v.Reason != c.reason || c.normalized != "" && v.Normalized != c.normalized {
				t.Errorf("%q: got %+v, want reason %s, normalized %q", c.raw, v, c.reason, c.normalized)
			}
			if c.reason == USCCPlaceholder && v.Normalized != "" {
				t.Errorf("%q: a placeholder has no code, got %q", c.raw, v.Normalized)
			}
		})
	}
}

func TestOneCharacterWrongIsNeverValid(t *testing.T) {
	for _, code := range realCodes[:17] {
		for i := range code {
			for _, c := range usccAlphabet {
				if wrong := code[:i] + string(c) + code[i+1:]; wrong != code && CheckUSCC(wrong).Valid {
					t.Errorf("%s taken for %s", wrong, code)
				}
			}
		}
	}
}

func TestNormalisedCodesAreValidAndSaySo(t *testing.T) {
	for _, raw := range []string{
		"91330100799655058b", "９１３３０１００７９９６５５０５８Ｂ", "91330100 799655058B", "\uFEFF91330100799655058B", "'91330100799655058B",
		"91330100-79965505-8-B", "“91330100799655058B”", "91330100\u200b799655058B\r\n", "91330100－799655058B",
	} {
		v := CheckUSCC(raw)
		if !v.Valid || v.Normalized != "91330100799655058B" || v.Input != raw || !slices.Equal(v.Warnings, []string{USCCNormalised}) {
			t.Errorf("%q: %+v", raw, v)
		}
	}
}

func TestAWrongOrganisationCodeIsAWarning(t *testing.T) {
	v := CheckUSCC("91410481MA44ABCD19") // the organisation code's own check character would be 5
	if !v.Valid || !slices.Equal(v.Warnings, []string{USCCOrgCheck}) {
		t.Errorf("got %+v", v)
	}
	v = CheckUSCC("91410481ma44abcd19")
	if !v.Valid || !slices.Equal(v.Warnings, []string{USCCNormalised, USCCOrgCheck}) {
		t.Errorf("got %+v", v)
	}
}

func TestLookAlikesAreSuggestedNeverCorrected(t *testing.T) {
	v := CheckUSCC("9I330100799655O58B")
	if v.Valid || v.Reason != USCCCharset || v.Suggestion != "91330100799655058B" {
		t.Errorf("got %+v", v)
	}
	for _, raw := range []string{"91330100799655O59B", "9133010079965505VB"} {
		if v := CheckUSCC(raw); v.Suggestion != "" {
			t.Errorf("%s: the suggestion %s is no valid code or no look-alike", raw, v.Suggestion)
		}
	}
}

func TestResidentIDsAreRefusedAndMasked(t *testing.T) {
	for _, raw := range []string{"11010519491231002X", "11010519491231002x", "1101 0519 4912 3100 2X", "440524188001010014", "410481900307123", "911131198001010011"} {
		v := CheckUSCC(raw)
		bare := normaliseUSCC(raw)
		shaped := isResidentID(bare) || isOldResidentID(bare)
		if v.Valid || shaped && v.Reason != PIIIDCard || shaped && (strings.Contains(v.Input+v.Normalized, bare[6:12]) || !strings.Contains(v.Input, "****")) {
			t.Errorf("%s: %+v", raw, v)
		}
	}
	if v := CheckUSCC("11010519491231002X"); v.Input != "110*************2X" {
		t.Errorf("mask: %q", v.Input)
	}
	if v := CheckUSCC("110105194912310029"); v.Reason != USCCCheck || strings.Contains(v.Input, "19491231") {
		t.Errorf("a mistyped id is no known id, but is masked: %+v", v)
	}
}

func TestAStewardsOverrideLetsARecordedPilotCodeIn(t *testing.T) {
	pilot := "91410481M0001XUF46" // made up in the form of the pilot codes that circulate; fails GB 32100
	recorded := func(code string) bool { return code == pilot }
	if v := CheckUSCC(pilot); v.Valid || v.Reason != USCCCheck {
		t.Fatalf("the code must fail without the override: %+v", v)
	}
	if v := CheckUSCCWith(pilot, recorded); !v.Valid || !slices.Equal(v.Warnings, []string{USCCOverride}) {
		t.Errorf("got %+v", v)
	}
	if v := CheckUSCCWith("91330100799655085B", recorded); v.Valid {
		t.Errorf("a code nobody recorded: %+v", v)
	}
}

func TestRegistrationNumbers(t *testing.T) {
	for _, no := range []string{"110108000000016", "410481100001238", "440301103097413", "211382600004568", "410481600123458"} {
		if !RegNoValid(no) || CheckUSCC(no).Reason != IDLegacyReg || len(CheckUSCC(no).Warnings) != 0 {
			t.Errorf("%s should be a valid registration number", no)
		}
		for i := range no {
			wrong := []byte(no)
			wrong[i] = '0' + (wrong[i]-'0'+1)%10
			if RegNoValid(string(wrong)) {
				t.Errorf("%s taken for %s", wrong, no)
			}
		}
	}
}

func TestVerdictJSON(t *testing.T) {
	got, _ := json.Marshal(CheckUSCC("91330100799655058B"))
	if want := `{"input":"91330100799655058B","valid":true,"normalized":"91330100799655058B","reason":"","warnings":[]}`; string(got) != want {
		t.Errorf("got %s", got)
	}
}

func TestACleanCodeCostsNoAllocation(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { CheckUSCC("91330100799655058B") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCollectedCodes tries codes as registers really hold them. Without the folder of samples the same
// promises are tried on codes made here.
func TestCollectedCodes(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "samples", "uscc")
	if _, err := os.Stat(dir); err != nil {
		t.Logf("no samples beside the repository: %d made codes are tried instead", 1000)
		for i := range 1000 {
			code := madeCode(i)
			if v := CheckUSCC(strings.ToLower(code)); !v.Valid || v.Normalized != code {
				t.Errorf("%s: %+v", code, v)
			}
		}
		return
	}
	for _, row := range readSamples(t, dir, "wild_valid.csv") {
		if v := CheckUSCC(row[0]); !v.Valid {
			t.Errorf("%s: %+v", row[0], v)
		}
	}
	for _, row := range readSamples(t, dir, "library_vectors.csv") {
		if v := CheckUSCC(row[0]); v.Valid != (row[4] == "ok") {
			t.Errorf("%s, which %s calls %s: %+v", row[0], row[2], row[1], v)
		}
	}
	for _, row := range readSamples(t, dir, "wild_dirty.csv") {
		v := CheckUSCC(row[0])
		var want bool
		switch row[1] {
		case "checksum":
			want = !v.Valid && v.Reason == USCCCheck
		case "ok_orgbad":
			want = v.Valid && slices.Contains(v.Warnings, USCCOrgCheck)
		case "length":
			want = !v.Valid && (v.Reason == USCCLength || v.Reason == IDLegacyReg || v.Reason == IDLegacyOrg)
		case "charset": // nearly all a lower-case x, which normalising mends
			want = v.Valid && v.Warnings[0] == USCCNormalised || v.Reason == USCCCharset
		}
		if !want {
			t.Errorf("%s, called %s: %+v", row[0], row[1], v)
		}
	}
}

func readSamples(t *testing.T, dir, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	return rows[1:]
}

// madeCode gives a valid code for each small number.
func madeCode(i int) string {
	body := []byte("91410481MA40000000")
	for at := 15; at >= 12; at-- {
		body[at] = usccAlphabet[i%31]
		i /= 31
	}
	for _, c := range "0123456789X" {
		body[16] = byte(c)
		if OrgCodeValid(string(body[8:17])) {
			break
		}
	}
	body[17] = usccCheckChar(string(body))
	return string(body)
}

func FuzzCheckUSCC(f *testing.F) {
	for _, code := range realCodes {
		f.Add(code)
	}
	for _, raw := range []string{"", "无", "91330100799655O58B", "11010519491231002X", "９１３３", "\xff", "410481100001238"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		v := CheckUSCC(raw)
		if v.Valid == (v.Reason != "") {
			t.Fatalf("valid and reason disagree: %+v", v)
		}
		if v.Valid {
			if again := CheckUSCC(v.Normalized); !again.Valid || again.Normalized != v.Normalized || slices.Contains(again.Warnings, USCCNormalised) {
				t.Fatalf("the normalised code is not normal: %+v, then %+v", v, again)
			}
		}
		if isResidentID(v.Normalized) && !codeBeatsID(v.Normalized) {
			t.Fatalf("a resident id in clear: %+v", v)
		}
	})
}

func BenchmarkCheckUSCC(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		CheckUSCC("91440300MA5H0HLK5U")
	}
}
