package restapi

import (
	"crypto/aes"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

func TestNextPullAsksFromTheGreatestTimeSeen(t *testing.T) {
	p := startPlatform(t)
	p.rows[1]["op_time"], p.rows[6]["op_time"] = "2025-10-28 10:30:00", nil // rows come in no order, one without time
	c, _ := p.open(t, nil)
	src := p.source(t, c, connectors.Values{"since_param": "from", "page_rows": "100", "lookback": "30m"})
	var last connectors.Page
	for page, err := range c.Pull(t.Context(), src.Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		page.Batch.Release()
		last = page
	}
	if last.Next != `{"since":"2025-10-28 10:30:00"}` {
		t.Fatalf("cursor %s", last.Next)
	}
	for page, err := range c.Pull(t.Context(), src.Job, last.Next) {
		if err != nil {
			t.Fatal(err)
		}
		page.Batch.Release()
		last = page
	}
	if got := p.calls[len(p.calls)-1].FormValue("from"); got != "2025-10-28 10:00:00" {
		t.Fatalf("asked from %s, half an hour before the cursor was due", got)
	}
	if last.Next != `{"since":"2025-10-28 10:30:00"}` {
		t.Fatalf("the lookback moved the cursor to %s", last.Next)
	}
}

func (p *platform) setNow(rows ...map[string]any) { p.rows = rows }

func TestAPullThatFindsNothingLeavesTheCursor(t *testing.T) {
	p := startPlatform(t)
	p.setNow()
	c, _ := p.open(t, nil)
	for page, err := range c.Pull(t.Context(), p.source(t, c, nil).Job, `{"since":"2025-10-28 10:30:00"}`) {
		t.Fatalf("page %+v, %v", page, err)
	}
}

func TestAPageThatComesTwiceIsAskedForAgain(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n != 2 {
			return false
		}
		r.URL.RawQuery = "page=1&rows=2"
		p.serve(w, r)
		return true
	}
	c, _ := p.open(t, nil)
	src := p.source(t, c, nil)
	if rows, err := pull(t, src); err != nil || strings.Join(rows, " ") != strings.Join(src.Rows, " ") {
		t.Fatalf("%v, %v", rows, err)
	}
}

func TestAPlatformThatIgnoresThePageNumberIsFoundOut(t *testing.T) {
	p := startPlatform(t)
	c, _ := p.open(t, nil)
	for _, total := range []string{"data.total", ""} {
		rows, err := pull(t, p.source(t, c, connectors.Values{"page_param": "pageNo", "query": "page=1", "total_path": total}))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "page_param") || len(rows) != 2 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
	}
}

func TestRowsThatComeInDuringAPullAreNoticed(t *testing.T) {
	p := startPlatform(t)
	p.instead = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 2 {
			p.rows = append([]map[string]any{{"id": "r0", "op_time": "2025-10-28 08:00:00"}}, p.rows...)
		}
		return false
	}
	c, _ := p.open(t, nil)
	if _, err := pull(t, p.source(t, c, nil)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "from 7 to 8") {
		t.Fatalf("got %v", err)
	}
}

func TestValuesStayAsSent(t *testing.T) {
	p := startPlatform(t)
	p.instead = answers(body(`{"code":0,"data":{"total":4,"rows":[
		{"id":"a\u4e2d<\n","n":12345678901234567890.10,"t":true,"x":null,"o":{"b":[1,"é<"],"a":{}},"id2":""},
		17,
		{"late":"1e3","id":"\ud83d\ude00"},
		{"id":"r4","id":"last"}]}}`))
	c, _ := p.open(t, nil)
	for page, err := range c.Pull(t.Context(), p.source(t, c, connectors.Values{"page_param": "", "since_param": ""}).Job, "") {
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"id": "a中<\n|😀|last", "n": "12345678901234567890.10|<null>|<null>", "t": "true|<null>|<null>",
			"x": "<null>|<null>|<null>", "o": `{"b":[1,"é<"],"a":{}}|<null>|<null>`, "late": "<null>|1e3|<null>", "id2": "|<null>|<null>"} {
			if got := strings.Join(connectortest.Column(page.Batch, name), "|"); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		if len(page.Rejects) != 1 || page.Rejects[0].Reason != "JSON_NOT_OBJECT" || page.Rejects[0].Line != 2 || page.Rejects[0].Value != "17" {
			t.Errorf("rejects %+v", page.Rejects)
		}
		if want := []int64{1, 3, 4}; len(page.Origin.Lines) != 3 || page.Origin.Lines[1] != want[1] {
			t.Errorf("lines %v", page.Origin.Lines)
		}
		if *page.Declared != 4 || page.Origin.File != p.URL+"/share/data" {
			t.Errorf("origin %+v, declared %d", page.Origin, *page.Declared)
		}
		page.Batch.Release()
	}
}

func TestParametersTravelInTheBodyWithPost(t *testing.T) {
	p := startPlatform(t)
	var got string
	p.instead = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		b := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(b)
		got = r.Method + " " + r.URL.RawQuery + " " + string(b)
		envelopeOf(w, "0", "", map[string]any{"total": 0, "rows": []any{}})
		return true
	}
	c, _ := p.open(t, nil)
	if _, err := pull(t, p.source(t, c, connectors.Values{"method": "POST", "query": "area=410481"})); err != nil {
		t.Fatal(err)
	}
	if want := `POST  {"area":"410481","page":"1","rows":"2"}`; got != want {
		t.Fatalf("sent %s, want %s", got, want)
	}
}

