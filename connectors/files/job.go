package files

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

// job is one dataset's settings, read.
type job struct {
	op, folder, pattern, format, encoding string
	delimiter                             byte
	rowsPath                              string
	ok                                    bool
	checksum                              string
	archive                               string
	limits                                limits
	int96Local                            bool
	sheet                                 string // of a workbook; empty: the first visible one, *: all visible ones
	headerRow                             int    // 0: to be found
	dataset                               catalog.Dataset
	newest                                bool // the newest file is the whole stock
	done                                  string
	rows                                  int
	again                                 string // the settings by which a file is refused: another text, another try
}

var delimiters = map[string]byte{"comma": ',', "semicolon": ';', "tab": '\t', "pipe": '|'}

func readJob(j connectors.Job, op string) (job, error) {
	r := connectors.NewReader(jobSettings, j.Values)
	jb := job{op: op, folder: below(r, "folder"), pattern: r.Text("pattern"), format: r.Text("format"), encoding: r.Text("encoding"),
		delimiter: delimiters[r.Text("delimiter")], rowsPath: r.Text("rows_path"), ok: r.Text("ready") == "ok", checksum: r.Text("checksum"),
		archive: r.Text("archive"), int96Local: r.Text("int96") == "local", sheet: r.Text("sheet"), dataset: j.Dataset, newest: r.Text("stock") == "newest", rows: r.Int("page_rows", 1),
		limits: limits{members: r.Text("members"), count: r.Int("members_max", 1), bytes: int64(r.Int("unpacked_mb", 1)) << 20, ratio: int64(r.Int("unpacked_ratio", 1))}}
	if _, err := path.Match(jb.limits.members, ""); err != nil {
		r.Fault("members is no pattern of names")
	}
	if r.Text("header_row") != "auto" {
		if jb.headerRow = r.Int("header_row", 1); jb.headerRow > xlsxRowsMax {
			r.Fault("header_row is above %d", xlsxRowsMax)
		}
	}
	if r.Text("done") != "" {
		if jb.done = below(r, "done"); jb.done == jb.folder {
			r.Fault("done is the folder that is read")
		}
	}
	if jb.rows > connectors.PageRows {
		r.Fault("page_rows is above %d", connectors.PageRows)
	}
	if err := r.Err(); err != nil {
		return jb, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the dataset's settings on this source", Err: err}
	}
	for _, s := range jobSettings {
		if s.Name != "page_rows" && s.Name != "done" {
			jb.again += fmt.Sprintf("%s=%q\n", s.Name, r.Text(s.Name))
		}
	}
	return jb, nil
}

// companions are the extensions of files that belong to another.
var companions = []string{".ok", ".md5", ".sm3", ".sha256"}

// wants leaves out companions, answers and names under which files are being written. A file that the
// pattern names as it stands, brackets and all, is wanted whatever it is called.
func (jb job) wants(name string) bool {
	if name == jb.pattern {
		return true
	}
	if !isData(name) {
		return false
	}
	match, err := path.Match(jb.pattern, name)
	return match && err == nil
}

func isData(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".fb", ".tmp", ".temp", ".part", ".filepart", ".writing":
		return false
	default:
		return !slices.Contains(companions, ext)
	}
}

// listing is a folder at one moment.
type listing struct {
	files map[string]entry
	stems map[string]int // data files by their names without extension
}

func listed(found []entry) listing {
	l := listing{files: make(map[string]entry, len(found)), stems: map[string]int{}}
	for _, e := range found {
		l.files[e.name] = e
		if isData(e.name) {
			l.stems[stem(e.name)]++
		}
	}
	return l
}

func stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

// companion finds a.csv.ok, or a.ok, beside a.csv.
func (l listing) companion(name, ext string) (entry, bool) {
	for _, c := range []string{name + ext, stem(name) + ext} {
		if e, ok := l.files[c]; ok && c != name {
			return e, true
		}
	}
	return entry{}, false
}
