package console

import (
	"fmt"
	"io/fs"

	"go.yaml.in/yaml/v3"
)

// readWords reads locales/<lang>/*.yaml: flat files of "key: words", one file an area.
func readWords(files fs.FS, lang string) (map[string]string, error) {
	names, err := fs.Glob(files, "locales/"+lang+"/*.yaml")
	if err != nil {
		return nil, err
	}
	words := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var part map[string]string
		if err := yaml.Unmarshal(text, &part); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for key, word := range part {
			if _, twice := words[key]; twice {
				return nil, fmt.Errorf("%s: the key %s stands in two files", name, key)
			}
			words[key] = word
		}
	}
	return words, nil
}
