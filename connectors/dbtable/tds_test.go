package dbtable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"xinshu/connectors"
)

// tds is a server of the test that speaks as much of SQL Server's protocol as a pull needs: prelogin,
// login, batches, statements with parameters, transactions. What it answers is decided by reply.
type tds struct {
	mu       sync.Mutex
	said     []string
	password string
	reply    func(query string, args []string) tdsAnswer
}

type tdsAnswer struct {
	types  []string // nvarchar, max, bigint, bit
	rows   [][]any  // nil is null
	repeat int      // the rows come so often; 0: once
	fault  string   // an error that follows the rows
}

const tdsNumber = 18456

func startTDS(t *testing.T, password string, reply func(query string, args []string) tdsAnswer) (*tds, connectors.Values) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &tds{password: password, reply: reply}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return s, connectors.Values{"engine": "sqlserver", "host": "127.0.0.1", "port": port, "database": "front end", "user": "hub", "password": password, "sslmode": "disable"}
}

func (s *tds) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, text)
}

func (s *tds) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		kind, body, err := readPacket(c)
		if err != nil {
			return
		}
		var out bytes.Buffer
		switch kind {
		case 18: // prelogin: version, and no encryption
			out.Write([]byte{0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, 2})
		case 16:
			if loginPassword(body) != s.password {
				writeFault(&out, tdsNumber, "Login failed for user 'hub'.")
				done(&out, 2, 0)
				break
			}
			name := ucs2("Microsoft SQL Server")
			body := slices.Concat([]byte{1, 0x74, 0, 0, 4, byte(len(name) / 2)}, name, []byte{16, 0, 0, 0})
			out.WriteByte(0xad)
			le16(&out, len(body))
			out.Write(body)
			done(&out, 0, 0)
		case 1:
			rest := body[binary.LittleEndian.Uint32(body):]
			s.answer(&out, c, fromUCS2(rest), nil)
		case 3:
			texts := statement(body[binary.LittleEndian.Uint32(body):])
			s.answer(&out, c, texts[0], texts[min(2, len(texts)):])
		case 14:
			s.transaction(&out, body[binary.LittleEndian.Uint32(body):])
		case 6: // attention: what was under way is over
			done(&out, 0x20, 0)
		}
		if err := writePacket(c, out.Bytes(), true); err != nil {
			return
		}
	}
}

func (s *tds) transaction(out *bytes.Buffer, request []byte) {
	out.WriteByte(0xe3)
	switch binary.LittleEndian.Uint16(request) {
	case 5:
		s.note(fmt.Sprintf("begin at isolation %d", request[2]))
		le16(out, 11)
		out.Write([]byte{8, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	default:
		s.note("end of transaction")
		le16(out, 11)
		out.Write([]byte{9, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0})
	}
	done(out, 0, 0)
}

func (s *tds) answer(out *bytes.Buffer, c net.Conn, query string, args []string) {
	s.note(strings.Join(strings.Fields(query), " ") + " " + strings.Join(args, "|"))
	a := s.reply(query, args)
	if len(a.types) > 0 {
		out.WriteByte(0x81)
		le16(out, len(a.types))
		for _, t := range a.types {
			out.Write([]byte{0, 0, 0, 0, 1, 0})
			out.Write(map[string][]byte{"nvarchar": {0xe7, 0xa0, 0x0f, 9, 4, 0xd0, 0, 0x34}, "max": {0xe7, 0xff, 0xff, 9, 4, 0xd0, 0, 0x34}, "bigint": {0x26, 8}, "bit": {0x68, 1}}[t])
			out.WriteByte(0)
		}
		for range max(a.repeat, 1) {
			for _, row := range a.rows {
				out.WriteByte(0xd1)
				for i, v := range row {
					writeValue(out, a.types[i], v)
				}
			}
			if out.Len() > 1<<20 {
				if writePacket(c, out.Bytes(), false) != nil {
					return
				}
				out.Reset()
			}
		}
	}
	if a.fault != "" {
		writeFault(out, 3960, a.fault)
		done(out, 2, 0)
		return
	}
	done(out, 0x10, len(a.rows))
}

func writeValue(out *bytes.Buffer, kind string, v any) {
	switch kind {
	case "nvarchar":
		if v == nil {
			le16(out, 0xffff)
			return
		}
		text := ucs2(v.(string))
		le16(out, len(text))
		out.Write(text)
	case "max":
		if v == nil {
			out.Write(bytes.Repeat([]byte{0xff}, 8))
			return
		}
		text := ucs2(v.(string))
		out.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text))))
		for len(text) > 0 { // in chunks, as a server sends long texts
			chunk := text[:min(len(text), 4000)]
			text = text[len(chunk):]
			out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(chunk))))
			out.Write(chunk)
		}
		out.Write([]byte{0, 0, 0, 0})
	case "bigint":
		if v == nil {
			out.WriteByte(0)
			return
		}
		out.WriteByte(8)
		out.Write(binary.LittleEndian.AppendUint64(nil, uint64(v.(int))))
	case "bit":
		out.Write([]byte{1, map[bool]byte{true: 1}[v.(bool)]})
	}
}

