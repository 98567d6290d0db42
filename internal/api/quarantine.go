package api

import (
	"context"
	"fmt"
	"net/http"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/quarantine"
)

// Chosen says which refused rows are meant; empty members choose all.
type Chosen struct {
	Department string   `json:"department,omitempty" query:"department" maxLength:"64" doc:"Datasets of this department or platform."`
	Datasets   []string `json:"datasets,omitempty" query:"dataset" maxItems:"200" doc:"These datasets."`
	Reason     string   `json:"reason,omitempty" query:"reason" maxLength:"64" doc:"Refused for this reason."`
	Run        string   `json:"run,omitempty" query:"run" maxLength:"100" doc:"Refused by this run."`
}

func (c Chosen) rows() desk.RefusedRows {
	return desk.RefusedRows{Department: c.Department, Datasets: c.Datasets, Reason: c.Reason, Run: c.Run}
}

// RowID names a refused row.
type RowID struct {
	Dataset string `path:"dataset" maxLength:"100" doc:"Id of the dataset."`
	Commit  int64  `path:"commit" minimum:"1" doc:"Second part of the row's id."`
	Row     int64  `path:"row" minimum:"0" doc:"Third part of the row's id."`
}

func (r RowID) id() string { return fmt.Sprintf("%s/%d/%d", r.Dataset, r.Commit, r.Row) }

// Correction is how a refused row is mended.
type Correction struct {
	Values map[string]string `json:"values" doc:"by field of the contract; those that are left out stay as they were received"`
}

// Checked is what a workbook says before it is taken in.
type Checked struct {
	Upload string            `json:"upload" doc:"take it in with this name within a day"`
	Report *desk.Resubmitted `json:"report"`
}

func (a *API) quarantine() {
	const base, row, tag = "/v1/quarantine", "/v1/quarantine/rows/{dataset}/{commit}/{row}", "quarantine"
	get(a, op{Path: base, ID: "countRefusedRows", Tag: tag, Right: auth.QuarantineSee, Words: "Refused rows by dataset and reason", ZH: "隔离区汇总：按数据集和原因。"},
		func(ctx context.Context, in *Chosen) (quarantine.Summary, error) {
			return a.Desk.QuarantineSummary(ctx, in.rows())
		})
	type listInput struct {
		Paged
		Dataset  string `query:"dataset" required:"true" minLength:"1" maxLength:"100" doc:"Of this dataset."`
		State    string `query:"state" enum:"open,corrected,withdrawn,again" default:"open" doc:"Only rows in this state."`
		Reason   string `query:"reason" maxLength:"64" doc:"Refused for this reason."`
		Run      string `query:"run" maxLength:"100" doc:"Refused by this run."`
		Contains string `query:"contains" maxLength:"100" doc:"With this text in the values as received."`
	}
	pages(a, op{Path: base + "/rows", ID: "listRefusedRows", Tag: tag, Right: auth.QuarantineSee, Words: "Refused rows of a dataset, the newest first", ZH: "一个数据集的隔离行，最新在前。"},
		func(ctx context.Context, in *listInput, after string, most int) ([]quarantine.Row, string, error) {
			p, err := a.Desk.RefusedPage(ctx, in.Dataset, quarantine.Wanted{State: in.State, Reason: in.Reason, Run: in.Run, Contains: in.Contains, Most: most}, after)
			return p.Rows, p.Next, err
		})
	get(a, op{Path: row, ID: "getRefusedRow", Tag: tag, Right: auth.QuarantineSee, Words: "One refused row with its fault in words", ZH: "一个隔离行：原始值与错误说明。"},
		func(ctx context.Context, in *RowID) (desk.RefusedRow, error) { return a.Desk.Refused(ctx, in.id()) })
	type fixInput struct {
		RowID
		Body Correction
	}
	post(a, op{Path: row + "/correct", ID: "correctRefusedRow", Tag: tag, Right: auth.QuarantineMend, Words: "Correct one refused row", ZH: "更正一个隔离行，按同一规则重新检查。"},
		func(ctx context.Context, in *fixInput) (desk.Fixed, error) {
			fixed, faults, err := a.Desk.FixRow(ctx, in.id(), in.Body.Values)
			return fixed, faulty("body.values", faults, err)
		})
	type strikeInput struct {
		RowID
		Body Reason
	}
	post(a, op{Path: row + "/strike", ID: "strikeRefusedRow", Tag: tag, Right: auth.QuarantineMend, Words: "Decide that nobody will send a refused row again", ZH: "剔除一个隔离行，须说明原因。"},
		func(ctx context.Context, in *strikeInput) (desk.Fixed, error) {
			return a.Desk.StrikeOut(ctx, in.id(), in.Body.Reason)
		})
	type retryInput struct{ Body Chosen }
	post(a, op{Path: base + "/retry", ID: "retryRefusedRows", Tag: tag, Right: auth.QuarantineMend, Words: "Judge refused rows anew by the contract as it stands", ZH: "按现行标准重新检查隔离行。"},
		func(ctx context.Context, in *retryInput) (List[desk.Retried], error) {
			done, err := a.Desk.RetryRefused(ctx, in.Body.rows())
			return listOf(done), err
		})
	a.workbook()
	type nameInput struct {
		Name string `query:"name" maxLength:"200" default:"workbook.xlsx" doc:"Name of the file."`
	}
	register(a, op{Method: http.MethodPost, Path: base + "/workbooks", ID: "checkWorkbook", Tag: tag, Right: auth.QuarantineMend, Upload: sheet, Status: http.StatusCreated,
		Words: "Bring a mended workbook; it is checked and kept, and nothing is taken in yet", ZH: "上传更正后的工作簿：先检查，按单元格列出问题，尚不入库。"},
		func(ctx context.Context, in *nameInput) (*answer[Checked], error) {
			checked, err := a.checkUpload(ctx, in.Name)
			return &answer[Checked]{Body: checked}, err
		})
	post(a, op{Path: base + "/workbooks/{id}/take", ID: "takeWorkbook", Tag: tag, Right: auth.QuarantineMend, Words: "Take a checked workbook in", ZH: "将检查过的工作簿入库；重复提交不会重复入库。"},
		func(ctx context.Context, in *ByID) (*desk.Resubmitted, error) {
			var taken *desk.Resubmitted
			err := a.Desk.WithUpload(ctx, in.ID, func(path, name string) (err error) {
				taken, err = a.Desk.TakeWorkbook(ctx, path, name)
				return err
			})
			return taken, err
		})
}
