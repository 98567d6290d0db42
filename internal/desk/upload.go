package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/state"
)

// MostUpload bounds a workbook that comes in over console or API, in bytes.
const MostUpload = 64 << 20

const (
	uploadPart = 1 << 20
	uploadKept = 24 * time.Hour
)

// KeepUpload keeps a file between its check and the decision to take it in, sealed, for a day. Any node
// can go on with it.
func (d *Desk) KeepUpload(ctx context.Context, path, name string) (id string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails, says its documentation
	u := state.Upload{ID: hex.EncodeToString(random[:]), Name: filepath.Base(name), By: auth.From(ctx).ID}
	sum := sha256.New()
	if u.Bytes, err = io.Copy(sum, io.LimitReader(f, MostUpload+1)); err != nil {
		return "", err
	}
	if u.Bytes > MostUpload {
		return "", fault.Newf(fault.Invalid, "keep "+u.Name, "it is larger than %d MB", MostUpload>>20)
	}
	u.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	return u.ID, d.State.SaveUpload(ctx, u, uploadKept, func(yield func(string, error) bool) {
		part := make([]byte, uploadPart)
		for no := 0; ; no++ {
			n, err := io.ReadFull(f, part)
			if n > 0 {
				sealed, err := d.Vault.Seal(uploadPlace(u.ID, no), part[:n])
				if !yield(sealed, err) || err != nil {
					return
				}
			}
			switch {
			case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
				return
			case err != nil:
				yield("", err)
				return
			}
		}
	})
}

func uploadPlace(id string, no int) string { return fmt.Sprintf("upload/%s/%d", id, no) }

// WithUpload lends a kept file, written out, to who brought it.
func (d *Desk) WithUpload(ctx context.Context, id string, use func(path, name string) error) (err error) {
	u, err := d.State.Upload(ctx, id)
	if err != nil {
		return err
	}
	if u.By != auth.From(ctx).ID {
		return &fault.Error{Op: "find the uploaded file", Code: fault.Forbidden, Err: errors.New("somebody else brought it")}
	}
	f, err := os.CreateTemp(d.Data, "upload-*.xlsx")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	sum := sha256.New()
	for no := 0; err == nil; no++ {
		var sealed string
		var found bool
		if sealed, found, err = d.State.UploadPart(ctx, id, no); err != nil || !found {
			break
		}
		var part []byte
		if part, err = d.Vault.Open(uploadPlace(id, no), sealed); err == nil {
			_, err = io.MultiWriter(f, sum).Write(part)
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != u.SHA256 {
		return fault.Newf(fault.Internal, "read the uploaded file", "it is not what was kept")
	}
	return use(f.Name(), u.Name)
}

// ForgetUpload deletes a kept file.
func (d *Desk) ForgetUpload(ctx context.Context, id string) error {
	return d.State.ForgetUpload(ctx, id)
}

func joined(ids []string) string { return strings.Join(ids, " ") }
