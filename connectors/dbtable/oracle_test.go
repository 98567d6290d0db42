package dbtable

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// startListener is an Oracle listener that answers each connection packet by the next of its replies,
// and says nothing when it has none left. asked is what the last connection asked for.
func startListener(t *testing.T, replies ...[]byte) (values connectors.Values, asked chan string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked = make(chan string, 8)
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended); _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				buffer := make([]byte, 8192)
				for _, reply := range replies {
					n, err := c.Read(buffer)
					if err != nil {
						return
					}
					asked <- string(buffer[:n])
					if _, err := c.Write(reply); err != nil {
						return
					}
				}
				<-ended
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return connectors.Values{"engine": "oracle", "host": "127.0.0.1", "port": port, "database": "frontdb", "user": "hub", "password": "swordfish/@7741", "connect_timeout": "500ms"}, asked
}

// packet is a packet of the listener's protocol: 4 refuses, 11 asks for the same again.
func packet(kind byte, body string) []byte {
	data := []byte(nil)
	if kind == 4 {
		data = append(binary.BigEndian.AppendUint16([]byte{34, 0}, uint16(len(body))), body...)
	}
	head := binary.BigEndian.AppendUint16(nil, uint16(8+len(data)))
	return append(append(head, 0, 0, kind, 0, 0, 0), data...)
}

func refusal(code int) []byte {
	return packet(4, fmt.Sprintf("(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=%d)(ERROR_STACK=(ERROR=(CODE=%d)(EMFI=4))))", code, code))
}

func TestARefusalOfOracleIsNamed(t *testing.T) {
	for _, code := range []int{12514, 12505, 12528} { // the driver keeps the number to itself
		values, asked := startListener(t, packet(11, ""), refusal(code))
		_, err := Driver().Open(t.Context(), values)
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "the listener refused the connection") || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%d gave %v", code, err)
		}
		first, second := <-asked, <-asked
		if !strings.Contains(first, "(SERVICE_NAME=frontdb)") || !strings.Contains(second, "(SERVICE_NAME=frontdb)") || strings.Contains(first, "swordfish") {
			t.Errorf("asked %q, then %q", first, second)
		}
	}
}

func TestADatabaseKnownByItsSIDIsAskedForByIt(t *testing.T) {
	values, asked := startListener(t, refusal(12505))
	values["database"], values["sid"] = "", "ORCL"
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if first := <-asked; !strings.Contains(first, "(SID=ORCL)") {
		t.Errorf("asked %q", first)
	}
	values["sid"] = ""
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "neither database (service name) nor sid is set") {
		t.Errorf("got %v", err)
	}
}

func TestAListenerThatSaysNothingIsGivenUp(t *testing.T) {
	values, _ := startListener(t)
	if _, err := Driver().Open(t.Context(), values); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "said nothing") {
		t.Errorf("got %v", err)
	}
}
