package files

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
	"xinshu/internal/sshtest"
)

func sftpValues(s *sshtest.Server, dir string) connectors.Values {
	return connectors.Values{"place": "sftp", "root": dir, "host": s.Host, "port": s.Port, "user": s.User, "private_key": s.PrivateKey, "host_key": s.HostKey}
}

func openSFTP(t *testing.T, values connectors.Values) connectors.Conn {
	t.Helper()
	c, err := Driver().Open(t.Context(), values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestSFTPPullKeepsItsPromises(t *testing.T) {
	server := sshtest.Start(t)
	connectortest.Pull(t, func(t *testing.T) connectortest.Source {
		dir := t.TempDir()
		ids := seed(t, dir, "csv")
		s := sourceOf(openSFTP(t, sftpValues(server, dir)), connectors.Values{"page_rows": "2", "ready": "ok"})
		s.Rows = ids
		return s
	})
}

func TestSFTPPushKeepsItsPromises(t *testing.T) {
	server := sshtest.Start(t)
	connectortest.Push(t, func(t *testing.T) connectortest.Target {
		dir := t.TempDir()
		values := sftpValues(server, dir)
		values["outbox"] = "to/city"
		return target(openSFTP(t, values), filepath.Join(dir, "to", "city"))
	})
}

func TestASFTPServerIsKnownByItsKey(t *testing.T) {
	server := sshtest.Start(t)
	write(t, server.Dir, "a.csv", "id\n1\n")
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(server.HostKey))
	if err != nil {
		t.Fatal(err)
	}
	other := sshtest.Start(t)
	for name, c := range map[string]struct {
		hostKey string
		code    fault.Code
	}{
		"by the key itself":           {server.HostKey, ""},
		"by its fingerprint":          {ssh.FingerprintSHA256(key), ""},
		"as one of several":           {other.HostKey + ", " + server.HostKey, ""},
		"another key is refused":      {other.HostKey, fault.Unauthorized},
		"another fingerprint as well": {"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", fault.Unauthorized},
		"text is no key":              {"trust me", fault.Invalid},
		"none at all is refused":      {"", fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			values := sftpValues(server, server.Dir)
			values["host_key"] = c.hostKey
			conn, err := Driver().Open(t.Context(), values)
			if fault.CodeOf(err) != c.code {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			if text, err := conn.Test(t.Context()); err != nil || !strings.Contains(text.String(), "1 files") {
				t.Fatalf("%v, %v", text, err)
			}
		})
	}
}

func TestAWrongKeyOrAServerThatIsAwaySaysWhatToDo(t *testing.T) {
	server, other := sshtest.Start(t), sshtest.Start(t)
	values := sftpValues(server, server.Dir)
	values["private_key"] = other.PrivateKey
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Unauthorized) || strings.Contains(err.Error(), "PRIVATE KEY") {
		t.Fatalf("a wrong key gave %v", err)
	}
	values["private_key"] = "no key"
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "no key") {
		t.Fatalf("a broken key gave %v", err)
	}
	values = sftpValues(server, server.Dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, values["port"], _ = net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a server that is away gave %v", err)
	}
}

func TestABrokenLineIsDialledAnew(t *testing.T) {
	server := sshtest.Start(t)
	write(t, server.Dir, "a.csv", "id\n1\n")
	c := openSFTP(t, sftpValues(server, server.Dir)).(*conn)
	place := c.place.(*remote)
	_ = place.line.Close()
	if text, err := c.Test(t.Context()); err != nil || !strings.Contains(text.String(), "1 files") {
		t.Fatalf("%v, %v", text, err)
	}
}

// A server that stops answering holds nobody up whose context has ended.
func TestALineThatGoesSilentIsCutWhenTheContextEnds(t *testing.T) {
	server := sshtest.Start(t)
	line, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = line.Close() }()
	silent := make(chan struct{})
	go relay(line, net.JoinHostPort(server.Host, server.Port), silent)
	values := sftpValues(server, server.Dir)
	_, values["port"], _ = net.SplitHostPort(line.Addr().String())
	c := openSFTP(t, values).(*conn)
	c.place.(*remote).patience = 10 * time.Millisecond
	close(silent)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.place.stat(ctx, "a.csv"); err == nil {
		t.Fatal("a silent line answered")
	}
}

// And one whose context has no end at all.
func TestASilentServerIsGivenUpAfterTheTimeToStall(t *testing.T) {
	server := sshtest.Start(t)
	write(t, server.Dir, "a.csv", "id\n1\n")
	line, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := make(chan struct{})
	go relay(line, net.JoinHostPort(server.Host, server.Port), silent)
	values := sftpValues(server, server.Dir)
	_, values["port"], _ = net.SplitHostPort(line.Addr().String())
	values["stall"], values["timeout"] = "100ms", "500ms"
	c := openSFTP(t, values).(*conn)
	if got, _ := outcome(t, c, nil, ""); len(got) != 1 {
		t.Fatalf("before it fell silent: %v", got)
	}
	close(silent)
	_ = line.Close()
	for _, err := range c.Pull(t.Context(), sourceOf(c, nil).Job, "") {
		if !fault.Is(err, fault.Unavailable) {
			t.Fatalf("a silent server gave %v", err)
		}
	}
}

// relay passes bytes on until it is told to fall silent; then it swallows them.
func relay(from net.Listener, to string, silent <-chan struct{}) {
	a, err := from.Accept()
	if err != nil {
		return
	}
	b, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(b, a) }()
	buf := make([]byte, 32<<10)
	for {
		n, err := b.Read(buf)
		if err != nil {
			return
		}
		select {
		case <-silent:
		default:
			_, _ = a.Write(buf[:n])
		}
	}
}

func TestTakenFilesMoveAwayOverSFTP(t *testing.T) {
	server := sshtest.Start(t)
	ids := seed(t, server.Dir, "csv")
	s := sourceOf(openSFTP(t, sftpValues(server, server.Dir)), connectors.Values{"done": "taken", "ready": "ok"})
	s.Rows = ids
	takeAll(t, s)
	left, err := os.ReadDir(server.Dir)
	if err != nil || len(left) != 1 || left[0].Name() != "taken" {
		t.Fatalf("left %v, %v", left, err)
	}
}
