// Package backup owns copies of a whole hub: run state at one moment and everything the lake needs,
// in a folder that several backups share, each with a document of checksums that is written last. It
// refuses to look into a row or an object, and to copy keys: what was sealed stays sealed, and the
// keys are kept elsewhere. State and lake come from cmd; the folder goes to whatever the office keeps
// its backups on.
//
//	objects/<key>                    objects of the lake, each once, however many backups list it
//	sets/<id>/state/<table>.jsonl.gz run state: a line a row, values in the order of the columns
//	sets/<id>/objects.jsonl.gz       what of objects/ belongs to this backup, with hashes
//	sets/<id>/backup-<hash>.json     the document; without it the set is no backup
//	restores/<epoch>                 epochs that restores from this folder have begun
package backup

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"xinshu/internal/fault"
)

const format = 1

// Set is the document of one backup.
type Set struct {
	Format int       `json:"format"`
	ID     string    `json:"id"` // begins with the second it was made in
	MadeAt time.Time `json:"made_at"`
	Node   string    `json:"node"`
	Xinshu string    `json:"xinshu"`
	State  State     `json:"state"`
	Lake   *Lake     `json:"lake,omitempty"` // nil: the store is backed up by itself
}

// State says what of run state a backup holds.
type State struct {
	Version   int64   `json:"version"` // newest migration
	From      string  `json:"from"`    // sqlite, postgres
	SeenEpoch int64   `json:"seen_epoch"`
	Rows      int64   `json:"rows"`
	Tables    []Table `json:"tables"` // in the order in which they can be loaded
}

// Table is one table's file.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	File
}

// File is one file of a set.
type File struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Lake says what of the lake a backup holds.
type Lake struct {
	Epoch       int64 `json:"epoch"`
	Objects     int64 `json:"objects"`
	Bytes       int64 `json:"bytes"`
	Copied      int64 `json:"copied"` // objects that were not in the folder before
	CopiedBytes int64 `json:"copied_bytes"`
	List        File  `json:"list"`
}

func setDir(dir, id string) string { return filepath.Join(dir, "sets", id) }
func tablePath(dir, id, t string) string {
	return filepath.Join(setDir(dir, id), "state", t+".jsonl.gz")
}
func listPath(dir, id string) string { return filepath.Join(setDir(dir, id), "objects.jsonl.gz") }
func objectPath(dir, key string) string {
	return filepath.Join(dir, "objects", filepath.FromSlash(key))
}
func documentName(document []byte) string { return "backup-" + hashOf(document)[:16] + ".json" }
func hashOf(b []byte) string              { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
func restorePath(dir string, e int64) string {
	return filepath.Join(dir, "restores", fmt.Sprintf("%07d", e))
}

// List gives the whole backups of a folder, oldest first.
func List(dir string) ([]Set, error) {
	names, err := os.ReadDir(filepath.Join(dir, "sets"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failed("list backups", err)
	}
	var sets []Set
	for _, name := range names {
		found, err := filepath.Glob(filepath.Join(setDir(dir, name.Name()), "backup-*.json"))
		if err != nil || len(found) == 0 {
			continue // begun and not finished
		}
		s, err := readSet(found[0])
		if err != nil {
			return nil, err
		}
		sets = append(sets, s)
	}
	slices.SortFunc(sets, func(a, b Set) int { return cmp.Or(a.MadeAt.Compare(b.MadeAt), strings.Compare(a.ID, b.ID)) })
	return sets, nil
}

// Find gives one backup by its id, the newest for an empty id.
func Find(dir, id string) (Set, error) {
	sets, err := List(dir)
	if err != nil {
		return Set{}, err
	}
	for _, s := range slices.Backward(sets) {
		if id == "" || id == s.ID {
			return s, nil
		}
	}
	return Set{}, &fault.Error{Op: "find the backup " + id, Code: fault.NotFound, Err: fmt.Errorf("%s holds no such backup that is whole", dir), Hint: "see xinshu backup list --from DIR"}
}

func readSet(path string) (Set, error) {
	var s Set
	body, err := os.ReadFile(path)
	if err != nil {
		return s, failed("read the backup's document", err)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&s); err != nil || filepath.Base(path) != documentName(body) || s.ID != filepath.Base(filepath.Dir(path)) {
		return s, damaged(path, "its bytes are not those that were written")
	}
	if s.Format != format {
		return s, fault.Newf(fault.Invalid, "read "+path, "it has format %d; this hub knows %d", s.Format, format)
	}
	return s, nil
}

func damaged(what, format string, args ...any) error {
	return &fault.Error{Op: "read " + what, Code: fault.Invalid, Err: fmt.Errorf(format, args...), Hint: "the backup is damaged; take another one"}
}

// failed says what was being tried; an error that says its code already keeps it.
func failed(op string, err error) error {
	if known := (*fault.Error)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	code := fault.Internal
	if errors.Is(err, os.ErrPermission) {
		code = fault.Invalid
	}
	return &fault.Error{Op: op, Code: code, Err: err, Hint: "check that the backup's folder can be read and written and has room"}
}
