package main

import (
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"xinshu/internal/alerts"
)

// LogConfig is what a service writes about itself, to standard error. Commands print for people instead.
type LogConfig struct {
	// Level is debug, info (default), warn or error.
	Level string `yaml:"level,omitempty"`
	// Format is json or text. Default: text on a terminal, json elsewhere.
	Format string `yaml:"format,omitempty"`
}

// MetricsConfig says who may read /metrics and the details of /readyz beside actors with the right metrics.see.
type MetricsConfig struct {
	// Networks from which nothing is asked, such as 10.1.0.0/16. Default: loopback. A request that came
	// through a proxy is never let in by its address.
	Networks []string `yaml:"networks,omitempty"`
}

// AlertsConfig says what is told to people, and where.
type AlertsConfig struct {
	// Every is the time between two looks. Default: 1m.
	Every string `yaml:"every,omitempty"`
	// EscalateAfter is how long an alert may be seen by nobody before it is escalated. Default: 4h; 0s: never.
	EscalateAfter string `yaml:"escalate_after,omitempty"`
	// Without names rules that are not looked at: late, hold, quarantine, target, task, disk, expiry, audit, node,
	// clock, case, proposal.
	Without []string `yaml:"without,omitempty"`
	// Lag is how long a row may wait for its receiver. Default: 24h.
	Lag string `yaml:"lag,omitempty"`
	// DiskPercent is the room in hundredths below which a disk counts as filling. Default: 10.
	DiskPercent int `yaml:"disk_percent,omitempty"`
	// ExpiryDays is how many days before its end a certificate or key is told of. Default: 30.
	ExpiryDays int `yaml:"expiry_days,omitempty"`
	// Clock is by how much a node's clock may be off before it is told. Default: 5s.
	Clock string `yaml:"clock,omitempty"`
	// CaseDays is how many working days before its last one a case is told of. Default: 2; 0: on the last day.
	CaseDays *int `yaml:"case_days,omitempty"`
	// ProposalDays is how many working days a change of a contract or policy may wait for its second
	// person. Default: 5.
	ProposalDays *int            `yaml:"proposal_days,omitempty"`
	Mail         MailConfig      `yaml:"mail,omitempty"`
	Webhooks     []WebhookConfig `yaml:"webhooks,omitempty"`
}

// MailConfig is the mail server that alerts go through. Without a server none is sent.
type MailConfig struct {
	// Server is host:port; 587 is usual.
	Server string `yaml:"server,omitempty"`
	From   string `yaml:"from,omitempty"`
	// To are told of everything; Superior of what was escalated, too.
	To       []string `yaml:"to,omitempty"`
	Superior []string `yaml:"superior,omitempty"`
	User     string   `yaml:"user,omitempty"`
	Password string   `yaml:"password,omitempty"`
	// CAFile is the certificate of the authority that signed the server's. Empty: those of the system.
	CAFile string `yaml:"ca_file,omitempty"`
	// Plain sends without STARTTLS, through a relay that is trusted without it. Default: false.
	Plain bool `yaml:"plain,omitempty"`
}

// WebhookConfig is one receiver of alerts in the form of Standard Webhooks.
type WebhookConfig struct {
	Name string `yaml:"name"`
	URL  string `yaml:"url"`
	// Secret signs: whsec_ and Base64 of 24 to 64 bytes, as ${file:PATH} or ${env:NAME}.
	Secret string `yaml:"secret"`
}

// LineageConfig says where OpenLineage events of runs go. Without file and url none are written.
type LineageConfig struct {
	// File takes a JSON line an event. It is rotated at file_mb (default 100), and keep (default 5) older ones stay.
	File   string `yaml:"file,omitempty"`
	FileMB int64  `yaml:"file_mb,omitempty"`
	Keep   int    `yaml:"keep,omitempty"`
	// URL takes an event a POST, such as https://HOST/api/v1/lineage; Key is its bearer key.
	URL string `yaml:"url,omitempty"`
	Key string `yaml:"key,omitempty"`
	// Namespace names this hub's jobs. Default: xinshu://NODE.
	Namespace string `yaml:"namespace,omitempty"`
}

// RetentionConfig says for how many days run state keeps what is over. 0: the default; -1: for ever. What is
// open, and what keeps anything from being done twice, stays whatever its age.
type RetentionConfig struct {
	// Runs and their task logs. Default: 400. The newest of each step and subject stay.
	Runs int `yaml:"runs,omitempty"`
	// Deliveries is attempts and receipts of deliveries that are done. Default: 1100, three years.
	Deliveries int `yaml:"deliveries,omitempty"`
	// Alerts that ended. Default: 400.
	Alerts int `yaml:"alerts,omitempty"`
	// Audit is the trail. Default: -1, for ever; the chain begins with a signed root after a cut.
	Audit int `yaml:"audit,omitempty"`
	// At is the hour of the day, by Shanghai's clock, after which the pass begins. Default: 3.
	At *int `yaml:"at,omitempty"`
}

func (c LogConfig) level() slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(c.Level)) // checked when the config was read; empty is info
	return l
}

