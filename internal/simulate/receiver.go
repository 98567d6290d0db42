package simulate

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
)

// Receiver plays share-exchange platforms that take results: it checks the signature, keeps one row
// per id however often it comes, and answers with a receipt that refuses a few rows, as platforms do
// that do not know an entity. What it holds survives in its file.
type Receiver struct{ db *sql.DB }

// The account of the hub at the receiving platforms.
const (
	receiverID     = "xinshu-hub"
	receiverSecret = "receiver-demo-secret"
	mostBody       = 32 << 20
)

func openReceiver(path string) (*Receiver, error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate&_synchronous=NORMAL")
	if err != nil {
		return nil, fmt.Errorf("open receiver: %w", err)
	}
	if _, err := db.Exec(`create table if not exists received (
		target text, id text, kind text, version integer, uscc text, policy text, grade text, body text, times integer, refused integer,
		primary key (target, id))`); err != nil {
		return nil, fmt.Errorf("open receiver: %w", err)
	}
	return &Receiver{db: db}, nil
}

// Close closes the receiver's file.
func (r *Receiver) Close() error { return r.db.Close() }

func (r *Receiver) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /receive/{target}", r.receive)
	return mux
}

// statement is what the receiver reads of a row; the rest it keeps as it came.
type statement struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Version int64  `json:"version"`
	USCC    string `json:"uscc"`
	Policy  string `json:"policy"`
	Grade   string `json:"grade"`
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) {
	if !signedByHub(req) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, mostBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	var delivery struct {
		ID   string            `json:"delivery_id"`
		Rows []json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal(body, &delivery); err != nil || delivery.ID == "" {
		answer(w, "400", "报文不是约定的JSON", nil)
		return
	}
	refused, err := r.keep(req.PathValue("target"), delivery.Rows)
	if err != nil {
		answer(w, "500", err.Error(), nil)
		return
	}
	answer(w, "0", "", map[string]any{"batch": delivery.ID, "total": len(delivery.Rows),
		"accepted": len(delivery.Rows) - len(refused), "rejected": len(refused), "rows": refused})
}

// keep stores the rows in one transaction and names those it refuses.
func (r *Receiver) keep(target string, rows []json.RawMessage) ([]map[string]string, error) {
	tx, err := r.db.Begin()
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.Prepare(`insert into received values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)
		on conflict (target, id) do update set times = times + 1`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = insert.Close() }()
	refused := []map[string]string{}
	for _, raw := range rows {
		var s statement
		if err := json.Unmarshal(raw, &s); err != nil || s.ID == "" {
			return nil, fmt.Errorf("a row without id")
		}
		no := unknownHere(s.USCC)
		if no {
			refused = append(refused, map[string]string{"id": s.ID, "code": "R-404", "message": "本平台无此主体"})
		}
		if _, err := insert.Exec(target, s.ID, s.Kind, s.Version, s.USCC, s.Policy, s.Grade, string(raw), no); err != nil {
			return nil, err
		}
	}
	return refused, tx.Commit()
}

// unknownHere picks the entities a receiving platform does not know: about one in 250.
func unknownHere(uscc string) bool {
	h := fnv.New32a()
	_, _ = io.WriteString(h, uscc)
	return h.Sum32()%250 == 7
}

func signedByHub(r *http.Request) bool {
	mac := hmac.New(sha256.New, []byte(receiverSecret))
	mac.Write([]byte(receiverID + r.Header.Get("X-Timestamp") + r.Header.Get("X-Nonce")))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return r.Header.Get("X-Client-Id") == receiverID && subtle.ConstantTimeCompare([]byte(want), []byte(r.Header.Get("X-Signature"))) == 1
}

// Held is what a receiving platform holds about one entity under one policy: the greatest version.
type Held struct {
	Target, Policy, USCC, Kind, Grade string
	Version                           int64
	Times                             int64 // how often rows of this pair came, repetitions included
}

// Holdings lists what a target holds, in order of policy and code.
func (r *Receiver) Holdings(target string) ([]Held, error) {
	rows, err := r.db.Query(`select target, policy, uscc, kind, grade, version, t from (
			select *, sum(times) over (partition by policy, uscc) as t, row_number() over (partition by policy, uscc order by version desc) as place
			from received where target = $1 and refused = 0) as newest
		where place = 1 order by policy, uscc`, target)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var held []Held
	for rows.Next() {
		var h Held
		if err := rows.Scan(&h.Target, &h.Policy, &h.USCC, &h.Kind, &h.Grade, &h.Version, &h.Times); err != nil {
			return nil, err
		}
		held = append(held, h)
	}
	return held, rows.Err()
}
