package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// remote is a folder behind SFTP. It connects when first used and again after the line broke.
type remote struct {
	address, root string
	config        *ssh.ClientConfig
	patience      time.Duration // how long a server may take to answer a request whose context has ended
	stall         time.Duration // how long it may say nothing while it is asked something

	mu     sync.Mutex
	client *sftp.Client
	conn   *ssh.Client
	line   *heard // under both; closing it waits for nobody
}

func openRemote(ctx context.Context, r *connectors.Reader) (place, error) {
	const op = "open sftp"
	keys, err := hostKeys(r.List("host_key"))
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "write it as ssh-keyscan prints it, without the host, or as SHA256:…", Err: err}
	}
	var auth []ssh.AuthMethod
	if text := r.Text("private_key"); text != "" {
		signer, err := parseKey([]byte(text+"\n"), []byte(r.Text("passphrase")))
		if err != nil {
			return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "private_key must be the text of a PEM file, passphrase its passphrase"}
		}
		auth = append(auth, ssh.PublicKeys(signer))
	}
	if password := r.Text("password"); password != "" {
		auth = append(auth, ssh.Password(password), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			return slices.Repeat([]string{password}, len(questions)), nil
		}))
	}
	s := &remote{
		address: net.JoinHostPort(r.Text("host"), portOr(r, "22")), root: r.Text("root"), patience: 5 * time.Second, stall: r.Duration("stall"),
		config: &ssh.ClientConfig{User: r.Text("user"), Auth: auth, HostKeyCallback: keys.check, HostKeyAlgorithms: keys.algorithms(), Timeout: r.Duration("timeout")},
	}
	_, err = s.session(ctx)
	return s, err
}

func parseKey(pem, passphrase []byte) (ssh.Signer, error) {
	if len(passphrase) > 0 {
		return ssh.ParsePrivateKeyWithPassphrase(pem, passphrase)
	}
	return ssh.ParsePrivateKey(pem)
}

// pinned are the host keys that an operator wrote down.
type pinned struct {
	keys   []ssh.PublicKey
	prints []string
}

var errHostKey = errors.New("the server shows another host key")

