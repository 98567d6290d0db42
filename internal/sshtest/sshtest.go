// Package sshtest owns a throw-away OpenSSH server for tests: sshd on a free loopback port with keys
// of its own, SFTP only. It refuses to reach a server somebody else started, and it is imported by
// tests alone.
package sshtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"xinshu/internal/supervised"
)

// Server is a running sshd and what a client needs for it.
type Server struct {
	Host, Port string
	User       string
	PrivateKey string // PEM; the server knows its public half
	HostKey    string // "ssh-ed25519 AAAA…"
	Dir        string // an empty folder for the test, as the server and the test both name it
}

const config = `
ListenAddress 127.0.0.1
Port %s
HostKey %s
AuthorizedKeysFile %s
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
MaxStartups 100
Subsystem sftp internal-sftp
ForceCommand internal-sftp
`

// Start runs sshd until the test ends. The account is the one that runs the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := start(tb)
	if err != nil {
		tb.Fatalf("start sshd for the test: %v", err)
	}
	return s
}

func start(tb testing.TB) (*Server, error) {
	sshd, err := supervised.Find("sshd") // it wants to be called by its full path
	if err != nil {
		return nil, err
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	keys := tb.TempDir()
	s := &Server{Host: "127.0.0.1", User: me.Username, Dir: tb.TempDir()}
	if _, s.HostKey, err = makeKey(filepath.Join(keys, "host")); err != nil {
		return nil, err
	}
	private, public, err := makeKey(filepath.Join(keys, "client"))
	if err != nil {
		return nil, err
	}
	s.PrivateKey = private
	authorized := filepath.Join(keys, "authorized")
	if err := os.WriteFile(authorized, []byte(public+"\n"), 0o600); err != nil {
		return nil, err
	}
	// The port is free when asked for and taken a moment later; another process may be quicker, so try again.
	for try := 1; ; try++ {
		if s.Port, err = supervised.FreePort(); err != nil {
			return nil, err
		}
		err = s.run(tb, sshd, keys, authorized)
		if err == nil || try == 5 {
			return s, err
		}
	}
}

func (s *Server) run(tb testing.TB, sshd, keys, authorized string) error {
	file, log := filepath.Join(keys, "sshd_config"), filepath.Join(keys, "log")
	text := fmt.Sprintf(config, s.Port, filepath.Join(keys, "host"), authorized)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	if os.Geteuid() == 0 { // Debian's sshd wants this folder, which a machine that never ran it lacks
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd insists on the mode
			return err
		}
	}
	server, err := supervised.Start(supervised.Program{Path: sshd, Args: []string{"-D", "-e", "-f", file}, Log: log, // without -D it would leave the watcher
		Ready: supervised.Listening(net.JoinHostPort(s.Host, s.Port)), Within: 20 * time.Second})
	if err == nil {
		tb.Cleanup(server.Stop)
	}
	return err
}

// makeKey writes a private key and gives both halves as text.
func makeKey(path string) (private, public string, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	block, err := ssh.MarshalPrivateKey(key, "test")
	if err != nil {
		return "", "", err
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return "", "", err
	}
	private = string(pem.EncodeToMemory(block))
	return private, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPub))), os.WriteFile(path, []byte(private), 0o600)
}
