package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The first comment of a bad config is the message it must give, word for word.
func TestABadConfigIsRefusedWithItsMessage(t *testing.T) {
	t.Chdir("testdata/config")
	for _, file := range filesLike(t, "*.bad.yaml") {
		t.Run(strings.TrimSuffix(file, ".bad.yaml"), func(t *testing.T) {
			_, err := loadConfig(file)
			if err == nil {
				t.Fatal("it was taken")
			}
			if got, want := err.Error(), firstComment(t, file); got != want {
				t.Errorf("it says\n%s\nwant\n%s", got, want)
			}
			if code := exitCode(t.Context(), err); code != exitUsage {
				t.Errorf("the exit code is %d, want %d", code, exitUsage)
			}
		})
	}
}

// Beside a good config lies what it comes to: defaults filled in, secrets in place.
func TestAGoodConfigIsTakenAsItIsMeant(t *testing.T) {
	t.Chdir("testdata/config")
	t.Setenv("XINSHU_TEST_SECRET", "from the environment")
	for _, file := range filesLike(t, "*.good.yaml") {
		t.Run(strings.TrimSuffix(file, ".good.yaml"), func(t *testing.T) {
			c, err := loadConfig(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := yaml.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".good.yaml") + ".want.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("it comes to\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Without a file the hub runs embedded, with the same defaults as an empty one.
func TestNoConfigIsAnEmptyOne(t *testing.T) {
	none, err := loadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	got, err := yaml.Marshal(none)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/config/empty.want.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("no config comes to\n%s\nwant\n%s", got, want)
	}
}

func filesLike(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return files
}

// firstComment gives the lines that begin with # at the head of a file, without it.
func firstComment(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		comment, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(comment, " "), "\n"))
	}
	return strings.Join(lines, "\n")
}
