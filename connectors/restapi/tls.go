package restapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// tlsFiles are the texts of PEM files: the platform's own authority, and the certificate and key by
// which the hub proves itself.
type tlsFiles struct{ ca, cert, key, serverName string }

// config trusts the system's authorities, or only the one that is named. Nothing older than TLS 1.2.
func (f tlsFiles) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.serverName}
	if f.ca != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(f.ca)) {
			return nil, errors.New("ca_cert holds no PEM certificate; write ${file:PATH}")
		}
	}
	switch {
	case f.cert == "" && f.key == "":
		return config, nil
	case f.cert == "" || f.key == "":
		return nil, errors.New("client_cert and client_key belong together; one of them is not set")
	}
	pair, err := tls.X509KeyPair([]byte(f.cert), []byte(f.key))
	if err != nil {
		return nil, errors.New("client_cert and client_key are no PEM pair that fits; write ${file:PATH}") // the cause may quote the key
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
