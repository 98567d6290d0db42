package main

import (
	"strings"
	"time"

	"xinshu/internal/receive"
)

// ReceiveConfig is the address at which departments post records.
type ReceiveConfig struct {
	// Addr is where the door listens. Default: 127.0.0.1:8089, behind a gateway that ends TLS.
	Addr string `yaml:"addr,omitempty"`
	// Cert and Key are PEM files; with them the door speaks TLS itself.
	Cert string `yaml:"cert,omitempty"`
	Key  string `yaml:"key,omitempty"`
	// Window is how far a sender's clock may be off. Default: 5m.
	Window string `yaml:"window,omitempty"`
	// MaxBodyMB bounds one batch. Default: 256.
	MaxBodyMB int64 `yaml:"max_body_mb,omitempty"`
	// AtOnce bounds the batches taken side by side. Default: 8.
	AtOnce  int            `yaml:"at_once,omitempty"`
	Senders []SenderConfig `yaml:"senders,omitempty"`
}

// SenderConfig is one department that posts.
type SenderConfig struct {
	// Name stands in the address and in every receipt.
	Name string `yaml:"name"`
	// Signature is hmac-sha256 (default), hmac-sm3 or sm2.
	Signature string `yaml:"signature,omitempty"`
	// Secret keys the HMACs: ${env:NAME} or ${file:PATH}, at least 16 characters.
	Secret string `yaml:"secret,omitempty"`
	// PublicKey of SM2 is hex or PEM, or ${file:PATH}.
	PublicKey string `yaml:"public_key,omitempty"`
	// UserID of SM2. Default: 1234567812345678.
	UserID string `yaml:"user_id,omitempty"`
	// Datasets that it may post.
	Datasets []string `yaml:"datasets"`
}

func (s SenderConfig) sender() (*receive.Sender, error) {
	return receive.NewSender(s.Name, s.Datasets, receive.Proof{Signature: s.Signature, Secret: s.Secret, PublicKey: s.PublicKey, UserID: s.UserID})
}

// check notes what is wrong with the door. A sender's name is taken from the sources' too: a row's
// origin must say which of them it was.
func (r ReceiveConfig) check(f *configFaults, taken map[string]bool) {
	if (r.Cert == "") != (r.Key == "") {
		f.add([]any{"receive"}, "receive: cert and key belong together")
	}
	if w, err := time.ParseDuration(r.Window); r.Window != "" && (err != nil || w <= 0 || w > time.Hour) {
		f.add([]any{"receive", "window"}, "receive: window is no time of up to 1h, such as 5m")
	}
	for i, s := range r.Senders {
		what, at := called("sender", s.Name, i), []any{"receive", "senders", i}
		f.name(taken, what, s.Name, under(at, "name"))
		if strings.ContainsAny(s.Name, "/?#% ") {
			f.add(under(at, "name"), "%s: a name that stands in an address has no blanks and none of / ? # %%", what)
		}
		if _, err := s.sender(); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				f.add(at, "%s: %s", what, line)
			}
		}
	}
}
