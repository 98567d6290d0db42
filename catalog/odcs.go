package catalog

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// odcs is a data contract in the form of the Open Data Contract Standard 3.1. Members that a contract
// of ours has no place for are kept as nodes, so that an import can say where they stand.
type odcs struct {
	APIVersion  string           `yaml:"apiVersion"`
	Kind        string           `yaml:"kind"`
	ID          string           `yaml:"id"`
	Name        string           `yaml:"name,omitempty"`
	Version     string           `yaml:"version"`
	Status      string           `yaml:"status"`
	Domain      string           `yaml:"domain,omitempty"`
	Description *odcsDescription `yaml:"description,omitempty"`
	Schema      []odcsObject     `yaml:"schema"`
	SLA         []odcsSLA        `yaml:"slaProperties,omitempty"`
	Custom      []odcsCustom     `yaml:"customProperties,omitempty"`

	odcsAside `yaml:",inline"`
}

// odcsAside is what an export leaves empty and an import leaves out, with a note.
type odcsAside struct {
	Tenant      yaml.Node `yaml:"tenant,omitempty"`
	Tags        yaml.Node `yaml:"tags,omitempty"`
	Servers     yaml.Node `yaml:"servers,omitempty"`
	DataProduct yaml.Node `yaml:"dataProduct,omitempty"`
	Support     yaml.Node `yaml:"support,omitempty"`
	Price       yaml.Node `yaml:"price,omitempty"`
	Team        yaml.Node `yaml:"team,omitempty"`
	Roles       yaml.Node `yaml:"roles,omitempty"`
	Definitions yaml.Node `yaml:"authoritativeDefinitions,omitempty"`
	Created     yaml.Node `yaml:"contractCreatedTs,omitempty"`
	SLAElement  yaml.Node `yaml:"slaDefaultElement,omitempty"`
}

type odcsDescription struct {
	Purpose     string    `yaml:"purpose,omitempty"`
	Limitations string    `yaml:"limitations,omitempty"`
	Usage       string    `yaml:"usage,omitempty"`
	Definitions yaml.Node `yaml:"authoritativeDefinitions,omitempty"`
	Custom      yaml.Node `yaml:"customProperties,omitempty"`
}

// odcsElement is what a table and a field have alike, and an import leaves out.
type odcsElement struct {
	ID            yaml.Node `yaml:"id,omitempty"`
	Tags          yaml.Node `yaml:"tags,omitempty"`
	Definitions   yaml.Node `yaml:"authoritativeDefinitions,omitempty"`
	Relationships yaml.Node `yaml:"relationships,omitempty"`
}

type odcsObject struct {
	Name         string         `yaml:"name"`
	LogicalType  string         `yaml:"logicalType,omitempty"`
	PhysicalName string         `yaml:"physicalName,omitempty"`
	PhysicalType string         `yaml:"physicalType,omitempty"`
	BusinessName string         `yaml:"businessName,omitempty"`
	Description  string         `yaml:"description,omitempty"`
	Granularity  string         `yaml:"dataGranularityDescription,omitempty"`
	Properties   []odcsProperty `yaml:"properties"`
	Quality      []odcsQuality  `yaml:"quality,omitempty"`
	Custom       []odcsCustom   `yaml:"customProperties,omitempty"`

	odcsElement `yaml:",inline"`
}

type odcsProperty struct {
	Name           string        `yaml:"name"`
	BusinessName   string        `yaml:"businessName,omitempty"`
	LogicalType    string        `yaml:"logicalType,omitempty"`
	PhysicalName   string        `yaml:"physicalName,omitempty"`
	PhysicalType   string        `yaml:"physicalType,omitempty"`
	Options        *odcsOptions  `yaml:"logicalTypeOptions,omitempty"`
	Description    string        `yaml:"description,omitempty"`
	Required       bool          `yaml:"required,omitempty"`
	Unique         bool          `yaml:"unique,omitempty"`
	PrimaryKey     bool          `yaml:"primaryKey,omitempty"`
	KeyPosition    int           `yaml:"primaryKeyPosition,omitempty"`
	Classification string        `yaml:"classification,omitempty"`
	Custom         []odcsCustom  `yaml:"customProperties,omitempty"`
	Nested         yaml.Node     `yaml:"properties,omitempty"`
	Items          yaml.Node     `yaml:"items,omitempty"`
	Quality        yaml.Node     `yaml:"quality,omitempty"`
	Partitioned    yaml.Node     `yaml:"partitioned,omitempty"`
	PartitionKey   yaml.Node     `yaml:"partitionKeyPosition,omitempty"`
	EncryptedName  yaml.Node     `yaml:"encryptedName,omitempty"`
	Critical       yaml.Node     `yaml:"criticalDataElement,omitempty"`
	Transform      odcsTransform `yaml:",inline"`
	Examples       yaml.Node     `yaml:"examples,omitempty"`

	odcsElement `yaml:",inline"`
}

