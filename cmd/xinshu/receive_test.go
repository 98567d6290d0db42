package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xinshu/connectors/gm"
	"xinshu/internal/chain"
	"xinshu/internal/receive"
)

const (
	postSecret  = "swordfish-of-the-bureau"
	postKey     = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8" // of the standard's example
	postDataset = "amr.reg"
)

// door is `xinshu receive`, or `xinshu serve` with the same door in it, as a process of its own.
type door struct {
	t    *testing.T
	dir  string
	url  string
	cmd  *exec.Cmd
	said *bytes.Buffer
	done chan struct{}
}

func doorConfig(t *testing.T) (config, data string) {
	t.Helper()
	private, err := gm.ParsePrivateKey(postKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config = filepath.Join(dir, "xinshu.yaml")
	text := fmt.Sprintf(`
receive:
  max_body_mb: 40
  senders:
    - {name: bureau, secret: %s, datasets: [amr.reg, amr.abnormal]}
    - {name: bureau-sm3, signature: hmac-sm3, secret: %s, datasets: [amr.reg]}
    - {name: bureau-sm2, signature: sm2, public_key: "%s", datasets: [amr.reg]}
`, postSecret, postSecret, private.Public().Hex())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config, filepath.Join(dir, "data")
}

// openDoor starts the process and waits until it listens; env may arm a crash point.
func openDoor(t *testing.T, config, data, env string) *door {
	t.Helper()
	return openDoorOf(t, "receive", config, data, env)
}

func openDoorOf(t *testing.T, command, config, data, env string) *door {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, dir: data, said: &bytes.Buffer{}, done: make(chan struct{})}
	d.cmd = exec.CommandContext(t.Context(), self, command, "-c", config, "--data", data, "--addr", "127.0.0.1:0")
	d.cmd.Env = append(os.Environ(), asCommand+"=1")
	if env != "" {
		d.cmd.Env = append(d.cmd.Env, env)
	}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for d.url == "" && lines.Scan() {
		d.said.WriteString(lines.Text() + "\n")
		if at, ends, _ := strings.Cut(lines.Text(), ";"); strings.HasSuffix(ends, "Ctrl-C ends it") {
			d.url = "http://" + strings.TrimPrefix(at[strings.LastIndex(at, " ")+1:], "http://")
		}
	}
	go func() {
		defer close(d.done)
		for lines.Scan() {
			d.said.WriteString(lines.Text() + "\n")
		}
		_ = d.cmd.Wait()
	}()
	if d.url == "" {
		t.Fatalf("the door does not open: %s", d.said)
	}
	t.Cleanup(d.close)
	return d
}

func (d *door) close() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	<-d.done
}

// post is one batch to be sent; its zero members are filled in as a sender would.
type post struct {
	source, dataset, no, total, kind string
	body                             []byte
	nonce, digest, signature         string
	at                               time.Time
}

func (p post) send(t *testing.T, d *door) (status int, answer []byte, err error) {
	t.Helper()
	return sent(t, http.DefaultClient, p.request(t, d, bytes.NewReader(p.body)))
}

