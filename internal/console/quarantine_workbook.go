package console

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"xinshu/internal/desk"
	"xinshu/internal/fault"
)

// exportWorkbook gives the open rows of a department or a dataset as a workbook.
func (c *Console) exportWorkbook(q *Request) (err error) {
	query := q.URL.Query()
	w := desk.RefusedRows{Department: query.Get("department"), Reason: query.Get("reason")}
	name := cmp.Or(query.Get("dataset"), w.Department)
	if id := query.Get("dataset"); id != "" {
		w.Datasets = []string{id}
	}
	if name == "" {
		return fault.Newf(fault.Invalid, "export the refused rows", "name a department or a dataset")
	}
	dir, err := os.MkdirTemp(c.Desk.Data, "workbook-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "refused.xlsx")
	if _, err := c.Desk.ExportRefused(q.Context(), w, path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	return q.File("quarantine-"+name+"-"+c.Desk.Today().String()+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", f)
}

// checkWorkbook looks at a mended workbook and keeps it until somebody decides to take it in.
func (c *Console) checkWorkbook(q *Request) (err error) {
	if err := q.readForm(); err != nil {
		return err
	}
	defer func() {
		if q.MultipartForm != nil {
			err = errors.Join(err, q.MultipartForm.RemoveAll())
		}
	}()
	in, header, err := q.FormFile("workbook")
	if err != nil {
		return &fault.Error{Op: "take the workbook", Code: fault.Invalid, Err: errors.New("no file came with the form"), Hint: "choose the .xlsx file that was mended"}
	}
	defer func() { _ = in.Close() }() // only read
	f, err := os.CreateTemp(c.Desk.Data, "upload-*.xlsx")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if _, err := io.Copy(f, in); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	name := filepath.Base(header.Filename)
	looked, err := c.Desk.CheckWorkbook(q.Context(), f.Name(), name)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	data := map[string]any{"Looked": looked, "Name": name, "Fault": shownFault(err), "Upload": ""}
	if looked == nil || len(looked.Faults) > 0 {
		q.Status = http.StatusUnprocessableEntity
	} else {
		upload, err := c.Desk.KeepUpload(q.Context(), f.Name(), name)
		if err != nil {
			return err
		}
		data["Upload"] = upload
	}
	return q.Render("quarantine/workbook", data)
}

// takeWorkbook takes in a workbook that was looked at.
func (c *Console) takeWorkbook(q *Request) error {
	id := q.PathValue("upload")
	var done *desk.Resubmitted
	err := c.Desk.WithUpload(q.Context(), id, func(path, name string) (err error) {
		done, err = c.Desk.TakeWorkbook(q.Context(), path, name)
		return err
	})
	if err != nil && (done == nil || len(done.Faults) == 0) {
		return err
	}
	if err == nil {
		if err := c.Desk.ForgetUpload(q.Context(), id); err != nil {
			return err
		}
	}
	return q.Render("quarantine/taken", map[string]any{"Done": done, "Fault": shownFault(err)})
}
