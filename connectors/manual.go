package connectors

import (
	"fmt"
	"strings"

	"xinshu/catalog"
)

// Languages of the manual.
var Languages = []string{"zh", "en"}

var manualWords = map[string]map[string]string{
	"zh": {"settings": "连接设置", "job": "数据集设置", "name": "设置", "title": "名称", "default": "默认值", "help": "说明",
		"required": "必填", "secret": "保密", "choices": "可选值", "when": "仅当", "none": "（无）",
		"made": "本页由连接器声明的设置生成（`make generate`），请勿手改。",
		"form": "写法见样例 `deploy/xinshu.yaml`；也可用 `xinshu source add` 逐项填写。密钥写 `${env:变量名}` 或 `${file:路径}`。"},
	"en": {"settings": "Settings of a connection", "job": "Settings of a dataset on it", "name": "setting", "title": "title", "default": "default", "help": "meaning",
		"required": "required", "secret": "secret", "choices": "one of", "when": "only with", "none": "(none)",
		"made": "Made from what the connector declares (`make generate`); do not edit.",
		"form": "See `deploy/xinshu.yaml` for the form, or let `xinshu source add` ask for each. Secrets are written `${env:NAME}` or `${file:PATH}`."},
}

// Manual gives a kind's page of the manual as Markdown, drawn from what the driver declares. language
// is zh or en.
func (d Driver) Manual(language string) string {
	words := manualWords[language]
	in := func(t catalog.Text) string {
		if language == "zh" {
			return t.ZH
		}
		return t.EN
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s (`%s`)\n\n%s\n\n%s\n\n_%s_\n", in(d.Title), d.Kind, in(d.About), words["form"], words["made"])
	for _, part := range []struct {
		title    string
		settings []Setting
	}{{words["settings"], d.Settings}, {words["job"], d.Job}} {
		fmt.Fprintf(&b, "\n## %s\n\n| %s | %s | %s | %s |\n|---|---|---|---|\n", part.title, words["name"], words["title"], words["default"], words["help"])
		for _, s := range part.settings {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Name, in(s.Title), defaultOf(s, words), escapeBars(meaning(s, in(s.Help), words)))
		}
	}
	return b.String()
}

func defaultOf(s Setting, words map[string]string) string {
	switch {
	case s.Required:
		return "**" + words["required"] + "**"
	case s.Default == "":
		return words["none"]
	}
	return "`" + s.Default + "`"
}

func meaning(s Setting, help string, words map[string]string) string {
	parts := []string{help}
	if len(s.Choices) > 0 {
		parts = append(parts, words["choices"]+": `"+strings.Join(s.Choices, "` `")+"`")
	}
	if s.When != "" {
		parts = append(parts, words["when"]+" `"+s.When+"`")
	}
	if s.Secret {
		parts = append(parts, words["secret"])
	}
	return strings.Join(parts, "<br>")
}

// escapeBars keeps a bar from ending a column.
func escapeBars(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// Asked says whether a setting matters beside the values already given.
func (s Setting) Asked(values Values) bool {
	if s.When == "" {
		return true
	}
	name, allowed, _ := strings.Cut(s.When, "=")
	for one := range strings.SplitSeq(allowed, ",") {
		if values[name] == one {
			return true
		}
	}
	return false
}