// request signs a batch; its bytes come from a reader.
func (p post) request(t *testing.T, d *door, body io.Reader) *http.Request {
	t.Helper()
	orElse(&p.source, "bureau")
	orElse(&p.dataset, postDataset)
	orElse(&p.kind, "application/json")
	orElse(&p.nonce, rand.Text())
	if p.at.IsZero() {
		p.at = hubClock()
	}
	if p.digest == "" {
		sum := sha256.Sum256(p.body)
		p.digest = hex.EncodeToString(sum[:])
		if p.source != "bureau" {
			p.digest = hex.EncodeToString(gm.SM3(p.body))
		}
	}
	ms := strconv.FormatInt(p.at.UnixMilli(), 10)
	statement := receive.Statement(ms, p.nonce, p.source, p.dataset, p.no, p.total, p.digest)
	if p.signature == "" {
		switch p.source {
		case "bureau-sm2":
			private, _ := gm.ParsePrivateKey(postKey)
			sig, _ := private.Sign(statement, "", gm.Raw)
			p.signature = hex.EncodeToString(sig)
		case "bureau-sm3":
			p.signature = base64.StdEncoding.EncodeToString(gm.HMACSM3([]byte(postSecret), statement))
		default:
			mac := hmac.New(sha256.New, []byte(postSecret))
			mac.Write(statement)
			p.signature = hex.EncodeToString(mac.Sum(nil))
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/v1/receive/"+p.source+"/"+p.dataset, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": p.kind, receive.HeaderTime: ms, receive.HeaderNonce: p.nonce, receive.HeaderDigest: p.digest,
		receive.HeaderSignature: p.signature, receive.HeaderBatch: p.no, receive.HeaderTotal: p.total} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	r.ContentLength = int64(len(p.body))
	return r
}

func sent(t *testing.T, c *http.Client, r *http.Request) (status int, answer []byte, err error) {
	t.Helper()
	res, err := c.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(res.Body)
	if bytes.Contains(answer, []byte(postSecret)) {
		t.Error("an answer shows the secret")
	}
	return res.StatusCode, answer, err
}

// rows makes registrations as a department sends them; every tenth has a code that fails its check.
func registrations(n int) []byte {
	var out bytes.Buffer
	out.WriteString("[")
	for i := range n {
		if i > 0 {
			out.WriteString(",\n")
		}
		code := codeOf(i)
		if i%10 == 9 {
			code = code[:17] + "I" // a letter no code has
		}
		fmt.Fprintf(&out, `{"rec_id":"g-%d","uscc":"%s","entity_name":"样例第%d有限公司","est_date":"2019-01-02"}`, i, code, i)
	}
	out.WriteString("]")
	return out.Bytes()
}

// codeOf gives the n-th code with a right check character (GB 32100).
func codeOf(n int) string {
	const set = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	weights := []int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	body := "91410481" + fmt.Sprintf("%08d", 20000001+n)
	organ := []int{3, 7, 9, 10, 5, 8, 4, 2} // GB 11714
	sum := 0
	for i, w := range organ {
		sum += int(body[8+i]-'0') * w
	}
	body += string("0123456789X"[(11-sum%11)%11])
	total := 0
	for i, c := range body {
		total += strings.IndexRune(set, c) * weights[i]
	}
	return body + string(set[(31-total%31)%31])
}

func taken(t *testing.T, status int, answer []byte, err error) receive.Receipt {
	t.Helper()
	var r receive.Receipt
	if err != nil || status != http.StatusOK || json.Unmarshal(answer, &r) != nil {
		t.Fatalf("status %d: %.500s (%v)", status, answer, err)
	}
	return r
}

func TestAPostedBatchIsStagedOnceAndItsReceiptStays(t *testing.T) {
	config, data := doorConfig(t)
	d := openDoor(t, config, data, "")
	var first []byte
	for n := range 3 {
		status, answer, err := post{no: "2025-0001", total: "30", body: registrations(30)}.send(t, d)
		r := taken(t, status, answer, err)
		if r.Total != 30 || r.Accepted+r.Quarantined+r.Duplicate+r.Skipped != 30 || r.Accepted != 27 || r.Quarantined != 3 || len(r.Rows) != 3 {
			t.Fatalf("the receipt is %s", answer)
		}
		if row := r.Rows[0]; row.RecID != "g-9" || row.Column != "uscc" || !strings.HasPrefix(row.Code, "USCC_") || row.Message == "" || row.Line == 0 {
			t.Errorf("the first refused row is %+v", row)
		}
		if n == 0 {
			first = answer
		} else if !bytes.Equal(answer, first) {
			t.Errorf("posted again it is answered\n%s\nnot\n%s", answer, first)
		}
	}
	d.close()
	d = openDoor(t, config, data, "")
	if _, answer, err := (post{no: "2025-0001", total: "30", body: registrations(30)}).send(t, d); err != nil || !bytes.Equal(answer, first) {
		t.Errorf("after a new start it is answered %s (%v)", answer, err)
	}
	status, answer, err := post{no: "2025-0001", total: "20", body: registrations(20)}.send(t, d)
	if err != nil || status != http.StatusConflict {
		t.Errorf("other content under the same number: %d %s (%v)", status, answer, err)
	}
	status, answer, err = post{no: "2025-0002", body: registrations(40)}.send(t, d)
	if r := taken(t, status, answer, err); r.Duplicate != 27 || r.Accepted != 9 {
		t.Errorf("rows that were there: %s", answer)
	}
	d.close()
	if got := entries(t, data); got != 2 {
		t.Errorf("%d commits for two batches", got)
	}
	left, err := os.ReadDir(filepath.Join(data, "receive"))
	if err != nil || len(left) > 0 {
		t.Errorf("%d bodies are left (%v)", len(left), err)
	}
}

// entries counts the commits of the dataset's chain.
func entries(t *testing.T, data string) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(data, "lake", "log", chain.Stage(postDataset)))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestEverySignatureAndEveryFormIsTaken(t *testing.T) {
	config, data := doorConfig(t)
	d := openDoor(t, config, data, "")
	plain := string(registrations(2))
	lines := strings.ReplaceAll(strings.Trim(plain, "[]"), ",\n", "\n")
	csv := "uscc,entity_name,est_date\n" + codeOf(5) + ",样例,2019-01-02\n"
	for name, p := range map[string]post{
		"hmac-sha256": {no: "a-1", body: []byte(plain)},
		"hmac-sm3":    {source: "bureau-sm3", no: "a-2", body: []byte(plain)},
		"sm2":         {source: "bureau-sm2", no: "a-3", body: []byte(plain)},
		"wrapped":     {body: []byte(`{"batch_no":"批次4","total":2,"rows":` + plain + `}`)},
		"lines":       {no: "a-5", total: "2", kind: "application/x-ndjson; charset=utf-8", body: []byte(lines)},
		"csv":         {no: "a-6", total: "1", kind: "text/csv", body: []byte(csv)},
		"nothing":     {no: "a-7", total: "0", body: []byte("[]")},
	} {
		status, answer, err := p.send(t, d)
		if r := taken(t, status, answer, err); name != "nothing" && r.Accepted+r.Duplicate == 0 || p.no != "" && r.BatchNo != p.no {
			t.Errorf("%s: %s", name, answer)
		}
	}
}

