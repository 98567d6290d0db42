package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FromODCS reads a contract written in the Open Data Contract Standard 3 and gives it as a file of this
// catalogue: what it says of fields, key, classification and cycle is taken, what it cannot say stands
// as in the contract that it renews, or in the custom properties of an export. The notes name what the
// file says beyond a contract of ours. What cannot be carried is a fault with its line.
func (c *Catalog) FromODCS(file string, body []byte) (path string, contract []byte, notes []string, faults []Fault) {
	var in odcs
	at, faults := decode(file, body, &in)
	if len(faults) > 0 {
		return "", nil, nil, faults
	}
	r := &odcsReader{place: at, cat: c}
	d := r.dataset(in)
	if len(r.faults) > 0 {
		return "", nil, nil, r.faults
	}
	contract, err := d.yamlFile()
	if err != nil {
		return "", nil, nil, []Fault{{File: file, Line: 1, Message: err.Error()}}
	}
	owner, slug, _ := strings.Cut(d.ID, ".")
	return "datasets/" + owner + "/" + slug + ".yaml", contract, r.notes, nil
}

// odcsReader gathers what an import finds.
type odcsReader struct {
	place
	cat    *Catalog
	faults []Fault
	notes  []string
}

func (r *odcsReader) bad(at []any, format string, args ...any) {
	r.faults = append(r.faults, r.fault(at, format, args...))
}

// aside notes a member that is left out.
func (r *odcsReader) aside(name string, node yaml.Node) {
	if !node.IsZero() {
		r.notes = append(r.notes, fmt.Sprintf("line %d: %s is left out: a contract here has no place for it", node.Line, name))
	}
}

func (r *odcsReader) dataset(in odcs) Dataset {
	if in.Kind != "DataContract" {
		r.bad([]any{"kind"}, "kind is %q; a contract is a DataContract", in.Kind)
	}
	if !strings.HasPrefix(in.APIVersion, "v3.") {
		r.bad([]any{"apiVersion"}, "apiVersion is %q; v3.0 and v3.1 are read", in.APIVersion)
	}
	if len(in.Schema) != 1 {
		r.bad([]any{"schema"}, "a dataset has one table, and this contract has %d", len(in.Schema))
		return Dataset{}
	}
	base, renews := r.cat.Dataset(in.ID)
	d := base
	d.ID, d.Fields, d.Checks, d.Use = in.ID, nil, nil, nil
	owner, _, dotted := strings.Cut(in.ID, ".")
	if !dotted {
		r.bad([]any{"id"}, "the id of a dataset is owner.slug, such as amr.severe; this is %q", in.ID)
	}
	d.Owner = cmp.Or(in.Domain, owner)
	if in.Domain != "" && in.Domain != owner {
		d.Owner = owner
		r.notes = append(r.notes, "domain "+in.Domain+" is left out: the owner is the part of the id before the point")
	}
	d.Title.ZH = cmp.Or(in.Name, in.Schema[0].BusinessName, base.Title.ZH)
	version, err := strconv.Atoi(strings.TrimPrefix(strings.SplitN(in.Version, ".", 2)[0], "v"))
	if err != nil || version < 1 {
		r.bad([]any{"version"}, "version is %q; it begins with a number from 1", in.Version)
	}
	d.Version = version
	r.customs(in.Custom, &d, renews)
	r.table(in.Schema[0], &d, base)
	r.sla(in.SLA, &d)
	r.leftOut(in)
	return d
}

