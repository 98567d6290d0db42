package lake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// canonical gives the one spelling of a document: UTF-8, keys sorted, one space of indent, LF, and
// integers only, because a fraction has many spellings and a hash must not depend on which.
func canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return respell(raw)
}

// respell is canonical for a document that is JSON already.
func respell(raw []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON document")
	}
	if err := integersOnly(tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(tree) // maps come out with sorted keys, and a line feed at the end
	return out.Bytes(), err
}

func integersOnly(tree any) error {
	switch v := tree.(type) {
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return fmt.Errorf("%s is not an integer", v)
		}
	case []any:
		for _, e := range v {
			if err := integersOnly(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, e := range v {
			if err := integersOnly(e); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
	}
	return nil
}

func hashOf(body []byte) string {
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:])
}

// hashFile gives the hash and size of a local file.
func hashFile(path string) (sha string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = f.Close() }() // read only
	return hashReader(f)
}

func hashReader(r io.Reader) (sha string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
