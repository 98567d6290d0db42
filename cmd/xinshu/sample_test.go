package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"xinshu/connectors"
	"xinshu/connectors/all"
)

const samplePath = "../../deploy/xinshu.yaml"

// sampleWithSecrets is the sample as an operator has it once the secrets it names are in place.
func sampleWithSecrets(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	secrets := t.TempDir()
	sample := strings.ReplaceAll(string(text), "/etc/xinshu/", secrets+"/")
	for _, m := range regexp.MustCompile(`\$\{(env|file):([^}]+)\}`).FindAllStringSubmatch(sample, -1) {
		switch {
		case m[2] == "XINSHU_STATE_DSN":
			t.Setenv(m[2], "postgres://hub:secret@127.0.0.1/hub")
		case m[1] == "env":
			t.Setenv(m[2], "secret-of-sixteen")
		case strings.HasSuffix(m[2], "/vault.key"):
			if err := os.WriteFile(m[2], []byte("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		case strings.HasSuffix(m[2], "/webhook.secret"):
			if err := os.WriteFile(m[2], []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		case m[2] != "路径" && m[2] != "PATH":
			if err := os.WriteFile(m[2], []byte("secret\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "xinshu.yaml")
	if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheSampleConfigIsTakenAsItStands(t *testing.T) {
	c, err := loadConfig(sampleWithSecrets(t))
	if err != nil {
		t.Fatal(err)
	}
	cat, faults := loadCatalog(Config{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	drivers := map[string]connectors.Driver{}
	for _, d := range all.Drivers(time.Now) {
		drivers[d.Kind] = d
	}
	for _, s := range c.Sources {
		if _, err := connectors.Fill(drivers[s.Kind].Settings, s.Values); err != nil {
			t.Errorf("source %s: %v", s.Name, err)
		}
		for id, job := range s.Datasets {
			if _, known := cat.Dataset(id); !known {
				t.Errorf("source %s: there is no dataset %s", s.Name, id)
			}
			if _, err := connectors.Fill(drivers[s.Kind].Job, job); err != nil {
				t.Errorf("source %s, dataset %s: %v", s.Name, id, err)
			}
		}
	}
	for _, target := range c.Targets {
		if _, err := connectors.Fill(drivers[target.Kind].Settings, target.Values); err != nil {
			t.Errorf("target %s: %v", target.ID, err)
		}
	}
	for _, id := range c.Policies {
		if _, known := cat.Policy(id); !known {
			t.Errorf("there is no policy %s", id)
		}
	}
}

func TestAWrongKeyInTheSampleIsRefusedWithItsLine(t *testing.T) {
	path := sampleWithSecrets(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), "\n  memory_mb:", "\n  memory:", 1)
	if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(wrong, "\n  memory:")
	line := strings.Count(before, "\n") + 2
	_, err = loadConfig(path)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%s:%d: key \"memory\" is unknown here", path, line)) {
		t.Errorf("got %v, want the file and line %d", err, line)
	}
}

func TestAConfigThatCannotBeMeantIsRefusedWithAllItsFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xinshu.yaml")
	text := "sources:\n- {name: a, kind: files, collected: 2025-13-40}\n- {name: a, kind: files}\n- {kind: files, collected: 2025-10-28}\ntargets:\n- {id: b}\n- {id: b}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := loadConfig(path)
	for _, part := range []string{path, `source a: collected is "2025-13-40"`, "the source a stands there twice", "source number 3 has no name", "the target b stands there twice"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in %v", part, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "2025-10-28") {
		t.Errorf("a good day is refused: %v", err)
	}
}

// The sample shows every key there is, each with what it means in Chinese and in English and with
// its default, so that it cannot fall behind the struct.
func TestTheSampleConfigShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	explained(t, "", reflect.TypeFor[Config](), doc.Content[0])
}

var han, latin = regexp.MustCompile(`\p{Han}`), regexp.MustCompile(`[a-z]{2,} [a-z]{2,}`)

func explained(t *testing.T, at string, typ reflect.Type, node *yaml.Node) {
	t.Helper()
	keys := map[string]int{}
	for i := 0; i < len(node.Content); i += 2 {
		keys[node.Content[i].Value] = i
	}
	for field := range typ.Fields() {
		if !field.IsExported() {
			continue // nobody can set it
		}
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		at := strings.TrimPrefix(at+"."+key, ".")
		place, shown := keys[key]
		if !shown {
			t.Errorf("the sample does not show %s", at)
			continue
		}
		name, value := node.Content[place], node.Content[place+1]
		comment := name.HeadComment
		if place == 0 {
			comment += node.HeadComment
		}
		nested := field.Type
		if nested.Kind() == reflect.Slice && nested.Elem().Kind() == reflect.Struct {
			nested, value = nested.Elem(), value.Content[0]
		}
		simple := nested.Kind() != reflect.Struct
		if !han.MatchString(comment) || !latin.MatchString(comment) ||
			simple && !strings.Contains(comment, "efault") && !strings.Contains(comment, "Required") {
			t.Errorf("%s is not explained in Chinese and English with its default: %q", at, comment)
		}
		if !simple {
			explained(t, at, nested, value)
		}
	}
}
