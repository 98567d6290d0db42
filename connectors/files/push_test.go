package files

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// target reads the folder as a receiver does: a packet counts once its .ok is there and its .md5 fits.
func target(c connectors.Conn, dir string) connectortest.Target {
	return connectortest.Target{Conn: c, Records: func(t *testing.T) map[string]int {
		t.Helper()
		held := map[string]int{}
		oks, err := filepath.Glob(filepath.Join(dir, "*.ok"))
		if err != nil {
			t.Fatal(err)
		}
		for _, ok := range oks {
			file := strings.TrimSuffix(ok, ".ok")
			for _, id := range readPacket(t, file) {
				held[id]++
			}
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
			t.Fatalf("temporary files are left: %v", left)
		}
		return held
	}}
}

func readPacket(t *testing.T, file string) (ids []string) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check, err := os.ReadFile(file + ".md5")
	if err != nil {
		t.Fatal(err)
	}
	if sum := md5.Sum(body); string(check) != hex.EncodeToString(sum[:])+"  "+filepath.Base(file)+"\n" {
		t.Fatalf("%s does not fit its .md5 %s", file, check)
	}
	if strings.HasSuffix(file, ".json") {
		var p struct {
			Header packetHeader `json:"header"`
			Body   struct {
				Rows []struct{ ID string } `json:"rows"`
			} `json:"body"`
		}
		if err := json.Unmarshal(body, &p); err != nil || p.Header.Count != len(p.Body.Rows) || p.Header.GUID == "" {
			t.Fatalf("packet %s: %v", body, err)
		}
		for _, row := range p.Body.Rows {
			ids = append(ids, row.ID)
		}
		return ids
	}
	var p xmlPacket
	if err := xml.Unmarshal(body, &p); err != nil || p.Header.Count != len(p.Rows) || p.Header.GUID == "" {
		t.Fatalf("packet %s: %v", body, err)
	}
	for _, row := range p.Rows {
		ids = append(ids, row.ID)
	}
	return ids
}

func TestPushKeepsItsPromises(t *testing.T) {
	for _, form := range []string{"xml", "json"} {
		t.Run(form, func(t *testing.T) {
			connectortest.Push(t, func(t *testing.T) connectortest.Target {
				dir := t.TempDir()
				return target(openDir(t, dir, connectors.Values{"packet": form, "outbox": "out"}), filepath.Join(dir, "out"))
			})
		})
	}
}

func TestAPacketHoldsHeaderAndBody(t *testing.T) {
	d := connectortest.Delivery(1)
	for form, want := range map[string]string{
		"json": `{"header":{"guid":"0199d1c2-0000-7000-8000-000000000001","kind":"grades","sender":"信用中心","target":"city-share","made":"2026-01-12T09:30:00+08:00","count":1,"wording":"评价结果不作为行政处罚的直接依据"},"body":{"rows":[{"id":"jiangyin-2020/91320281142243171E/1","kind":"grade","version":1,"uscc":"91320281142243171E","name":"江阴<试>&公司","score":850.5,"measures":["绿色通道"]}]}}
`,
		"xml": `<?xml version="1.0" encoding="UTF-8"?>
<packet>
 <header>
  <guid>0199d1c2-0000-7000-8000-000000000001</guid>
  <kind>grades</kind>
  <sender>信用中心</sender>
  <target>city-share</target>
  <made>2026-01-12T09:30:00+08:00</made>
  <count>1</count>
  <wording>评价结果不作为行政处罚的直接依据</wording>
 </header>
 <body>
  <row id="jiangyin-2020/91320281142243171E/1" kind="grade" version="1" uscc="91320281142243171E">
   <item name="name">江阴&lt;试&gt;&amp;公司</item>
   <item name="score">850.5</item>
   <item name="measures">[&#34;绿色通道&#34;]</item>
  </row>
 </body>
</packet>
`,
	} {
		got, err := encodePacket(form, "信用中心", d)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", form, err, got, want)
		}
	}
}

