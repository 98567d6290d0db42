package catalog

// contractFile is a contract as its file writes it, whole: with the fields of its sets laid in.
type contractFile struct {
	ID      string            `yaml:"id"`
	Title   Text              `yaml:"title"`
	Owner   string            `yaml:"owner"`
	Family  string            `yaml:"family"`
	Kind    any               `yaml:"kind"`
	Class   string            `yaml:"class"`
	Share   string            `yaml:"share"`
	Way     string            `yaml:"way"`
	Cycle   string            `yaml:"cycle"`
	Stock   string            `yaml:"stock,omitempty"`
	Guard   map[string]any    `yaml:"guard,omitempty"`
	Duty    *Duty             `yaml:"duty,omitempty"`
	Version int               `yaml:"version"`
	Subject map[string]string `yaml:"subject"`
	Fields  []fieldFile       `yaml:"fields"`
	Key     []string          `yaml:"key"`
	Aliases map[string]string `yaml:"aliases,omitempty"`
	Map     map[string]any    `yaml:"map,omitempty"`
	Checks  []checkFile       `yaml:"checks,omitempty"`
	Drift   map[string]any    `yaml:"drift,omitempty"`
}

type fieldFile struct {
	Name        string `yaml:"name"`
	Title       Text   `yaml:"title"`
	Type        string `yaml:"type"`
	Required    bool   `yaml:"required,omitempty"`
	Codes       string `yaml:"codes,omitempty"`
	Sensitivity string `yaml:"sensitivity,omitempty"`
	Max         int    `yaml:"max,omitempty"`
	Unit        string `yaml:"unit,omitempty"`
}

type checkFile struct {
	Code    string   `yaml:"code"`
	Message Text     `yaml:"message"`
	Rule    string   `yaml:"rule"`
	Fields  []string `yaml:"fields"`
	Words   []string `yaml:"words,omitempty"`
}

// yamlFile writes the contract as a file of the catalogue that uses no field sets.
func (d Dataset) yamlFile() ([]byte, error) {
	file := contractFile{ID: d.ID, Title: d.Title, Owner: d.Owner, Family: d.Family, Kind: d.Kind.file(), Class: d.Class, Share: d.Share, Way: d.Way, Cycle: d.Cycle,
		Stock: d.Stock, Guard: d.Guard.file(), Version: d.Version, Subject: map[string]string{}, Key: d.Key, Aliases: d.Aliases, Map: mapFile(d.Map), Drift: d.Drift.file()}
	if d.Kind.Const != "" && len(d.Kind.file()) == 1 {
		file.Kind = d.Kind.Const // for the kind a bare word is the kind itself
	}
	if d.Duty != (Duty{}) {
		file.Duty = &d.Duty
	}
	for name, field := range map[string]string{"uscc": d.Subject.USCC, "name": d.Subject.Name, "category": d.Subject.Category} {
		if field != "" {
			file.Subject[name] = field
		}
	}
	for _, f := range d.Fields {
		file.Fields = append(file.Fields, fieldFile(f))
	}
	for _, k := range d.Checks {
		file.Checks = append(file.Checks, checkFile(k))
	}
	return encodeYAML(file)
}
