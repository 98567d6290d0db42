package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/cases"
	"xinshu/internal/fault"
)

// Config is xinshu.yaml. Every zero value is a sound default: no file at all is an embedded set-up in ./data.
type Config struct {
	// Data is the folder of the lake, the state and temporary files. Default: ./data.
	Data string `yaml:"data"`
	// Catalog is a folder laid over the built-in catalogue. Empty: the built-in one.
	Catalog string `yaml:"catalog"`
	// Node names this process in log entries. Default: hub.
	Node  string      `yaml:"node"`
	Store StoreConfig `yaml:"store"`
	State StateConfig `yaml:"state"`
	Score ScoreConfig `yaml:"score"`
	// MaskKey keys the hash that is kept of a masked person field, for matching only. Default: a
	// random key made once and kept in the data folder.
	MaskKey string `yaml:"mask_key"`
	// Policies are the ids that `run` scores. Default: every policy of the catalogue that is not a template.
	Policies []string       `yaml:"policies"`
	Sources  []SourceConfig `yaml:"sources"`
	Targets  []TargetConfig `yaml:"targets"`
	// Cases says how objections, repairs and completions are decided.
	Cases CasesConfig `yaml:"cases,omitempty"`
	// Receive is the hub's own door, at which departments post records. Without senders it stays shut.
	Receive ReceiveConfig `yaml:"receive,omitempty"`
	Serve   ServeConfig   `yaml:"serve,omitempty"`
	Vault   VaultConfig   `yaml:"vault,omitempty"`
	Auth    AuthConfig    `yaml:"auth,omitempty"`
	// How the hub looks after itself.
	Log       LogConfig       `yaml:"log,omitempty"`
	Metrics   MetricsConfig   `yaml:"metrics,omitempty"`
	Alerts    AlertsConfig    `yaml:"alerts,omitempty"`
	Lineage   LineageConfig   `yaml:"lineage,omitempty"`
	Retention RetentionConfig `yaml:"retention,omitempty"`

	texts catalog.Texts // of the folder Catalog, as a hub reads by them; nil: the folder itself is read
}

// CasesConfig says how cases are decided.
type CasesConfig struct {
	// Review names the kinds (objection, repair, completion) whose decision a second person confirms.
	// Default: none, for no notice asks for it.
	Review []cases.Kind `yaml:"review,omitempty"`
}

// StoreConfig says where objects and log entries are kept.
type StoreConfig struct {
	// Kind is folder (default) or s3.
	Kind string `yaml:"kind"`
	// Endpoint is host:port of an S3-compatible server.
	Endpoint  string `yaml:"endpoint"`
	Bucket    string `yaml:"bucket"`
	Region    string `yaml:"region"`
	AccessKey string `yaml:"access_key"`
	SecretKey string `yaml:"secret_key"`
	// Secure uses TLS. Default: false, for a server on the same host.
	Secure bool `yaml:"secure"`
	// CAFile is the certificate of the authority that signed the server's. Empty: those of the system.
	CAFile string `yaml:"ca_file"`
	// AnswerWithin is how long the server may think about one request, such as 60s. Default: a minute.
	AnswerWithin string `yaml:"answer_within"`
	// CacheMB bounds the local copies that DuckDB reads. Default: 4096.
	CacheMB int64 `yaml:"cache_mb"`
}

// StateConfig says where run state is kept.
type StateConfig struct {
	// DSN is a PostgreSQL address (postgres://...). Empty: SQLite in the data folder.
	DSN string `yaml:"dsn"`
}

// ScoreConfig bounds DuckDB.
type ScoreConfig struct {
	// Threads for one query. Default: the machine's cores.
	Threads int `yaml:"threads"`
	// MemoryMB is DuckDB's memory limit. Default: 384.
	MemoryMB int `yaml:"memory_mb"`
}

// SourceConfig is one connection to pull from.
type SourceConfig struct {
	Name   string            `yaml:"name"`
	Kind   string            `yaml:"kind"`
	Values connectors.Values `yaml:"values"`
	// Datasets are pulled in the order of their ids; each with the job settings of the kind.
	Datasets map[string]connectors.Values `yaml:"datasets"`
	// Collected is the collection date (2006-01-02) that stands as received_on for the first load of
	// an existing platform's stock. Empty: the day of the pull.
	Collected string `yaml:"collected"`
}

