package console

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/desk"
)

// connectionForm is the form of a connection, drawn from what its kind declares.
type connectionForm struct {
	desk.Draft
	New      bool
	Kinds    []connectors.Driver
	Driver   connectors.Driver // of the chosen kind; Kind empty: none is chosen
	Groups   []settingGroup
	Jobs     []jobForm
	Add      []datasetGroup // datasets that can still be added
	Policies []limitPolicy  // of a target
	Faults   map[string]catalog.Text
	Problem  any // a *fault.Error: what was tried did not work
	Trial    *shownTrial
	Untested bool // the connection could not be reached: it may be saved all the same
}

// settingGroup are settings that matter under one condition.
type settingGroup struct {
	Key     string // name of the setting that decides; empty: always
	Decides string // its name in the form
	Title   catalog.Text
	Values  []string
	Open    bool
	Fields  []settingField
}

type settingField struct {
	connectors.Setting
	SecretPlace string
	Field       string // its name in the form: values/host, datasets/court.debtor/table
	Value       string
	Kept        bool // a secret that is kept
	Long        bool // of several lines
	Fault       catalog.Text
}

// jobForm is one chosen dataset with its settings.
type jobForm struct {
	Dataset catalog.Dataset
	Groups  []settingGroup
}

// limitPolicy is a policy that a target may be held to.
type limitPolicy struct {
	catalog.Policy
	Chosen bool
}

// datasetGroup are the datasets of one department, to choose from.
type datasetGroup struct {
	Owner    catalog.Text
	Datasets []catalog.Dataset
}

// readDraft takes a draft from a form. The names of its fields are places of settings.
func readDraft(role string, form url.Values) desk.Draft {
	d := desk.Draft{Role: role, ID: strings.TrimSpace(form.Get("id")), Kind: form.Get("kind"), Collected: strings.TrimSpace(form.Get("collected")),
		Values: map[string]string{}, Datasets: map[string]map[string]string{}, Sealed: form.Get("sealed"), Forget: form["forget"]}
	if role == desk.TargetRole {
		d.Limits = readLimits(form)
	}
	d.Version, _ = wholeNumber(form.Get("version")) // no number: it is as if nothing was read, and saving says so
	for _, id := range form["dataset"] {
		d.Datasets[id] = map[string]string{}
	}
	for name, values := range form {
		if rest, ok := strings.CutPrefix(name, "values/"); ok {
			d.Values[rest] = values[0]
		}
		if rest, ok := strings.CutPrefix(name, "datasets/"); ok {
			id, setting, _ := strings.Cut(rest, "/")
			if job, chosen := d.Datasets[id]; chosen {
				job[setting] = values[0]
			}
		}
	}
	return d
}

// readLimits takes what a target may get. Codes and names stand apart by spaces or commas.
func readLimits(form url.Values) desk.Limits {
	words := func(name string) []string {
		return strings.FieldsFunc(form.Get("limits/"+name), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",，、;；", r) })
	}
	return desk.Limits{Public: form.Get("limits/public") != "", Policies: form["limits/policies"], Regions: words("regions"), Industries: words("industries"), Fields: words("fields")}
}

// formOf draws the form of a draft. held names its secrets that are kept.
func (c *Console) formOf(draft desk.Draft, held []string, faults []desk.FieldFault) *connectionForm {
	f := &connectionForm{Draft: draft, New: draft.Version == 0, Faults: map[string]catalog.Text{}}
	for _, fault := range faults {
		f.Faults[fault.Field] = fault.Text
	}
	for _, d := range c.Desk.Drivers {
		f.Kinds = append(f.Kinds, d)
	}
	slices.SortFunc(f.Kinds, func(a, b connectors.Driver) int { return strings.Compare(a.Kind, b.Kind) })
	driver, known := c.Desk.Drivers[draft.Kind]
	if !known {
		return f
	}
	if draft.Role == desk.TargetRole {
		for _, p := range c.Desk.Catalog.Policies {
			f.Policies = append(f.Policies, limitPolicy{Policy: p, Chosen: slices.Contains(draft.Limits.Policies, p.ID)})
		}
	}
	f.Driver = driver
	f.Groups = f.groups(driver.Settings, draft.Values, "values/", "", held)
	for _, ds := range c.Desk.Catalog.Datasets {
		if job, chosen := draft.Datasets[ds.ID]; chosen {
			place := "datasets/" + ds.ID + "/"
			f.Jobs = append(f.Jobs, jobForm{Dataset: ds, Groups: f.groups(driver.Job, job, place, place, held)})
			continue
		}
		owner := ownerTitle(c.Desk.Catalog, ds.Owner)
		if n := len(f.Add); n == 0 || f.Add[n-1].Owner != owner {
			f.Add = append(f.Add, datasetGroup{Owner: owner})
		}
		last := &f.Add[len(f.Add)-1]
		last.Datasets = append(last.Datasets, ds)
	}
	return f
}

// groups puts settings together by the condition under which they matter.
func (f *connectionForm) groups(settings []connectors.Setting, given map[string]string, place, secretPlace string, held []string) []settingGroup {
	values := connectors.Values{}
	for _, s := range settings {
		values[s.Name] = s.Default
		if v, ok := given[s.Name]; ok {
			values[s.Name] = v
		}
	}
	groups := []settingGroup{{Open: true}}
	for _, s := range settings {
		field := settingField{Setting: s, Field: place + s.Name, SecretPlace: secretPlace + s.Name, Value: values[s.Name], Kept: s.Secret && slices.Contains(held, secretPlace+s.Name),
			Long: strings.Contains(s.Help.EN, "PEM"), Fault: f.Faults[place+s.Name]}
		if s.Secret {
			field.Value = ""
		}
		i := slices.IndexFunc(groups, func(g settingGroup) bool { return when(g) == s.When })
		if i < 0 {
			key, of, _ := strings.Cut(s.When, "=")
			g := settingGroup{Key: key, Decides: place + key, Values: strings.Split(of, ","), Open: s.Asked(values)}
			if at := slices.IndexFunc(settings, func(o connectors.Setting) bool { return o.Name == key }); at >= 0 {
				g.Title = settings[at].Title
			}
			groups, i = append(groups, g), len(groups)
		}
		groups[i].Fields = append(groups[i].Fields, field)
		groups[i].Open = groups[i].Open || field.Fault != (catalog.Text{})
	}
	return groups
}

func when(g settingGroup) string {
	if g.Key == "" {
		return ""
	}
	return g.Key + "=" + strings.Join(g.Values, ",")
}

// shownSettings are what a connection was given, in the order in which its kind declares it.
func shownSettings(settings []connectors.Setting, conn desk.Connection) []settingField {
	var fields []settingField
	for _, s := range settings {
		value, given := conn.Values[s.Name]
		kept := slices.Contains(conn.Kept, s.Name)
		if given && value != "" || kept {
			fields = append(fields, settingField{Setting: s, Value: withoutPassword(value), Kept: kept})
		}
	}
	return fields
}

// withoutPassword hides the password that an address carries.
func withoutPassword(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.User == nil {
		return value
	}
	return u.Redacted()
}
