package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Text is a text in a form of its own.
type Text struct {
	Text string `json:"text" doc:"YAML"`
}

// ContractIn is a contract in the form of the Open Data Contract Standard.
type ContractIn struct {
	Text string `json:"text" minLength:"1" maxLength:"1048576" doc:"YAML, ODCS 3"`
}

// ContractRead is such a contract as a file of the catalogue.
type ContractRead struct {
	CatalogueFile
	Notes []string `json:"notes" nullable:"false" doc:"what was left out"`
}

// formsOfOthers are the catalogue as other systems know it.
func (a *API) formsOfOthers() {
	const tag = "catalogue"
	get(a, op{Path: "/v1/catalogue/{dataset}/odcs", ID: "exportContract", Tag: tag, Right: auth.CatalogueSee, Words: "A dataset's contract as ODCS", ZH: "以 ODCS 导出数据标准。"},
		func(_ context.Context, in *DatasetID) (Text, error) {
			text, err := a.Desk.ExportODCS(in.Dataset)
			return Text{Text: string(text)}, err
		})
	type importInput struct{ Body ContractIn }
	post(a, op{Path: "/v1/catalogue/odcs", ID: "importContract", Tag: tag, Right: auth.CataloguePropose, Body: 3 << 20, Words: "Read a contract in ODCS as a file of this catalogue; nothing is kept", ZH: "将 ODCS 数据标准转为本目录的文件；不保存，用于提出变更。"},
		func(_ context.Context, in *importInput) (ContractRead, error) {
			file, text, notes, err := a.Desk.ImportODCS("contract.odcs.yaml", []byte(in.Body.Text))
			if notes == nil {
				notes = []string{}
			}
			return ContractRead{CatalogueFile{file, string(text)}, notes}, err
		})
	type tableInput struct {
		Format string `query:"format" enum:"xlsx,csv" default:"xlsx" doc:"CSV is UTF-8 with the mark by which spreadsheets know it."`
	}
	type tableOutput struct {
		Body func(huma.Context)
	}
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	register(a, op{Method: http.MethodGet, Path: "/v1/catalogue/guideline", ID: "exportGuideline", Tag: tag, Right: auth.CatalogueSee, Words: "The catalogue as the government guideline's table", ZH: "以《政务信息资源目录编制指南》的表格导出目录。",
		Stream: map[string]*huma.MediaType{sheet: {Schema: file}, "text/csv": {Schema: file}}},
		func(_ context.Context, in *tableInput) (*tableOutput, error) {
			body, err := a.Desk.Guideline(in.Format)
			return &tableOutput{Body: func(c huma.Context) {
				_, w := humago.Unwrap(c)
				w.Header().Set("Content-Type", map[string]string{desk.XLSX: sheet, desk.CSV: media[desk.CSV]}[in.Format])
				w.Header().Set("Content-Disposition", `attachment; filename="catalogue.`+in.Format+`"`)
				_, _ = a.patient(w).Write(body) // the caller may have gone
			}}, err
		})
}