type odcsTransform struct {
	Sources     yaml.Node `yaml:"transformSourceObjects,omitempty"`
	Logic       yaml.Node `yaml:"transformLogic,omitempty"`
	Description yaml.Node `yaml:"transformDescription,omitempty"`
}

type odcsOptions struct {
	MaxLength int       `yaml:"maxLength,omitempty"`
	MinLength yaml.Node `yaml:"minLength,omitempty"`
	Pattern   yaml.Node `yaml:"pattern,omitempty"`
	Format    yaml.Node `yaml:"format,omitempty"`
	Minimum   yaml.Node `yaml:"minimum,omitempty"`
	Maximum   yaml.Node `yaml:"maximum,omitempty"`
}

type odcsQuality struct {
	Name           string       `yaml:"name,omitempty"`
	Type           string       `yaml:"type,omitempty"`
	Engine         string       `yaml:"engine,omitempty"`
	Dimension      string       `yaml:"dimension,omitempty"`
	Description    string       `yaml:"description,omitempty"`
	Implementation *odcsRule    `yaml:"implementation,omitempty"`
	Custom         []odcsCustom `yaml:"customProperties,omitempty"`
}

// odcsRule is one of our checks.
type odcsRule struct {
	Rule   string   `yaml:"rule"`
	Fields []string `yaml:"fields"`
	Words  []string `yaml:"words,omitempty"`
}

type odcsSLA struct {
	ID          yaml.Node `yaml:"id,omitempty"`
	Property    string    `yaml:"property"`
	Value       any       `yaml:"value"`
	Unit        string    `yaml:"unit,omitempty"`
	Element     string    `yaml:"element,omitempty"`
	Driver      string    `yaml:"driver,omitempty"`
	Description string    `yaml:"description,omitempty"`
}

type odcsCustom struct {
	ID          yaml.Node `yaml:"id,omitempty"`
	Property    string    `yaml:"property"`
	Value       yaml.Node `yaml:"value"`
	Description string    `yaml:"description,omitempty"`
}

// logical gives the standard's type of each of ours; what ours says beyond it stands as physicalType.
var logical = map[string]string{"text": "string", "uscc": "string", "date": "date", "datetime": "timestamp", "integer": "integer",
	"decimal": "number", "wan": "number", "yuan": "number", "boolean": "boolean"}

// The names of the custom properties that hold what the standard has no member for.
const (
	customFamily  = "xinshuFamily"
	customKind    = "xinshuKind"
	customMap     = "xinshuMap"
	customAliases = "xinshuAliases"
	customSubject = "xinshuSubject"
	customDrift   = "xinshuDrift"
	customGuard   = "xinshuGuard"
	customStock   = "xinshuStock"
	customClass   = "catalogueClass"
	customShare   = "shareType"
	customWay     = "shareWay"
	customTitleEN = "titleEn"
	customCodes   = "codeList"
	customUnit    = "unit"
	slaFrequency  = "frequency"
	slaLatency    = "latency"
	workingDays   = "working days"
	checkEngine   = "xinshu"
	tableType     = "dataset" // physicalType of a table in an export of ours
)

