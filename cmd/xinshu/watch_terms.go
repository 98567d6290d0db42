package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xinshu/connectors"
	"xinshu/internal/alerts"
	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// terms are all ends that the hub knows of: certificates of the config and of connections, wherever
// they were made, and keys. One that cannot be read hides no other.
func (a *app) terms(ctx context.Context) ([]alerts.Term, error) {
	var terms []alerts.Term
	var errs []error
	add := func(subject string, pem []byte, err error) {
		var until time.Time
		if err == nil {
			until, err = endOfCertificate(subject, pem)
		}
		if errs = append(errs, err); err == nil {
			terms = append(terms, alerts.Term{What: "certificate", WhatZH: "证书", Subject: subject, Until: until})
		}
	}
	given, err := a.certificates(ctx)
	errs = append(errs, err)
	for _, c := range given {
		text := []byte(c.pem)
		var err error
		if c.pem == "" {
			text, err = os.ReadFile(c.subject)
		}
		add(c.subject, text, err)
	}
	keys, err := a.state.Keys(ctx, "")
	for _, k := range keys {
		if k.Revoked.IsZero() && !k.Until.IsZero() && a.now().Sub(k.Until) < 30*24*time.Hour && !followed(k, keys) {
			terms = append(terms, alerts.Term{What: "key", WhatZH: "接口密钥", Subject: k.ID + " " + k.Title, Until: k.Until})
		}
	}
	return terms, errors.Join(append(errs, err)...)
}

// followed says that a key has a successor that is good for longer: its end was meant.
func followed(k auth.Key, keys []auth.Key) bool {
	return slices.ContainsFunc(keys, func(other auth.Key) bool {
		return other.Owner == k.Owner && other.Title == k.Title && other.Revoked.IsZero() && other.Until.After(k.Until)
	})
}

// certificate is one that the hub was given: a file, or a text that stands in a setting.
type certificate struct{ subject, pem string }

// certificates gives those of the service, of the authorities it trusts, of the database's address, and
// of every connection, each once.
func (a *app) certificates(ctx context.Context) ([]certificate, error) {
	c := a.config
	found := map[string]certificate{}
	file := func(path string) {
		if _, err := os.Stat(path); path != "" && err == nil {
			found[path] = certificate{subject: path}
		}
	}
	for _, path := range []string{c.Serve.Cert, c.Store.CAFile, c.Alerts.Mail.CAFile, c.Auth.OIDC.CAFile} {
		file(path)
	}
	if dsn, err := url.Parse(c.State.DSN); err == nil {
		file(dsn.Query().Get("sslrootcert"))
		file(dsn.Query().Get("sslcert"))
	}
	of := func(connection string, values connectors.Values) {
		for name, v := range values {
			if strings.Contains(v, "-----BEGIN CERTIFICATE-----") {
				found[connection+": "+name] = certificate{connection + ": " + name, v}
			} else if ext := strings.ToLower(filepath.Ext(v)); ext == ".pem" || ext == ".crt" || ext == ".cer" {
				file(v)
			}
		}
	}
	sources, err := a.pipeline.AllSources(ctx)
	for _, s := range sources {
		of("source "+s.Name, s.Values)
	}
	targets, also := a.pipeline.AllTargets(ctx)
	for _, t := range targets {
		of("target "+t.ID, t.Values)
	}
	all := make([]certificate, 0, len(found))
	for _, c := range found {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b certificate) int { return strings.Compare(a.subject, b.subject) })
	return all, errors.Join(err, also)
}

// endOfCertificate is the first end of the certificates in a PEM text; zero when it holds none, a key perhaps.
func endOfCertificate(subject string, text []byte) (time.Time, error) {
	var first time.Time
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return first, fault.Newf(fault.Invalid, "read certificate", "%s: %w", subject, err)
		}
		if first.IsZero() || cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	return first, nil
}