func hostKeys(lines []string) (pinned, error) {
	var p pinned
	for _, line := range lines {
		if strings.HasPrefix(line, "SHA256:") {
			p.prints = append(p.prints, strings.TrimRight(line, "="))
			continue
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return p, fmt.Errorf("host_key %.20q is neither a key nor a fingerprint", line)
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

func (p pinned) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	for _, known := range p.keys {
		if bytes.Equal(known.Marshal(), key.Marshal()) {
			return nil
		}
	}
	if slices.Contains(p.prints, ssh.FingerprintSHA256(key)) {
		return nil
	}
	return fmt.Errorf("%w: %s", errHostKey, ssh.FingerprintSHA256(key))
}

// algorithms asks the server for the kind of key that is pinned; with fingerprints any kind may come.
func (p pinned) algorithms() []string {
	if len(p.prints) > 0 {
		return nil
	}
	var names []string
	for _, key := range p.keys {
		if key.Type() == ssh.KeyAlgoRSA {
			names = append(names, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			names = append(names, key.Type())
		}
	}
	return names
}

// session gives the live client, connecting when there is none.
func (s *remote) session(ctx context.Context) (*sftp.Client, error) {
	const op = "connect sftp"
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	dialer := net.Dialer{Timeout: s.config.Timeout, KeepAlive: 30 * time.Second}
	dialled, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, failed(ctx, op, &fault.Error{Op: op, Code: fault.Unavailable, Hint: "the server was not reached", Err: err})
	}
	line := &heard{Conn: dialled}
	_ = line.SetDeadline(time.Now().Add(s.config.Timeout)) // a socket's deadline is the machine's clock
	stop := context.AfterFunc(ctx, func() { _ = line.Close() })
	conn, channels, requests, err := ssh.NewClientConn(line, s.address, s.config)
	if !stop() || err != nil {
		_ = line.Close()
		return nil, failed(ctx, op, refusedBy(op, err))
	}
	_ = line.SetDeadline(time.Time{})
	s.conn, s.line = ssh.NewClient(conn, channels, requests), line
	s.client, err = sftp.NewClient(s.conn)
	if err != nil {
		_ = s.conn.Close()
		return nil, &fault.Error{Op: op, Code: fault.Unavailable, Hint: "the server offers no SFTP", Err: err}
	}
	go s.forget(s.client)
	return s.client, nil
}

// forget waits for the line to break, so that the next use connects again.
func (s *remote) forget(client *sftp.Client) {
	_ = client.Wait()
	s.drop(client)
}

func (s *remote) drop(client *sftp.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == client {
		_ = s.conn.Close()
		s.client = nil
	}
}

func refusedBy(op string, err error) error {
	switch {
	case errors.Is(err, errHostKey):
		return &fault.Error{Op: op, Code: fault.Unauthorized, Hint: "ask the department whether its key changed before setting host_key anew", Err: err}
	case err != nil && strings.Contains(err.Error(), "unable to authenticate"):
		return &fault.Error{Op: op, Code: fault.Unauthorized, Hint: "check user, password or private_key", Err: err}
	default:
		return &fault.Error{Op: op, Code: fault.Unavailable, Hint: "the server broke off", Err: err}
	}
}

// heard counts what a server said.
type heard struct {
	net.Conn
	bytes atomic.Int64
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.bytes.Add(int64(n))
	return n, err
}

// watch cuts the line of a request that nobody answers. Requests know no context: when theirs ends and
// the server does not answer either, or when the server says nothing at all, the line is closed.
type watch struct {
	stop     func() bool
	answered chan struct{}
	quiet    chan struct{}
	once     sync.Once
}

func (s *remote) watch(ctx context.Context, line *heard) *watch {
	w := &watch{answered: make(chan struct{}), quiet: make(chan struct{})}
	w.stop = context.AfterFunc(ctx, func() {
		select {
		case <-w.answered:
		case <-time.After(s.patience):
			_ = line.Close()
		}
	})
	go func() {
		ticks := time.NewTicker(s.stall)
		defer ticks.Stop()
		for before := line.bytes.Load(); ; {
			select {
			case <-w.quiet:
				return
			case <-ticks.C:
			}
			now := line.bytes.Load()
			if now == before {
				_ = line.Close()
				return
			}
			before = now
		}
	}()
	return w
}

// opened leaves the rest to whoever reads: from now on the server is silent when nobody asks.
func (w *watch) opened() { w.once.Do(func() { close(w.quiet) }) }

func (w *watch) release() {
	w.opened()
	w.stop()
	close(w.answered)
}

// at gives the client and the full path. Until release is called the line is watched.
func (s *remote) at(ctx context.Context, name string) (client *sftp.Client, full string, w *watch, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", nil, err
	}
	if client, err = s.session(ctx); err != nil {
		return nil, "", nil, err
	}
	s.mu.Lock()
	line := s.line
	s.mu.Unlock()
	return client, path.Join(s.root, name), s.watch(ctx, line), nil
}

// list is what every pull and test begins with: met on a line that broke unnoticed, it dials anew.
func (s *remote) list(ctx context.Context, dir string) ([]entry, error) {
	entries, client, err := s.listOnce(ctx, dir)
	var answered *sftp.StatusError
	refused := errors.As(err, &answered) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
	if err != nil && client != nil && !refused && ctx.Err() == nil {
		s.drop(client)
		entries, _, err = s.listOnce(ctx, dir)
	}
	return entries, err
}

func (s *remote) listOnce(ctx context.Context, dir string) ([]entry, *sftp.Client, error) {
	client, full, w, err := s.at(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	defer w.release()
	infos, err := client.ReadDirContext(ctx, full)
	if err != nil {
		return nil, client, err
	}
	var entries []entry
	for _, info := range infos {
		if info.Mode().IsRegular() {
			entries = append(entries, entryOf(info))
		}
	}
	return entries, client, nil
}

func (s *remote) stat(ctx context.Context, name string) (entry, error) {
	client, full, w, err := s.at(ctx, name)
	if err != nil {
		return entry{}, err
	}
	defer w.release()
	info, err := client.Lstat(full)
	if err != nil {
		return entry{}, err
	}
	return entryOf(info), nil
}

func (s *remote) open(ctx context.Context, name string, from int64) (io.ReadCloser, error) {
	client, full, w, err := s.at(ctx, name)
	if err != nil {
		return nil, err
	}
	file, err := client.Open(full)
	if err != nil {
		w.release()
		return nil, err
	}
	if _, err := file.Seek(from, io.SeekStart); err != nil { // the server is not asked
		w.release()
		return nil, errors.Join(err, file.Close())
	}
	w.opened()
	return watchedFile{file, w.release}, nil
}

func (s *remote) create(ctx context.Context, name string) (io.WriteCloser, error) {
	client, full, w, err := s.at(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := client.MkdirAll(path.Dir(full)); err != nil {
		w.release()
		return nil, err
	}
	file, err := client.Create(full)
	if err != nil {
		w.release()
		return nil, err
	}
	return syncedRemote{watchedFile{file, w.release}}, nil
}

func (s *remote) rename(ctx context.Context, from, to string) error {
	client, full, w, err := s.at(ctx, to)
	if err != nil {
		return err
	}
	defer w.release()
	if err := client.MkdirAll(path.Dir(full)); err != nil {
		return err
	}
	return client.PosixRename(path.Join(s.root, from), full)
}

func (s *remote) name(name string) string {
	return "sftp://" + s.address + "/" + strings.TrimPrefix(path.Join(s.root, name), "/")
}

func (s *remote) close() error {
	s.mu.Lock()
	client, conn := s.client, s.conn
	s.client = nil
	s.mu.Unlock()
	if client == nil {
		return nil
	}
	return errors.Join(client.Close(), conn.Close())
}

// watchedFile is a file whose line is watched while it is open.
type watchedFile struct {
	*sftp.File
	release func()
}

func (f watchedFile) Close() error {
	defer f.release()
	return f.File.Close()
}

// syncedRemote is a file that is on the server's disk when it is closed, where the server can say so.
type syncedRemote struct{ watchedFile }

func (f syncedRemote) Close() error {
	err := f.Sync()
	var status *sftp.StatusError
	if errors.As(err, &status) && status.FxCode() == sftp.ErrSSHFxOpUnsupported {
		err = nil // no fsync@openssh.com there; the packet's .md5 tells the receiver
	}
	return errors.Join(err, f.watchedFile.Close())
}
