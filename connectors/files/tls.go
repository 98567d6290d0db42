package files

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// tlsConfig trusts the system's authorities, or only the one that is named. Nothing older than TLS 1.2.
func tlsConfig(r *connectors.Reader) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: r.Text("server_name")}
	if pem := r.Text("ca_cert"); pem != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, &fault.Error{Op: "open files", Code: fault.Invalid, Err: errors.New("ca_cert holds no PEM certificate"), Hint: "write ${file:PATH}"}
		}
	}
	return config, nil
}
