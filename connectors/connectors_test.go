package connectors_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

func TestValuesAreNeverPrinted(t *testing.T) {
	v := connectors.Values{"password": "swordfish", "url": "https://u:swordfish@h"}
	encoded, err := json.Marshal(map[string]any{"values": v})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(v), fmt.Sprintf("%v %+v %#v %s", v, v, v, v), v.LogValue().String(), string(encoded)} {
		if strings.Contains(text, "swordfish") || !strings.Contains(text, "password") {
			t.Errorf("printed %s", text)
		}
	}
}

func TestSettingsAreCheckedAllAtOnce(t *testing.T) {
	settings := []connectors.Setting{
		{Name: "url", Title: catalog.Text{EN: "address"}, Required: true},
		{Name: "mode", Default: "full", Choices: []string{"full", "flag"}},
		{Name: "rows", Default: "100"},
	}
	filled, err := connectors.Fill(settings, connectors.Values{"url": " h "})
	if err != nil || filled["url"] != "h" || filled["mode"] != "full" || filled["rows"] != "100" {
		t.Fatalf("%v, %v", filled["url"], err)
	}
	_, err = connectors.Fill(settings, connectors.Values{"mode": "s3cret", "modus": "s3cret"})
	for _, part := range []string{"url (address) is not set", "mode is none of full, flag", "modus is no setting"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a value is shown: %v", err)
	}
	r := connectors.NewReader(settings, connectors.Values{"url": "a, ,b", "rows": "-1"})
	if list := r.List("url"); len(list) != 2 || list[1] != "b" {
		t.Errorf("list %v", list)
	}
	r.Int("rows", 1)
	r.Float("mode")
	r.Duration("url")
	if n := strings.Count(r.Err().Error(), "\n"); n != 2 {
		t.Errorf("got %v, want three faults", r.Err())
	}
}

func TestABatchGathersRowsOfDifferentColumns(t *testing.T) {
	b := connectors.NewBatch(3, "a")
	row := func(line int64, pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			b.Set(b.Column(pairs[i]), pairs[i+1])
		}
		b.EndRow(line)
	}
	row(2, "b", "1", "b", "2")
	b.Set(b.Column("c"), "dropped")
	b.DropRow()
	row(3)
	row(7, "c", "3", "a", "")
	if !b.Full() || b.Rows() != 3 {
		t.Fatalf("%d rows, full %v", b.Rows(), b.Full())
	}
	record, first, lines := b.Take()
	got := fmt.Sprint(connectortest.Column(record, "a"), connectortest.Column(record, "b"), connectortest.Column(record, "c"), first, lines)
	if want := "[<null> <null> ] [2 <null> <null>] [<null> <null> 3] 2 [2 3 7]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	record.Release()
	row(8, "a", "x")
	record, first, lines = b.Take()
	if got := fmt.Sprint(record.NumRows(), record.NumCols(), first, lines); got != "1 3 8 []" {
		t.Errorf("the next page is %s", got)
	}
	record.Release()
}

func TestWatermarksCompareByWhatTheyMean(t *testing.T) {
	for _, c := range [][2]string{ // the second is later
		{"", "0"}, {"0", "1"}, {"9", "10"}, {"2025-10-28 09:00:00", "2025-10-28 09:00:00.5"}, {"2025-10-28 17:00:00", "2025-10-28T10:00:00Z"},
		{"2025/10/28", "2025-10-28 00:00:01"}, {"20251028", "20251029"}, {"20251028", "20251399"}, {"a", "b"}, {"unreadable", "2025-10-28"}, {"zzz", "2025-10-28"},
	} {
		if connectors.Later(c[0], c[1]) != c[1] || connectors.Later(c[1], c[0]) != c[1] {
			t.Errorf("%q is not before %q", c[0], c[1])
		}
	}
	for _, c := range []struct {
		text string
		by   time.Duration
		want string
	}{
		{"2025-10-28 09:00:00", time.Hour, "2025-10-28 08:00:00"}, {"2025-10-28", 24 * time.Hour, "2025-10-27"}, {"2025-10-28T00:30:00Z", time.Hour, "2025-10-27T23:30:00Z"},
		{"17", time.Hour, "17"}, {"2025-10-28", 0, "2025-10-28"},
	} {
		if got := connectors.Back(c.text, c.by); got != c.want {
			t.Errorf("%s back by %s is %s, want %s", c.text, c.by, got, c.want)
		}
	}
}
