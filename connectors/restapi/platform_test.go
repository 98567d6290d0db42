package restapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
)

// platform is a small REST platform. A test may put one answer in place of its own.
type platform struct {
	*httptest.Server
	mu    sync.Mutex
	rows  []map[string]any // in the order of op_time
	calls []*http.Request
	// instead, when set, may answer a call itself; n counts calls from 1.
	instead func(n int, w http.ResponseWriter, r *http.Request) bool
	known   map[string]json.RawMessage // deliveries by row id
}

func startPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{known: map[string]json.RawMessage{}}
	for i := range 7 {
		p.rows = append(p.rows, map[string]any{"id": fmt.Sprintf("r%d", i+1), "op_time": fmt.Sprintf("2025-10-28 09:0%d:00", i), "amount": json.Number("0.20")})
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, r.Clone(context.Background()))
	if p.instead != nil && p.instead(len(p.calls), w, r) {
		return
	}
	switch r.URL.Path {
	case "/share/data":
		p.serve(w, r)
	case "/share/push":
		p.take(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.FormValue("page"))
	size, _ := strconv.Atoi(r.FormValue("rows"))
	var rows []map[string]any
	for _, row := range p.rows {
		if at, _ := row["op_time"].(string); at >= r.FormValue("since") {
			rows = append(rows, row)
		}
	}
	from := min((page-1)*size, len(rows))
	envelopeOf(w, "0", "", map[string]any{"total": len(rows), "page": page, "rows": rows[from:min(from+size, len(rows))]})
}

func (p *platform) take(w http.ResponseWriter, r *http.Request) {
	var m struct {
		DeliveryID string            `json:"delivery_id"`
		Rows       []json.RawMessage `json:"rows"`
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.DeliveryID == "" || r.Header.Get("Idempotency-Key") != m.DeliveryID {
		envelopeOf(w, "E-400", "报文无效", nil)
		return
	}
	answers := []map[string]any{}
	rejected := 0
	for _, raw := range m.Rows {
		var row struct {
			ID   string `json:"id"`
			USCC string `json:"uscc"`
		}
		_ = json.Unmarshal(raw, &row)
		if row.USCC == "" {
			rejected++
			answers = append(answers, map[string]any{"rec_id": row.ID, "code": 7, "message": "无主体"})
			continue
		}
		p.known[row.ID] = raw
		answers = append(answers, map[string]any{"rec_id": row.ID, "code": "0"})
	}
	envelopeOf(w, "0", "已接收", map[string]any{"total": len(m.Rows), "accepted": len(m.Rows) - rejected, "rejected": rejected, "rows": answers})
}

func envelopeOf(w http.ResponseWriter, code, message string, data any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": message, "data": data})
}

const token = "swordfish-7741"

// waits remembers how long the client would have slept, and lets no time pass.
type waits struct {
	mu    sync.Mutex
	slept []time.Duration
}

func (s *waits) sleep(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slept = append(s.slept, d)
	return ctx.Err()
}

func (p *platform) open(t *testing.T, more connectors.Values) (*conn, *waits) {
	t.Helper()
	values := connectors.Values{"url": p.URL + "/share", "profile": "bearer", "secret": token, "rate": "10000", "push_path": "/push"}
	maps.Copy(values, more)
	s := &waits{}
	c, err := open(values, clock{now: time.Now, sleep: s.sleep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, s
}

func (p *platform) source(t *testing.T, c *conn, more connectors.Values) connectortest.Source {
	t.Helper()
	values := connectors.Values{"path": "/data", "page_rows": "2"}
	maps.Copy(values, more)
	s := connectortest.Source{Conn: c, Job: connectors.Job{Dataset: catalog.Dataset{ID: "tax.grade"}, Values: values}, Column: "id", Secret: token}
	for _, row := range p.rows {
		s.Rows = append(s.Rows, row["id"].(string))
	}
	return s
}

func TestPullKeepsItsPromises(t *testing.T) {
	for name, values := range map[string]connectors.Values{
		"incremental, with a total": {},
		"full, with a total":        {"since_param": ""},
		"without a total":           {"since_param": "", "total_path": ""},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Pull(t, func(t *testing.T) connectortest.Source {
				p := startPlatform(t)
				c, _ := p.open(t, nil)
				return p.source(t, c, values)
			})
		})
	}
}