// customs reads what an export put where the standard has no member.
func (r *odcsReader) customs(all []odcsCustom, d *Dataset, renews bool) {
	into := map[string]any{customTitleEN: &d.Title.EN, customFamily: &d.Family, customKind: &d.Kind, customClass: &d.Class, customShare: &d.Share, customWay: &d.Way,
		customSubject: &d.Subject, customMap: &d.Map, customAliases: &d.Aliases, customDrift: &d.Drift, customGuard: &d.Guard, customStock: &d.Stock}
	seen := map[string]bool{}
	ours := slices.ContainsFunc(all, func(c odcsCustom) bool { return c.Property == customFamily })
	if ours { // an export says everything: what it leaves out is empty
		d.Subject, d.Map, d.Aliases, d.Drift, d.Guard, d.Stock, d.Kind = Subject{}, nil, nil, Drift{}, Guard{}, "", Mapping{}
	}
	for i, c := range all {
		at := []any{"customProperties", i}
		target, known := into[c.Property]
		switch {
		case !known:
			r.notes = append(r.notes, "custom property "+c.Property+" is left out: a contract here has no place for it")
		case seen[c.Property]:
			r.bad(at, "custom property %s stands twice", c.Property)
		default:
			if err := c.Value.Decode(target); err != nil {
				r.bad(append(at, "value"), "custom property %s: %v", c.Property, err)
			}
		}
		seen[c.Property] = true
	}
	if !renews && !ours {
		r.bad([]any{"id"}, "there is no dataset %s yet, and the contract does not say which family its rows belong to: give the custom properties %s, %s and %s, or add the dataset first", d.ID, customFamily, customKind, customMap)
	}
}

// table reads fields, key and checks.
func (r *odcsReader) table(o odcsObject, d *Dataset, base Dataset) {
	at := []any{"schema", 0}
	if o.LogicalType != "" && o.LogicalType != "object" {
		r.bad(append(at, "logicalType"), "logicalType is %q; a table is an object", o.LogicalType)
	}
	key := map[int]string{}
	for i, p := range o.Properties {
		here := append(slices.Clone(at), "properties", i)
		before, _ := base.Field(p.Name)
		d.Fields = append(d.Fields, r.field(p, before, here))
		if p.PrimaryKey {
			place := p.KeyPosition
			if place < 1 {
				place = len(key) + 1
			}
			if other, taken := key[place]; taken {
				r.bad(here, "%s and %s are both in place %d of the key", other, p.Name, place)
			}
			key[place] = p.Name
		}
	}
	if len(key) > 0 {
		d.Key = nil
		for place := 1; place <= len(key); place++ {
			name, there := key[place]
			if !there {
				r.bad(append(at, "properties"), "the key has %d fields and none in place %d", len(key), place)
			}
			d.Key = append(d.Key, name)
		}
	}
	for i, q := range o.Quality {
		here := append(slices.Clone(at), "quality", i)
		if q.Type != "custom" || q.Engine != checkEngine || q.Implementation == nil {
			r.bad(here, "quality rule %q is of type %s and engine %q: only rules of engine %s (rule, fields, words) can be carried", q.Name, cmp.Or(q.Type, "library"), q.Engine, checkEngine)
			continue
		}
		check := Check{Code: q.Name, Message: Text{ZH: q.Description}, Rule: q.Implementation.Rule, Fields: q.Implementation.Fields, Words: q.Implementation.Words}
		r.texts(q.Custom, append(here, "customProperties"), map[string]*string{customTitleEN: &check.Message.EN})
		d.Checks = append(d.Checks, check)
	}
	if len(o.Quality) == 0 && o.PhysicalType != tableType { // an export of ours says its checks; another's says nothing of them
		d.Checks = slices.Clone(base.Checks)
	}
}

