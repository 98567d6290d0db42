package alerts

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/smtp"
	"slices"
	"strings"
	"time"

	"xinshu/internal/fault"
)

// Mail sends messages through a mail server.
type Mail struct {
	Server   string // host:port
	Hello    string // how the hub names itself; empty: localhost
	From     string
	To       []string
	Superior []string // are told what was escalated
	User     string   // empty: the server wants none
	Password string
	TLS      *tls.Config // nil: the system's authorities
	Plain    bool        // without STARTTLS, for a relay on the same host or in a network of its own
}

// Name is what its messages are kept under.
func (m *Mail) Name() string { return "mail" }

// Wants says that people are told of everything.
func (m *Mail) Wants(string) bool { return true }

// Send hands one message to the mail server, which answers for it from then on.
func (m *Mail) Send(ctx context.Context, msg Message) error {
	op := "mail an alert by " + m.Server
	to := m.To
	if msg.Event == Escalated || !msg.Alert.Escalated.IsZero() {
		to = append(slices.Clone(to), m.Superior...)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // a talk under way ends at once
	defer stop()
	if err := m.talk(conn, to, m.compose(msg, to)); err != nil {
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: errors.Join(err, conn.Close())}
	}
	return nil
}

func (m *Mail) talk(conn net.Conn, to []string, body []byte) error {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	hello := m.Hello
	if hello == "" {
		hello = "localhost"
	}
	if err := c.Hello(hello); err != nil {
		return err
	}
	if !m.Plain {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("the server offers no STARTTLS; a relay that is trusted without it needs mail.plain")
		}
		config := m.TLS.Clone()
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		config.ServerName = host
		if err := c.StartTLS(config); err != nil {
			return err
		}
	}
	if m.User != "" {
		if err := c.Auth(smtp.PlainAuth("", m.User, m.Password, host)); err != nil { // refuses itself where nothing is encrypted
			return err
		}
	}
	if err := c.Mail(m.From); err != nil {
		return err
	}
	for _, address := range to {
		if err := c.Rcpt(address); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	_, err = w.Write(body)
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	_ = c.Quit() // the server took the message at the end of the data; what it says now changes nothing
	return nil
}

var (
	eventWords = map[string][2]string{Raised: {"告警", "Alert"}, Escalated: {"告警升级", "Escalated"}, Ended: {"告警解除", "Ended"}}
	levelWords = map[string][2]string{Warning: {"一般", "warning"}, Critical: {"严重", "critical"}}
)

// compose writes the message: plain text, Chinese before English. The id is that of the message, so
// that one that comes twice is one to the reader's mail program.
func (m *Mail) compose(msg Message, to []string) []byte {
	a, event, level := msg.Alert, eventWords[msg.Event], levelWords[msg.Alert.Level]
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s（%s）\n%s\n\n%s (%s)\n%s\n\n", event[0], level[0], a.ZH, event[1], level[1], a.EN)
	fmt.Fprintf(&text, "时间 at: %s\n对象 subject: %s %s\n编号 id: %s\n", msg.At.Local().Format(time.RFC3339), a.Rule, a.Subject, a.ID)
	_, domain, _ := strings.Cut(m.From, "@")
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", m.From}, {"To", strings.Join(to, ", ")},
		{"Subject", mime.BEncoding.Encode("utf-8", fmt.Sprintf("[信枢] %s：%s", event[0], short(a.ZH)))},
		{"Date", msg.At.Format(time.RFC1123Z)}, {"Message-ID", "<" + msg.ID + "@" + domain + ">"},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "base64"}, {"Auto-Submitted", "auto-generated"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], oneLine(h[1]))
	}
	b.WriteString("\r\n")
	encoded := base64.StdEncoding.EncodeToString(text.Bytes())
	for len(encoded) > 76 {
		b.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	b.WriteString(encoded + "\r\n")
	return b.Bytes()
}

// oneLine keeps a value inside its header.
func oneLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }

func short(s string) string {
	runes := []rune(s)
	if len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}
