package desk

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/connectors"
)

// Draft is a connection as somebody filled it in.
type Draft struct {
	Role, ID, Kind string
	Values         map[string]string // a secret left empty keeps what is kept
	Datasets       map[string]map[string]string
	Forget         []string // places of secrets that are to be kept no longer
	Sealed         string   // secrets that were typed before, as HoldSecrets gave them
	Collected      string
	Limits         Limits
	Version        int64 // that was read; 0: a new one
}

// FieldFault is what is wrong with one field of a form.
type FieldFault struct {
	Field string       `json:"field"` // id, kind, values/host, datasets, datasets/court.debtor/table, collected
	Text  catalog.Text `json:"text"`
}

// What the limits of a target look like. A limit that nothing can match would send nothing for ever.
var (
	regionStart   = regexp.MustCompile(`^[0-9]{1,12}$`)
	industryStart = regexp.MustCompile(`^[A-T]?[0-9]{0,4}$`)
	resultField   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

var plainName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$`)

const longestValue = 64 << 10 // bytes; a private key in PEM is the longest that is meant

// complete gives a draft with the secrets that it keeps, and everything that is wrong with it.
func (d *Desk) complete(ctx context.Context, draft Draft) (Given, []FieldFault, error) {
	faults := d.checkDraft(draft)
	typed := Given{Role: draft.Role, ID: draft.ID, Kind: draft.Kind, Values: connectors.Values{}, Datasets: map[string]connectors.Values{}, Collected: draft.Collected, Limits: draft.Limits}
	maps.Copy(typed.Values, draft.Values)
	for id, job := range draft.Datasets {
		typed.Datasets[id] = connectors.Values{}
		maps.Copy(typed.Datasets[id], job)
	}
	plain, secrets := d.parted(typed)
	before, err := d.secretsBefore(ctx, draft, plain)
	if err != nil {
		return typed, faults, err
	}
	for place, secret := range before.kept {
		if _, anew := secrets[place]; !anew && !slices.Contains(draft.Forget, place) {
			secrets[place] = secret
		}
	}
	for _, place := range before.lost {
		if _, anew := secrets[place]; !anew && !slices.Contains(draft.Forget, place) {
			faults = append(faults, FieldFault{fieldOf(place), catalog.Text{ZH: "连接的去向变了，须重新输入此项", EN: "the connection leads elsewhere now: enter this again"}})
		}
	}
	g := join(draft.Role, draft.ID, draft.Kind, plain, secrets)
	if len(faults) == 0 {
		faults = d.checkSettings(g)
	}
	return g, faults, nil
}

// fieldOf gives the field of a secret's place.
func fieldOf(place string) string {
	if strings.HasPrefix(place, "datasets/") {
		return place
	}
	return "values/" + place
}

// checkDraft looks at everything but the settings.
func (d *Desk) checkDraft(draft Draft) (faults []FieldFault) {
	add := func(field, zh, en string) {
		faults = append(faults, FieldFault{field, catalog.Text{ZH: zh, EN: en}})
	}
	if !plainName.MatchString(draft.ID) {
		add("id", "名称由字母、汉字、数字、点、- 和 _ 组成，不超过 64 个字符", "a name of letters, digits, dot, - and _, at most 64")
	} else if _, taken := d.fixed(draft.Role, draft.ID); taken {
		add("id", "配置文件 xinshu.yaml 中已有此名称", "the config xinshu.yaml has this name already")
	}
	if _, known := d.Drivers[draft.Kind]; !known {
		add("kind", "请选择连接方式", "choose a kind of connection")
	}
	if draft.Role == SourceRole && len(draft.Datasets) == 0 {
		add("datasets", "至少选择一个数据集", "choose one dataset at least")
	}
	for id := range draft.Datasets {
		if _, known := d.Catalog.Dataset(id); !known {
			add("datasets", "目录中没有数据集 "+id, "the catalogue has no dataset "+id)
		}
	}
	if _, err := catalog.ParseDate(draft.Collected); draft.Collected != "" && err != nil {
		add("collected", "日期应形如 2025-12-31", "a day such as 2025-12-31")
	}
	for _, id := range draft.Limits.Policies {
		if _, known := d.Catalog.Policy(id); !known {
			add("limits/policies", "没有评价办法 "+id, "there is no policy "+id)
		}
	}
	for _, l := range []struct {
		field  string
		values []string
		form   *regexp.Regexp
		zh, en string
	}{
		{"limits/regions", draft.Limits.Regions, regionStart, "应为区划代码的开头，例如 4104", "the beginning of a division code, such as 4104"},
		{"limits/industries", draft.Limits.Industries, industryStart, "应为行业代码的开头，例如 C 或 F51", "the beginning of an industry code, such as C or F51"},
		{"limits/fields", draft.Limits.Fields, resultField, "应为结果的字段名，例如 score", "the name of a member of a result, such as score"},
	} {
		if i := slices.IndexFunc(l.values, func(v string) bool { return !l.form.MatchString(v) }); i >= 0 {
			add(l.field, l.zh, l.en)
		}
	}
	look := func(values map[string]string, place string) {
		for name, value := range values {
			switch {
			case len(value) > longestValue || !utf8.ValidString(value):
				add(place+name, "过长，或不是文本", "it is too long, or no text")
			case strings.Contains(value, "${env:") || strings.Contains(value, "${file:"):
				add(place+name, "此处直接填写；${env:…} 与 ${file:…} 只在 xinshu.yaml 中有效", "enter it as it is: ${env:…} and ${file:…} mean something in xinshu.yaml only")
			}
		}
	}
	look(draft.Values, "values/")
	for id, job := range draft.Datasets {
		look(job, jobPlace(id))
	}
	return faults
}

// checkSettings holds the settings of a connection against what its kind declares, then lets the kind
// itself read them.
func (d *Desk) checkSettings(g Given) []FieldFault {
	driver := d.Drivers[g.Kind]
	faults := declared(driver.Settings, g.Values, "values/")
	for id, job := range g.Datasets {
		faults = append(faults, declared(driver.Job, job, jobPlace(id))...)
	}
	slices.SortFunc(faults, func(a, b FieldFault) int { return strings.Compare(a.Field, b.Field) })
	return faults
}

func declared(settings []connectors.Setting, values connectors.Values, place string) (faults []FieldFault) {
	if _, err := connectors.Fill(settings, values); err != nil {
		faults = inWords(settings, err, place)
	}
	return faults
}

// settingFaults are the words in which package connectors finds fault with a setting, in Chinese.
var settingFaults = []struct {
	en *regexp.Regexp
	zh string
}{
	{regexp.MustCompile(`^\(.*\) is not set$`), "必填"},
	{regexp.MustCompile(`^is none of (.*)$`), "可选值为 $1"},
	{regexp.MustCompile(`^is no setting of this kind$`), "这种连接没有此设置"},
	{regexp.MustCompile(`^is no whole number of at least (\d+)$`), "应为不小于 $1 的整数"},
	{regexp.MustCompile(`^is no number above zero$`), "应为大于零的数"},
	{regexp.MustCompile(`^is no time such as .*$`), "时长应形如 30s、24h"},
}

// inWords gives the faults of settings field by field. Each line of the error begins with the setting's name.
func inWords(settings []connectors.Setting, err error, place string) (faults []FieldFault) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		name, rest, _ := strings.Cut(line, " ")
		if !slices.ContainsFunc(settings, func(s connectors.Setting) bool { return s.Name == name }) && !strings.HasSuffix(rest, "no setting of this kind") {
			name, rest = "", line
		}
		text := catalog.Text{ZH: rest, EN: rest}
		for _, known := range settingFaults {
			if known.en.MatchString(rest) {
				text.ZH = known.en.ReplaceAllString(rest, known.zh)
				break
			}
		}
		faults = append(faults, FieldFault{strings.TrimSuffix(place+name, "/"), text})
	}
	return faults
}

// reachWithin bounds a look at a connection: somebody waits for it.
const reachWithin = 30 * time.Second
