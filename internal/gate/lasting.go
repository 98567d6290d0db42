package gate

import (
	"context"
	"errors"
	"net"
	"time"
)

// Lasting is an address that stays open while servers come and go on it: whoever comes between two of
// them waits for the next one, and is not turned away.
type Lasting struct {
	*net.TCPListener
	stop context.Context //nolint:containedctx // it is the address's own life
}

// Last opens an address until the context ends.
func Last(stop context.Context, address string) (*Lasting, error) {
	l, err := (&net.ListenConfig{}).Listen(stop, "tcp", address)
	if err != nil {
		return nil, err
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(errors.New("no address of TCP: "+address), l.Close())
	}
	return &Lasting{tcp, stop}, nil
}

// Open lets a server accept, the first or the next.
func (l *Lasting) Open() error { return l.SetDeadline(time.Time{}) }

// Close ends the accepting of one server; after the end of the context, the address.
func (l *Lasting) Close() error {
	if l.stop.Err() != nil {
		return l.TCPListener.Close()
	}
	return l.SetDeadline(time.Now())
}
