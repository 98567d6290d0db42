// Package supervised owns the life of a server that is started for a test or a bench: it answers
// before Start returns, and ends when it is stopped or when this process is gone, however it went.
// It refuses to know what the server is; the packages that start one say how.
package supervised

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// watch runs a program until its own standard input ends, which is when the process that started it
// stops it or dies. Then it ends the program and, where a folder is named, leaves nothing behind.
const watch = `signal=$1 log=$2 remove=$3; shift 3
"$@" >"$log" 2>&1 &
server=$!
read -r _
kill -$signal $server
wait $server
[ -z "$remove" ] || rm -rf "$remove"`

// Program is a server to start.
type Program struct {
	Path   string
	Args   []string
	Env    []string             // beside this process's own
	Signal string               // that ends it; empty: TERM
	Log    string               // file of what it prints
	Remove string               // folder that goes when it has ended; empty: none
	As     *syscall.SysProcAttr // from Become; nil: as this process
	Ready  func() error         // nil when it answers
	Within time.Duration        // to become ready; 0: 30 s
}

// Server is a running program.
type Server struct {
	alive *os.File // it lives as long as this end of the pipe is open
	gone  chan struct{}
}

// Start starts a program and waits until it is ready. One that ends before, or is not ready in time,
// is an error with what it printed.
func Start(p Program) (*Server, error) {
	if p.Signal == "" {
		p.Signal = "TERM"
	}
	if p.Within == 0 {
		p.Within = 30 * time.Second
	}
	//nolint:gosec // starting the program that a test or the demo names is what this is for; its words reach the shell as arguments, not as text
	cmd := exec.Command("/bin/sh", append([]string{"-c", watch, "sh", p.Signal, p.Log, p.Remove, p.Path}, p.Args...)...)
	cmd.Env, cmd.SysProcAttr, cmd.Dir = append(os.Environ(), p.Env...), p.As, filepath.Dir(p.Log)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true // a Ctrl-C at the terminal does not reach the watcher, so that it can clean up
	stdin, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdin = stdin
	err = cmd.Start()
	_ = stdin.Close()
	if err != nil {
		_ = alive.Close()
		return nil, err
	}
	s := &Server{alive: alive, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(s.gone)
	}()
	if err := s.wait(p); err != nil {
		said, _ := os.ReadFile(p.Log)
		s.Stop()
		return nil, fmt.Errorf("%s does not answer: %w: %s", filepath.Base(p.Path), err, strings.TrimSpace(string(said[max(0, len(said)-2000):])))
	}
	return s, nil
}

func (s *Server) wait(p Program) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(p.Within); ; {
		err := p.Ready()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		<-again.C
	}
}

// Stop ends the server and waits until it has ended.
func (s *Server) Stop() {
	_ = s.alive.Close()
	<-s.gone
}

// Listening says that somebody answers at an address of this machine.
func Listening(address string) func() error {
	return func() error {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// FreePort gives a port of loopback that is free now; another process may be quicker to take it, so
// the caller tries again with another.
func FreePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// Find finds a program also where only administrators look.
func Find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s found; install what deploy/dev/packages.txt lists", name)
}

// Become gives a folder to a user and says how a program runs as that user. It is for servers that
// refuse to run as root: for anybody else it changes nothing.
func Become(name, dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, int(uid), int(gid))
}