func le16(out *bytes.Buffer, n int) { out.Write(binary.LittleEndian.AppendUint16(nil, uint16(n))) }

func done(out *bytes.Buffer, status, rows int) {
	out.WriteByte(0xfd)
	le16(out, status)
	le16(out, 0xc1)
	out.Write(binary.LittleEndian.AppendUint64(nil, uint64(rows)))
}

func writeFault(out *bytes.Buffer, number int, text string) {
	message := ucs2(text)
	body := slices.Concat(binary.LittleEndian.AppendUint32(nil, uint32(number)), []byte{1, 16}, binary.LittleEndian.AppendUint16(nil, uint16(len(message)/2)), message, []byte{0, 0, 1, 0, 0, 0})
	out.WriteByte(0xaa)
	le16(out, len(body))
	out.Write(body)
}

func ucs2(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

func fromUCS2(raw []byte) string {
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units))
}

// loginPassword undoes what a client does to a password: nibbles swapped, then a pattern.
func loginPassword(login []byte) string {
	at, length := binary.LittleEndian.Uint16(login[44:]), binary.LittleEndian.Uint16(login[46:])
	raw := slices.Clone(login[at : at+2*length])
	for i, b := range raw {
		b ^= 0xa5
		raw[i] = b<<4 | b>>4
	}
	return fromUCS2(raw)
}

// statement reads the texts of a call of sp_executesql: the statement, the names of its parameters, their values.
func statement(call []byte) (texts []string) {
	call = call[6:] // the number of the procedure, its options
	for len(call) > 3 {
		call = call[1+2*int(call[0])+1:] // name and status
		if call[0] != 0xe7 {
			return append(texts, "?")
		}
		long := binary.LittleEndian.Uint16(call[1:]) == 0xffff
		call = call[8:]
		if !long {
			n := int(binary.LittleEndian.Uint16(call))
			texts, call = append(texts, fromUCS2(call[2:2+n])), call[2+n:]
			continue
		}
		call = call[8:]
		var raw []byte
		for {
			n := int(binary.LittleEndian.Uint32(call))
			call = call[4:]
			if n == 0 {
				break
			}
			raw, call = append(raw, call[:n]...), call[n:]
		}
		texts = append(texts, fromUCS2(raw))
	}
	return texts
}

func readPacket(c net.Conn) (kind byte, body []byte, err error) {
	for {
		var head [8]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return 0, nil, err
		}
		size := int(binary.BigEndian.Uint16(head[2:])) - 8
		if size < 0 {
			return 0, nil, errors.New("a packet shorter than its head")
		}
		part := make([]byte, size)
		if _, err := io.ReadFull(c, part); err != nil {
			return 0, nil, err
		}
		body = append(body, part...)
		if head[1]&1 == 1 {
			return head[0], body, nil
		}
	}
}

func writePacket(c net.Conn, body []byte, last bool) error {
	for n := byte(1); ; n++ {
		part := body[:min(len(body), 4000)]
		body = body[len(part):]
		head := []byte{4, 0, 0, 0, 0, 0, n, 0}
		binary.BigEndian.PutUint16(head[2:], uint16(len(part)+8))
		if len(body) == 0 && last {
			head[1] = 1
		}
		if _, err := c.Write(append(head, part...)); err != nil {
			return err
		}
		if len(body) == 0 {
			return nil
		}
	}
}
