package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// spool copies to a temporary file that has no name any more, so that a killed hub leaves none behind.
// Formats that jump about in their file are read from it.
func spool(in io.Reader) (*os.File, error) {
	file, err := os.CreateTemp("", "xinshu-spool-*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(file.Name())
	if err == nil {
		_, err = copyAll(file, in)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// random gives the data as a file that can be read at any place. The caller closes it.
func (d content) random(ctx context.Context) (*os.File, error) {
	in, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	file, err := spool(in)
	if err != nil {
		return nil, fmt.Errorf("copy %s to a temporary file: %w", d.name, err)
	}
	return file, nil
}