// TargetConfig is one platform that results are pushed to.
type TargetConfig struct {
	ID     string            `yaml:"id"`
	Kind   string            `yaml:"kind"`
	Values connectors.Values `yaml:"values"`
	// Policies that are sent; empty: all.
	Policies []string `yaml:"policies"`
	// Regions are division prefixes (4104); empty: all.
	Regions []string `yaml:"regions"`
	// Industries are prefixes of the industry code; empty: all.
	Industries []string `yaml:"industries"`
	// Fields of a result that are sent beside its identity; empty: all.
	Fields []string `yaml:"fields"`
	// Public marks a target open to society: trial results never go there.
	Public bool `yaml:"public"`
}

// loadConfig reads path; an empty path gives the defaults.
func loadConfig(path string) (Config, error) {
	if path == "" {
		return readConfig("", nil)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, usageError{&fault.Error{Op: "read config", Code: fault.NotFound, Err: err}}
	}
	return readConfig(path, text)
}

// readConfig reads a config's text; path is what faults call it.
func readConfig(path string, text []byte) (Config, error) {
	var c Config
	f := &configFaults{path: path}
	if len(text) > 0 {
		if f.decode(text, &c); len(f.found) > 0 {
			return c, f.err()
		}
	}
	c.resolve(f)
	c.defaults()
	c.check(f)
	return c, f.err()
}

func (c *Config) defaults() {
	orElse(&c.Data, "data")
	orElse(&c.Node, "hub")
	orElse(&c.Store.Kind, "folder")
	orElse(&c.Store.Bucket, "xinshu")
	if c.Score.MemoryMB == 0 {
		c.Score.MemoryMB = 384
	}
	if c.Store.CacheMB == 0 {
		c.Store.CacheMB = 4096
	}
}

func orElse(s *string, fallback string) {
	if *s == "" {
		*s = fallback
	}
}

// resolve replaces ${env:NAME} and ${file:PATH} in every setting that may hold a secret.
func (c *Config) resolve(f *configFaults) {
	secret := func(s *string, at ...any) {
		v, err := resolveSecret(*s)
		if err != nil {
			f.add(at, "%v: %s", at[len(at)-1], err)
			return
		}
		*s = v
	}
	secret(&c.State.DSN, "state", "dsn")
	secret(&c.Store.AccessKey, "store", "access_key")
	secret(&c.Store.SecretKey, "store", "secret_key")
	secret(&c.MaskKey, "mask_key")
	c.resolveCare(secret)
	secret(&c.Vault.Key, "vault", "key")
	secret(&c.Auth.OIDC.ClientSecret, "auth", "oidc", "client_secret")
	for i := range c.Vault.OldKeys {
		secret(&c.Vault.OldKeys[i], "vault", "old_keys", i)
	}
	secrets := func(values connectors.Values, at ...any) {
		for name, s := range values {
			secret(&s, under(at, name)...)
			values[name] = s
		}
	}
	for i, s := range c.Sources {
		secrets(s.Values, "sources", i, "values")
		for id, job := range s.Datasets {
			secrets(job, "sources", i, "datasets", id)
		}
	}
	for i := range c.Receive.Senders {
		secret(&c.Receive.Senders[i].Secret, "receive", "senders", i, "secret")
		secret(&c.Receive.Senders[i].PublicKey, "receive", "senders", i, "public_key")
	}
	for i, t := range c.Targets {
		secrets(t.Values, "targets", i, "values")
	}
}

func resolveSecret(s string) (string, error) {
	inner, ok := strings.CutPrefix(s, "${")
	if !ok && !strings.Contains(s, "${env:") && !strings.Contains(s, "${file:") {
		return s, nil
	}
	if ok {
		inner, ok = strings.CutSuffix(inner, "}")
	}
	how, name, cut := strings.Cut(inner, ":")
	switch {
	case ok && cut && how == "env":
		v, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return v, nil
	case ok && cut && how == "file":
		b, err := os.ReadFile(filepath.Clean(name))
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("the secret file %s does not exist", name)
		}
		if err != nil {
			return "", fmt.Errorf("the secret file %s cannot be read: %w", name, err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	return "", fmt.Errorf("a secret is written ${env:NAME} or ${file:PATH}, and is the whole value")
}