func TestABatchThatIsNotInOrderIsRefusedAndNothingIsTaken(t *testing.T) {
	config, data := doorConfig(t)
	d := openDoor(t, config, data, "")
	good := registrations(3)
	used := rand.Text()
	if status, answer, err := (post{no: "n-1", body: good, nonce: used}).send(t, d); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s (%v)", status, answer, err)
	}
	for name, c := range map[string]struct {
		post   post
		status int
		code   string
	}{
		"a wrong signature":       {post{no: "x", body: good, signature: strings.Repeat("ab", 32)}, 401, "signature"},
		"no signature":            {post{no: "x", body: good, signature: " "}, 401, "signature"},
		"a sender nobody knows":   {post{source: "stranger", no: "x", body: good}, 401, "signature"},
		"another's signature":     {post{source: "bureau-sm2", no: "x", body: good, signature: strings.Repeat("ab", 64)}, 401, "signature"},
		"a stale time":            {post{no: "x", body: good, at: hubClock().Add(-6 * time.Minute)}, 401, "time"},
		"a time to come":          {post{no: "x", body: good, at: hubClock().Add(6 * time.Minute)}, 401, "time"},
		"a nonce used before":     {post{no: "x", body: good, nonce: used}, 401, "nonce"},
		"a nonce too short":       {post{no: "x", body: good, nonce: "abc"}, 401, "signature"},
		"a body not signed for":   {post{no: "x", body: good, digest: strings.Repeat("00", 32)}, 401, "digest"},
		"a dataset not there":     {post{dataset: "no.such", no: "x", body: good}, 404, "dataset"},
		"a dataset not theirs":    {post{dataset: "transport.permit", no: "x", body: good}, 404, "dataset"},
		"too large":               {post{no: "x", body: make([]byte, 41<<20)}, 413, "size"},
		"another type":            {post{no: "x", kind: "application/pdf", body: good}, 415, "type"},
		"no number":               {post{body: good}, 400, "batch"},
		"a number with a slash":   {post{no: "../x", body: good}, 400, "batch"},
		"a total that is wrong":   {post{no: "x", total: "4", body: good}, 422, "batch"},
		"a total that is a word":  {post{no: "x", total: "many", body: good}, 400, "batch"},
		"two numbers":             {post{no: "x", body: []byte(`{"batch_no":"y","rows":[]}`)}, 400, "batch"},
		"JSON that is cut":        {post{no: "x", body: good[:40]}, 400, "batch"},
		"JSON without rows":       {post{no: "x", body: []byte(`{"total":1}`)}, 400, "batch"},
		"a page in place of JSON": {post{no: "x", body: []byte("<html>")}, 400, "batch"},
	} {
		status, answer, err := c.post.send(t, d)
		var problem struct{ Title, Code, Detail string }
		if err != nil || status != c.status || json.Unmarshal(answer, &problem) != nil || problem.Code != c.code || problem.Title == "" {
			t.Errorf("%s: status %d, %s (%v); want %d, %s", name, status, answer, err, c.status, c.code)
		}
	}
	d.close()
	if got := entries(t, data); got != 1 {
		t.Errorf("%d commits, only the first batch was in order", got)
	}
}

