package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"xinshu/connectors"
	"xinshu/connectors/all"
)

// asker is the dialogue. Questions go to standard error, in both languages of the screens.
type asker struct {
	t     *terminal
	in    *bufio.Reader
	ended bool
}

func (a *asker) line() string {
	text, err := a.in.ReadString('\n')
	a.ended = a.ended || err != nil
	return strings.TrimSpace(text)
}

func (a *asker) agrees(question string) bool {
	fmt.Fprint(a.t.err, question)
	return slices.Contains([]string{"y", "yes", "是"}, strings.ToLower(a.line()))
}

// source asks for everything one source needs.
func (a *asker) source() (SourceConfig, error) {
	var s SourceConfig
	var kinds []string
	for _, d := range all.Drivers(hubClock) {
		kinds = append(kinds, d.Kind)
		a.t.say("  %-10s %s  %s", d.Kind, d.Title.ZH, d.Title.EN)
	}
	s.Kind = a.until("类型 kind", "", func(v string) string {
		if !slices.Contains(kinds, v) {
			return "类型只有 kinds are " + strings.Join(kinds, ", ")
		}
		return ""
	})
	s.Name = a.until("来源名称 name of the source", "", func(v string) string {
		if v == "" || strings.ContainsAny(v, " \t/\\") {
			return "名称不得为空，不含空格与斜线 a name without blanks and slashes"
		}
		return ""
	})
	driver, _ := all.Driver(s.Kind, hubClock)
	if a.ended {
		return s, a.unfinished()
	}
	s.Values = a.settings(driver.Settings)
	s.Datasets = map[string]connectors.Values{}
	for !a.ended {
		id := a.until("数据集标识，空行结束 dataset id, empty to end", "", func(string) string { return "" })
		if id == "" {
			break
		}
		s.Datasets[id] = a.settings(driver.Job)
	}
	if len(s.Datasets) == 0 && a.ended {
		return s, a.unfinished()
	}
	return s, nil
}

func (a *asker) unfinished() error {
	return usageError{errors.New("the answers ended before the source was complete; nothing was written")}
}

// until asks until the answer is good; fault says what is wrong with one.
func (a *asker) until(question, fallback string, fault func(string) string) string {
	for {
		fmt.Fprint(a.t.err, question)
		if fallback != "" {
			fmt.Fprintf(a.t.err, " [%s]", fallback)
		}
		fmt.Fprint(a.t.err, ": ")
		v := a.line()
		if v == "" {
			v = fallback
		}
		what := fault(v)
		if what == "" || a.ended {
			return v
		}
		a.t.say("  %s", what)
	}
}

// settings asks for what has no sound default and for what decides which others matter, and shows the
// rest in one line each, which a person may change.
func (a *asker) settings(declared []connectors.Setting) connectors.Values {
	values, known := connectors.Values{}, connectors.Values{} // known: with the defaults, which the config does not repeat
	for _, s := range declared {
		known[s.Name] = s.Default
	}
	var rest []connectors.Setting
	for _, s := range declared {
		switch {
		case a.ended || !s.Asked(known):
		case s.Required || decides(s, declared) || s.When != "" && (s.Secret || s.Default == ""):
			a.ask(s, values)
			if v := values[s.Name]; v != "" {
				known[s.Name] = v
			}
		default:
			rest = append(rest, s)
		}
	}
	if len(rest) == 0 || a.ended {
		return values
	}
	a.t.say("其余设置取默认值，可写 名称=值 修改，空行继续 the others keep their defaults; change one with name=value, an empty line goes on")
	for _, s := range rest {
		a.t.say("  %s=%s  %s  %s", s.Name, s.Default, s.Title.ZH, s.Title.EN)
	}
	for !a.ended {
		fmt.Fprint(a.t.err, "> ")
		line := a.line()
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		at := slices.IndexFunc(rest, func(s connectors.Setting) bool { return s.Name == name })
		switch {
		case !ok || at < 0:
			a.t.say("  没有此设置 no such setting: %s", name)
		case unfit(rest[at], value) != "":
			a.t.say("  %s", unfit(rest[at], value))
		default:
			values[name] = value
		}
	}
	return values
}

// decides says whether another setting matters only beside some values of this one.
func decides(s connectors.Setting, declared []connectors.Setting) bool {
	return slices.ContainsFunc(declared, func(other connectors.Setting) bool {
		name, _, _ := strings.Cut(other.When, "=")
		return name == s.Name
	})
}

// unfit says what is wrong with an answer, in both languages.
func unfit(s connectors.Setting, v string) string {
	switch {
	case v == "" && s.Required:
		return "必填 it is required"
	case v != "" && len(s.Choices) > 0 && !slices.Contains(s.Choices, v):
		return "可选值 one of " + strings.Join(s.Choices, ", ")
	}
	return ""
}

func (a *asker) ask(s connectors.Setting, values connectors.Values) {
	question := fmt.Sprintf("%s %s (%s)", s.Title.ZH, s.Title.EN, s.Name)
	a.t.say("\n  %s\n  %s", s.Help.ZH, s.Help.EN)
	if len(s.Choices) > 0 {
		question += " {" + strings.Join(s.Choices, "|") + "}"
	}
	if s.Secret {
		a.t.say("  ${env:NAME} 或 or ${file:PATH}；也可直接输入，另存于只有本人可读的文件 or typed, then kept in a file that only its owner reads")
		fmt.Fprintf(a.t.err, "%s: ", question)
		if v := a.hidden(); v != "" {
			values[s.Name] = v
		}
		return
	}
	if v := a.until(question, s.Default, func(v string) string { return unfit(s, v) }); v != "" && v != s.Default {
		values[s.Name] = v
	}
}

// hidden reads a secret without showing it where a person types.
func (a *asker) hidden() string {
	f, ok := a.t.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) { // a file descriptor fits
		return a.line()
	}
	text, err := term.ReadPassword(int(f.Fd()))
	a.ended = a.ended || err != nil
	a.t.say("")
	return strings.TrimSpace(string(text))
}
