package alerts

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// Webhook posts messages in the form of Standard Webhooks: the id, the time and the body are signed,
// so that the receiver can tell that they came from here, now, and once.
type Webhook struct {
	ID     string // its name in the config
	URL    string
	Secret []byte
	Now    func() time.Time
	Client *http.Client // nil: one of its own
}

// ParseSecret reads a signing secret: whsec_ and Base64 of 24 to 64 bytes.
func ParseSecret(text string) ([]byte, error) {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil || !strings.HasPrefix(text, "whsec_") || len(secret) < 24 || len(secret) > 64 {
		return nil, fmt.Errorf("is no whsec_ and Base64 of 24 to 64 bytes")
	}
	return secret, nil
}

// Name is what its messages are kept under.
func (h *Webhook) Name() string { return "webhook:" + h.ID }

// Wants says that a program is told everything.
func (h *Webhook) Wants(string) bool { return true }

// Send posts one message. Every answer but a 2xx is a failure.
func (h *Webhook) Send(ctx context.Context, m Message) error {
	op := "post an alert to " + h.ID
	body, err := json.Marshal(map[string]any{"type": "alert." + m.Event, "timestamp": m.At.UTC().Format(time.RFC3339Nano), "data": m.Alert})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	at := strconv.FormatInt(h.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", m.ID)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", "v1,"+sign(h.Secret, m.ID, at, body))
	client := h.Client
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	res, err := client.Do(req)
	if err != nil {
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
	}
	defer func() { _ = res.Body.Close() }()                      // nothing of it is needed
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can serve again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fault.Newf(fault.Unavailable, op, "it answered %s", res.Status)
	}
	return nil
}

func sign(secret []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