func TestManyPostsAtOnceAreTakenOneAfterAnother(t *testing.T) {
	config, data := doorConfig(t)
	d := openDoor(t, config, data, "")
	var group sync.WaitGroup
	var mu sync.Mutex
	accepted := int64(0)
	for i := range 6 {
		group.Go(func() {
			body := registrations(20)
			for range 20 { // each batch is posted by two senders at once
				status, answer, err := post{no: fmt.Sprint("m-", i/2), body: body}.send(t, d)
				if status == http.StatusServiceUnavailable {
					continue
				}
				r := taken(t, status, answer, err)
				mu.Lock()
				defer mu.Unlock()
				accepted = max(accepted, r.Accepted)
				return
			}
			t.Error("never taken")
		})
	}
	group.Wait()
	d.close()
	if n := entries(t, data); n != 3 || accepted != 18 {
		t.Errorf("%d commits for three batches, %d rows accepted at most", n, accepted)
	}
}

func TestAHundredThousandRowsInBoundedMemory(t *testing.T) {
	config, data := doorConfig(t)
	d := openDoor(t, config, data, "")
	n := 100_000
	status, answer, err := post{no: "big", total: strconv.Itoa(n), body: registrations(n)}.send(t, d)
	r := taken(t, status, answer, err)
	if r.Total != int64(n) || r.Quarantined != int64(n/10) || len(r.Rows) != 10_000 {
		t.Errorf("%d rows, %d refused, %d shown", r.Total, r.Quarantined, len(r.Rows))
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	t.Logf("%d rows: peak %d MB", n, kb>>10)
	if err != nil || kb>>10 > 512 {
		t.Errorf("%d MB at the peak (%v)", kb>>10, err)
	}
}

func TestReceiveNeedsSomebodyWhoMayPost(t *testing.T) {
	_, _, err := try(t, 0, "", "receive", "--data", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "senders") {
		t.Errorf("got %v", err)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() != exitUsage {
		t.Errorf("exit code %d", exit.ExitCode())
	}
}