func (r *odcsReader) field(p odcsProperty, before Field, at []any) Field {
	f := Field{Name: p.Name, Title: Text{ZH: cmp.Or(p.BusinessName, before.Title.ZH, p.Name), EN: before.Title.EN}, Required: p.Required, Codes: before.Codes, Unit: before.Unit}
	switch {
	case p.Name == "":
		r.bad(at, "a property has no name")
	case !p.Nested.IsZero() || !p.Items.IsZero() || p.LogicalType == "object" || p.LogicalType == "array":
		r.bad(at, "field %s is a structure: rows here are flat, one value a field", p.Name)
	}
	if logical[p.PhysicalType] != "" && (p.LogicalType == "" || logical[p.PhysicalType] == p.LogicalType) {
		f.Type = p.PhysicalType
	} else {
		f.Type = map[string]string{"string": "text", "date": "date", "timestamp": "datetime", "integer": "integer", "number": "decimal", "boolean": "boolean"}[p.LogicalType]
		if logical[before.Type] == p.LogicalType && before.Type != "" {
			f.Type = before.Type // the standard's string may well be our uscc, its number our wan
		}
	}
	if f.Type == "" && p.LogicalType != "object" && p.LogicalType != "array" {
		r.bad(append(slices.Clone(at), "logicalType"), "field %s: type %q cannot be carried; string, date, timestamp, integer, number and boolean can", p.Name, p.LogicalType)
	}
	if p.Options != nil {
		f.Max = p.Options.MaxLength
		for name, node := range map[string]yaml.Node{"minLength": p.Options.MinLength, "pattern": p.Options.Pattern, "format": p.Options.Format, "minimum": p.Options.Minimum, "maximum": p.Options.Maximum} {
			r.aside(p.Name+": "+name, node)
		}
	}
	if f.Sensitivity = p.Classification; !slices.Contains(sensitivities, f.Sensitivity) {
		r.bad(append(slices.Clone(at), "classification"), "field %s: classification %q is none of public, internal, personal", p.Name, p.Classification)
	}
	if before.Sensitivity == "personal" && f.Sensitivity == "" {
		f.Sensitivity = before.Sensitivity // silence does not make a person's field public
	}
	codes, unit := f.Codes, f.Unit
	if p.PhysicalType != "" {
		codes, unit = "", ""
	}
	r.texts(p.Custom, append(slices.Clone(at), "customProperties"), map[string]*string{customTitleEN: &f.Title.EN, customCodes: &codes, customUnit: &unit})
	f.Codes, f.Unit = codes, unit
	for name, node := range map[string]yaml.Node{"tags": p.Tags, "quality": p.Quality, "relationships": p.Relationships, "transformLogic": p.Transform.Logic, "encryptedName": p.EncryptedName} {
		r.aside(p.Name+": "+name, node)
	}
	if f.Title.EN == "" {
		f.Title.EN = f.Name
	}
	return f
}

// texts reads custom properties that are single words.
func (r *odcsReader) texts(all []odcsCustom, at []any, into map[string]*string) {
	for i, c := range all {
		target, known := into[c.Property]
		if !known {
			r.notes = append(r.notes, "custom property "+c.Property+" is left out: a contract here has no place for it")
			continue
		}
		if err := c.Value.Decode(target); err != nil {
			r.bad(append(slices.Clone(at), i, "value"), "custom property %s: %v", c.Property, err)
		}
	}
}

// sla reads cycle and duty.
func (r *odcsReader) sla(all []odcsSLA, d *Dataset) {
	latency := false
	for i, s := range all {
		at := []any{"slaProperties", i}
		switch s.Property {
		case slaFrequency:
			if d.Cycle = fmt.Sprint(s.Value); !slices.Contains(cycles, d.Cycle) {
				r.bad(append(at, "value"), "frequency %q is none of %s", d.Cycle, strings.Join(cycles, ", "))
			}
		case slaLatency:
			days, whole := s.Value.(int)
			if s.Unit != workingDays || !whole {
				r.bad(at, "latency %v %s: only whole %s can be carried", s.Value, s.Unit, workingDays)
				continue
			}
			latency = true
			d.Duty = Duty{WorkingDays: days, From: strings.TrimPrefix(s.Element, d.ID+".")}
		default:
			r.notes = append(r.notes, "slaProperties: "+s.Property+" is left out: a contract here has no place for it")
		}
	}
	if !latency && len(all) > 0 {
		d.Duty = Duty{}
	}
}

func (r *odcsReader) leftOut(in odcs) {
	for _, m := range []struct {
		name string
		node yaml.Node
	}{{"tenant", in.Tenant}, {"tags", in.Tags}, {"servers", in.Servers}, {"dataProduct", in.DataProduct}, {"support", in.Support}, {"price", in.Price}, {"team", in.Team},
		{"roles", in.Roles}, {"authoritativeDefinitions", in.Definitions}, {"contractCreatedTs", in.Created}, {"slaDefaultElement", in.SLAElement},
		{"schema: tags", in.Schema[0].Tags}, {"schema: relationships", in.Schema[0].Relationships}, {"schema: authoritativeDefinitions", in.Schema[0].Definitions}} {
		r.aside(m.name, m.node)
	}
	if in.Description != nil {
		r.notes = append(r.notes, "description is left out: a contract here has titles only")
	}
}
