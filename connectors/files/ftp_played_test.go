package files

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
)

// player is an FTP server with the habits of servers that cannot be had here: Windows, FileZilla,
// old boxes. It holds its files in memory.
type player struct {
	t *testing.T

	mlsd       bool              // it has MLSD and MLST
	noSize     bool              // it has neither SIZE nor MDTM
	strange    map[string]string // lines of LIST for some names
	emptyIs550 bool              // an empty list is an error
	freeOnly   bool              // it renames to free names only
	goodbye    bool              // it ends a session that asks for something after a transfer

	mu       sync.Mutex
	files    map[string]string
	times    map[string]time.Time
	dirs     map[string]bool
	said     []string
	sessions int
}

func (p *player) start(t *testing.T) connectors.Values {
	t.Helper()
	p.t, p.files, p.times, p.dirs = t, map[string]string{}, map[string]time.Time{}, map[string]bool{"/": true, "/in": true}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	return connectors.Values{"place": "ftp", "root": "/in", "host": host, "port": port, "user": "u", "password": "p", "tls": "off"}
}

func (p *player) put(name, body string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files["/in/"+name], p.times["/in/"+name] = body, at
}

func (p *player) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	p.mu.Lock()
	p.sessions++
	p.mu.Unlock()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	say("220 ready")
	var data net.Listener
	dir, from, rest, moved := "/", "", 0, false
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		command, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		full := arg
		if !path.IsAbs(full) {
			full = path.Join(dir, arg)
		}
		full = path.Clean(full)
		if p.goodbye && moved {
			say("421 good bye")
			return
		}
		p.mu.Lock()
		p.said = append(p.said, command)
		body, there := p.files[full]
		switch command {
		case "USER":
			say("331 password")
		case "PASS":
			say("230 in")
		case "FEAT":
			say("211-Features")
			if p.mlsd {
				say(" MLST type*;size*;modify*;")
			}
			if !p.noSize {
				say(" MDTM")
			}
			say("211 End")
		case "TYPE", "OPTS":
			say("200 ok")
		case "PWD":
			say("257 %q", dir)
		case "CWD":
			if p.dirs[full] {
				dir = full
				say("250 ok")
			} else {
				say("550 no such directory")
			}
		case "MKD":
			p.dirs[full] = true
			say("257 made")
		case "EPSV":
			if data, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
				_, port, _ := net.SplitHostPort(data.Addr().String())
				say("229 (|||%s|)", port)
			}
		case "REST":
			rest, _ = strconv.Atoi(arg)
			say("350 ok")
		case "SIZE":
			switch {
			case p.noSize:
				say("500 unknown")
			case there:
				say("213 %d", len(body))
			default:
				say("550 no such file")
			}
		case "MDTM":
			say("213 %s", p.times[full].UTC().Format("20060102150405"))
		case "MLST":
			if there {
				say("250-\r\n %s\r\n250 End", p.fact(full))
			} else {
				say("550 no such file")
			}
		case "MLSD", "LIST", "NLST":
			if text := p.listing(command, dir); text == "" && p.emptyIs550 {
				say("550 no files found")
			} else {
				p.send(data, text, say)
			}
		case "RETR":
			if there {
				p.send(data, body[rest:], say)
				rest, moved = 0, true
			} else {
				say("550 no such file")
			}
		case "STOR":
			say("150 go on")
			if in, err := data.Accept(); err == nil {
				text, _ := io.ReadAll(in)
				p.files[full], p.times[full] = string(text), time.Now()
			}
			say("226 done")
		case "RNFR":
			if from = full; there {
				say("350 ok")
			} else {
				say("550 no such file")
			}
		case "RNTO":
			if there && p.freeOnly || !p.dirs[path.Dir(full)] {
				say("550 cannot rename")
			} else {
				p.files[full], p.times[full] = p.files[from], p.times[from]
				delete(p.files, from)
				say("250 ok")
			}
		case "DELE":
			delete(p.files, full)
			say("250 ok")
		default:
			say("500 unknown")
		}
		p.mu.Unlock()
	}
}

