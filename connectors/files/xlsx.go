package files

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/richardlehane/mscfb"
)

// Reason codes of workbooks: the first four refuse a file, the others a row.
const (
	xlsxBroken    = "XLSX_BROKEN"    // no workbook, cut, or damaged inside
	xlsxEncrypted = "XLSX_ENCRYPTED" // needs a password
	xlsxOld       = "XLSX_OLD"       // .xls or .et, the format before 2007
	xlsxLimit     = "XLSX_LIMIT"     // more than a sheet may hold
	xlsxSheet     = "XLSX_SHEET"     // no such sheet; or another one that nobody reads has the same columns

	xlsxRounded = "XLSX_ROUNDED" // a number of more than 15 digits: Excel has rounded it before it was saved
	xlsxFormula = "XLSX_FORMULA" // a formula that was saved without its value
	xlsxError   = "XLSX_ERROR"   // #N/A, #REF! and the like
	xlsxDate    = "XLSX_DATE"    // a date that no calendar has
	xlsxCell    = "XLSX_CELL"    // a cell that does not hold what it says
)

// Excel's own limits of a sheet.
const (
	xlsxRowsMax    = 1 << 20
	xlsxColumnsMax = 1 << 14
)

// maxPart bounds the parts of a workbook that are read whole: its list of sheets, its styles.
const maxPart = 16 << 20

// xlsxBook is an open workbook. Its sheets are read as streams; see decisions/0020 for why excelize,
// which writes workbooks here, does not read them.
type xlsxBook struct {
	ctx     context.Context //nolint:containedctx // for the readers of one call
	limits  limits
	source  *fileAt
	parts   map[string]*zip.File // by lower-case path
	sheets  []xlsxSheetPart
	formats []xlsxFormat // by style
	d1904   bool
	texts   *xlsxTexts
}

type xlsxSheetPart struct {
	name    string
	part    string
	visible bool
}

// xlsxRows reads one sheet of a workbook, or all of them; see xlsx_rows.go.
func xlsxRows(ctx context.Context, in *os.File, out *sheet) error {
	book, err := openBook(ctx, in, out.job.limits)
	if book != nil {
		defer book.close()
	}
	if err != nil {
		return err
	}
	return book.read(out)
}

