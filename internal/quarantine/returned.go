package quarantine

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"xinshu/internal/duck"
	"xinshu/internal/fault"
)

// Fault is what is wrong with one cell or row of a workbook that came back.
type Fault struct {
	Sheet string `json:"sheet"`
	Cell  string `json:"cell"`
	ZH    string `json:"zh"`
	EN    string `json:"en"`
}

// String gives the fault in one line, both languages.
func (f Fault) String() string { return fmt.Sprintf("%s!%s: %s / %s", f.Sheet, f.Cell, f.ZH, f.EN) }

// mostFaults is how many faults are told; a clerk mends them and tries again.
const mostFaults = 100

// Returned is a workbook that came back. Its rows stand in a table of db, so that memory does not
// grow with them.
type Returned struct {
	SHA256   string
	Datasets []string // that it has rows of, sorted
	Faults   []Fault  // of the workbook itself; those against the lake come with Judge
	db       *duck.DB
	name     string
	columns  map[string]map[string]int // by sheet: where each field stands
}

// Limits of what is unpacked, so that a small file cannot fill the disk or the memory.
const (
	mostUnpacked   = 4 << 30
	unpackedToDisk = 16 << 20
)

var returnedColumns = []duck.Column{
	{Name: "place", Type: "BIGINT"}, {Name: "sheet", Type: "VARCHAR"}, {Name: "line", Type: "BIGINT"}, {Name: "dataset", Type: "VARCHAR"},
	{Name: "n", Type: "BIGINT"}, {Name: "row_no", Type: "BIGINT"}, {Name: "withdraw", Type: "BOOLEAN"}, {Name: "fields", Type: "VARCHAR"},
}

// Read takes a workbook in. A file that is no workbook of this hub is an error; what is wrong inside
// one is a fault with sheet and cell.
func Read(ctx context.Context, db *duck.DB, path, name string, key []byte) (*Returned, error) {
	op := "read the workbook " + name
	sum, err := hashFile(path)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Err: err, Hint: "name a file that can be read"}
	}
	unread := func(err error) error {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: err, Hint: "give back the .xlsx file that quarantine export wrote, saved as .xlsx and without a password"}
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, unread(err)
	}
	defer func() { _ = archive.Close() }() // only read
	file, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true, UnzipSizeLimit: mostUnpacked, UnzipXMLSizeLimit: unpackedToDisk})
	if err != nil {
		return nil, unread(err)
	}
	defer func() { _ = file.Close() }()
	parts, err := worksheets(&archive.Reader)
	if err != nil {
		return nil, unread(err)
	}
	r := &reader{Returned: &Returned{SHA256: sum, db: db, name: name, columns: map[string]map[string]int{}}, file: file, stamp: newStamp(key), datasets: map[string]bool{}}
	if err := r.identity(op); err != nil {
		return nil, err
	}
	if props, err := file.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		r.date1904 = *props.Date1904
	}
	if err := db.Table(ctx, "returned", returnedColumns, nil); err != nil {
		return nil, err
	}
	for _, sheet := range file.GetSheetList() {
		if err := r.sheet(ctx, &archive.Reader, sheet, parts[sheet]); err != nil {
			return nil, unread(err)
		}
	}
	if err := r.flush(ctx); err != nil {
		return nil, err
	}
	for id := range r.datasets {
		r.Datasets = append(r.Datasets, id)
	}
	slices.Sort(r.Datasets)
	return r.Returned, r.twice(ctx)
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// reader is a workbook being read.
type reader struct {
	*Returned
	file     *excelize.File
	stamp    stamp
	date1904 bool
	rows     [][]any
	place    int64
	datasets map[string]bool
}

// identity refuses a workbook of another version or of another hub.
func (r *reader) identity(op string) error {
	var is [2]string
	for i := range is {
		is[i], _ = r.file.GetCellValue(identitySheet, at(0, i+1)) // a workbook without that sheet is refused below
	}
	refuse := func(what, hint string) error {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: errors.New(what), Hint: hint}
	}
	switch {
	case is[0] == "":
		return refuse("it is no workbook of the quarantine: its hidden sheet "+identitySheet+" is missing", "mend the workbook that quarantine export wrote, do not copy its rows into another")
	case is[0] != workbookFormat:
		return refuse(fmt.Sprintf("it is of format %q, this hub reads %q", is[0], workbookFormat), "export it anew")
	case is[1] != r.stamp.hub():
		return refuse("it was exported by another hub, or under another mask key", "give it to the hub that exported it, or export it anew here")
	}
	return nil
}

