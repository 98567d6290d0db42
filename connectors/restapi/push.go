package restapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// delivered is a delivery on the wire. Rows travel as they were written, byte for byte.
type delivered struct {
	DeliveryID string            `json:"delivery_id"`
	Kind       string            `json:"kind"`
	Made       string            `json:"made"` // RFC 3339
	Wording    string            `json:"wording"`
	Count      int               `json:"count"`
	Rows       []json.RawMessage `json:"rows"`
}

// receipt is the platform's business answer, apart from the code of the call (facts.md 4.3).
type receipt struct {
	Accepted *int64       `json:"accepted"`
	Rejected int64        `json:"rejected"`
	Pending  bool         `json:"pending"`
	Rows     []rowReceipt `json:"rows"`
}

type rowReceipt struct {
	ID      string `json:"id"`
	RecID   string `json:"rec_id"`
	Code    code   `json:"code"`
	Message string `json:"message"`
}

// code is a result code that some platforms send as a number.
type code string

func (c *code) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(c))
	}
	*c = code(bytes.TrimSpace(b))
	return nil
}

// Push posts a delivery and reads the receipt. The id travels in the body and as Idempotency-Key, so
// that the same delivery sent twice is one at the platform. A refusal by code comes back both as a
// receipt with that code and as an error.
func (c *conn) Push(ctx context.Context, d connectors.Delivery) (connectors.Receipt, error) {
	op := "push to " + d.Target
	if c.push.path == "" {
		return connectors.Receipt{}, &fault.Error{Op: op, Code: fault.Invalid, Hint: "set push_path on the target"}
	}
	m := delivered{DeliveryID: d.ID, Kind: d.Kind, Made: d.Made.Format(time.RFC3339), Wording: d.Wording, Count: len(d.Rows), Rows: make([]json.RawMessage, len(d.Rows))}
	for i, row := range d.Rows {
		m.Rows[i] = row.Body
	}
	body, err := marshal(m)
	if err != nil {
		return connectors.Receipt{}, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	sum := sha256.Sum256(body)
	answer, err := c.client.call(ctx, request{op: op, method: http.MethodPost, url: c.at(c.push.path), sid: c.push.sid, body: body,
		headers: map[string]string{
			"Idempotency-Key": d.ID,
			"Content-Digest":  "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":",
		}})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return connectors.Receipt{Code: refusal.Code, Message: refusal.Message}, err
	}
	if err != nil {
		return connectors.Receipt{}, err
	}
	defer answer.close()
	if answer.file != nil {
		return connectors.Receipt{}, fault.Newf(fault.Invalid, op, "the receipt is larger than %d MB", inMemory>>20)
	}
	return c.receipt(op, d, answer)
}

// marshal writes a message without escaping <, > and &, so that rows keep their bytes.
func marshal(m delivered) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

func (c *conn) receipt(op string, d connectors.Delivery, answer *content) (connectors.Receipt, error) {
	out := connectors.Receipt{}
	if c.answers.code != "" {
		out.Code = answer.text(c.answers.code)
	}
	if c.answers.message != "" {
		out.Message = answer.text(c.answers.message)
	}
	var r receipt
	if err := document(answer.mem, c.push.receipt, &r); err != nil {
		return out, &fault.Error{Op: op, Code: fault.Invalid, Hint: "check receipt_path", Err: err}
	}
	for _, row := range r.Rows {
		id := row.ID
		if id == "" {
			id = row.RecID
		}
		out.Rows = append(out.Rows, connectors.RowReceipt{ID: id, Code: string(row.Code), Message: row.Message})
	}
	if r.Accepted == nil && !r.Pending {
		return out, fault.Newf(fault.Invalid, op, "the receipt for %d rows says nothing about how many were accepted", len(d.Rows))
	}
	if r.Accepted != nil {
		out.Accepted = *r.Accepted
	}
	out.Rejected, out.Pending = r.Rejected, r.Pending
	return out, nil
}
