//go:build acceptance

package acceptance

import (
	"crypto/hmac"
	"crypto/md5" // the companion of a packet
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// statement is one row as a receiver keeps it.
type statement struct {
	ID      string      `json:"id"`
	Kind    string      `json:"kind"`
	Version json.Number `json:"version"`
	USCC    string      `json:"uscc"`
	Policy  string      `json:"policy"`
	Grade   string      `json:"grade"`
	Score   json.Number `json:"score"`
	Status  string      `json:"status"`
	Maker   string      `json:"maker"`
	Wording string      `json:"wording"`
	AsOf    string      `json:"as_of"`
}

// shelf keeps one statement per id, however often it comes, and refuses a few entities as platforms
// do that do not know them.
type shelf struct {
	mu         sync.Mutex
	refuse     map[string]bool
	rows       map[string]statement
	times      map[string]int // how often each id came
	deliveries int
	changed    []string // ids that came again with other words: never allowed
}

func newShelf(refuse ...string) *shelf {
	s := &shelf{refuse: map[string]bool{}, rows: map[string]statement{}, times: map[string]int{}}
	for _, code := range refuse {
		s.refuse[code] = true
	}
	return s
}

type refusal struct {
	ID      string `json:"id"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (s *shelf) keep(rows []statement) []refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries++
	refused := []refusal{}
	for _, row := range rows {
		if before, there := s.rows[row.ID]; there && before != row {
			s.changed = append(s.changed, row.ID)
		}
		s.rows[row.ID] = row
		s.times[row.ID]++
		if s.refuse[row.USCC] {
			refused = append(refused, refusal{row.ID, "R-404", "本平台无此主体"})
		}
	}
	return refused
}

// ids is what the shelf holds, with how often each row came.
func (s *shelf) ids() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]int, len(s.times))
	maps.Copy(all, s.times)
	return all
}

// The account of the hub at the receiving platform.
const (
	clientID     = "xinshu-hub"
	clientSecret = "receiver-acceptance-secret"
)

// restReceiver is a share-exchange platform behind the openapi gateway: it checks the signature and
// the digest of the body before it looks at a row.
type restReceiver struct {
	*shelf
	unsigned int // calls turned away
}

func (r *restReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	mac := hmac.New(sha256.New, []byte(clientSecret))
	mac.Write([]byte(clientID + req.Header.Get("X-Timestamp") + req.Header.Get("X-Nonce")))
	sum := sha256.Sum256(body)
	if err != nil || req.Header.Get("X-Client-Id") != clientID || req.Header.Get("X-Timestamp") == "" || req.Header.Get("X-Nonce") == "" ||
		!hmac.Equal([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(req.Header.Get("X-Signature"))) ||
		req.Header.Get("Content-Digest") != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" {
		r.mu.Lock()
		r.unsigned++
		r.mu.Unlock()
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var delivery struct {
		ID    string      `json:"delivery_id"`
		Count int         `json:"count"`
		Rows  []statement `json:"rows"`
	}
	if err := json.Unmarshal(body, &delivery); err != nil || delivery.ID == "" || delivery.ID != req.Header.Get("Idempotency-Key") || delivery.Count != len(delivery.Rows) {
		_, _ = io.WriteString(w, `{"code":"400","message":"报文不是约定的JSON"}`)
		return
	}
	refused := r.keep(delivery.Rows)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": "0", "message": "", "data": map[string]any{
		"accepted": len(delivery.Rows) - len(refused), "rejected": len(refused), "rows": refused}})
}

// department takes packets from its folder on the SFTP server and answers each by a file.
type department struct {
	*shelf
	dir string
}

type xmlPacket struct {
	GUID  string `xml:"header>guid"`
	Count int    `xml:"header>count"`
	Rows  []struct {
		ID      string `xml:"id,attr"`
		Kind    string `xml:"kind,attr"`
		Version string `xml:"version,attr"`
		USCC    string `xml:"uscc,attr"`
		Items   []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:",chardata"`
		} `xml:"item"`
	} `xml:"body>row"`
}

// answer takes away every whole packet that lies there, answers it, and gives how many there were.
func (d *department) answer(t *testing.T) int {
	t.Helper()
	ready, err := filepath.Glob(filepath.Join(d.dir, "*.xml.ok"))
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, ok := range ready {
		packet := strings.TrimSuffix(ok, ".ok")
		if err := d.answerPacket(packet); err != nil {
			t.Fatalf("packet %s: %v", filepath.Base(packet), err)
		}
		answered++
	}
	return answered
}

func (d *department) answerPacket(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(path + ".md5")
	if err != nil {
		return err
	}
	if own := md5.Sum(text); !strings.HasPrefix(string(sum), hex.EncodeToString(own[:])) {
		return fmt.Errorf("its .md5 says %s", sum)
	}
	var p xmlPacket
	if err := xml.Unmarshal(text, &p); err != nil {
		return err
	}
	if p.Count != len(p.Rows) || p.GUID == "" {
		return fmt.Errorf("the header counts %d rows, the body holds %d", p.Count, len(p.Rows))
	}
	rows := make([]statement, len(p.Rows))
	for i, r := range p.Rows {
		rows[i] = statement{ID: r.ID, Kind: r.Kind, Version: json.Number(r.Version), USCC: r.USCC}
		for _, item := range r.Items {
			switch item.Name {
			case "policy":
				rows[i].Policy = item.Value
			case "grade":
				rows[i].Grade = item.Value
			case "score":
				rows[i].Score = json.Number(item.Value)
			case "status":
				rows[i].Status = item.Value
			case "maker":
				rows[i].Maker = item.Value
			case "wording":
				rows[i].Wording = item.Value
			case "as_of":
				rows[i].AsOf = item.Value
			}
		}
	}
	refused := d.keep(rows)
	answer, err := json.Marshal(map[string]any{"guid": p.GUID, "code": "0", "accepted": len(rows) - len(refused), "rejected": len(refused), "rows": refused})
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".part", answer, 0o600); err != nil {
		return err
	}
	if err := os.Rename(path+".part", path+".fb"); err != nil {
		return err
	}
	taken := filepath.Join(d.dir, "taken")
	if err := os.MkdirAll(taken, 0o750); err != nil {
		return err
	}
	for _, companion := range []string{".ok", ".md5", ""} {
		if err := os.Rename(path+companion, filepath.Join(taken, filepath.Base(path)+companion)); err != nil {
			return err
		}
	}
	return nil
}
