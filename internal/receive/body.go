package receive

import (
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/connectors/jsonrows"
	"xinshu/internal/fault"
)

func tooLarge(most int64) *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: "size", Title: catalog.Text{ZH: "批次过大，请拆分", EN: "the batch is too large; divide it"},
		Detail: fmt.Sprintf("at most %d MB are taken at once", most>>20)}
}

// formatOf reads the Content-Type: which form the rows have, and in which encoding.
func formatOf(r *http.Request) (format, encoding string, p *Problem) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	format = map[string]string{"application/json": "json", "text/csv": "csv", "application/csv": "csv",
		"application/jsonl": "jsonl", "application/x-ndjson": "jsonl", "application/ndjson": "jsonl"}[kind]
	encoding = map[string]string{"": "auto", "utf-8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}[strings.ToLower(params["charset"])]
	if err != nil || format == "" || encoding == "" || r.Header.Get("Content-Encoding") != "" {
		return "", "", &Problem{Status: http.StatusUnsupportedMediaType, Code: "type", Title: catalog.Text{ZH: "不支持的内容类型", EN: "this type of content is not taken"},
			Detail: "application/json, application/x-ndjson or text/csv, charset utf-8 or gb18030, not packed"}
	}
	return format, encoding, nil
}

// spool brings the body to a file and holds it against the signed digest. A body that stops coming is
// cut off; the caller removes the file.
func (h *Handler) spool(w http.ResponseWriter, r *http.Request, s *Sender, format string) (path, digest string, err error) {
	f, err := os.CreateTemp(h.bounds.TempDir, "batch-*."+format)
	if err != nil {
		return "", "", &fault.Error{Op: "keep a posted batch", Code: fault.Unavailable, Hint: "check the folder for temporary files", Err: err}
	}
	sum := s.hash()
	body := &patient{line: http.NewResponseController(w), in: http.MaxBytesReader(w, r.Body, h.bounds.Body), idle: h.bounds.Idle}
	_, err = io.Copy(io.MultiWriter(keeping{f}, sum), body)
	_ = body.line.SetReadDeadline(time.Time{})
	if closed := f.Close(); err == nil && closed != nil {
		err = &keepError{closed}
	}
	switch _, large := errors.AsType[*http.MaxBytesError](err); {
	case large:
		return f.Name(), "", tooLarge(h.bounds.Body)
	case err != nil:
		if disk, ok := errors.AsType[*keepError](err); ok {
			return f.Name(), "", &fault.Error{Op: "keep a posted batch", Code: fault.Unavailable, Hint: "make room on the disk of the temporary folder", Err: disk}
		}
		return f.Name(), "", &Problem{Status: http.StatusRequestTimeout, Code: "cut", Title: catalog.Text{ZH: "内容未传完", EN: "the body did not come to its end"}}
	}
	digest = hex.EncodeToString(sum.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(digest), []byte(strings.ToLower(r.Header.Get(HeaderDigest)))) != 1 {
		p := refused("内容与签名的摘要不符", "the body is not the one whose digest was signed")
		p.Code = "digest"
		return f.Name(), "", p
	}
	return f.Name(), digest, nil
}

// keepError is the disk's, to be told from the line's.
type keepError struct{ err error }

func (e *keepError) Error() string { return e.err.Error() }
func (e *keepError) Unwrap() error { return e.err }

type keeping struct{ f *os.File }

func (k keeping) Write(p []byte) (int, error) {
	n, err := k.f.Write(p)
	if err != nil {
		err = &keepError{err}
	}
	return n, err
}

// patient gives every read its own time.
type patient struct {
	line *http.ResponseController
	in   io.Reader
	idle time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	_ = p.line.SetReadDeadline(time.Now().Add(p.idle)) // a server without deadlines has its own
	return p.in.Read(b)
}

// name reads the batch's number and total from the headers, and in JSON from beside the rows. Said
// twice they must say the same. A batch without a number cannot be told from another.
func (p *Post) name(r *http.Request) *Problem {
	wrong := func(zh, en string) *Problem {
		return &Problem{Status: http.StatusBadRequest, Code: "batch", Title: catalog.Text{ZH: zh, EN: en}}
	}
	no, total := r.Header.Get(HeaderBatch), r.Header.Get(HeaderTotal)
	if p.Format == "json" {
		innerNo, innerTotal, err := beside(p.File)
		if err != nil {
			problem := wrong("JSON 不完整，或没有行数组", "the JSON is broken, or has no array of rows")
			problem.Detail = err.Error()
			return problem
		}
		for _, pair := range [][2]*string{{&no, &innerNo}, {&total, &innerTotal}} {
			if *pair[0] == "" {
				*pair[0] = *pair[1]
			}
			if *pair[1] != "" && *pair[0] != *pair[1] {
				return wrong("请求头与正文的批次号或总数不一致", "header and body differ in batch number or total")
			}
		}
	}
	if n := utf8.RuneCountInString(no); n < 1 || n > 100 || strings.ContainsFunc(no, func(c rune) bool { return c < ' ' || c == '/' || c == '\\' || c == 0x7f || c == utf8.RuneError }) {
		return wrong("批次号须为1至100个字符，不含斜线", "a batch has a number of 1 to 100 characters, without slashes")
	}
	if p.No = no; total == "" {
		return nil
	}
	n, err := strconv.ParseInt(total, 10, 64)
	if err != nil || n < 0 {
		return wrong("总数不是行数", "the total is no count of rows")
	}
	p.Total = &n
	return nil
}

// beside walks a JSON body once, so that one that is broken anywhere is refused before a row is staged.
func beside(path string) (batchNo, total string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = f.Close() }() // only read
	scan := jsonrows.NewScanner(f, "rows")
	scan.Keep("batch_no", "total")
	for {
		if _, _, err := scan.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", "", err
		}
	}
	plain := func(raw string) string {
		var text string // null leaves it empty
		if raw == "" || json.Unmarshal([]byte(raw), &text) == nil {
			return text
		}
		return raw
	}
	kept := scan.Kept()
	return plain(kept["batch_no"]), plain(kept["total"]), nil
}
