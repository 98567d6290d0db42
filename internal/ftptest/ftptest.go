// Package ftptest owns a throw-away FTP server for tests: vsftpd on a free loopback port, plain or
// with AUTH TLS, with one folder and one password. It refuses to reach a server somebody else started,
// and it is imported by tests alone.
package ftptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"xinshu/internal/supervised"
)

// Server is a running vsftpd and what a client needs for it.
type Server struct {
	Host, Port     string
	User, Password string
	CA             string // PEM of the server's own certificate, whose name is localhost; empty without TLS
	Dir            string // an empty folder for the test, as the server and the test both name it
}

// The anonymous account, narrowed to one password, is the only one that needs no account of the
// machine; run_as_launching_user lets an ordinary user run the test.
const config = `
listen=YES
listen_address=127.0.0.1
listen_port=%s
background=NO
run_as_launching_user=YES
anonymous_enable=YES
anon_root=%s
secure_email_list_enable=YES
email_password_file=%s
anon_world_readable_only=NO
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=077
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
pasv_promiscuous=NO
max_per_ip=0
`

const secure = `
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
require_ssl_reuse=YES
rsa_cert_file=%s
rsa_private_key_file=%s
`

// Start runs a server without TLS until the test ends.
func Start(tb testing.TB) *Server { tb.Helper(); return run(tb, false) }

// StartTLS runs a server that wants AUTH TLS, for commands and transfers, in one TLS session.
func StartTLS(tb testing.TB) *Server { tb.Helper(); return run(tb, true) }

func run(tb testing.TB, tls bool) *Server {
	tb.Helper()
	s := &Server{Host: "127.0.0.1", User: "anonymous", Password: "let me in 7", Dir: tb.TempDir()}
	own := tb.TempDir()
	passwords := filepath.Join(own, "passwords")
	err := os.WriteFile(passwords, []byte(s.Password+"\n"), 0o600)
	more := ""
	if tls && err == nil {
		cert, key := filepath.Join(own, "cert.pem"), filepath.Join(own, "key.pem")
		more = fmt.Sprintf(secure, cert, key)
		s.CA, err = certificate(cert, key)
	}
	// The port is free when asked for and taken a moment later; another process may be quicker, so try again.
	for try := 0; err == nil && try < 5; try++ {
		var free string
		if free, err = supervised.FreePort(); err != nil {
			break
		}
		s.Port = free
		file := filepath.Join(own, "vsftpd.conf")
		if err = os.WriteFile(file, []byte(fmt.Sprintf(config, s.Port, s.Dir, passwords)+more), 0o600); err != nil {
			break
		}
		if err = s.run(tb, file, filepath.Join(own, "log")); err == nil {
			return s
		}
	}
	tb.Fatalf("start vsftpd for the test: %v", err)
	return nil
}

func (s *Server) run(tb testing.TB, file, log string) error {
	vsftpd, err := supervised.Find("vsftpd")
	if err != nil {
		return err
	}
	server, err := supervised.Start(supervised.Program{Path: vsftpd, Args: []string{file}, Log: log,
		Ready: supervised.Listening(net.JoinHostPort(s.Host, s.Port)), Within: 20 * time.Second})
	if err == nil {
		tb.Cleanup(server.Stop)
	}
	return err
}

func certificate(cert, key string) (string, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return "", err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return string(public), os.WriteFile(cert, public, 0o600)
}
