package simulate

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// sftpServer gives departments' export folders over SFTP on loopback, with one account.
type sftpServer struct {
	dir      string
	user     string
	password string
	hostKey  ssh.Signer
	listener net.Listener
	done     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func startSFTP(dir, user, password string) (*sftpServer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make SFTP host key: %w", err)
	}
	signer, err := ssh.NewSignerFromSigner(private)
	if err != nil {
		return nil, fmt.Errorf("make SFTP host key: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for SFTP: %w", err)
	}
	s := &sftpServer{dir: dir, user: user, password: password, hostKey: signer, listener: listener, conns: map[net.Conn]bool{}}
	s.done.Go(s.accept)
	return s, nil
}

// fingerprint is what a client pins the server's key by.
func (s *sftpServer) fingerprint() string { return ssh.FingerprintSHA256(s.hostKey.PublicKey()) }

func (s *sftpServer) addr() string { return s.listener.Addr().String() }

func (s *sftpServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		s.done.Go(func() {
			s.serve(conn)
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
			_ = conn.Close()
		})
	}
}

func (s *sftpServer) serve(conn net.Conn) {
	config := &ssh.ServerConfig{PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if meta.User() == s.user && subtle.ConstantTimeCompare(password, []byte(s.password)) == 1 {
			return &ssh.Permissions{}, nil
		}
		return nil, errors.New("wrong user or password")
	}}
	config.AddHostKey(s.hostKey)
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return // the caller's key exchange or password failed; it hears so itself
	}
	go ssh.DiscardRequests(requests)
	for newChannel := range channels {
		if newChannel.ChannelType() != "session" {
			_ = newChannel.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		channel, reqs, err := newChannel.Accept()
		if err != nil {
			return
		}
		s.done.Go(func() { s.session(channel, reqs) })
	}
}

func (s *sftpServer) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer func() { _ = channel.Close() }()
	for req := range requests {
		wanted := req.Type == "subsystem" && len(req.Payload) > 4 && string(req.Payload[4:]) == "sftp"
		_ = req.Reply(wanted, nil)
		if !wanted {
			continue
		}
		server, err := sftp.NewServer(channel, sftp.WithServerWorkingDirectory(s.dir))
		if err != nil {
			return
		}
		if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
			_ = server.Close()
		}
		return
	}
}

func (s *sftpServer) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
}