func openBook(ctx context.Context, in *os.File, l limits) (*xlsxBook, error) {
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	source := &fileAt{file: in, budget: maxPart}
	archive, err := zip.NewReader(source, info.Size())
	source.budget = 0
	switch {
	case source.err != nil: // the disk
		return nil, source.err
	case err != nil:
		return nil, noZip(in, err)
	}
	b := &xlsxBook{ctx: ctx, limits: l, source: source, parts: map[string]*zip.File{}}
	for _, f := range archive.File {
		b.parts[strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(f.Name, `\`, "/")), "/"))] = f
	}
	main, texts, err := b.workbook()
	if err != nil {
		return b, err
	}
	if err := b.styles(path.Join(path.Dir(main), "styles.xml")); err != nil {
		return b, err
	}
	b.texts, err = b.readTexts(texts)
	return b, err
}

func (b *xlsxBook) close() {
	if b.texts != nil {
		b.texts.close()
	}
}

// noZip says what a file is that is no workbook of today.
func noZip(in *os.File, err error) error {
	container, cerr := openContainer(in)
	if begin := make([]byte, 64); cerr != nil {
		n, _ := in.ReadAt(begin, 0)
		if bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(begin[:n], []byte("\xef\xbb\xbf"))), []byte("<")) {
			return &refusal{xlsxBroken, 0, "a web page saved as a workbook; open it in a spreadsheet program and save it as .xlsx"}
		}
		return &refusal{xlsxBroken, 0, "no workbook: " + explained(err).Error()}
	}
	for e, err := container.Next(); err == nil; e, err = container.Next() {
		switch e.Name {
		case "EncryptedPackage", "EncryptionInfo":
			return &refusal{xlsxEncrypted, 0, "protected by a password; save it without one"}
		}
	}
	return &refusal{xlsxOld, 0, "a workbook of the format before 2007 (.xls, .et); save it as .xlsx"}
}

// openContainer opens the format in which old and encrypted workbooks lie.
func openContainer(in io.ReaderAt) (c *mscfb.Reader, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = fmt.Errorf("%v", crash)
		}
	}()
	return mscfb.New(in)
}

type xlsxRelations struct {
	Relationship []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	}
}

// workbook reads the list of sheets, and where its parts lie.
func (b *xlsxBook) workbook() (main, texts string, err error) {
	main = "xl/workbook.xml"
	var top, own xlsxRelations
	if err := b.decode("_rels/.rels", &top, true); err != nil {
		return "", "", err
	}
	for _, r := range top.Relationship {
		if strings.HasSuffix(r.Type, "/officeDocument") {
			main = partPath("", r.Target)
		}
	}
	var book struct {
		Pr struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			State string `xml:"state,attr"`
			ID    string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.decode(main, &book, false); err != nil {
		return "", "", err
	}
	if err := b.decode(path.Join(path.Dir(main), "_rels", path.Base(main)+".rels"), &own, false); err != nil {
		return "", "", err
	}
	b.d1904 = book.Pr.Date1904 == "1" || book.Pr.Date1904 == "true"
	texts = path.Join(path.Dir(main), "sharedStrings.xml")
	for _, r := range own.Relationship {
		if strings.HasSuffix(r.Type, "/sharedStrings") {
			texts = partPath(path.Dir(main), r.Target)
		}
	}
	for _, s := range book.Sheets {
		for _, r := range own.Relationship {
			if r.ID == s.ID && strings.HasSuffix(r.Type, "/worksheet") { // a sheet of a chart has no rows
				b.sheets = append(b.sheets, xlsxSheetPart{s.Name, partPath(path.Dir(main), r.Target), s.State == "" || s.State == "visible"})
			}
		}
	}
	return main, texts, nil
}

func partPath(dir, target string) string {
	if strings.HasPrefix(target, "/") {
		dir = ""
	}
	return strings.TrimPrefix(path.Join("/", dir, target), "/")
}

// decode reads a small part whole.
func (b *xlsxBook) decode(part string, to any, optional bool) error {
	in, err := b.open(part)
	if in == nil && optional {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	text, err := io.ReadAll(io.LimitReader(in, maxPart+1))
	if err != nil {
		return b.damaged(part, err)
	}
	if len(text) > maxPart {
		return &refusal{xlsxLimit, 0, fmt.Sprintf("%s is longer than %d MB", part, maxPart>>20)}
	}
	if err := xml.Unmarshal(text, to); err != nil {
		return b.damaged(part, err)
	}
	return nil
}

// open gives a part of the workbook, within the limits of what is unpacked.
func (b *xlsxBook) open(part string) (io.ReadCloser, error) {
	f := b.parts[strings.ToLower(part)]
	if f == nil {
		return nil, &refusal{xlsxBroken, 0, "no workbook: it has no " + part}
	}
	in, err := f.Open()
	if err != nil {
		return nil, b.damaged(part, err)
	}
	packed := int64(min(f.CompressedSize64, 1<<40)) // bounded
	return struct {
		io.Reader
		io.Closer
	}{&bounded{limits: b.limits, out: reading{b.ctx, in}, in: func() int64 { return packed }}, in}, nil
}

// damaged turns what reading a part found into a refusal; the end of the context stays what it is.
func (b *xlsxBook) damaged(part string, err error) error {
	bomb, grows := errors.AsType[errBomb](err)
	_, known := errors.AsType[*refusal](err)
	switch {
	case b.ctx.Err() != nil:
		return b.ctx.Err()
	case b.source.err != nil: // the disk, not the workbook
		return b.source.err
	case known:
		return err
	case grows:
		return &refusal{xlsxLimit, 0, part + ": " + bomb.Error()}
	case errors.Is(err, errFuel):
		return &refusal{xlsxLimit, 0, part + ": one cell is longer than 8 MB"}
	}
	return &refusal{xlsxBroken, 0, part + ": " + explained(err).Error()}
}

// chosen gives the sheets that the setting names: "" the first visible one, "*" every visible one.
func (b *xlsxBook) chosen(setting string) (sheets, others []xlsxSheetPart, err error) {
	var visible []xlsxSheetPart
	var names []string
	for _, s := range b.sheets {
		if s.visible {
			visible = append(visible, s)
		}
		if s.name == setting {
			return []xlsxSheetPart{s}, nil, nil
		}
		names = append(names, s.name)
	}
	if setting != "" && setting != "*" {
		return nil, nil, &refusal{xlsxSheet, 0, fmt.Sprintf("no sheet %q; it has %s", setting, strings.Join(names[:min(len(names), 20)], ", "))}
	}
	if len(visible) == 0 {
		return nil, nil, &refusal{xlsxSheet, 0, "no sheet that can be seen; it has " + strings.Join(names[:min(len(names), 20)], ", ")}
	}
	if setting == "*" {
		return visible, nil, nil
	}
	return visible[:1], slices.Clone(visible[1:]), nil
}
