// Package pglocal owns a throw-away PostgreSQL on this machine: one cluster per process, gone when the
// process is. It refuses to reach a server somebody else started. It starts the binaries that Debian's
// package postgresql installs. Tests reach it through internal/pgtest, the bench directly.
package pglocal

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"xinshu/internal/supervised"
)

// settings make a cluster that is quick and forgets: it lives for one process.
const settings = `
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 50
shared_buffers = 32MB
timezone = 'UTC'
`

// Cluster is a running server. It listens on a unix socket only and takes any user.
type Cluster struct{ bin, dir string }

var (
	start = sync.OnceValues(startCluster)
	count atomic.Int64
)

// Start gives the cluster of this process and starts it at the first call, by user postgres when the
// process runs as root, because PostgreSQL refuses to run as root.
func Start() (*Cluster, error) { return start() }

// Create makes an empty database and gives its address.
func (c *Cluster) Create() (name, dsn string, err error) {
	name = fmt.Sprintf("test_%d", count.Add(1))
	query := url.Values{"host": {c.dir}, "sslmode": {"disable"}}
	return name, "postgres://postgres@/" + name + "?" + query.Encode(), c.tool("createdb", name)
}

// Drop takes a database away, whoever is still connected to it.
func (c *Cluster) Drop(name string) error { return c.tool("dropdb", "--force", name) }

func (c *Cluster) tool(name string, args ...string) error {
	args = append([]string{"-h", c.dir, "-U", "postgres"}, args...)
	out, err := exec.Command(filepath.Join(c.bin, name), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

func startCluster() (*Cluster, error) {
	bin, err := newestBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("/tmp", "xinshu-pg-") // not TMPDIR: a unix socket's path has at most 107 bytes
	if err != nil {
		return nil, err
	}
	who, err := supervised.Become("postgres", dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := conf.WriteString(settings); err != nil {
		return nil, err
	}
	if err := conf.Close(); err != nil {
		return nil, err
	}
	return launch(bin, dir, who)
}

func launch(bin, dir string, who *syscall.SysProcAttr) (*Cluster, error) {
	c := &Cluster{bin: bin, dir: dir}
	_, err := supervised.Start(supervised.Program{Path: filepath.Join(bin, "postgres"), Args: []string{"-D", filepath.Join(dir, "data"), "-k", dir}, Signal: "QUIT",
		Log: filepath.Join(dir, "log"), Remove: dir, As: who, Ready: func() error { return c.tool("pg_isready", "-q") }})
	return c, err // it lives as long as the process
}

// newestBin finds the installed server of the highest version.
func newestBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL found; install what deploy/dev/packages.txt lists")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path+"/////", "/")[4])
		return n
	}
	slices.SortStableFunc(found, func(a, b string) int { return version(b) - version(a) })
	return filepath.Dir(found[0]), nil
}
