package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Bounds of a catalogue folder that is read at once.
const (
	mostText   = 4 << 20
	mostTexts  = 64 << 20
	mostFolder = 8 // folders in one another, against links that go round
)

// ReadTexts reads the YAML files of a folder, so that what is read of it later is of one moment. It
// fails where any of them cannot be read. A folder that is not there has none.
func ReadTexts(fsys fs.FS) (Texts, error) {
	r := &textReader{fsys: fsys, texts: Texts{}}
	err := fs.WalkDir(fsys, ".", r.visit)
	return r.texts, err
}

type textReader struct {
	fsys  fs.FS
	texts Texts
	sum   int
}

func (r *textReader) visit(file string, entry fs.DirEntry, err error) error {
	if errors.Is(err, fs.ErrNotExist) { // or it went away meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	hidden := file != "." && strings.HasPrefix(path.Base(file), ".")
	switch {
	case entry.IsDir() && (hidden || strings.Count(file, "/") >= mostFolder):
		return fs.SkipDir
	case entry.IsDir() || hidden:
		return nil
	case entry.Type()&fs.ModeSymlink != 0:
		if info, err := fs.Stat(r.fsys, file); err == nil && info.IsDir() {
			return fs.WalkDir(r.fsys, file, r.visit)
		}
	}
	if ending := path.Ext(file); ending != ".yaml" && ending != ".yml" {
		return nil
	}
	text, err := readBounded(r.fsys, file)
	if err != nil {
		return err
	}
	r.texts[file] = text
	if r.sum += len(text); r.sum > mostTexts {
		return fmt.Errorf("the folder holds more than %d MB of YAML", mostTexts>>20)
	}
	return nil
}

func readBounded(fsys fs.FS, file string) ([]byte, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, mostText+1))
	if err == nil && len(text) > mostText {
		err = fmt.Errorf("%s is larger than %d MB", file, mostText>>20)
	}
	return text, errors.Join(err, f.Close())
}
