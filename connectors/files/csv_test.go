package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// lines writes records as "line:field|field", broken ones as "line:!REASON first line".
func lines(in io.Reader) ([]string, error) {
	var out []string
	s := newSplitter(in, ',')
	for {
		r, err := s.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if r.reason != "" {
			out = append(out, fmt.Sprintf("%d:!%s %s", r.line, r.reason, r.raw))
			continue
		}
		fields := make([]string, len(r.fields))
		for i, f := range r.fields {
			fields[i] = string(f)
		}
		out = append(out, fmt.Sprintf("%d:%s", r.line, strings.Join(fields, "|")))
	}
}

func TestSplitting(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"plain fields, all kinds of line ends":                  {"a,b\nc,d\r\ne,f\rg,h", []string{"1:a|b", "2:c|d", "3:e|f", "4:g|h"}},
		"empty fields count":                                    {",\n,,\n", []string{"1:|", "2:||"}},
		"empty lines do not, but are counted as lines":          {"a\n\n\r\nb\n", []string{"1:a", "4:b"}},
		"a quoted field holds delimiters, quotes and line ends": {"\"a,\"\"b\"\"\nc\r\nd\",e\nf,g\n", []string{"1:a,\"b\"\nc\r\nd|e", "4:f|g"}},
		"a quote inside an unquoted field is itself":            {"5\" pipe,x\n", []string{"1:5\" pipe|x"}},
		"text behind a closing quote breaks one line":           {"\"a\"b,c\nd,e\n", []string{`1:!CSV_QUOTE "a"b,c`, "2:d|e"}},
		"a quote never closed breaks one line":                  {"a,\"b\nc,d\ne,f\n", []string{`1:!CSV_QUOTE a,"b`, "2:c|d", "3:e|f"}},
		"a stray quote that meets the next one":                 {"a,\"b\n\"c\",d\n", []string{`1:!CSV_QUOTE a,"b`, "2:c|d"}},
		"the mark at the beginning is no part of a name":        {"\ufeffa,b\n", []string{"1:a|b"}},
		"a mark before a quoted name":                           {"\ufeff\"a\",b", []string{"1:a|b"}},
		"a quoted field at the very end":                        {"a,\"\"", []string{"1:a|"}},
		"nothing":                                               {"", nil},
		"only line ends":                                        {"\n\r\n\r", nil},
		"a lone quote":                                          {"\"", []string{`1:!CSV_QUOTE "`}},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, in := range map[string]io.Reader{"whole": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
				got, err := lines(in)
				if err != nil || strings.Join(got, "\x00") != strings.Join(c.want, "\x00") {
					t.Errorf("%s: %q, %v; want %q", kind, got, err, c.want)
				}
			}
		})
	}
}

func TestLongRecordsAreCutNotSwallowed(t *testing.T) {
	long := strings.Repeat("x", maxRecord+maxRecord/2)
	got, err := lines(strings.NewReader("a,b\n" + long + "\nc,\"" + long + "\nd,e\n"))
	if err != nil || len(got) != 4 || got[0] != "1:a|b" || !strings.HasPrefix(got[1], "2:!CSV_LONG xxx") || !strings.HasPrefix(got[2], `3:!CSV_QUOTE c,"xxx`) || got[3] != "4:d|e" {
		for i := range got {
			got[i] = got[i][:min(len(got[i]), 40)]
		}
		t.Fatalf("%q, %v", got, err)
	}
	fits := "1," + strings.Repeat("y", maxRecord/2)
	if got, err := lines(strings.NewReader(fits + "\n" + fits)); err != nil || len(got) != 2 {
		t.Fatalf("%d records, %v", len(got), err)
	}
}

func TestAReadErrorIsNotTheEnd(t *testing.T) {
	for _, text := range []string{"a,b\nc", "a,\"b", "\"a\"b", ""} {
		in := io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("line cut")))
		if got, err := lines(in); err == nil || err.Error() != "line cut" {
			t.Errorf("%q gave %q and %v", text, got, err)
		}
	}
}