// A kill between the packet and its .ok leaves a packet that no receiver takes; pushing again mends it.
func TestAPacketWithoutItsOkIsLaidDownAgain(t *testing.T) {
	dir := t.TempDir()
	tg := target(openDir(t, dir, nil), dir)
	d := connectortest.Delivery(2)
	name := packetName(d, "xml")
	write(t, dir, name, "<packet><hea")
	write(t, dir, "."+name+".md5.tmp", "half")
	if _, err := tg.Conn.(connectors.Pusher).Push(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if held := tg.Records(t); len(held) != 2 {
		t.Fatalf("holds %v", held)
	}
}

func TestNamesOfPacketsComeFromTheDeliveryIdAlone(t *testing.T) {
	plain := packetName(connectors.Delivery{ID: "0199d1c2-AB_9"}, "xml")
	if plain != "0199d1c2-AB_9.xml" {
		t.Errorf("got %s", plain)
	}
	a, b := packetName(connectors.Delivery{ID: "../x/1"}, "xml"), packetName(connectors.Delivery{ID: "..-x-1"}, "xml")
	if a == b || strings.ContainsAny(a, "/\\") || strings.HasPrefix(a, ".") {
		t.Errorf("got %s and %s", a, b)
	}
	if long := packetName(connectors.Delivery{ID: strings.Repeat("长", 500)}, "xml"); len(long) > 100 {
		t.Errorf("got %d bytes", len(long))
	}
}

func TestAnswersAreReadBackOnceAndPutAway(t *testing.T) {
	for _, place := range placesUnderTest {
		t.Run(place, func(t *testing.T) {
			c, put := placeUnderTest(t, place, connectors.Values{"answers": "back"})
			answersAreReadBack(t, c, put)
		})
	}
}

func answersAreReadBack(t *testing.T, c *conn, put func(name, body string)) {
	t.Helper()
	put("back/a.xml.fb", "\ufeff"+`<answer><guid>d-1</guid><code>0</code><message>部分接收</message><accepted>1</accepted><rejected>1</rejected><rows><row id="r-2" code="E01" message="无主体"/></rows></answer>`)
	put("back/b.json.fb", `{"guid":"d-2","code":"0","accepted":2,"rejected":0}`)
	put("back/c.json.fb", `{"guid":`)
	put("back/d.json.fb", `{"code":"0"}`)
	put("back/.e.json.fb", `{"guid":"half"`)
	put("back/f.json.fb", `{"guid":"d-3","accepted":1}`)
	read := func() (ids []string, faults int) {
		for a, err := range c.Answers(t.Context()) {
			if err != nil {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), a.Handle) {
					t.Fatalf("got %v", err)
				}
				faults++
				continue
			}
			ids = append(ids, a.DeliveryID)
			if a.DeliveryID == "d-1" {
				want := connectors.RowReceipt{ID: "r-2", Code: "E01", Message: "无主体"}
				if a.Receipt.Accepted != 1 || a.Receipt.Rejected != 1 || a.Receipt.Message != "部分接收" || len(a.Receipt.Rows) != 1 || a.Receipt.Rows[0] != want {
					t.Fatalf("receipt %+v", a.Receipt)
				}
			}
		}
		return ids, faults
	}
	for range 2 { // an answer stays until it was taken
		if ids, faults := read(); strings.Join(ids, " ") != "d-1 d-2 d-3" || faults != 2 {
			t.Fatalf("answers %v, %d broken", ids, faults)
		}
	}
	for range 2 { // taking it twice is harmless
		if err := c.Taken(t.Context(), connectors.Answer{Handle: "a.xml.fb"}); err != nil {
			t.Fatal(err)
		}
	}
	if ids, _ := read(); strings.Join(ids, " ") != "d-2 d-3" {
		t.Fatalf("answers %v", ids)
	}
	if err := c.Taken(t.Context(), connectors.Answer{Handle: "../b.json.fb"}); err == nil {
		t.Fatal("a handle left the folder")
	}
}

func TestAnAnswerPutAwayIsFoundAgainByAHubThatLostItsDatabase(t *testing.T) {
	dir := t.TempDir()
	c := openDir(t, dir, nil)
	d := connectortest.Delivery(2)
	push := func() connectors.Receipt {
		r, err := c.(connectors.Pusher).Push(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := push(); !r.Pending {
		t.Fatalf("a packet just laid down is answered already: %+v", r)
	}
	write(t, dir, "done/"+packetName(d, "xml")+".fb", `{"guid":"`+d.ID+`","code":"0","accepted":2,"rejected":0}`)
	if r := push(); r.Pending || r.Accepted != 2 {
		t.Errorf("receipt %+v, want the answer that was put away", r)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{`{"guid":"d","rows":[{"id":"r"}]}`, `<answer><guid>d</guid><rows><row id="r"/></rows></answer>`, "\ufeff<a", "<answer>&x;</answer>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if a, err := decodeAnswer(body); err == nil && a.GUID == "" {
			t.Fatalf("%q became an answer to nothing", body)
		}
	})
}
