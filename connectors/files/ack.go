package files

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Ack moves the files behind the handles, with their companions, into the folder of taken files. A
// file that was replaced since it was read stays, and comes with the next pull.
func (c *conn) Ack(ctx context.Context, j connectors.Job, handles iter.Seq2[string, error]) error {
	op := "acknowledge " + j.Dataset.ID
	jb, err := readJob(j, op)
	if err != nil {
		return err
	}
	for text, err := range handles {
		if err != nil {
			return err
		}
		sum, name, ok := strings.Cut(text, " ")
		if !ok || name == "" || strings.ContainsAny(name, `/\`) {
			return fault.Newf(fault.Invalid, op, "a handle was not made by kind files")
		}
		if jb.done == "" {
			continue
		}
		if err := c.move(ctx, jb, name, sum); err != nil {
			return failed(ctx, op, err)
		}
	}
	return nil
}

// move takes the .ok first, so that a file half moved is not ready, and the file last.
func (c *conn) move(ctx context.Context, jb job, name, sum string) error {
	s, err := c.look(ctx, path.Join(jb.folder, name), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // moved before
	}
	if err != nil || s.sum != sum {
		return err
	}
	target := name
	if _, err := c.place.stat(ctx, path.Join(jb.done, name)); err == nil {
		target = name + "." + sum[:8] // an earlier file of the same name stays where it is
	}
	for _, ext := range []string{".ok", ".md5", ""} {
		err := c.place.rename(ctx, path.Join(jb.folder, name+ext), path.Join(jb.done, target+ext))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