// ODCS writes a contract in the form of the Open Data Contract Standard 3.1, with its field sets laid
// in. What the standard has no member for stands in custom properties, so that FromODCS gives the same
// contract back.
func (d Dataset) ODCS() ([]byte, error) {
	c := odcs{APIVersion: "v3.1.0", Kind: "DataContract", ID: d.ID, Name: d.Title.ZH, Version: strconv.Itoa(d.Version), Status: "active", Domain: d.Owner}
	custom := func(name string, value any, empty bool) error {
		if empty {
			return nil
		}
		p := odcsCustom{Property: name}
		if err := p.Value.Encode(value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.Custom = append(c.Custom, p)
		return nil
	}
	for _, p := range []struct {
		name  string
		value any
		empty bool
	}{
		{customTitleEN, d.Title.EN, d.Title.EN == ""}, {customFamily, d.Family, false}, {customKind, d.Kind.file(), false},
		{customClass, d.Class, false}, {customShare, d.Share, false}, {customWay, d.Way, false}, {customSubject, d.Subject, d.Subject == Subject{}},
		{customMap, mapFile(d.Map), len(d.Map) == 0}, {customAliases, d.Aliases, len(d.Aliases) == 0},
		{customDrift, d.Drift.file(), d.Drift.isZero()}, {customGuard, d.Guard.file(), d.Guard == Guard{}}, {customStock, d.Stock, d.Stock == ""},
	} {
		if err := custom(p.name, p.value, p.empty); err != nil {
			return nil, err
		}
	}
	c.SLA = append(c.SLA, odcsSLA{Property: slaFrequency, Value: d.Cycle, Element: d.ID, Driver: "regulatory"})
	if d.Duty.WorkingDays > 0 {
		c.SLA = append(c.SLA, odcsSLA{Property: slaLatency, Value: d.Duty.WorkingDays, Unit: workingDays, Element: d.ID + "." + d.Duty.From, Driver: "regulatory"})
	}
	c.Schema = []odcsObject{{Name: d.ID, LogicalType: "object", PhysicalType: tableType, BusinessName: d.Title.ZH}}
	o := &c.Schema[0]
	for _, f := range d.Fields {
		o.Properties = append(o.Properties, f.property(slices.Index(d.Key, f.Name)+1))
	}
	for _, k := range d.Checks {
		q := odcsQuality{Name: k.Code, Type: "custom", Engine: checkEngine, Dimension: "conformity", Description: k.Message.ZH,
			Implementation: &odcsRule{Rule: k.Rule, Fields: k.Fields, Words: k.Words}, Custom: []odcsCustom{text(customTitleEN, k.Message.EN)}}
		o.Quality = append(o.Quality, q)
	}
	return encodeYAML(c)
}

// property writes one field; place is its place in the record key, 0 when it is not in it.
func (f Field) property(place int) odcsProperty {
	p := odcsProperty{Name: f.Name, BusinessName: f.Title.ZH, LogicalType: logical[f.Type], PhysicalType: f.Type, Required: f.Required,
		PrimaryKey: place > 0, KeyPosition: place, Classification: f.Sensitivity}
	if f.Max > 0 {
		p.Options = &odcsOptions{MaxLength: f.Max}
	}
	for _, c := range []struct{ name, value string }{{customTitleEN, f.Title.EN}, {customCodes, f.Codes}, {customUnit, f.Unit}} {
		if c.value != "" {
			p.Custom = append(p.Custom, text(c.name, c.value))
		}
	}
	return p
}

func text(name, value string) odcsCustom {
	return odcsCustom{Property: name, Value: *scalarNode(value)}
}

func encodeYAML(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// file gives a mapping as a file writes it: the members that say something.
func (m Mapping) file() map[string]any {
	file := map[string]any{}
	for name, value := range map[string]string{"field": m.Field, "const": m.Const, "default": m.Default} {
		if value != "" {
			file[name] = value
		}
	}
	if len(m.First) > 0 {
		file["first"] = m.First
	}
	if m.Values != nil {
		file["values"] = m.Values
	}
	return file
}

func mapFile(m map[string]Mapping) map[string]any {
	file := map[string]any{}
	for column, mapping := range m {
		file[column] = mapping.file()
	}
	return file
}

func (d Drift) isZero() bool {
	return d.Unknown == "" && d.Missing == "" && d.Type == "" && d.Share == 0 && len(d.Fields) == 0
}

func (d Drift) file() map[string]any {
	file := map[string]any{}
	for name, value := range map[string]string{"unknown": d.Unknown, "missing": d.Missing, "type": d.Type} {
		if value != "" {
			file[name] = value
		}
	}
	if d.Share > 0 {
		file["share"] = d.Share
	}
	if len(d.Fields) > 0 {
		file["fields"] = maps.Clone(d.Fields)
	}
	return file
}

func (g Guard) file() map[string]any {
	file := map[string]any{}
	if g.Least != nil {
		file["least"] = *g.Least
	}
	if g.LeastNew != nil {
		file["least_new"] = *g.LeastNew
	}
	return file
}