// gateway makes a platform ask for the national signature, with a secret that it changes at will.
type gateway struct {
	secret    string
	until     time.Time
	refreshes int
	broken    bool // the next working secret cannot be decrypted
}

func (g *gateway) guard(now func() time.Time) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, r *http.Request) bool {
		key := g.secret
		refresh := strings.HasSuffix(r.URL.Path, "/refreshappsecret")
		if refresh {
			key = vectorSecret
		}
		rtime, _ := strconv.ParseInt(r.Header.Get("gjgxjhpt_rtime"), 10, 64)
		want := profiles["national"].sign("rid-1", r.Header.Get("gjgxjhpt_sid"), key, "", time.UnixMilli(rtime))
		if r.Header.Get("gjgxjhpt_sign") != want["gjgxjhpt_sign"] || r.Header.Get("gjgxjhpt_sid") == "" || !refresh && now().After(g.until) {
			envelopeOf(w, "E-106", "请求不在授权列表内", nil)
			return true
		}
		if !refresh {
			return false
		}
		g.refreshes++
		g.secret = "working-secret-" + strconv.Itoa(g.refreshes)
		sealed := seal(vectorSecret, g.secret)
		if g.broken {
			sealed = seal("another key", g.secret)
		}
		envelopeOf(w, "0", "", map[string]any{"secret": sealed, "secretEndTime": strconv.FormatInt(g.until.UnixMilli(), 10)})
		return true
	}
}

func seal(appKey, text string) string {
	block, err := aes.NewCipher(sha1prng([]byte(appKey)))
	if err != nil {
		panic(err)
	}
	pad := 16 - len(text)%16
	b := []byte(text + strings.Repeat(string(rune(pad)), pad))
	for i := 0; i < len(b); i += 16 {
		block.Encrypt(b[i:], b[i:])
	}
	return base64.StdEncoding.EncodeToString(b)
}

func startGateway(t *testing.T) (*platform, *gateway, *conn, *time.Time) {
	t.Helper()
	now := time.Date(2025, 10, 28, 9, 0, 0, 0, connectors.Shanghai)
	p, g := startPlatform(t), &gateway{until: now.Add(time.Hour)}
	p.instead = g.guard(func() time.Time { return now })
	c, err := open(connectors.Values{"url": p.URL + "/share", "profile": "national", "id": "rid-1", "secret": vectorSecret, "rate": "10000"},
		clock{now: func() time.Time { return now }, sleep: (&waits{}).sleep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return p, g, c, &now
}

func (p *platform) national(t *testing.T, c *conn) connectortest.Source {
	t.Helper()
	src := p.source(t, c, connectors.Values{"sid": "s_demo_0001"})
	src.Secret = vectorSecret
	return src
}

func TestTheWorkingSecretIsFetchedOnceAndRenewedBeforeItEnds(t *testing.T) {
	p, g, c, now := startGateway(t)
	for range 2 {
		if rows, err := pull(t, p.national(t, c)); err != nil || len(rows) != 7 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
	}
	if g.refreshes != 1 {
		t.Fatalf("%d refreshes for two pulls within the hour", g.refreshes)
	}
	*now = g.until.Add(-30 * time.Second)
	g.until = now.Add(time.Hour)
	if rows, err := pull(t, p.national(t, c)); err != nil || len(rows) != 7 || g.refreshes != 2 {
		t.Fatalf("%d rows, %v, %d refreshes", len(rows), err, g.refreshes)
	}
}

func TestASecretThatThePlatformChangesDuringAPullIsRenewedOnce(t *testing.T) {
	p, g, c, _ := startGateway(t)
	guard := p.instead
	p.instead = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 4 {
			g.secret = "changed without a word"
		}
		return guard(n, w, r)
	}
	if rows, err := pull(t, p.national(t, c)); err != nil || len(rows) != 7 || g.refreshes != 2 {
		t.Fatalf("%d rows, %v, %d refreshes", len(rows), err, g.refreshes)
	}
}

func TestAPermissionThatIsMissingIsNotAskedForForEver(t *testing.T) {
	p, g, c, _ := startGateway(t)
	g.until = time.Time{} // every call is refused
	_, err := pull(t, p.national(t, c))
	if !fault.Is(err, fault.Unauthorized) || g.refreshes != 2 || !strings.Contains(err.Error(), "E-106") {
		t.Fatalf("%v after %d refreshes", err, g.refreshes)
	}
}

func TestASecretThatDoesNotDecryptSaysSoWithoutShowingIt(t *testing.T) {
	p, g, c, _ := startGateway(t)
	g.broken = true
	_, err := pull(t, p.national(t, c))
	if !fault.Is(err, fault.Unauthorized) || !strings.Contains(err.Error(), "derive") || strings.Contains(err.Error(), vectorSecret) {
		t.Fatalf("got %v", err)
	}
}

func TestTestingAConnectionReachesThePlatform(t *testing.T) {
	p, _, c, _ := startGateway(t)
	c.client.signer.keeper.(*workingSecret).fetchSID = "s_refresh"
	if text, err := c.Test(t.Context()); err != nil || !strings.Contains(text.String(), "2025-10-28 10:00:00") {
		t.Fatalf("%v, %v", text, err)
	}
	plain, _ := p.open(t, connectors.Values{"profile": "plain"})
	p.instead = nil
	if text, err := plain.Test(t.Context()); err != nil || !strings.Contains(text.String(), "404") {
		t.Fatalf("%v, %v", text, err)
	}
	p.Close()
	if _, err := plain.Test(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a closed platform gave %v", err)
	}
}
