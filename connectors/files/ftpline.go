package files

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"sync"
	"time"

	"github.com/jlaffaye/ftp"

	"xinshu/internal/fault"
)

// ftpLine is one session with an FTP server: a connection for commands, and one for each transfer.
// It does one thing at a time.
type ftpLine struct {
	*ftp.ServerConn
	home string

	mu    sync.Mutex
	conns []net.Conn
	isCut bool
}

// cut ends the session at once, whatever it is waiting for.
func (l *ftpLine) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
}

// hold lets cut reach a connection. Of those for transfers only the last can be open.
func (l *ftpLine) hold(conn net.Conn) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns[:min(len(l.conns), 1)], conn)
	if l.isCut {
		_ = conn.Close()
	}
	return conn
}

// patientConn waits for each byte as long as stall says, and not for ever.
type patientConn struct {
	net.Conn
	stall time.Duration
}

func (c patientConn) Read(p []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(c.stall)) // a socket's deadline is the machine's clock
	return c.Conn.Read(p)
}

func (c patientConn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(c.stall))
	return c.Conn.Write(p)
}

// dial opens a session and logs in.
func (p *ftpPlace) dial(ctx context.Context) (*ftpLine, error) {
	const op = "connect ftp"
	line := &ftpLine{}
	stop := context.AfterFunc(ctx, line.cut)
	defer stop()
	dialer := net.Dialer{Timeout: p.timeout, KeepAlive: 30 * time.Second}
	calls := 0
	options := []ftp.DialOption{
		ftp.DialWithDisabledUTF8(p.gbk),
		ftp.DialWithDialFunc(func(network, address string) (net.Conn, error) {
			conn, err := dialer.Dial(network, address) // cut by its own time limit; the context cuts what is open
			if err != nil {
				return nil, err
			}
			conn = line.hold(conn)
			calls++
			if p.tls != nil && calls > 1 { // the first is made safe by AUTH TLS
				return tls.Client(patientConn{conn, p.stall}, p.tls), nil
			}
			return patientConn{conn, p.stall}, nil
		}),
	}
	if p.tls != nil {
		options = append(options, ftp.DialWithExplicitTLS(p.tls))
	}
	var err error
	if line.ServerConn, err = ftp.Dial(p.address, options...); err != nil {
		line.cut()
		return nil, failed(ctx, op, p.notConnected(op, false, err))
	}
	if err = line.Login(p.user, p.password); err == nil {
		line.home, err = line.CurrentDir()
	}
	if err != nil {
		line.cut()
		return nil, failed(ctx, op, p.notConnected(op, true, err))
	}
	return line, nil
}

func (p *ftpPlace) notConnected(op string, greeted bool, err error) error {
	var certificate *tls.CertificateVerificationError
	var network net.Error
	switch code := codeOf(err); {
	case errors.As(err, &certificate):
		return &fault.Error{Op: op, Code: fault.Unauthorized, Err: err, Hint: "set ca_cert to the authority that signed the server's certificate, server_name to the name in it"}
	case !greeted && p.tls != nil && code != 0:
		return &fault.Error{Op: op, Code: fault.Invalid, Err: err, Hint: "the server offers no AUTH TLS; set tls to off only where nobody else can listen on the network"}
	case greeted && code == ftp.StatusNotLoggedIn, greeted && !errors.As(err, &network) && !errors.Is(err, io.EOF): // the library gives a refused USER as bare text
		return &fault.Error{Op: op, Code: fault.Unauthorized, Err: err, Hint: "check user, password, and whether the server wants tls"}
	default:
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: err, Hint: "the server was not reached, or broke off"}
	}
}

// codeOf gives the number of a server's answer, 0 when the line itself failed. 421 is a good-bye.
func codeOf(err error) int {
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code != ftp.StatusNotAvailable {
		return answer.Code
	}
	return 0
}

// take gives a session, an idle one if there is one; fresh says that it was dialled just now.
func (p *ftpPlace) take(ctx context.Context) (line *ftpLine, fresh bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		line = p.idle[n-1]
		p.idle = p.idle[:n-1]
	}
	p.mu.Unlock()
	if line != nil {
		return line, false, nil
	}
	line, err = p.dial(ctx)
	return line, true, err
}

func (p *ftpPlace) give(line *ftpLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= 2 {
		line.cut()
		return
	}
	p.idle = append(p.idle, line)
}

// with does something in a session. An idle session that the server has closed meanwhile is replaced.
func (p *ftpPlace) with(ctx context.Context, do func(*ftpLine) error) error {
	for {
		line, fresh, err := p.take(ctx)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, line.cut)
		err = do(line)
		stop()
		if err == nil || codeOf(err) != 0 {
			p.give(line)
			return err
		}
		line.cut()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if fresh {
			return err
		}
	}
}
