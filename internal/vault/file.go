package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"xinshu/internal/fault"
)

// OpenFile opens the vault whose keys lie in a file, one a line, the newest first. Where there is no
// file, one with a new key is made, readable by its owner alone. A process that runs while another adds
// a key reads the file once more when it meets that key.
func OpenFile(path string) (*Vault, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		_, text := NewKey()
		if err := writeNew(path, []byte(text+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fileFault(err)
		}
	}
	read := func() ([]Key, error) { return readFile(path) }
	keys, err := read()
	if err != nil {
		return nil, err
	}
	v, err := New(keys...)
	if err != nil {
		return nil, err
	}
	v.again = read
	return v, nil
}

// AddKey puts a new key before the others of a file and gives its id. The others stay: they open what
// is in older backups.
func AddKey(path string) (id string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fileFault(err)
	}
	k, line := NewKey()
	tmp := path + ".new"
	if err := errors.Join(removeOld(tmp), writeNew(tmp, append([]byte(line+"\n"), text...))); err != nil {
		return "", fileFault(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return "", fileFault(err)
	}
	return k.ID(), nil
}

func removeOld(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func readFile(path string) ([]Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileFault(err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return nil, &fault.Error{Op: "read the vault's keys", Code: fault.Invalid, Err: fmt.Errorf("%s may be read by others", path), Hint: "chmod 600 " + path}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileFault(err)
	}
	var keys []Key
	n := 0
	for line := range bytes.Lines(text) {
		if n++; len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		k, err := ParseKey(string(line))
		if err != nil {
			return nil, &fault.Error{Op: "read the vault's keys", Code: fault.Invalid, Err: fmt.Errorf("line %d of %s %w", n, path, err), Hint: "put back the file from where its copy is kept"}
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, &fault.Error{Op: "read the vault's keys", Code: fault.Invalid, Err: fmt.Errorf("%s is empty", path), Hint: "put back the file from where its copy is kept"}
	}
	return keys, nil
}

// writeNew makes a file that was not there, whole and on the disk, or none.
func writeNew(path string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".vault-*") // made readable by its owner alone
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path) // unlike a rename it does not take the place of a file another process just made
}

func fileFault(err error) error {
	return &fault.Error{Op: "read the vault's keys", Code: fault.Internal, Err: err, Hint: "check that the data folder can be read and written"}
}
