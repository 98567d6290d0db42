// Package receive owns the hub's own door: the address at which a department posts records, the proof
// that they are its own, the bounds of what it may send, and the receipt. It refuses to know how rows
// are staged and where anything is kept. Batches come over HTTP and go to the pipeline as a file;
// receipts go back.
package receive

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// Post is one batch as it came, proven and within the bounds.
type Post struct {
	Source, Dataset string
	No, Digest      string // the sender's number of the batch, and the hash of its bytes in hex
	Total           *int64 // rows it says it has
	File            string
	Format          string // json, jsonl or csv
	Encoding        string
}

// Receipt answers a batch; the same batch posted again has the same receipt, byte for byte.
type Receipt struct {
	BatchNo     string `json:"batch_no"`
	Dataset     string `json:"dataset"`
	Run         string `json:"run"`
	Total       int64  `json:"total"`
	Accepted    int64  `json:"accepted"`
	Duplicate   int64  `json:"duplicate"`
	Quarantined int64  `json:"quarantined"`
	Skipped     int64  `json:"skipped"`
	Rows        []Row  `json:"rows"` // the refused ones, at most 10,000 of them
}

// Row is one refused row.
type Row struct {
	RecID   string `json:"rec_id,omitempty"`
	Line    int64  `json:"line"`
	Code    string `json:"code"`
	Column  string `json:"column,omitempty"`
	Message string `json:"message"`
}

// Taker stages batches and gives their receipts.
type Taker interface {
	// Take stages a batch once, however often it is posted.
	Take(ctx context.Context, p Post) (Receipt, error)
	// Fresh keeps a sender's nonce and says whether it is the first time.
	Fresh(ctx context.Context, source, nonce string, keep time.Duration) (bool, error)
	// Knows says whether the catalogue has a dataset.
	Knows(dataset string) bool
}

// Bounds keep a sender from taking the hub's time, memory or disk. A zero takes its default.
type Bounds struct {
	Body    int64         // bytes of one batch; default 256 MB
	Window  time.Duration // how far a sender's clock may be off; default 5m
	Idle    time.Duration // without a byte; default 30s
	Whole   time.Duration // for one request with its staging; default 15m
	AtOnce  int           // requests; default 8
	TempDir string        // of bodies; empty: the system's
}

func (b Bounds) orDefaults() Bounds {
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&b.Window, 5 * time.Minute}, {&b.Idle, 30 * time.Second}, {&b.Whole, 15 * time.Minute}} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if b.Body <= 0 {
		b.Body = 256 << 20
	}
	if b.AtOnce <= 0 {
		b.AtOnce = 8
	}
	return b
}

// Handler is the door. It may be mounted beside others.
type Handler struct {
	senders map[string]*Sender
	taker   Taker
	bounds  Bounds
	now     func() time.Time
	turn    chan struct{}
	mux     *http.ServeMux
}

// New makes the door for the senders. The clock judges their times.
func New(senders []*Sender, taker Taker, b Bounds, now func() time.Time) *Handler {
	b = b.orDefaults()
	h := &Handler{senders: map[string]*Sender{}, taker: taker, bounds: b, now: now, turn: make(chan struct{}, b.AtOnce), mux: http.NewServeMux()}
	for _, s := range senders {
		h.senders[s.Name] = s
	}
	h.mux.HandleFunc("POST /v1/receive/{source}/{dataset}", h.post)
	h.mux.HandleFunc("/v1/receive/{source}/{dataset}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		say(w, http.StatusMethodNotAllowed, "method", catalog.Text{ZH: "只接受 POST", EN: "only POST is taken"}, "")
	})
	h.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusNotFound, "address", catalog.Text{ZH: "没有这个地址", EN: "there is no such address"}, "POST /v1/receive/{source}/{dataset}")
	})
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

func (h *Handler) post(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), h.bounds.Whole)
	defer cancel()
	if problem := h.admit(ctx, r); problem != nil {
		problem.write(w)
		return
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	default:
		w.Header().Set("Retry-After", "5")
		say(w, http.StatusServiceUnavailable, "busy", catalog.Text{ZH: "正在接收其他批次，请稍后重报", EN: "other batches are being taken; post again"}, "")
		return
	}
	receipt, err := h.take(ctx, w, r)
	if problem := problemOf(err); problem != nil {
		if problem.Status >= http.StatusInternalServerError {
			slog.ErrorContext(ctx, "a posted batch was not taken", "source", r.PathValue("source"), "dataset", r.PathValue("dataset"), "error", err)
		}
		problem.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(receipt) // a sender that is gone posts again and gets the same
}

// take brings the body to disk, holds it against the digest that was signed, and stages it.
func (h *Handler) take(ctx context.Context, w http.ResponseWriter, r *http.Request) (Receipt, error) {
	source, dataset := r.PathValue("source"), r.PathValue("dataset")
	sender := h.senders[source]
	if !h.taker.Knows(dataset) || !slices.Contains(sender.Datasets, dataset) {
		return Receipt{}, &Problem{Status: http.StatusNotFound, Code: "dataset",
			Title: catalog.Text{ZH: "没有这个数据集，或未授权报送", EN: "there is no such dataset, or the sender may not post it"}}
	}
	format, encoding, problem := formatOf(r)
	if problem != nil {
		return Receipt{}, problem
	}
	path, digest, err := h.spool(w, r, sender, format)
	if path != "" {
		defer func() { _ = os.Remove(path) }()
	}
	if err != nil {
		return Receipt{}, err
	}
	p := Post{Source: source, Dataset: dataset, Digest: digest, File: path, Format: format, Encoding: encoding}
	if problem := p.name(r); problem != nil {
		return Receipt{}, problem
	}
	return h.taker.Take(ctx, p)
}

// problemOf says an error to the sender. What went wrong inside the hub is not told in detail.
func problemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	if p, ok := err.(*Problem); ok { //nolint:errorlint // made here and handed on as it is
		return p
	}
	switch fault.CodeOf(err) {
	case fault.Invalid:
		return &Problem{Status: http.StatusUnprocessableEntity, Code: "batch", Title: catalog.Text{ZH: "批次不符合约定，未入库", EN: "the batch does not keep the contract; nothing was taken"}, Detail: err.Error()}
	case fault.Conflict:
		return &Problem{Status: http.StatusConflict, Code: "batch_no", Title: catalog.Text{ZH: "批次号已用于其他内容，或正被其他任务占用", EN: "the batch number was used for other content, or another run holds the dataset"}, Detail: err.Error()}
	case fault.NotFound:
		return &Problem{Status: http.StatusNotFound, Code: "dataset", Title: catalog.Text{ZH: "没有这个数据集", EN: "there is no such dataset"}}
	case fault.Unavailable:
		return &Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: catalog.Text{ZH: "暂时不能接收，请用同一批次号重报", EN: "the hub cannot take it now; post it again under the same number"}}
	default:
		return &Problem{Status: http.StatusInternalServerError, Code: "internal", Title: catalog.Text{ZH: "系统内部错误，请用同一批次号重报", EN: "an error inside the hub; post it again under the same number"}}
	}
}