func TestEncodingsAreToldApartAndBrokenBytesFound(t *testing.T) {
	gb := func(text string) string {
		out, err := simplifiedchinese.GB18030.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	text := "企业名称,统一社会信用代码\n舞钢市某某商行（有限合伙）𠮷㐂,92410481MA45B3C11A\n"
	for name, c := range map[string]struct{ in, want string }{
		"UTF-8":                      {text, utf8Name},
		"GB18030":                    {gb(text), gbName},
		"ASCII":                      {"a,b\n1,2\n", utf8Name},
		"nothing":                    {"", utf8Name},
		"UTF-8 with one broken byte": {text + "\xff", utf8Name},
		"UTF-8 cut in a character":   {text + "\xe4\xbc", utf8Name},
	} {
		for _, in := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
			s := &sniffer{}
			if _, err := io.Copy(s, in); err != nil || s.encoding() != c.want {
				t.Errorf("%s is taken for %s, %v", name, s.encoding(), err)
			}
		}
	}
	decode := decoderOf(gbName)
	if got, ok := decode([]byte(gb("𠮷㐂（）\uFFFD"))); !ok || string(got) != "𠮷㐂（）\uFFFD" {
		t.Errorf("got %q, %v", got, ok)
	}
	for _, broken := range []string{"\x81", "a\xff\xfe", "\x00", "\x84\x31\xa4"} {
		if got, ok := decode([]byte(broken)); ok {
			t.Errorf("%x became %q", broken, got)
		}
	}
	if _, ok := decoderOf(utf8Name)([]byte("a\x00")); ok {
		t.Error("NUL was taken for text")
	}
}

// samples reads the material beside the repository, where it is there.
func samples(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "samples", pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Logf("no samples at %s: nothing to compare with", pattern)
	}
	return found
}

// Every awkward file gives records or rejects whose lines grow, and never hangs or dies.
func TestAwkwardFilesAreReadToTheirEnd(t *testing.T) {
	for _, file := range append(samples(t, "csv/*/*.csv"), samples(t, "csv/*/*.tsv")...) {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, last := newSplitter(strings.NewReader(string(body)), ','), int64(0)
		for {
			r, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || r.line <= last {
				t.Fatalf("%s: line %d after %d, %v", file, r.line, last, err)
			}
			last = r.line
		}
		if n := int64(strings.Count(string(body), "\n") + strings.Count(string(body), "\r") + 1); last > n {
			t.Fatalf("%s: line %d of %d", file, last, n)
		}
	}
}

func TestTheWebsGB18030TestReadsAsItsAnswer(t *testing.T) {
	for _, file := range samples(t, "encoding/gb18030_in.txt") {
		in, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, ".txt") + "_ref.utf8.txt")
		if err != nil {
			t.Fatal(err)
		}
		decode, wants, wrong := decoderOf(gbName), strings.Split(string(want), "\n"), 0
		for i, line := range strings.Split(string(in), "\n") {
			if got, ok := decode([]byte(line)); ok && string(got) != wants[i] {
				wrong++
				t.Logf("line %d: %q, want %q", i+1, got, wants[i])
			}
		}
		if wrong > 0 {
			t.Errorf("%d lines read differently", wrong)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"a,b\n\"c\"\"\",d\r\n", "\"a\nb\"x,y\nz\n", "\ufeffid\r1\r", "\"", "a,\"b\n\"c\",d\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		whole, err := lines(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		bytewise, err := lines(iotest.OneByteReader(strings.NewReader(text)))
		if err != nil || strings.Join(whole, "\x00") != strings.Join(bytewise, "\x00") {
			t.Fatalf("%q read whole is %q, byte by byte %q, %v", text, whole, bytewise, err)
		}
		for _, record := range whole { // nothing is made up: each record's bytes are in the text
			_, rest, _ := strings.Cut(record, ":")
			if len(rest) > len(text)+20 {
				t.Fatalf("%q became longer: %q", text, rest)
			}
		}
	})
}
