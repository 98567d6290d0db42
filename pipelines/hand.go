package pipelines

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/pipelines/stage"
)

// Hand is a file that a person brings.
type Hand struct {
	File        string
	Dataset     catalog.Dataset
	Job         connectors.Values // encoding and format, as the kind files calls them
	CollectedOn catalog.Date      // NoDate: the day of the clock
	OnReject    func(stage.Reject)
}

// Ingest stages one file by hand. The dataset's source keeps its cursor; what the chain holds already
// counts as duplicate.
func (p *Pipeline) Ingest(ctx context.Context, h Hand) (result stage.Result, err error) {
	op := "ingest " + filepath.Base(h.File)
	if info, err := os.Stat(h.File); err != nil || info.IsDir() {
		return result, &fault.Error{Op: op, Code: fault.NotFound, Err: errors.Join(err, errIfDir(err == nil)), Hint: "name a file that can be read"}
	}
	file, err := filepath.EvalSymlinks(h.File) // a person may follow a link out of its folder, a source may not
	if err != nil {
		return result, &fault.Error{Op: op, Code: fault.NotFound, Err: err, Hint: "name a file that can be read"}
	}
	conn, err := p.open(ctx, "files", connectors.Values{"place": "folder", "root": filepath.Dir(file)})
	if err != nil {
		return result, err
	}
	defer func() { _ = conn.Close() }() // only read from
	puller, ok := conn.(connectors.Puller)
	if !ok {
		return result, fault.Newf(fault.Internal, op, "the kind files cannot pull")
	}
	values := connectors.Values{"pattern": filepath.Base(file)}
	maps.Copy(values, h.Job)
	err = p.recorded(ctx, "ingest", h.Dataset.ID, func(run string) (chain.Run, string, error) {
		var err error
		result, err = p.Stager.Run(ctx, h.Dataset, puller.Pull(ctx, connectors.Job{Dataset: h.Dataset, Values: values}, ""),
			stage.Pull{Run: run, ByHand: true, CollectedOn: h.CollectedOn, OnReject: h.OnReject})
		return stagedRun(result), countsNote(result.Ledger), err
	})
	return result, err
}

func errIfDir(is bool) error {
	if is {
		return errors.New("it is a folder")
	}
	return nil
}
