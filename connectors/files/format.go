package files

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// formats are what a file can hold, and the extensions that say so.
var formats = map[string][]string{
	"csv":     {".csv", ".txt", ".tsv"},
	"json":    {".json"},
	"jsonl":   {".jsonl", ".ndjson"},
	"xlsx":    {".xlsx", ".xlsm", ".xls", ".et"}, // of the last two its reader says that they are too old
	"xml":     {".xml"},
	"parquet": {".parquet", ".parq"},
}

// magic is how a file of a format begins; text formats begin with anything.
var magic = []struct {
	format string
	begin  string
}{
	{"xlsx", "PK\x03\x04"},
	{"xlsx", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}, // the container of old workbooks and of encrypted ones
	{"parquet", "PAR1"},
	{"parquet", "PARE"}, // encrypted
	{"xml", "<?xml"},
	{"xml", "\xef\xbb\xbf<?xml"},
	{"xml", "\xff\xfe<\x00?\x00"},
	{"xml", "\xfe\xff\x00<\x00?"},
	{"xml", "<\x00?\x00x\x00"},
	{"xml", "\x00<\x00?\x00x"},
}

// magicBytes is how much of a file's beginning formatOf wants to see.
const magicBytes = 16

// formatOf tells the format by the setting, else by the extension, else by how the file begins; empty
// when nothing tells.
func (jb job) formatOf(name string, begin []byte) string {
	if jb.format != "auto" {
		return jb.format
	}
	ext := strings.ToLower(path.Ext(name))
	for format, exts := range formats {
		if slices.Contains(exts, ext) {
			return format
		}
	}
	for _, m := range magic {
		if bytes.HasPrefix(begin, []byte(m.begin)) {
			return m.format
		}
	}
	return ""
}

// disguised says what a file is that its extension takes for text.
func disguised(format string, begin []byte) string {
	if format == "xlsx" || format == "parquet" || format == "xml" {
		return ""
	}
	for _, m := range magic {
		if m.format != "xml" && bytes.HasPrefix(begin, []byte(m.begin)) {
			return "it is no " + format + ", it begins like " + m.format + "; give it its own extension"
		}
	}
	return ""
}

// unknownFormat says what is known of a file that no format claims.
func unknownFormat(name string, begin []byte) string {
	if head := bytes.ToLower(bytes.TrimSpace(begin)); bytes.HasPrefix(head, []byte("<html")) || bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<table")) {
		return "a web page saved as " + path.Ext(name) + "; open it in a spreadsheet program and save it as .xlsx"
	}
	return "extension " + path.Ext(name)
}