func (p *player) send(data net.Listener, text string, say func(string, ...any)) {
	say("150 it comes")
	if out, err := data.Accept(); err == nil {
		_, _ = io.WriteString(out, text)
		_ = out.Close()
	}
	_ = data.Close()
	say("226 done")
}

func (p *player) fact(full string) string {
	return fmt.Sprintf("type=file;size=%d;modify=%s; %s", len(p.files[full]), p.times[full].UTC().Format("20060102150405"), path.Base(full))
}

func (p *player) listing(command, dir string) string {
	var text strings.Builder
	for _, full := range slices.Sorted(maps.Keys(p.files)) {
		if path.Dir(full) != dir {
			continue
		}
		line := fmt.Sprintf("-rw-r--r-- 1 u g %d %s %s", len(p.files[full]), p.times[full].UTC().Format("Jan _2 15:04"), path.Base(full))
		switch strange, ok := p.strange[path.Base(full)]; {
		case command == "NLST":
			line = path.Base(full)
		case command == "MLSD":
			line = p.fact(full)
		case ok:
			line = strange
		}
		text.WriteString(line + "\r\n")
	}
	return text.String()
}

func TestFTPServersWithHabits(t *testing.T) {
	hourAgo := time.Now().Add(-time.Hour).Truncate(time.Second)
	for name, p := range map[string]*player{
		"MLSD":                          {mlsd: true},
		"LIST as Windows writes it":     {strange: map[string]string{"a 1.csv": "11-03-25  09:41AM                    5 a 1.csv"}},
		"a line nobody understands":     {strange: map[string]string{"a 1.csv": "?? what is this"}},
		"an empty list is an error":     {emptyIs550: true},
		"renames to free names only":    {freeOnly: true},
		"sessions end after a transfer": {goodbye: true},
		"sessions that end, with MLSD":  {goodbye: true, mlsd: true},
	} {
		t.Run(name, func(t *testing.T) {
			values := p.start(t)
			c := openSFTP(t, values).(*conn)
			c.pause = 0
			got, next := outcome(t, c, nil, "")
			expect(t, got)
			p.put("a 1.csv", "id\n1\n", hourAgo)
			p.put("b.csv", "id\n2\n", hourAgo)
			got, next = outcome(t, c, nil, next)
			expect(t, got, "a 1.csv:2:1", "b.csv:2:2")
			got, next = outcome(t, c, nil, next)
			expect(t, got)
			p.put("b.csv", "id\n3\n", hourAgo.Add(time.Second)) // the same size, and likely the same minute
			got, next = outcome(t, c, nil, next)
			expect(t, got, "b.csv:2:3")
			got, _ = outcome(t, c, nil, next)
			expect(t, got)

			s := sourceOf(c, connectors.Values{"done": "taken/early"})
			s.Rows = []string{"1", "3"}
			takeAll(t, s)
			for range 2 { // written over where it lies
				if err := c.lay(t.Context(), "to/x.ok", []byte("again")); err != nil {
					t.Fatal(err)
				}
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			var left []string
			for full := range p.files {
				left = append(left, full)
			}
			slices.Sort(left)
			expect(t, left, "/in/taken/early/a 1.csv", "/in/taken/early/b.csv", "/in/to/x.ok")
			if asked := slices.Contains(p.said, "LIST"); asked == p.mlsd {
				t.Errorf("LIST asked: %v", asked)
			}
		})
	}
}

func TestAServerThatCannotTellASizeIsNamed(t *testing.T) {
	p := &player{noSize: true}
	c := openSFTP(t, p.start(t)).(*conn)
	p.put("a.csv", "id\n1\n", time.Now())
	for page, err := range c.Pull(t.Context(), sourceOf(c, nil).Job, "") {
		if err == nil {
			t.Fatalf("%d rows of a file that cannot be told from another", len(connectortest.Column(page.Batch, "id")))
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(said(err), "SIZE") {
			t.Fatalf("got %v", err)
		}
	}
}
