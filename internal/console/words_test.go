package console

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xinshu/web"
)

// wordKey finds the keys that templates and code ask for by their whole name.
var wordKey = regexp.MustCompile(`(?:\bt |[sS]ay\(|[sS]ay\(ctx, )"([a-z][a-zA-Z0-9_.-]*)"`)

// textIn finds every text in quotes that may be one: a key, or the beginning of one that is put together.
var textIn = regexp.MustCompile(`"([a-z][a-zA-Z0-9_.-]*)"`)

func TestWordsAreThereInEveryLanguageAndAllAreUsed(t *testing.T) {
	words := map[string]map[string]string{}
	for _, lang := range Languages {
		var err error
		if words[lang], err = readWords(web.Files, lang); err != nil {
			t.Fatal(err)
		}
	}
	first := words[Languages[0]]
	for _, lang := range Languages {
		for _, key := range slices.Sorted(maps.Keys(words[lang])) {
			if _, ok := first[key]; !ok {
				t.Errorf("%s is there in %s and not in %s", key, lang, Languages[0])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(first)) {
			word, ok := words[lang][key]
			if !ok {
				t.Errorf("%s is there in %s and not in %s", key, Languages[0], lang)
			}
			if a, b := strings.Count(word, "%"), strings.Count(first[key], "%"); ok && a != b {
				t.Errorf("%s is filled in at %d places in %s and at %d in %s", key, a, lang, b, Languages[0])
			}
		}
	}
	asked, texts := keysInUse(t)
	for _, key := range asked {
		if _, ok := first[key]; !ok {
			t.Errorf("%s is asked for and has no words", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(first)) {
		if !used(key, texts) {
			t.Errorf("%s has words that nothing asks for", key)
		}
	}
}

// used says whether a key stands in quotes somewhere, or a beginning of it that ends in a point.
func used(key string, texts map[string]bool) bool {
	if texts[key] {
		return true
	}
	for i, r := range key {
		if r == '.' && texts[key[:i+1]] {
			return true
		}
	}
	return false
}

// keysInUse reads the templates and the code of this package.
func keysInUse(t *testing.T) (asked []string, texts map[string]bool) {
	t.Helper()
	texts = map[string]bool{"form.": true} // the words of every form are there before a form wants them
	read := func(text []byte) {
		for _, m := range wordKey.FindAllSubmatch(text, -1) {
			if !strings.HasSuffix(string(m[1]), ".") {
				asked = append(asked, string(m[1]))
			}
		}
		for _, m := range textIn.FindAllSubmatch(text, -1) {
			texts[string(m[1])] = true
		}
	}
	err := fs.WalkDir(web.Files, "templates", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(web.Files, p)
		read(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		read(text)
	}
	return asked, texts
}

func TestIconsAndStaticFilesThatAreAskedForAreThere(t *testing.T) {
	sprite, err := fs.ReadFile(web.Files, "static/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`(?:icon |"Icon" )"([a-z]+)"`)
	err = fs.WalkDir(web.Files, "templates", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(web.Files, p)
		for _, m := range asked.FindAllSubmatch(text, -1) {
			if !strings.Contains(string(sprite), `id="`+string(m[1])+`"`) {
				t.Errorf("%s asks for the icon %s, which static/icons.svg does not have", p, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range signs {
		if !strings.Contains(string(sprite), `id="`+name+`"`) {
			t.Errorf("there is no icon %s", name)
		}
	}
}
