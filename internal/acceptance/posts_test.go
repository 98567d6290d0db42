//go:build acceptance

package acceptance

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"xinshu/internal/chain"
)

const (
	posts      = "labour-posts" // the department that posts to the hub
	postSecret = "posting-acceptance-secret"
	posted     = "hrss.labour"
)

// openDoor starts the hub's own endpoint and gives its address, and how to close it.
func (h *hub) openDoor() (url string, closed func()) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), filepath.Join(repository(), "xinshu"), "receive", "--addr", "127.0.0.1:0", "-c", h.config)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	var said bytes.Buffer
	lines := bufio.NewScanner(stderr)
	for url == "" && lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if rest, ok := strings.CutPrefix(lines.Text(), "receiving on "); ok {
			address, _, _ := strings.Cut(rest, ";")
			url = "http://" + address
		}
	}
	done := make(chan error, 1)
	go func() {
		_, _ = io.Copy(io.Discard, stderr)
		done <- cmd.Wait()
	}()
	if url == "" {
		h.t.Fatalf("the door does not open: %s", said.String())
	}
	return url, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := <-done; err != nil && cmd.ProcessState.ExitCode() != 130 {
			h.t.Errorf("the door closes with %v", err)
		}
	}
}

// receipt is what the department keeps of a batch.
type receipt struct{ Total, Accepted, Duplicate, Quarantined, Skipped int64 }

// batch is one that was posted, and the receipt of it as it came.
type batch struct {
	no      string
	rows    int
	body    []byte
	receipt []byte
}

// postAgain posts the last batch once more to a hub that lost its database: the receipt is in the log.
func (s *story) postAgain() {
	s.Helper()
	before := s.head(posted)
	url, closed := s.h.openDoor()
	defer closed()
	b := s.lastPost
	if status, answer := s.send(url, b.no, b.rows, b.body, postSecret); status != http.StatusOK || !bytes.Equal(answer, b.receipt) {
		s.Errorf("batch %s posted to a hub that lost its database is answered %d\n%s\nbefore\n%s", b.no, status, answer, b.receipt)
	}
	if now := s.head(posted); now != before {
		s.Errorf("a batch posted again makes entry %d of %s, which stood at %d", now, posted, before)
	}
}

// head is the number of the newest entry of a dataset's chain.
func (s *story) head(dataset string) int64 { return s.h.head(chain.Stage(dataset)).N }

// post has the department post what it did not post before. The first answer is lost on its way, so
// it posts the batch again, and gets the same receipt; a batch under another's signature gets none.
func (s *story) post(no string) {
	s.Helper()
	before := s.stageHeads()
	f := s.w.feeds[posts+" "+posted]
	rows := f.rows[f.given:]
	if len(rows) == 0 {
		s.Fatalf("the department has nothing to post as %s", no)
	}
	body, err := json.Marshal(rows)
	s.w.must(err)
	url, closed := s.h.openDoor()
	defer closed()
	if status, _ := s.send(url, no, len(rows), body, "another-secret-of-nobody"); status != http.StatusUnauthorized && status != http.StatusForbidden {
		s.Errorf("a batch with a wrong signature is answered %d", status)
	}
	status, first := s.send(url, no, len(rows), body, postSecret)
	var got receipt
	if status != http.StatusOK || json.Unmarshal(first, &got) != nil || got.Total != int64(len(rows)) || got.Accepted != got.Total {
		s.Fatalf("batch %s of %d rows is answered %d %s", no, len(rows), status, first)
	}
	if status, second := s.send(url, no, len(rows), body, postSecret); status != http.StatusOK || !bytes.Equal(first, second) {
		s.Errorf("batch %s posted again is answered %d\n%s\nthe first time\n%s", no, status, second, first)
	}
	s.checkPulls(before, posts)
	s.lastPost = batch{no, len(rows), body, first}
	s.Logf("receiving: batch %s of %d rows posted twice, one commit, one receipt", no, len(rows))
}

func (s *story) send(url, no string, total int, body []byte, secret string) (status int, answer []byte) {
	s.Helper()
	sum := sha256.Sum256(body)
	digest, nonce, at := hex.EncodeToString(sum[:]), rand.Text(), strconv.FormatInt(time.Now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{"xinshu-receive-1", at, nonce, posts, posted, no, strconv.Itoa(total), digest}, "\n")))
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, url+"/v1/receive/"+posts+"/"+posted, bytes.NewReader(body))
	s.w.must(err)
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Timestamp": at, "X-Nonce": nonce, "X-Digest": digest,
		"X-Signature": hex.EncodeToString(mac.Sum(nil)), "X-Batch-No": no, "X-Total": strconv.Itoa(total)} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	s.w.must(err)
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(res.Body)
	s.w.must(err)
	return res.StatusCode, answer
}