// sheet reads one sheet of rows to mend; any other sheet is passed over.
func (r *reader) sheet(ctx context.Context, z *zip.Reader, sheet, part string) error {
	rows, err := r.file.Rows(sheet)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var codes []string
	for line := 1; line <= codeRow && rows.Next(); line++ {
		if codes, err = rows.Columns(); err != nil {
			return err
		}
	}
	if len(codes) <= colID || codes[colID] != leading[colID].code {
		return rows.Error()
	}
	for i, l := range leading {
		if i >= len(codes) || codes[i] != l.code {
			r.fault(sheet, at(i, codeRow), "表头被改动，应为 "+l.code, "the heading was changed; it should say "+l.code)
			return nil
		}
	}
	r.columns[sheet] = map[string]int{}
	for i, code := range codes {
		r.columns[sheet][code] = i
	}
	in, err := z.Open(part)
	if err != nil {
		return fmt.Errorf("sheet %s: %w", sheet, err)
	}
	cells, err := scan(sheet, in)
	_ = in.Close()
	if err != nil {
		return err
	}
	for _, f := range cells.faults {
		r.fault(f.Sheet, f.Cell, f.ZH, f.EN)
	}
	for line := firstRow; rows.Next(); line++ {
		values, err := rows.Columns()
		if err != nil {
			return fmt.Errorf("sheet %s, row %d: %w", sheet, line, err)
		}
		if err := r.row(ctx, sheet, line, codes, values, cells); err != nil {
			return err
		}
	}
	return rows.Error()
}

func (r *reader) row(ctx context.Context, sheet string, line int, codes, values []string, cells scanned) error {
	value := func(i int) string {
		if i < len(values) {
			return strings.TrimSpace(values[i])
		}
		return ""
	}
	id := value(colID)
	if id == "" {
		for i := range values {
			if value(i) != "" {
				r.fault(sheet, at(colID, line), "该行没有编号，不能在此新增记录", "the row has no id; new records cannot be added here")
				break
			}
		}
		return nil
	}
	dataset, n, no, ok := parseID(id)
	if !ok || r.stamp.row(id) != value(colCheck) {
		r.fault(sheet, at(colID, line), "编号或校验被改动，不是本枢纽导出的记录", "the id or its check was changed: no row that this hub exported")
		return nil
	}
	withdraw := false
	switch strings.ToLower(value(colAction)) {
	case "":
	case withdrawWord, "withdraw":
		withdraw = true
	default:
		r.fault(sheet, at(colAction, line), "“处理”只能为空或"+withdrawWord, "the action is empty or "+withdrawWord+" (withdraw)")
	}
	fields := map[string]string{}
	for i := firstField; i < len(codes); i++ {
		if codes[i] == "" {
			continue
		}
		text := ""
		if i < len(values) {
			text = shown(values[i])
		}
		if n, is := cells.numbers[at(i, line)]; is {
			if text, ok = n.text15(r.file, r.date1904); !ok {
				r.fault(sheet, at(i, line), "数字超过 15 位，已被 Excel 舍入，请按文本重新填写", "a number of more than 15 digits, which Excel has rounded; write it as text")
			}
		}
		fields[codes[i]] = text
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	r.place++
	r.datasets[dataset] = true
	r.rows = append(r.rows, []any{r.place, sheet, int64(line), dataset, n, no, withdraw, string(body)})
	if len(r.rows) < 2048 {
		return nil
	}
	return r.flush(ctx)
}

func (r *reader) flush(ctx context.Context) error {
	rows := r.rows
	r.rows = nil
	return r.db.Append(ctx, "returned", returnedColumns, rows)
}

func (r *Returned) fault(sheet, cell, zh, en string) {
	if len(r.Faults) < mostFaults {
		r.Faults = append(r.Faults, Fault{sheet, cell, zh, en})
	}
}

// twice finds rows that stand in the workbook more than once.
func (r *Returned) twice(ctx context.Context) error {
	rows, err := r.db.Query(ctx, fmt.Sprintf(`
		select sheet, line from (
			select *, row_number() over (partition by dataset, n, row_no order by place) as time from returned
		) where time > 1 order by place limit %d`, mostFaults))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // the error that counts is rows.Err
	for rows.Next() {
		var sheet string
		var line int
		if err := rows.Scan(&sheet, &line); err != nil {
			return err
		}
		r.fault(sheet, at(colID, line), "同一编号出现多次", "the same id stands above already")
	}
	return rows.Err()
}

// parseID reads dataset/commit/row.
func parseID(id string) (dataset string, n, no int64, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 3 || parts[0] == "" {
		return "", 0, 0, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	no, err2 := strconv.ParseInt(parts[2], 10, 64)
	return parts[0], n, no, err == nil && err2 == nil && n > 0 && no > 0
}
