package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// media are the forms of an export.
var media = map[string]string{desk.Parquet: "application/vnd.apache.parquet", desk.CSV: "text/csv; charset=utf-8"}

type exportInput struct {
	Purpose
	Policy string `query:"policy" required:"true" minLength:"1" maxLength:"64" example:"henan-2020" doc:"评价办法。The policy whose results are wanted."`
	Format string `query:"format" enum:"parquet,csv" default:"parquet" doc:"CSV is UTF-8 without a byte order mark, with a line of names."`
}

type exportOutput struct {
	Body func(huma.Context)
}

func (a *API) export() {
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	register(a, op{Method: http.MethodGet, Path: "/v1/grades/export", ID: "exportGrades", Tag: "grades", Right: auth.GradesExport,
		Words: "All results that stand under a policy", ZH: "整体导出一个评价办法下现行的全部结果。",
		More: "As the account's scope and fields admit; withdrawn results are not in it. A client exports once and then reads changes: " +
			"take `GET /v1/grades/changes` to its end first, then export, then go on from that cursor. Few exports run at a time; more are answered 503 with Retry-After.",
		Problems: []int{http.StatusNotFound},
		Stream:   map[string]*huma.MediaType{"application/vnd.apache.parquet": {Schema: file}, "text/csv": {Schema: file}}},
		func(ctx context.Context, in *exportInput) (*exportOutput, error) {
			select {
			case a.exports <- struct{}{}:
			default:
				return nil, waiting("unavailable", "other exports are under way", 10)
			}
			e, err := a.Desk.Export(ctx, desk.ExportAsked{Policy: in.Policy, Form: in.Format, Purpose: in.named()})
			if err != nil {
				<-a.exports
				return nil, err
			}
			return &exportOutput{Body: func(c huma.Context) {
				defer func() { <-a.exports }()
				a.send(c, in, e)
			}}, nil
		})
}

// send writes an export and deletes its file.
func (a *API) send(c huma.Context, in *exportInput, e *desk.Exported) {
	defer func() {
		if err := e.Close(); err != nil {
			a.Log.Error("an export's file stays behind", "file", e.Name(), "error", err.Error())
		}
	}()
	r, w := humago.Unwrap(c)
	h := w.Header()
	h.Set("Content-Type", media[in.Format])
	h.Set("Content-Length", strconv.FormatInt(e.Bytes, 10))
	h.Set("Content-Disposition", `attachment; filename="`+in.Policy+"-"+strconv.FormatInt(e.N, 10)+"."+in.Format+`"`)
	h.Set("X-Row-Count", strconv.FormatInt(e.Rows, 10))
	if r.Method == http.MethodHead {
		return
	}
	control := http.NewResponseController(w)
	buf := make([]byte, 256<<10)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(a.Bounds.Write)) // not every writer has one
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(e.File, int64(len(buf))), buf)
		if err != nil {
			panic(http.ErrAbortHandler) // the length says that there should have been more
		}
		if n == 0 {
			return
		}
	}
}
