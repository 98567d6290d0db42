package gate

import (
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// dial connects from an address of loopback.
func dial(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// hungUp waits for what becomes of a connection that says nothing: true when the other side closes it.
func hungUp(t *testing.T, c net.Conn, within time.Duration) bool {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Read(make([]byte, 1))
	timeout, ok := err.(net.Error) //nolint:errorlint // as it comes from the connection
	return !ok || !timeout.Timeout()
}

func serve(t *testing.T, limits Limits) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("here")) }), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(Listen(l, limits)) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

// TestAFloodFromOneAddressLeavesRoomForOthers opens a thousand connections that never say what they
// want.
func TestAFloodFromOneAddressLeavesRoomForOthers(t *testing.T) {
	const each = 50
	to := serve(t, Limits{All: 100, Each: each})
	var flood []net.Conn
	for range 1000 {
		c := dial(t, "127.0.0.2", to)
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: slow\r\nX-")) // and nothing more
		flood = append(flood, c)
	}
	client := &http.Client{Timeout: 20 * time.Second}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+to, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.Do(r)
	if err != nil {
		t.Fatalf("nobody else gets through: %v", err)
	}
	_ = out.Body.Close()
	client.CloseIdleConnections()
	open := 0
	for _, c := range flood {
		if !hungUp(t, c, 20*time.Millisecond) {
			open++
		}
	}
	if open != each {
		t.Errorf("%d of the flood are open, %d may be", open, each)
	}
	for _, c := range flood {
		_ = c.Close()
	}
	for began := time.Now(); ; { // a place is free when the server has seen the end
		c := dial(t, "127.0.0.2", to)
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, _ := c.Read(make([]byte, 1)); n == 1 {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("the places are not free again")
		}
	}
}

func TestAllTogetherAreBoundedAndATrustedAddressOnlySo(t *testing.T) {
	to := serve(t, Limits{All: 10, Each: 2, Trusted: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.3") }})
	open := func(from string, n int) (staying int) {
		for range n {
			if c := dial(t, from, to); !hungUp(t, c, 200*time.Millisecond) {
				staying++
			}
		}
		return staying
	}
	if n := open("127.0.0.2", 4); n != 2 {
		t.Errorf("%d from one address", n)
	}
	if n := open("127.0.0.3", 12); n != 8 {
		t.Errorf("%d from a trusted one", n)
	}
}
