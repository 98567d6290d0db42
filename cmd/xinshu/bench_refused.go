package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines"
)

// benchRefused is how many rows lie in the quarantine, spread over the datasets.
const benchRefused = 20_000

// refused brings every dataset a file whose rows are all refused, for one reason or another. A dataset that
// has one from an earlier measurement is left as it is.
func (b *benchServe) refused(ctx context.Context, a *app) (err error) {
	dir, err := os.MkdirTemp(a.lake.TempDir(), "bench-refused-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, s := range a.config.Sources {
		for id := range s.Datasets {
			head, err := a.lake.Head(ctx, chain.Stage(id))
			if err != nil {
				return err
			}
			ds, known := a.catalog.Dataset(id)
			if head.N > 0 || !known {
				continue
			}
			file := filepath.Join(dir, id+".csv")
			if err := os.WriteFile(file, refusedRows(ds, benchRefused/b.datasets), 0o600); err != nil {
				return err
			}
			done, err := a.pipeline.Ingest(ctx, pipelines.Hand{File: file, Dataset: ds, CollectedOn: catalog.NoDate})
			if err != nil {
				return err
			}
			if done.Ledger.Quarantined == 0 {
				return fault.Newf(fault.Internal, "have rows of "+id+" refused", "not one of %d was", done.Ledger.Read)
			}
		}
	}
	return nil
}

// refusedRows is a file of rows none of which is right: in turn nothing is, what must be given is missing,
// or the code's check digit is wrong.
func refusedRows(ds catalog.Dataset, n int) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	row := make([]string, len(ds.Fields))
	for i, f := range ds.Fields {
		row[i] = f.Name
	}
	_ = w.Write(row) // into memory
	for i := range n {
		for at, f := range ds.Fields {
			text := fmt.Sprintf("第%d行%s", i, strings.TrimSpace(f.Title.ZH))
			switch {
			case i%3 == 1 && f.Required && f.Type != "text", i%3 == 2 && f.Type != "uscc" && f.Type != "text":
				text = ""
			case f.Type == "uscc" && i%3 == 2:
				text = fmt.Sprintf("9141048100%07dQ", i)
			}
			row[at] = text
		}
		_ = w.Write(row)
	}
	w.Flush()
	return out.Bytes()
}
