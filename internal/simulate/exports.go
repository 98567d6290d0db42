package simulate

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the .md5 companion is what departments send
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The forms in which departments lay files down.
const (
	formCSV     = "csv"
	formBOM     = "csv-bom"
	formGB18030 = "csv-gb18030"
	formJSON    = "json"
	formLines   = "jsonl"
)

// exportFile lays one file with its .md5 and .ok companions, the .ok last, each under a temporary
// name first. A file that is there already, or was taken, is not laid again: marker remembers it.
func exportFile(dir, name, form string, columns []string, rows [][]string) error {
	marker := filepath.Join(dir, ".laid", name)
	if _, err := os.Stat(marker); err == nil {
		return nil
	}
	body, ext, err := encodeRows(form, columns, rows)
	if err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	sum := md5.Sum(body) //nolint:gosec // see above
	for _, f := range []struct {
		name string
		body []byte
	}{
		{name + ext, body},
		{name + ext + ".md5", []byte(hex.EncodeToString(sum[:]) + "\n")},
		{name + ext + ".ok", nil},
	} {
		if err := layFile(filepath.Join(dir, f.name), f.body); err != nil {
			return fmt.Errorf("export %s: %w", f.name, err)
		}
	}
	return layFile(marker, nil)
}

func encodeRows(form string, columns []string, rows [][]string) (body []byte, ext string, err error) {
	var buf bytes.Buffer
	switch form {
	case formJSON:
		objects := make([]map[string]any, len(rows))
		for i, row := range rows {
			objects[i] = object(columns, row)
		}
		err = json.NewEncoder(&buf).Encode(objects)
		return buf.Bytes(), ".json", err
	case formLines:
		enc := json.NewEncoder(&buf)
		for _, row := range rows {
			if err := enc.Encode(object(columns, row)); err != nil {
				return nil, "", err
			}
		}
		return buf.Bytes(), ".jsonl", nil
	}
	if form == formBOM {
		buf.WriteString("\ufeff")
	}
	w := csv.NewWriter(&buf)
	if err := w.Write(columns); err != nil {
		return nil, "", err
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, "", err
	}
	body = buf.Bytes()
	if form == formGB18030 {
		body, err = simplifiedchinese.GB18030.NewEncoder().Bytes(body)
	}
	return body, ".csv", err
}

// layFile writes under a temporary name and renames, so that a reader never sees a part.
func layFile(path string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, body, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
