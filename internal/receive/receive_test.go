package receive

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"xinshu/internal/fault"
)

const secret = "swordfish-of-the-bureau"

// slow takes batches when it is told to.
type slow struct {
	entered chan string
	leave   chan error
}

func (s *slow) Knows(string) bool                                                  { return true }
func (s *slow) Fresh(context.Context, string, string, time.Duration) (bool, error) { return true, nil }
func (s *slow) Take(_ context.Context, p Post) (Receipt, error) {
	text, err := os.ReadFile(p.File)
	if err != nil {
		return Receipt{}, err
	}
	s.entered <- p.No + " " + string(text)
	return Receipt{BatchNo: p.No, Rows: []Row{}}, <-s.leave
}

func start(t *testing.T, b Bounds) (*httptest.Server, *slow) {
	t.Helper()
	sender, err := NewSender("bureau", []string{"amr.reg"}, Proof{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	s := &slow{entered: make(chan string, 10), leave: make(chan error, 10)}
	server := httptest.NewServer(New([]*Sender{sender}, s, b, time.Now))
	t.Cleanup(server.Close)
	return server, s
}

// signed gives the headers of a post of body.
func signed(no, body string) http.Header {
	sum := sha256.Sum256([]byte(body))
	at, nonce, digest := strconv.FormatInt(time.Now().UnixMilli(), 10), rand.Text(), hex.EncodeToString(sum[:])
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(Statement(at, nonce, "bureau", "amr.reg", no, "", digest))
	h := http.Header{}
	for name, value := range map[string]string{HeaderTime: at, HeaderNonce: nonce, HeaderDigest: digest, HeaderBatch: no,
		HeaderSignature: hex.EncodeToString(mac.Sum(nil)), "Content-Type": "application/json"} {
		h.Set(name, value)
	}
	return h
}

func send(t *testing.T, server *httptest.Server, no, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/receive/bureau/amr.reg", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = signed(no, body)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}

func TestMoreThanTheDoorTakesAtOnceComeAgainLater(t *testing.T) {
	server, s := start(t, Bounds{AtOnce: 1})
	first := make(chan int)
	go func() {
		status, _ := send(t, server, "a", `[{"n":1}]`)
		first <- status
	}()
	if got := <-s.entered; got != `a [{"n":1}]` {
		t.Errorf("it took %s", got)
	}
	if status, text := send(t, server, "b", "[]"); status != http.StatusServiceUnavailable || !strings.Contains(text, `"code":"busy"`) {
		t.Errorf("the second is answered %d %s", status, text)
	}
	s.leave <- nil
	if status := <-first; status != http.StatusOK {
		t.Errorf("the first is answered %d", status)
	}
}

func TestWhatGoesWrongInsideIsNotToldInDetail(t *testing.T) {
	server, s := start(t, Bounds{})
	for want, err := range map[int]error{
		500: errors.New("open /srv/hub/lake: permission denied"),
		503: &fault.Error{Op: "put", Code: fault.Unavailable, Err: errors.New("dial tcp 10.0.0.5: refused")},
		409: fault.Newf(fault.Conflict, "receive", "batch a was taken with other content"),
		422: fault.Newf(fault.Invalid, "stage", "the source declared 3 rows, 2 were read"),
	} {
		s.leave <- err
		status, text := send(t, server, "a", "[]")
		<-s.entered
		if status != want || !strings.Contains(text, `"status":`+fmt.Sprint(want)) {
			t.Errorf("%v is answered %d %s", err, status, text)
		}
		if strings.Contains(text, "/srv/hub") || strings.Contains(text, "10.0.0.5") {
			t.Errorf("it tells %s", text)
		}
	}
}

// A body that stops coming, or is cut, costs the door no more than its patience.
func TestASlowBodyAndACutOneAreLetGo(t *testing.T) {
	dir := t.TempDir()
	server, s := start(t, Bounds{Idle: 100 * time.Millisecond, TempDir: dir})
	for name, cut := range map[string]bool{"slow": false, "cut": true} {
		line, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		body := strings.Repeat(" ", 1000) + "[]"
		r, _ := http.NewRequest(http.MethodPost, server.URL+"/v1/receive/bureau/amr.reg", http.NoBody)
		r.Header = signed("a", body)
		var head strings.Builder
		fmt.Fprintf(&head, "POST /v1/receive/bureau/amr.reg HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", len(body))
		_ = r.Header.Write(&head)
		_, _ = io.WriteString(line, head.String()+"\r\n"+body[:500])
		if cut {
			_ = line.(*net.TCPConn).CloseWrite()
		}
		res, err := http.ReadResponse(bufio.NewReader(line), r)
		if err != nil || res.StatusCode != http.StatusRequestTimeout {
			t.Errorf("%s: %v, %v", name, res, err)
		} else {
			_ = res.Body.Close()
		}
		_ = line.Close()
	}
	if len(s.entered) > 0 {
		t.Error("half a body was taken")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d bodies are left (%v)", len(left), err)
	}
}

func TestAStrangerCostsNoDisk(t *testing.T) {
	dir := t.TempDir()
	server, _ := start(t, Bounds{TempDir: dir})
	in, out := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/receive/bureau/amr.reg", in)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = signed("a", "")
	r.Header.Set(HeaderBatch, "b") // no longer what was signed
	res, err := http.DefaultClient.Do(r)
	_ = out.Close()
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("%v, %v", res, err) // answered before a byte of the body came
	}
	_ = res.Body.Close()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error("it made a file")
	}
}

func TestSendersAreJudgedWithoutShowingThem(t *testing.T) {
	for part, p := range map[string]Proof{"16 characters": {Secret: "short-secret"}, "none of": {Signature: "md5", Secret: secret}, "public_key": {Signature: "sm2", PublicKey: "short-secret"}} {
		if _, err := NewSender("x", []string{"amr.reg"}, p); err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "short-secret") {
			t.Errorf("%s: %v", part, err)
		}
	}
	if _, err := NewSender("x", nil, Proof{Secret: secret}); err == nil {
		t.Error("a sender without datasets is taken")
	}
}

func TestOtherAddressesAndMethods(t *testing.T) {
	server, _ := start(t, Bounds{})
	for path, want := range map[string]int{"/": 404, "/v1/receive/bureau": 404, "/v1/receive/bureau/amr.reg": 405} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
		res, err := http.DefaultClient.Do(r)
		if err != nil || res.StatusCode != want || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: %v, %v", path, res, err)
			continue
		}
		_ = res.Body.Close()
	}
}
