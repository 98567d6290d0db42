package restapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key, a.pem, _ = issue(t, nil, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func issue(t *testing.T, by *authority, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, string, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))
}

func TestMutualTLS(t *testing.T) {
	ours, theirs, stranger := newAuthority(t, "hubs"), newAuthority(t, "platforms"), newAuthority(t, "strangers")
	_, _, serverCert, serverKey := issue(t, theirs, &x509.Certificate{DNSNames: []string{"gateway.example.gov.cn"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	_, _, hubCert, hubKey := issue(t, ours, &x509.Certificate{Subject: pkix.Name{CommonName: "hub"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	_, _, otherCert, otherKey := issue(t, stranger, &x509.Certificate{Subject: pkix.Name{CommonName: "other"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})

	p := startPlatform(t)
	server := httptest.NewUnstartedServer(p)
	pair, err := tls.X509KeyPair([]byte(serverCert), []byte(serverKey))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ours.cert)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.StartTLS()
	defer server.Close()

	base := connectors.Values{"url": server.URL + "/share", "ca_cert": theirs.pem, "client_cert": hubCert, "client_key": hubKey, "tries": "1"}
	for name, c := range map[string]struct {
		more connectors.Values
		ok   bool
	}{
		"both sides known":                {nil, true},
		"another name in the certificate": {connectors.Values{"server_name": "gateway.example.gov.cn"}, true},
		"a name that is not in it":        {connectors.Values{"server_name": "elsewhere.example.gov.cn"}, false},
		"a platform nobody vouches for":   {connectors.Values{"ca_cert": stranger.pem}, false},
		"a hub nobody vouches for":        {connectors.Values{"client_cert": otherCert, "client_key": otherKey}, false},
		"a hub without certificate":       {connectors.Values{"client_cert": "", "client_key": ""}, false},
	} {
		values := maps.Clone(base)
		maps.Copy(values, c.more)
		conn, _ := p.open(t, values)
		rows, err := pull(t, p.source(t, conn, nil))
		if c.ok && (err != nil || len(rows) != 7) || !c.ok && (!fault.Is(err, fault.Unavailable) || len(rows) > 0) {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
		if err != nil && strings.Contains(err.Error(), "PRIVATE KEY") {
			t.Errorf("%s: the key is shown", name)
		}
	}
	for part, more := range map[string]connectors.Values{"ca_cert": {"ca_cert": "no pem"}, "belong together": {"client_key": ""}, "PEM pair": {"client_key": otherKey}} {
		values := maps.Clone(base)
		maps.Copy(values, more)
		if _, err := open(values, clock{now: time.Now, sleep: sleep}); err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "PRIVATE KEY") {
			t.Errorf("%s: %v", part, err)
		}
	}
}
