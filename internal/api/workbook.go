package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"xinshu/internal/auth"
)

// sheet is the media type of a workbook.
const sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

type workbookOutput struct {
	Body func(huma.Context)
}

// workbook gives refused rows to a department, to be mended.
func (a *API) workbook() {
	register(a, op{Method: http.MethodGet, Path: "/v1/quarantine/workbook", ID: "exportRefusedRows", Tag: "quarantine", Right: auth.QuarantineSee,
		Words: "Open refused rows as a workbook", ZH: "导出待更正的隔离行工作簿（按部门）。",
		Stream: map[string]*huma.MediaType{sheet: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}},
		func(ctx context.Context, in *Chosen) (*workbookOutput, error) {
			file, err := os.CreateTemp(a.Desk.Data, "workbook-*.xlsx")
			if err != nil {
				return nil, err
			}
			done, err := a.Desk.ExportRefused(ctx, in.rows(), file.Name())
			if err != nil {
				return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
			}
			if err := file.Close(); err != nil {
				return nil, err
			}
			return &workbookOutput{Body: func(c huma.Context) {
				defer func() { _ = os.Remove(file.Name()) }() // a temporary file
				r, w := humago.Unwrap(c)
				h := w.Header()
				h.Set("Content-Type", sheet)
				h.Set("Content-Disposition", `attachment; filename="quarantine.xlsx"`)
				h.Set("X-Row-Count", strconv.FormatInt(done.Rows, 10))
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * a.Bounds.Write)) // not every writer has one
				http.ServeFile(w, r, file.Name())
			}}, nil
		})
}

// checkUpload keeps a workbook that is being sent and says what it says.
func (a *API) checkUpload(ctx context.Context, name string) (out Checked, err error) {
	file, err := os.CreateTemp(a.Desk.Data, "upload-*.xlsx")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = io.Copy(file, uploadOf(ctx))
	if closing := file.Close(); err != nil {
		return out, broken(err, a.Bounds.Upload)
	} else if closing != nil {
		return out, closing
	}
	if out.Report, err = a.Desk.CheckWorkbook(ctx, file.Name(), name); err != nil {
		return out, err
	}
	out.Upload, err = a.Desk.KeepUpload(ctx, file.Name(), name)
	return out, err
}