// checkCare holds the sections about looking after the hub against what they may say.
func (c *Config) checkCare(f *configFaults) {
	if err := new(slog.Level).UnmarshalText([]byte(c.Log.Level)); c.Log.Level != "" && err != nil {
		f.add([]any{"log", "level"}, "log.level is %q; debug, info, warn and error are known", c.Log.Level)
	}
	if !slices.Contains([]string{"", "json", "text"}, c.Log.Format) {
		f.add([]any{"log", "format"}, "log.format is %q; json and text are known", c.Log.Format)
	}
	for i, n := range c.Metrics.Networks {
		if _, err := netip.ParsePrefix(n); err != nil {
			f.add([]any{"metrics", "networks", i}, "metrics.networks: %q is no network such as 10.1.0.0/16", n)
		}
	}
	c.Alerts.check(f)
	c.Lineage.check(f)
	for name, days := range map[string]int{"runs": c.Retention.Runs, "deliveries": c.Retention.Deliveries, "alerts": c.Retention.Alerts, "audit": c.Retention.Audit} {
		if days < -1 || days > 0 && days < 30 {
			f.add([]any{"retention", name}, "retention.%s is %d days; it is 30 or more, -1 for ever, 0 for the default", name, days)
		}
	}
	if at := c.Retention.At; at != nil && (*at < 0 || *at > 23) {
		f.add([]any{"retention", "at"}, "retention.at is %d; it is an hour from 0 to 23", *at)
	}
}

func (a *AlertsConfig) check(f *configFaults) {
	for name, text := range map[string]string{"every": a.Every, "escalate_after": a.EscalateAfter, "lag": a.Lag, "clock": a.Clock} {
		if d, err := time.ParseDuration(text); text != "" && (err != nil || d < 0 || name != "escalate_after" && d < time.Second) {
			f.add([]any{"alerts", name}, "alerts.%s is %q, no time such as 1m or 4h", name, text)
		}
	}
	for i, rule := range a.Without {
		if !slices.Contains(alerts.Names, rule) {
			f.add([]any{"alerts", "without", i}, "alerts.without: there is no rule %q; rules are %s", rule, strings.Join(alerts.Names, ", "))
		}
	}
	if a.DiskPercent < 0 || a.DiskPercent > 90 {
		f.add([]any{"alerts", "disk_percent"}, "alerts.disk_percent is %d; it is from 0 to 90", a.DiskPercent)
	}
	if a.ExpiryDays < 0 {
		f.add([]any{"alerts", "expiry_days"}, "alerts.expiry_days is %d; it is 0 or more", a.ExpiryDays)
	}
	for name, n := range map[string]*int{"case_days": a.CaseDays, "proposal_days": a.ProposalDays} {
		if n != nil && (*n < 0 || *n > 365) {
			f.add([]any{"alerts", name}, "alerts.%s is %d working days; it is from 0 to 365", name, *n)
		}
	}
	a.Mail.check(f)
	names := map[string]bool{}
	for i, h := range a.Webhooks {
		at := []any{"alerts", "webhooks", i}
		f.name(names, called("webhook", h.Name, i), h.Name, under(at, "name"))
		if u, err := url.Parse(h.URL); err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
			f.add(under(at, "url"), "webhook %s: url is no https address; http goes to loopback only", h.Name)
		}
		if _, err := alerts.ParseSecret(h.Secret); err != nil {
			f.add(under(at, "secret"), "webhook %s: secret %s", h.Name, err)
		}
	}
}

func (m *MailConfig) check(f *configFaults) {
	at := []any{"alerts", "mail"}
	if m.Server == "" {
		if m.From != "" || len(m.To) > 0 || m.User != "" {
			f.add(at, "alerts.mail.server is not set; it is host:port of the mail server")
		}
		return
	}
	if _, port, err := net.SplitHostPort(m.Server); err != nil || port == "" {
		f.add(under(at, "server"), "alerts.mail.server is %q, not host:port", m.Server)
	}
	if len(m.To) == 0 {
		f.add(at, "alerts.mail.to is empty; nobody would be told")
	}
	for i, address := range slices.Concat([]string{m.From}, m.To, m.Superior) {
		if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
			name := "from"
			if i > 0 {
				name = "to"
			}
			f.add(under(at, name), "alerts.mail: %q is no mail address", address)
		}
	}
	if m.Plain && m.User != "" {
		f.add(under(at, "plain"), "alerts.mail: a password is not sent without STARTTLS; leave out user or plain")
	}
	if _, err := os.Stat(m.CAFile); m.CAFile != "" && err != nil {
		f.add(under(at, "ca_file"), "alerts.mail.ca_file: there is no file %s", m.CAFile)
	}
}

func (l *LineageConfig) check(f *configFaults) {
	if l.File != "" && l.URL != "" {
		f.add([]any{"lineage"}, "lineage has a file and a url; give one of them")
	}
	if u, err := url.Parse(l.URL); l.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		f.add([]any{"lineage", "url"}, "lineage.url is no http address")
	}
	if u, err := url.Parse(l.URL); err == nil && l.Key != "" && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		f.add([]any{"lineage", "key"}, "lineage.key would be sent without TLS; use https")
	}
	if u, err := url.Parse(l.Namespace); l.Namespace != "" && (err != nil || u.Scheme == "") {
		f.add([]any{"lineage", "namespace"}, "lineage.namespace is %q, no URI such as xinshu://hub", l.Namespace)
	}
	if l.FileMB < 0 || l.Keep < 0 {
		f.add([]any{"lineage"}, "lineage.file_mb and lineage.keep are 0 or more")
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// resolveCare replaces the secrets of these sections.
func (c *Config) resolveCare(secret func(s *string, at ...any)) {
	secret(&c.Alerts.Mail.Password, "alerts", "mail", "password")
	secret(&c.Lineage.Key, "lineage", "key")
	for i := range c.Alerts.Webhooks {
		secret(&c.Alerts.Webhooks[i].Secret, "alerts", "webhooks", i, "secret")
	}
}
