package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
)

// exportTrail gives the audit trail whole.
func (a *API) exportTrail() {
	text := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	type input struct {
		Format string    `query:"format" enum:"jsonl,csv" default:"jsonl" doc:"JSON lines are what was hashed, with the hash: the chain can be checked from them."`
		From   time.Time `query:"from" doc:"Not before."`
		Until  time.Time `query:"until" doc:"Before."`
	}
	type output struct {
		Body func(huma.Context)
	}
	register(a, op{Method: http.MethodGet, Path: "/v1/audit/export", ID: "exportTrail", Tag: "audit", Right: auth.AuditSee, Words: "The audit trail as a file, the oldest first", ZH: "导出审计记录。",
		Stream: map[string]*huma.MediaType{lines: {Schema: text}, "text/csv": {Schema: text}}},
		func(_ context.Context, in *input) (*output, error) {
			return &output{Body: func(c huma.Context) {
				r, w := humago.Unwrap(c)
				w.Header().Set("Content-Type", map[string]string{audit.JSONLines: lines, audit.CSV: "text/csv; charset=utf-8"}[in.Format])
				w.Header().Set("Content-Disposition", `attachment; filename="audit.`+in.Format+`"`)
				if _, err := a.Desk.Trail.Export(r.Context(), a.patient(w), in.Format, audit.Filter{From: in.From, Until: in.Until}); err != nil {
					_ = a.told(r.Context(), "exportTrail", err)
					panic(http.ErrAbortHandler) // part of it may be sent: that it is not whole must show
				}
			}}, nil
		})
}

// patient is a writer that gives its reader time for each piece, and no more.
func (a *API) patient(w http.ResponseWriter) *patient {
	return &patient{ResponseWriter: w, wait: a.Bounds.Write}
}

type patient struct {
	http.ResponseWriter
	wait time.Duration
}

// Write writes a piece.
func (p *patient) Write(b []byte) (int, error) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(p.wait)) // not every writer has one
	return p.ResponseWriter.Write(b)
}
