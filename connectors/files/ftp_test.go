package files

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
	"xinshu/internal/ftptest"
)

func ftpValues(s *ftptest.Server, dir string) connectors.Values {
	v := connectors.Values{"place": "ftp", "root": dir, "host": s.Host, "port": s.Port, "user": s.User, "password": s.Password, "tls": "off"}
	if s.CA != "" {
		v["tls"], v["ca_cert"], v["server_name"] = "on", s.CA, "localhost"
	}
	return v
}

func ownFolder(t *testing.T, server *ftptest.Server) string {
	t.Helper()
	dir, err := os.MkdirTemp(server.Dir, "case") //nolint:usetesting // it must lie where the server looks
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFTPKeepsItsPromises(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *ftptest.Server{"plain": ftptest.Start, "AUTH TLS": ftptest.StartTLS} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			connectortest.Pull(t, func(t *testing.T) connectortest.Source {
				dir := ownFolder(t, server)
				ids := seed(t, dir, "csv")
				s := sourceOf(openSFTP(t, ftpValues(server, dir)), connectors.Values{"page_rows": "2", "ready": "ok"})
				s.Rows = ids
				return s
			})
			connectortest.Push(t, func(t *testing.T) connectortest.Target {
				dir := ownFolder(t, server)
				values := ftpValues(server, dir)
				values["outbox"] = "to/city"
				return target(openSFTP(t, values), filepath.Join(dir, "to", "city"))
			})
			dir := ownFolder(t, server)
			s := sourceOf(openSFTP(t, ftpValues(server, dir)), connectors.Values{"done": "taken/早", "page_rows": "2"})
			s.Rows = seed(t, dir, "json")
			write(t, dir, "taken/早/annual_edu_20251028090000_1.json", "an earlier one")
			takeAll(t, s)
			if moved, _ := filepath.Glob(filepath.Join(dir, "taken", "早", "*")); len(moved) != 5 {
				t.Fatalf("moved %v", moved)
			}
		})
	}
}

func TestNamesInGBKAreFoundOpenedAndMoved(t *testing.T) {
	server := ftptest.Start(t)
	name, err := simplifiedchinese.GBK.NewEncoder().String("行政 处罚_舞钢.csv")
	if err != nil {
		t.Fatal(err)
	}
	write(t, server.Dir, name, "id\n1\n")
	values := ftpValues(server, server.Dir)
	values["names"] = "gbk"
	c := openSFTP(t, values).(*conn)
	got, _ := outcome(t, c, connectors.Values{"pattern": "*处罚*.csv"}, "")
	expect(t, got, "行政 处罚_舞钢.csv:2:1")
	s := sourceOf(c, connectors.Values{"done": "已取"})
	s.Rows = []string{"1"}
	takeAll(t, s)
	folder, _ := simplifiedchinese.GBK.NewEncoder().String("已取")
	if _, err := os.Stat(filepath.Join(server.Dir, folder, name)); err != nil {
		t.Fatal(err)
	}
}

func TestAnFTPServerIsKnownByItsCertificateAndWeByThePassword(t *testing.T) {
	plain, secure := ftptest.Start(t), ftptest.StartTLS(t)
	for name, c := range map[string]struct {
		server *ftptest.Server
		change connectors.Values
		code   fault.Code
		says   string
	}{
		"as it should be":          {secure, nil, "", ""},
		"another name":             {secure, connectors.Values{"server_name": "ftp.example"}, fault.Unauthorized, "server_name"},
		"an unknown authority":     {secure, connectors.Values{"ca_cert": ""}, fault.Unauthorized, "ca_cert"},
		"no PEM":                   {secure, connectors.Values{"ca_cert": "trust me"}, fault.Invalid, "ca_cert"},
		"a server that wants TLS":  {secure, connectors.Values{"tls": "off"}, fault.Unauthorized, "tls"},
		"a server that has no TLS": {plain, connectors.Values{"tls": "on", "ca_cert": secure.CA}, fault.Invalid, "tls to off"},
		"a wrong password":         {plain, connectors.Values{"password": "guess"}, fault.Unauthorized, "password"},
		"a server that is away":    {plain, connectors.Values{"port": "1"}, fault.Unavailable, "reached"},
		"a folder that is not":     {plain, connectors.Values{"root": plain.Dir + "/none"}, fault.NotFound, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			values := ftpValues(c.server, c.server.Dir)
			maps.Copy(values, c.change)
			conn, err := Driver().Open(t.Context(), values)
			if err == nil {
				defer func() { _ = conn.Close() }()
				if c.code == fault.NotFound {
					for _, err = range conn.(connectors.Puller).Pull(t.Context(), sourceOf(conn, nil).Job, "") {
					}
				} else {
					_, err = conn.Test(t.Context())
				}
			}
			if fault.CodeOf(err) != c.code && (err != nil || c.code != "") {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if text := said(err); !strings.Contains(text, c.says) || strings.Contains(text, "guess") {
				t.Fatalf("it says %q, want %q", text, c.says)
			}
		})
	}
}

// said is an error as a person is told of it.
func said(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		text += " " + f.Hint
	}
	return text
}

func TestATransferThatIsCutGoesOnWhereItStopped(t *testing.T) {
	for name, server := range map[string]*ftptest.Server{"plain": ftptest.Start(t), "AUTH TLS": ftptest.StartTLS(t)} {
		t.Run(name, func(t *testing.T) {
			body := "id\n" + strings.Repeat("row after row\n", 600_000)
			write(t, server.Dir, "a.csv", body)
			c := openSFTP(t, ftpValues(server, server.Dir)).(*conn)
			c.pause = 0
			is, err := c.place.stat(t.Context(), "a.csv")
			if err != nil {
				t.Fatal(err)
			}
			in, err := c.read(t.Context(), "a.csv", is)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.Close() }()
			var got strings.Builder
			for i := range 3 {
				if _, err := io.CopyN(&got, in, 1_000_000); err != nil {
					t.Fatal(err)
				}
				line := in.(*steady).in.(*ftpFile).line
				if line.mu.Lock(); i == 0 {
					_ = line.conns[1].Close() // the transfer alone
				} else {
					_ = line.conns[0].Close() // the session too
					_ = line.conns[1].Close()
				}
				line.mu.Unlock()
			}
			if _, err := io.Copy(&got, in); err != nil || got.String() != body {
				t.Fatalf("%d bytes of %d, %v", got.Len(), len(body), err)
			}
		})
	}
}

func TestWhatMayNotBeReadIsNotTakenForGone(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root may read everything: only the missing file is looked at")
	}
	server := ftptest.Start(t)
	write(t, server.Dir, "a.csv", "id\n1\n")
	if err := os.Chmod(filepath.Join(server.Dir, "a.csv"), 0); err != nil {
		t.Fatal(err)
	}
	c := openSFTP(t, ftpValues(server, server.Dir)).(*conn)
	if _, err := c.place.open(t.Context(), "b.csv", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a file that is not there gave %v", err)
	}
	if in, err := c.place.open(t.Context(), "a.csv", 0); os.Geteuid() != 0 && !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("a file that may not be read gave %v", err)
	} else if err == nil {
		_ = in.Close()
	}
}
