package alerts

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// mailServer speaks SMTP with STARTTLS and one account, and keeps what it takes.
type mailServer struct {
	net.Listener
	t      *testing.T
	config *tls.Config
	roots  *x509.CertPool
	refuse bool          // offers no STARTTLS
	got    chan delivery // one per message
}

type delivery struct {
	from, user string
	to         []string
	secure     bool
	message    string
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{t: t, roots: x509.NewCertPool(), got: make(chan delivery, 10)}
	s.roots.AddCert(cert)
	s.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	if s.Listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	go func() {
		for {
			conn, err := s.Accept()
			if err != nil {
				return
			}
			s.talk(conn)
		}
	}()
	return s
}

func (s *mailServer) talk(conn net.Conn) {
	defer conn.Close()
	var d delivery
	in := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 mail.test ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		switch verb, rest, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "EHLO":
			say("250-mail.test")
			if !d.secure && !s.refuse {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go")
			conn = tls.Server(conn, s.config)
			in = bufio.NewReader(conn)
			d.secure = true
		case "AUTH":
			_, encoded, _ := strings.Cut(rest, " ")
			text, _ := base64.StdEncoding.DecodeString(encoded)
			if string(text) != "\x00hub\x00secret" {
				say("535 no")
				continue
			}
			d.user = "hub"
			say("235 yes")
		case "MAIL":
			d.from = rest
			say("250 ok")
		case "RCPT":
			d.to = append(d.to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				b.WriteString(line)
			}
			d.message = b.String()
			say("250 taken")
			s.got <- d
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 what")
		}
	}
}

func (s *mailServer) mail() *Mail {
	return &Mail{Server: s.Addr().String(), From: "hub@credit.test", To: []string{"a@credit.test", "b@credit.test"}, Superior: []string{"chief@credit.test"},
		User: "hub", Password: "secret", TLS: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}}
}

func TestMailGoesThroughSTARTTLSWithWordsInBothLanguages(t *testing.T) {
	s := newMailServer(t)
	alert := Alert{ID: "alert-1", Rule: Disk, Subject: "/data", Level: Critical, ZH: "磁盘将满，请清理。\r\nBcc: x@evil.test", EN: "the disk fills"}
	if err := s.mail().Send(t.Context(), Message{ID: "alert-1.raised.mail", Event: Raised, At: noon, Alert: alert}); err != nil {
		t.Fatal(err)
	}
	d := <-s.got
	if !d.secure || d.user != "hub" || d.from != "FROM:<hub@credit.test>" || strings.Join(d.to, " ") != "TO:<a@credit.test> TO:<b@credit.test>" {
		t.Errorf("%+v", d)
	}
	m, err := mail.ReadMessage(strings.NewReader(d.message))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if err != nil || !strings.Contains(string(body), "磁盘将满") || !strings.Contains(string(body), "the disk fills") {
		t.Errorf("%v: %s", err, body)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "[信枢] 告警：磁盘将满") || m.Header.Get("Bcc") != "" || m.Header.Get("Message-Id") != "<alert-1.raised.mail@credit.test>" {
		t.Errorf("%v: %q, headers %v", err, subject, m.Header)
	}
	if err := s.mail().Send(t.Context(), Message{ID: "alert-1.escalated.mail", Event: Escalated, At: noon, Alert: alert}); err != nil {
		t.Fatal(err)
	}
	if d := <-s.got; len(d.to) != 3 || d.to[2] != "TO:<chief@credit.test>" {
		t.Errorf("an escalation goes to %v", d.to)
	}
}

func TestAServerWithoutSTARTTLSGetsNothing(t *testing.T) {
	s := newMailServer(t)
	s.refuse = true
	if err := s.mail().Send(t.Context(), Message{Alert: Alert{}}); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("it gives %v", err)
	}
	strange := s.mail()
	s.refuse, strange.TLS = false, nil
	if err := strange.Send(t.Context(), Message{}); err == nil {
		t.Error("a server with a certificate of nobody's is believed")
	}
	wrong := s.mail()
	wrong.Password = "guess"
	if err := wrong.Send(t.Context(), Message{}); err == nil || strings.Contains(err.Error(), "guess") {
		t.Errorf("a wrong password gives %v", err)
	}
	if len(s.got) != 0 {
		t.Error("something was sent")
	}
}
