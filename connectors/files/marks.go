package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"xinshu/connectors"
)

// taken is the place of a source: which files were taken, and how far the one in hand was read. Only
// files that are still there are remembered, each by 24 bytes, so that 10,000 of them fit in a log
// entry (decision 0019).
type taken struct {
	marks  map[short8]mark
	newest string // the file that was the whole stock last; none before it in order of names counts any more

	told  connectors.Cursor // the last place given out
	since int               // pages given out with it
}

// mark knows a file again: another stamp (size, time, companions) has it looked at, another sum read.
type mark struct{ stamp, sum short8 }

// short8 is the beginning of a SHA-256.
type short8 [8]byte

// inside is a place in a file that is being read.
type inside struct {
	Name    string `json:"name"`
	Sum     string `json:"sum"`
	Member  int    `json:"member,omitempty"`  // of an archive, in the order of names
	Rows    int64  `json:"rows"`              // of the member
	Refused bool   `json:"refused,omitempty"` // one before it was
}

// cursorText is a cursor as it lies in the log. Files is base64 of the marks, each name, stamp and sum,
// or an object of names, as the first release wrote it.
type cursorText struct {
	Files  json.RawMessage `json:"files,omitempty"`
	In     *inside         `json:"in,omitempty"`
	Newest string          `json:"newest,omitempty"`
}

const markBytes = 24

var errCursor = errors.New("the cursor was not made by kind files")

func readCursor(after connectors.Cursor) (*taken, *inside, error) {
	t := &taken{marks: map[short8]mark{}, told: after}
	if after == "" {
		return t, nil, nil
	}
	var text cursorText
	if err := json.Unmarshal([]byte(after), &text); err != nil {
		return nil, nil, errCursor
	}
	t.newest = text.Newest
	if bytes.HasPrefix(text.Files, []byte("{")) {
		return t, text.In, t.readNames(text.Files)
	}
	var packed string
	if len(text.Files) > 0 && json.Unmarshal(text.Files, &packed) != nil {
		return nil, nil, errCursor
	}
	all, err := base64.RawStdEncoding.DecodeString(packed)
	if err != nil || len(all)%markBytes != 0 {
		return nil, nil, errCursor
	}
	for m := range slices.Chunk(all, markBytes) {
		t.marks[short8(m[:8])] = mark{short8(m[8:16]), short8(m[16:])}
	}
	return t, text.In, nil
}

// readNames reads the longer form that cursors had at first.
func (t *taken) readNames(files []byte) error {
	var named map[string]struct {
		Size, Time int64
		Sum        string
	}
	if err := json.Unmarshal(files, &named); err != nil {
		return errCursor
	}
	for name, m := range named {
		t.marks[keyOf(name)] = mark{stamped(m.Size, m.Time, ""), sumOf(m.Sum)}
	}
	return nil
}

// cursor is the place behind the last row. In a crowded folder the place told last is told again for
// some pages, so that the work grows with the files and not with their square; whoever goes on from
// there reads a few files twice, and staging knows their rows. Exact asks for the very place.
func (t *taken) cursor(in *inside, exact bool) connectors.Cursor {
	t.since++
	if !exact && t.told != "" && t.since < len(t.marks)/256 {
		return t.told
	}
	keys := make([]short8, 0, len(t.marks))
	for key := range t.marks {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b short8) int { return bytes.Compare(a[:], b[:]) })
	all := make([]byte, 0, markBytes*len(keys))
	for _, key := range keys {
		m := t.marks[key]
		all = append(append(append(all, key[:]...), m.stamp[:]...), m.sum[:]...)
	}
	text := cursorText{In: in, Newest: t.newest}
	if len(all) > 0 {
		text.Files = []byte(`"` + base64.RawStdEncoding.EncodeToString(all) + `"`)
	}
	cursor, _ := json.Marshal(text) // names, numbers and base64 always encode
	t.told, t.since = connectors.Cursor(cursor), 0
	return t.told
}

// stale says that the last place given out is not the last place reached.
func (t *taken) stale() bool { return t.since > 0 }

// keep forgets files that are no longer there.
func (t *taken) keep(found []entry) {
	kept := make(map[short8]mark, len(t.marks))
	for _, e := range found {
		if m, ok := t.marks[keyOf(e.name)]; ok {
			kept[keyOf(e.name)] = m
		}
	}
	t.marks = kept
}

// is says whether a file has the stamp it had when it was taken, or refused.
func (t *taken) is(name string, stamp short8) bool {
	m, ok := t.marks[keyOf(name)]
	return ok && m.stamp == stamp
}

// holds says whether a file has the content it had when it was taken.
func (t *taken) holds(name, sum string) bool {
	m, ok := t.marks[keyOf(name)]
	return ok && m.sum == sumOf(sum)
}

func (t *taken) take(name string, stamp short8, sum string) {
	t.marks[keyOf(name)] = mark{stamp, sumOf(sum)}
}

// restamp keeps what is known of a file under another stamp.
func (t *taken) restamp(name string, stamp short8) {
	t.marks[keyOf(name)] = mark{stamp, t.marks[keyOf(name)].sum}
}

// refuse remembers a file without its content, so that it is looked at again as soon as the stamp differs.
func (t *taken) refuse(name string, stamp short8) { t.marks[keyOf(name)] = mark{stamp: stamp} }

func keyOf(name string) short8 { return first8([]byte(name)) }

func first8(b []byte) short8 {
	sum := sha256.Sum256(b)
	return short8(sum[:8])
}

func sumOf(hexed string) (s short8) {
	all, _ := hex.DecodeString(hexed) // made by look
	copy(s[:], all)
	return s
}

// stamped is what the listing tells of a file and whatever else decides whether it is looked at again.
func stamped(size, nanoseconds int64, more string) short8 {
	var b []byte
	b = binary.BigEndian.AppendUint64(b, uint64(size)) // bits, not a number
	b = binary.BigEndian.AppendUint64(b, uint64(nanoseconds))
	return first8(append(b, more...))
}

func (e entry) stamp(more string) short8 {
	if e.tag != "" {
		return stamped(e.size, 0, e.tag+"\n"+more)
	}
	return stamped(e.size, e.modified.UnixNano(), more)
}
