package dbtable

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// secured gives the TLS settings of a server, nil when nothing is encrypted. Old front-end databases
// offer nothing newer than TLS 1.0, and an encrypted line that is old beats a clear one.
func (s address) secured() (*tls.Config, error) {
	if s.sslmode == "disable" {
		return nil, nil //nolint:nilnil // no TLS is an answer
	}
	config := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS10} //nolint:gosec // see above
	if s.ca != "" {
		pem, err := os.ReadFile(s.ca)
		if err != nil {
			return nil, fmt.Errorf("read tls_ca: %w", err)
		}
		if config.RootCAs = x509.NewCertPool(); !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("tls_ca holds no PEM certificate")
		}
	}
	if s.sslmode == "verify-full" {
		return config, nil
	}
	config.InsecureSkipVerify = true
	if s.sslmode == "verify-ca" {
		roots := config.RootCAs
		config.VerifyConnection = func(state tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, c := range state.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			return err
		}
	}
	return config, nil
}
