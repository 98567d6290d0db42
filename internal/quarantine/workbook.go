package quarantine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"

	"xinshu/catalog"
)

// A workbook of refused rows, as both ways know it: a sheet of instructions, for each dataset a sheet
// to mend the rows in and a locked sheet of the originals, and a hidden sheet that says whose it is.
const (
	workbookFormat = "xinshu-quarantine-1"
	identitySheet  = "_xinshu"
	withdrawWord   = "撤销"
)

// The columns before the fields. Row 1 has titles, row 2 codes, rows begin at 3.
const (
	colID = iota
	colCheck
	colAction
	colReason
	colColumn
	colPlace
	firstField
)

const (
	titleRow = 1
	codeRow  = 2
	firstRow = 3
)

var leading = [firstField]struct {
	code  string
	title catalog.Text
	width float64
}{
	{"_id", catalog.Text{ZH: "编号（勿改）", EN: "id (leave)"}, 22},
	{"_check", catalog.Text{ZH: "校验（勿改）", EN: "check (leave)"}, 4},
	{"_action", catalog.Text{ZH: "处理", EN: "action"}, 8},
	{"_reason", catalog.Text{ZH: "退回原因", EN: "reason"}, 38},
	{"_column", catalog.Text{ZH: "出错项", EN: "field at fault"}, 18},
	{"_place", catalog.Text{ZH: "来源（文件:行）", EN: "place (file:line)"}, 28},
}

// stamp proves that a workbook and each of its rows are this hub's.
type stamp struct{ key []byte }

func newStamp(key []byte) stamp {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("quarantine workbook"))
	return stamp{mac.Sum(nil)}
}

func (s stamp) hub() string { return s.of("hub", 16) }

func (s stamp) row(id string) string { return s.of("row "+id, 12) }

func (s stamp) of(text string, length int) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))[:length]
}

// sheetNames gives each sheet a name that Excel takes and that no other has.
type sheetNames map[string]bool

// longestSheet is Excel's limit, in UTF-16 units.
const longestSheet = 31

func (n sheetNames) of(prefix, title string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\'`, r) || r < ' ' {
			return ' '
		}
		return r
	}, prefix+title)
	for i := 1; ; i++ {
		suffix := ""
		if i > 1 {
			suffix = fmt.Sprintf(" (%d)", i)
		}
		units := utf16.Encode([]rune(clean))
		units = units[:min(len(units), longestSheet-len(suffix))]
		name := strings.TrimSpace(strings.TrimRight(string(utf16.Decode(units)), "\uFFFD")) + suffix
		if folded := strings.ToLower(name); !n[folded] {
			n[folded] = true
			return name
		}
	}
}
