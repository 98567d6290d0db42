package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

const guides = "../../docs"

var (
	quotedWord = regexp.MustCompile(`'[^']*'`)
	mdLink     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	notInSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func guide(t *testing.T, lang string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(guides, "operator."+lang+".md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// calls are the commands of a guide as words, without the names and values that differ by language.
func calls(text string) (all [][]string) {
	for line := range strings.Lines(text) {
		line, found := strings.CutPrefix(line, "    xinshu ")
		if !found {
			continue
		}
		line, _, _ = strings.Cut(line, " #")
		line, _, _ = strings.Cut(line, " > ")
		line = strings.NewReplacer("[", "", "]", "").Replace(line)
		all = append(all, strings.Fields(quotedWord.ReplaceAllString(line, "QUOTED")))
	}
	return all
}

// Every command that a guide shows is there, with its flags.
func TestTheGuidesCommandsAreThere(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		for _, words := range calls(guide(t, lang)) {
			root := rootCommand(&terminal{})
			cmd, rest, err := root.Find(words)
			if err != nil || cmd == root {
				t.Errorf("%s: there is no command xinshu %s: %v", lang, strings.Join(words, " "), err)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: xinshu %s: %v", lang, strings.Join(words, " "), err)
				continue
			}
			if cmd.Args != nil {
				if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
					t.Errorf("%s: xinshu %s: %v", lang, strings.Join(words, " "), err)
				}
			}
		}
	}
}

// Both guides show the same commands in the same order, and have as many sections.
func TestTheGuidesSayTheSame(t *testing.T) {
	shape := func(lang string) (sections int, lines []string) {
		text := guide(t, lang)
		for _, words := range calls(text) {
			root := rootCommand(&terminal{})
			cmd, rest, err := root.Find(words)
			if err != nil || cmd.ParseFlags(rest) != nil {
				t.Fatalf("xinshu %s is no command", strings.Join(words, " "))
			}
			line := cmd.CommandPath()
			cmd.Flags().Visit(func(f *pflag.Flag) { line += " --" + f.Name })
			lines = append(lines, line)
		}
		return strings.Count(text, "\n## "), lines
	}
	sections, zh := shape("zh")
	others, en := shape("en")
	if sections != others {
		t.Errorf("%d sections in Chinese, %d in English", sections, others)
	}
	if len(zh) < 60 || !slices.Equal(zh, en) {
		t.Errorf("the commands differ:\n%s\n\n%s", strings.Join(zh, "\n"), strings.Join(en, "\n"))
	}
}

// Every link leads somewhere: to a heading of the guide, or to a file that is delivered with it.
func TestTheGuidesLinksLeadSomewhere(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		text := guide(t, lang)
		var headings []string
		for line := range strings.Lines(text) {
			if title, found := strings.CutPrefix(strings.TrimSpace(line), "## "); found {
				headings = append(headings, strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(title), ""), " ", "-"))
			}
		}
		linked := 0
		for _, m := range mdLink.FindAllStringSubmatch(text, -1) {
			if at, found := strings.CutPrefix(m[1], "#"); found {
				if linked++; !slices.Contains(headings, at) {
					t.Errorf("%s: no heading has the anchor %s", lang, m[1])
				}
				continue
			}
			if _, err := os.Stat(filepath.Join(guides, filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
		}
		if linked != len(headings) {
			t.Errorf("%s: the table of contents has %d entries for %d sections", lang, linked, len(headings))
		}
	}
}
