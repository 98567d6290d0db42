// Package mariatest owns a throw-away MariaDB for tests: one server per test binary, one empty
// database per call. It refuses to reach a server somebody else started, and it is imported by
// tests alone. It starts the binaries that Debian's package mariadb-server installs.
package mariatest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"xinshu/internal/supervised"
)

// settings make a server that is quick and forgets. Dates of zeros are let in, because old systems
// hold them and connectors must read them.
const settings = `[mariadbd]
datadir = %[1]s/data
socket = %[1]s/sock
pid-file = %[1]s/pid
skip-networking
skip-name-resolve
innodb_flush_log_at_trx_commit = 0
innodb_buffer_pool_size = 64M
innodb_log_file_size = 32M
performance_schema = off
character_set_server = utf8mb4
default_time_zone = '+00:00'
sql_mode = 'NO_ENGINE_SUBSTITUTION'
max_allowed_packet = 64M
`

// Account may do everything in the databases that Start gives.
const (
	User     = "hub"
	Password = "swordfish-7741"
)

// Place is where a database is reached: a unix socket, because the server listens on nothing else.
type Place struct{ Socket, Database string }

type server struct{ dir string }

var (
	start = sync.OnceValues(startServer)
	count atomic.Int64
)

// Start gives a new empty database, dropped when the test ends. The server behind it is started once
// per test binary, by user mysql when the tests run as root, because MariaDB refuses to run as root.
func Start(tb testing.TB) Place {
	tb.Helper()
	s, err := start()
	if err != nil {
		tb.Fatalf("start MariaDB for the test: %v", err)
	}
	name := fmt.Sprintf("test_%d", count.Add(1))
	if err := s.tell("create database " + name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.tell("drop database " + name); err != nil {
			tb.Error(err)
		}
	})
	return Place{Socket: filepath.Join(s.dir, "sock"), Database: name}
}

// tell speaks through the client that comes with the server.
func (s *server) tell(statement string) error {
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+filepath.Join(s.dir, "sock"), "--user="+User, "--execute="+statement)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Fields(statement)[0], err, bytes.TrimSpace(out))
	}
	return nil
}

func startServer() (*server, error) {
	program, err := supervised.Find("mariadbd")
	if err != nil {
		return nil, err
	}
	installer, err := supervised.Find("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("/tmp", "xinshu-maria-") // not TMPDIR: a unix socket's path has at most 107 bytes
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "my.cnf"), fmt.Appendf(nil, settings, dir), 0o644); err != nil { // the server's user reads it
		return nil, err
	}
	who, err := supervised.Become("mysql", dir)
	if err != nil {
		return nil, err
	}
	install := exec.Command(installer, "--defaults-file="+filepath.Join(dir, "my.cnf"), "--skip-test-db", "--auth-root-authentication-method=normal")
	install.SysProcAttr, install.Dir = who, dir
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	return launch(program, dir, who)
}

func launch(program, dir string, who *syscall.SysProcAttr) (*server, error) {
	account := fmt.Sprintf("create user %[1]s@localhost identified by '%[2]s';\ngrant all on *.* to %[1]s@localhost;\n", User, Password)
	if err := os.WriteFile(filepath.Join(dir, "account.sql"), []byte(account), 0o644); err != nil { // the server's user reads it, and it lives as long as the test
		return nil, err
	}
	conf, err := os.OpenFile(filepath.Join(dir, "my.cnf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conf, "init_file = %s/account.sql\n", dir); err != nil {
		return nil, err
	}
	if err := conf.Close(); err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	_, err = supervised.Start(supervised.Program{Path: program, Args: []string{"--defaults-file=" + filepath.Join(dir, "my.cnf")}, Signal: "KILL",
		Log: filepath.Join(dir, "log"), Remove: dir, As: who, Within: time.Minute, Ready: func() error { return s.tell("select 1") }})
	return s, err // it lives as long as the test binary
}
