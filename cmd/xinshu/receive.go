package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/fault"
	"xinshu/internal/gate"
	"xinshu/internal/receive"
	"xinshu/pipelines"
	"xinshu/pipelines/stage"
)

func receiveCommand(t *terminal, o *options) *cobra.Command {
	var addr string
	cmd := &cobra.Command{Use: "receive", Short: "take records that departments post, until Ctrl-C", Args: usage(cobra.NoArgs),
		Long: `Listens for POST /v1/receive/{source}/{dataset} from the senders of the config's section receive.
Each batch is staged as one commit and answered with a receipt; the same batch number
posted again with the same bytes has the same receipt and stages nothing twice.

Body: application/json (an array of rows, or {"batch_no", "total", "rows": [...]}),
application/x-ndjson or text/csv; charset utf-8 or gb18030.
Headers:
  X-Timestamp   epoch milliseconds, at most 5 minutes off
  X-Nonce       8 to 64 characters, a new one for every post
  X-Digest      hash of the body in hex: SHA-256, or SM3 where the sender signs by SM3 or SM2
  X-Batch-No    the sender's number of the batch (in JSON it may be the member batch_no)
  X-Total       rows in the batch (in JSON it may be the member total); empty: not said
  X-Signature   Base64 or hex, over these lines joined by line feeds, with none at the end:
                xinshu-receive-1, timestamp, nonce, source, dataset, X-Batch-No, X-Total, X-Digest
                (a header that is not sent is an empty line)`}
	cmd.Flags().StringVar(&addr, "addr", "", "where to listen (default 127.0.0.1:8089, or what the config says)")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		if len(a.config.Receive.Senders) == 0 {
			return usageError{&fault.Error{Op: "receive", Code: fault.Invalid, Err: errors.New("nobody may post"), Hint: "name senders in the config's section receive"}}
		}
		door, err := a.door()
		if err != nil {
			return err
		}
		c := a.config.Receive
		l, err := listen(ctx, cmp.Or(addr, c.Addr, "127.0.0.1:8089"))
		if err != nil {
			return err
		}
		listener, err := a.gated(l)
		if err != nil {
			return err
		}
		t.say("receiving on %s; Ctrl-C ends it", listener.Addr())
		return gate.Serve(ctx, listener, door, gate.Serving{Cert: c.Cert, Key: c.Key, Grace: lettingOut})
	})
	return cmd
}

// receivePath is where departments post, whichever command mounts the door.
const receivePath = "/v1/receive/"

// door wires the handler; `xinshu serve` mounts the same.
func (a *app) door() (*receive.Handler, error) {
	c := a.config.Receive
	var senders []*receive.Sender
	for _, s := range c.Senders {
		for _, id := range s.Datasets {
			if _, ok := a.catalog.Dataset(id); !ok {
				return nil, usageError{&fault.Error{Op: "receive", Code: fault.NotFound, Err: fmt.Errorf("sender %s: there is no dataset %q", s.Name, id), Hint: "see xinshu catalog list dataset"}}
			}
		}
		sender, err := s.sender()
		if err != nil {
			return nil, usageError{fmt.Errorf("sender %s: %w", s.Name, err)} // checked when the config was read
		}
		senders = append(senders, sender)
	}
	dir := filepath.Join(a.config.Data, "receive")
	if err := errors.Join(os.MkdirAll(dir, 0o700), sweep(dir, time.Now().Add(-leftBehind))); err != nil {
		return nil, &fault.Error{Op: "receive", Code: fault.Internal, Err: err, Hint: "check that the data folder can be written"}
	}
	window, _ := time.ParseDuration(c.Window) // checked when the config was read; empty is zero
	return receive.New(senders, taker{a}, receive.Bounds{Body: c.MaxBodyMB << 20, Window: window, AtOnce: c.AtOnce, TempDir: dir}, a.now), nil
}

// leftBehind is the age at which a posted body is nobody's any more: no request lasts that long.
const leftBehind = 2 * time.Hour

// sweep removes the bodies that a killed process left.
func sweep(dir string, before time.Time) error {
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range left {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().After(before) {
			continue
		}
		if err := errors.Join(err, os.Remove(filepath.Join(dir, entry.Name()))); err != nil {
			return err
		}
	}
	return nil
}

// taker hands posted batches to the pipeline.
type taker struct{ *app }

func (t taker) Knows(dataset string) bool { _, ok := t.catalog.Dataset(dataset); return ok }

func (t taker) Fresh(ctx context.Context, source, nonce string, keep time.Duration) (bool, error) {
	return t.state.Nonce(ctx, source, nonce, keep)
}

func (t taker) Take(ctx context.Context, p receive.Post) (receive.Receipt, error) {
	ds, ok := t.catalog.Dataset(p.Dataset)
	if !ok {
		return receive.Receipt{}, fault.Newf(fault.NotFound, "receive "+p.Dataset, "there is no such dataset")
	}
	got, err := t.pipeline.Receive(ctx, pipelines.Batch{Source: p.Source, Dataset: ds, No: p.No, Digest: p.Digest, Total: p.Total, File: p.File, Format: p.Format, Encoding: p.Encoding})
	if err != nil {
		return receive.Receipt{}, err
	}
	return receiptOf(p, got, ds), nil
}

func receiptOf(p receive.Post, got pipelines.Received, ds catalog.Dataset) receive.Receipt {
	l := got.Ledger
	r := receive.Receipt{BatchNo: p.No, Dataset: p.Dataset, Run: got.Run, Total: l.Read, Accepted: l.Accepted, Duplicate: l.Duplicate,
		Quarantined: l.Quarantined, Skipped: l.Skipped, Rows: []receive.Row{}}
	for _, row := range got.Refused {
		r.Rows = append(r.Rows, receive.Row{RecID: row.RecID, Line: row.Line, Code: row.Reason, Column: row.Column, Message: stage.Sentence(row.Reason, ds).ZH})
	}
	return r
}
