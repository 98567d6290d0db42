package supervised_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/internal/supervised"
)

func TestAServerLivesUntilItIsStopped(t *testing.T) {
	dir, own := t.TempDir(), filepath.Join(t.TempDir(), "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	up := filepath.Join(dir, "up")
	script := `touch "$1"; trap 'rm "$1"; exit' TERM; while :; do sleep 0.05; done`
	s, err := supervised.Start(supervised.Program{Path: "/bin/sh", Args: []string{"-c", script, "sh", up}, Log: filepath.Join(dir, "log"), Remove: own,
		Ready: func() error { _, err := os.Stat(up); return err }})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	for _, gone := range []string{up, own} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", filepath.Base(gone), err)
		}
	}
}

func TestAServerThatDoesNotAnswerSaysWhatItPrinted(t *testing.T) {
	_, err := supervised.Start(supervised.Program{Path: "/bin/sh", Args: []string{"-c", "echo no port left; exit 1"}, Log: filepath.Join(t.TempDir(), "log"),
		Ready: func() error { return errors.New("nobody there") }, Within: 300 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "nobody there") || !strings.Contains(err.Error(), "no port left") {
		t.Errorf("the error is %v", err)
	}
}
