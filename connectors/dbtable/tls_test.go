package dbtable

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinshu/connectors"
)

func TestCertificatesAreCheckedAsDeclared(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		at   address
		good bool
	}{
		{"verify-full of the name in the certificate", address{host: "127.0.0.1", sslmode: "verify-full", ca: ca}, true},
		{"verify-full of another name", address{host: "localhost", sslmode: "verify-full", ca: ca}, false},
		{"verify-full by the system's roots", address{host: "127.0.0.1", sslmode: "verify-full"}, false},
		{"verify-ca whatever the name", address{host: "localhost", sslmode: "verify-ca", ca: ca}, true},
		{"verify-ca by the system's roots", address{host: "127.0.0.1", sslmode: "verify-ca"}, false},
		{"require looks at no certificate", address{host: "localhost", sslmode: "require"}, true},
		{"prefer looks at no certificate", address{host: "localhost", sslmode: "prefer"}, true},
	} {
		config, err := c.at.secured()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := tls.Dial("tcp", s.Listener.Addr().String(), config)
		if (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	if config, err := (address{sslmode: "disable"}).secured(); config != nil || err != nil {
		t.Errorf("disable gave %v, %v", config, err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (address{sslmode: "verify-ca", ca: empty}).secured(); err == nil || !strings.Contains(err.Error(), "holds no PEM certificate") {
		t.Errorf("got %v", err)
	}
}

// A time in text is moved from the source's zone however its day and hour are parted; one that names
// its zone, and a day, stay.
func TestATimeInTextIsMovedHoweverItIsWritten(t *testing.T) {
	s := startSQLite(t)
	for text, want := range map[string]string{
		"2025-10-28T16:00:00": "2025-10-29 00:00:00", "2025-10-28 16:00": "2025-10-29 00:00:00", "2025-10-28 16:00:00.125": "2025-10-29 00:00:00.125",
		"2025-10-28": "2025-10-28", "2025-10-28T16:00:00Z": "2025-10-28T16:00:00Z", "someday": "someday",
	} {
		if got := s.value(t, "datetime", "'"+text+"'", connectors.Values{"zone": "UTC"}); got != want {
			t.Errorf("%s came as %s, want %s", text, got, want)
		}
	}
}
