package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"iter"
	"path"
	"strings"

	"xinshu/connectors"
)

// Ack moves the files behind the handles, with their companions, into the folder of taken files. A
// file that was replaced since it was read stays, and comes with the next pull.
func (c *conn) Ack(ctx context.Context, j connectors.Job, handles iter.Seq2[string, error]) error {
	op := "acknowledge " + j.Dataset.ID
	jb, err := readJob(j, op)
	if err != nil {
		return err
	}
	var names listing // of the folder, read when there is something to move
	for text, err := range handles {
		if err != nil {
			return err
		}
		sum, name, ok := strings.Cut(text, " ")
		if !ok || len(sum) < 8 || name == "" || strings.ContainsAny(name, `/\`) {
			continue // made when the source was of another kind; its files are found again by the listing
		}
		if jb.done == "" {
			continue
		}
		if names.files == nil {
			found, err := c.place.list(ctx, jb.folder)
			if err != nil {
				return failed(ctx, op, err)
			}
			names = listed(found)
		}
		if err := c.move(ctx, jb, names, name, sum); err != nil {
			return failed(ctx, op, err)
		}
	}
	return nil
}

// move takes the .ok first, so that a file half moved is not ready, and the file last.
func (c *conn) move(ctx context.Context, jb job, names listing, name, sum string) error {
	if _, there := names.files[name]; !there {
		return nil // moved before
	}
	file := path.Join(jb.folder, name)
	is, err := c.place.stat(ctx, file)
	have := ""
	if err == nil {
		have, err = c.sum(ctx, file, is)
	}
	if away(err) || err == nil && have != sum {
		return nil
	}
	if err != nil {
		return err
	}
	target, err := c.free(ctx, jb, name, sum)
	if err != nil {
		return err
	}
	if now, err := c.place.stat(ctx, file); err == nil && !now.same(is) {
		return nil // replaced while it was compared
	}
	for _, ext := range companions {
		companion, there := names.companion(name, ext)
		if !there || companion.name != name+ext && names.stems[stem(companion.name)] > 1 {
			continue // a.ok belongs to another file beside a.csv as well
		}
		to := target + strings.TrimPrefix(companion.name, name)
		if companion.name != name+ext {
			to = stem(target) + ext
		}
		if err := c.rename(ctx, jb, companion.name, to); err != nil {
			return err
		}
		delete(names.files, companion.name)
	}
	delete(names.files, name)
	names.stems[stem(name)]--
	return c.rename(ctx, jb, name, target)
}

func (c *conn) rename(ctx context.Context, jb job, from, to string) error {
	err := c.place.rename(ctx, path.Join(jb.folder, from), path.Join(jb.done, to))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // taken away meanwhile
	}
	return err
}

// free gives the name that a file gets among the taken ones. An earlier file of the same name stays
// where it is, but a copy that a killed run left is written over.
func (c *conn) free(ctx context.Context, jb job, name, sum string) (string, error) {
	is, err := c.place.stat(ctx, path.Join(jb.done, name))
	if errors.Is(err, fs.ErrNotExist) {
		return name, nil
	}
	if err != nil {
		return "", err
	}
	if have, err := c.sum(ctx, path.Join(jb.done, name), is); err != nil || have == sum {
		return name, err
	}
	return name + "." + sum[:8], nil
}

// sum reads a file for its sum alone.
func (c *conn) sum(ctx context.Context, file string, is entry) (string, error) {
	in, err := c.read(ctx, file, is)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	whole := sha256.New()
	_, err = copyAll(whole, in)
	return short(whole), err
}
