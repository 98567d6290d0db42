// Package gate owns how many connections come in: so many in all, and so many from one address, so
// that a flood from one place leaves room for the others; at which pace bodies must come; and how those
// inside are let out at a stop. It refuses to know what is asked for. Whoever is one too many is hung up
// on at once, which costs the hub nothing.
package gate

import (
	"net"
	"net/netip"
	"sync"
)

// Limits are how many connections may be open.
type Limits struct {
	All     int                   // 0: 2048
	Each    int                   // from one address; 0: a quarter of all
	Trusted func(netip.Addr) bool // addresses that speak for many others, such as a proxy's; nil: none
}

// Listen gives a listener that accepts within limits.
func Listen(l net.Listener, limits Limits) net.Listener {
	if limits.All <= 0 {
		limits.All = 2048
	}
	if limits.Each <= 0 {
		limits.Each = max(1, limits.All/4)
	}
	return &listener{Listener: l, Limits: limits, from: map[netip.Addr]int{}}
}

type listener struct {
	net.Listener
	Limits

	mu   sync.Mutex
	open int
	from map[netip.Addr]int // open ones by address
}

// Accept gives the next connection that the limits admit.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at := addressOf(c)
		if l.enter(at) {
			return &conn{Conn: c, leave: sync.OnceFunc(func() { l.leave(at) })}, nil
		}
		_ = c.Close() // one too many
	}
}

func (l *listener) enter(at netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.All || l.from[at] >= l.Each && (l.Trusted == nil || !l.Trusted(at)) {
		return false
	}
	l.open++
	l.from[at]++
	return true
}

func (l *listener) leave(at netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.from[at]--; l.from[at] == 0 {
		delete(l.from, at)
	}
}

func addressOf(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{} // all that have no address count as one
	}
	return at.Addr().Unmap()
}

// conn is a connection that leaves when it is closed.
type conn struct {
	net.Conn
	leave func()
}

// Close closes it.
func (c *conn) Close() error {
	c.leave()
	return c.Conn.Close()
}
