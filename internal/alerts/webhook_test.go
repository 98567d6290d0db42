package alerts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAWebhookIsSignedInTheStandardForm(t *testing.T) {
	secret, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	answers := http.StatusServiceUnavailable
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "."))
		mac.Write(body)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want {
			t.Errorf("the signature is %s, not %s", r.Header.Get("webhook-signature"), want)
		}
		if r.Header.Get("webhook-id") != "alert-1.raised.webhook:x" || r.Header.Get("webhook-timestamp") != "1795348800" {
			t.Errorf("id and time are %s, %s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"))
		}
		w.WriteHeader(answers)
	}))
	t.Cleanup(server.Close)
	hook := &Webhook{ID: "x", URL: server.URL, Secret: secret, Now: func() time.Time { return noon }}
	m := Message{ID: "alert-1.raised.webhook:x", Event: Raised, At: noon, Alert: Alert{ID: "alert-1", Rule: Disk, Subject: "/d", ZH: "磁盘"}}
	if err := hook.Send(t.Context(), m); err == nil {
		t.Error("an answer of 503 passes for delivered")
	}
	answers = http.StatusNoContent
	if err := hook.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	var got struct {
		Type string `json:"type"`
		Data Alert  `json:"data"`
	}
	if err := json.Unmarshal(body, &got); err != nil || got.Type != "alert.raised" || got.Data.ID != "alert-1" || got.Data.ZH != "磁盘" {
		t.Errorf("%v: %s", err, body)
	}
}

func TestASecretOfAnotherFormIsRefused(t *testing.T) {
	for _, text := range []string{"", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_!!"} {
		if _, err := ParseSecret(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	hook := &Webhook{URL: server.URL, Now: time.Now}
	if err := hook.Send(context.Background(), Message{}); err == nil || asked != 1 {
		t.Errorf("%v after %d requests", err, asked)
	}
}
