package simulate

import (
	"slices"
	"strings"

	"xinshu/catalog"
)

// freeText are the fields in which people write more than they should.
var freeText = []string{"BZ", "evidence", "facts", "finding", "matter", "breach_desc", "effect", "result"}

// spoil turns the values of a clean row into what a fault makes of them, and says which reason and
// column the hub must name. It reports false where this row cannot have the fault.
func (d *dataset) spoil(fault Fault, r *row, values []string) (reason, column string, ok bool) {
	code := d.at(d.contract.Subject.USCC)
	switch fault {
	case LowerCase:
		values[code] = strings.ToLower(values[code])
	case FullWidth:
		values[code] = fullWidth(values[code])
	case Blanks:
		values[code] = values[code][:8] + []string{" ", "-", "　"}[r.number(3)] + values[code][8:]
	case IDInText:
		values[d.remark()] += "联系人身份证号" + residentID(r.e.Division, "19800312", r.i)
		return "", "", true
	case Duplicate:
		return "", "", true
	case NaturalPerson:
		d.beNaturalPerson(r, values)
		return "", "", true
	case WrongCheck:
		at := strings.IndexByte(codeAlphabet, values[code][17])
		values[code] = values[code][:17] + string(codeAlphabet[(at+1+r.number(30))%31])
	case LetterO:
		if !strings.Contains(values[code], "0") {
			return "", "", false
		}
		values[code] = strings.Replace(values[code], "0", "O", 1)
	case WrongBuild:
		values[code] = values[code][:4] + "AB" + values[code][6:]
	case TooShort:
		values[code] = values[code][:17]
	case Placeholder:
		values[code] = []string{"无", "000000000000000000", "00000000000000000X", "暂无"}[r.number(4)]
	case OldNumber:
		values[code] = regNo(r.e.Division, r.i)[:13]
	case ResidentID:
		values[code] = residentID("410481", "19750820", r.i)
	default:
		return d.spoilField(fault, r, values)
	}
	return reasonOf(fault), d.headings[code], true
}

// spoilField spoils one field other than the code of the subject.
func (d *dataset) spoilField(fault Fault, r *row, values []string) (reason, column string, ok bool) {
	var fits func(catalog.Field) bool
	var bad string
	switch fault {
	case Missing:
		fits = func(f catalog.Field) bool { return f.Required }
	case BadDate:
		fits, bad = func(f catalog.Field) bool { return f.Type == "date" }, "2025-02-30"
	case BadNumber:
		fits, bad = func(f catalog.Field) bool { return numeric(f.Type) }, "约三百"
	case UnknownCode:
		fits, bad = func(f catalog.Field) bool { return f.Codes != "" && f.Name != d.contract.Subject.Category }, "未列明"
	case UnknownLevel:
		fits, bad = func(f catalog.Field) bool { return f.Name == d.contract.Map["level"].Field }, "待定"
	case TooLong:
		fits = func(f catalog.Field) bool {
			return f.Type == "text" && f.Max > 0 && f.Codes == "" && f.Sensitivity == ""
		}
	case BrokenRule:
		return d.breakRule(r, values)
	default:
		return "", "", false
	}
	var places []int
	for i, c := range d.columns {
		if !d.fixed(c.field.Name) && values[i] != "" && fits(c.field) {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return "", "", false
	}
	at := places[r.number(len(places))]
	f := d.columns[at].field
	if values[at] = bad; fault == TooLong {
		values[at] = strings.Repeat("长", f.Max+1)
	}
	return reasonOf(fault), d.headings[at], true
}

// breakRule makes the row break one of the contract's checks, the first it can.
func (d *dataset) breakRule(r *row, values []string) (reason, column string, ok bool) {
	for k := range d.contract.Checks {
		check := d.contract.Checks[(k+r.number(len(d.contract.Checks)))%len(d.contract.Checks)]
		a := d.at(check.Fields[0])
		b := -1
		if len(check.Fields) > 1 {
			b = d.at(check.Fields[1])
		}
		if a < 0 || d.keyed(check.Fields[0]) {
			continue
		}
		switch check.Rule {
		case "not_after":
			if b < 0 || values[a] == "" || values[b] == "" || d.keyed(check.Fields[1]) {
				continue
			}
			values[b] = r.f.on.AddDays(-40).String()
		case "not_future":
			if values[a] == "" || d.ordered(check.Fields[0], values) {
				continue
			}
			values[a] = lastDay.AddDays(200 + r.number(300)).String()
		case "positive_iff":
			if values[a] == "" || strings.Trim(values[a], "0.") == "" {
				values[a] = "3.5"
			} else {
				values[a] = "0"
			}
		case "required_if":
			if b < 0 || values[a] == "" || !oneOf(check.Words, values[b]) {
				continue
			}
			values[a] = ""
		default:
			continue
		}
		return check.Code, d.headings[a], true
	}
	return "", "", false
}

// ordered says whether a field stands before another filled one in a check of order: pushing it into
// the future would break that check too, and a row must have one fault only.
func (d *dataset) ordered(field string, values []string) bool {
	for _, c := range d.contract.Checks {
		if c.Rule == "not_after" && c.Fields[0] == field {
			if at := d.at(c.Fields[1]); at >= 0 && values[at] != "" {
				return true
			}
		}
	}
	return false
}

// beNaturalPerson makes the row one about a person; only the double-publicity sets can say so.
func (d *dataset) beNaturalPerson(r *row, values []string) {
	prefix := d.contract.Subject.Category[:3]
	for field, value := range map[string]string{
		d.contract.Subject.Category: "自然人", d.contract.Subject.USCC: "", d.contract.Subject.Name: r.person(), prefix + "FRDB": "", prefix + "FR_ZJLX": "", prefix + "FR_ZJHM": "",
		prefix + "XDR_ZJLX": "身份证", prefix + "XDR_ZJHM": residentID("410481", "19880606", r.i),
	} {
		if at := d.at(field); at >= 0 {
			values[at] = value
		}
	}
}

// at gives the place of the first of the named columns that the dataset has, -1 without one.
func (d *dataset) at(names ...string) int {
	for _, name := range names {
		for i, c := range d.columns {
			if c.field.Name == name {
				return i
			}
		}
	}
	return -1
}

// remark gives the place of the column in which people write more than they should, -1 without one.
func (d *dataset) remark() int {
	for i, c := range d.columns {
		f := c.field
		if oneOf(freeText, f.Name) && f.Codes == "" && f.Name != d.contract.Map["level"].Field && !d.keyed(f.Name) {
			return i
		}
	}
	return -1
}

// fixed are the fields that dirt leaves alone: spoiling them would spoil the key or the order of versions.
func (d *dataset) fixed(field string) bool {
	_, common := commonFields[field]
	return common || d.keyed(field) || field == d.contract.Subject.USCC || field == d.contract.Kind.Field
}

func (d *dataset) keyed(field string) bool { return oneOf(d.contract.Key, field) }

func oneOf(words []string, word string) bool {
	return slices.Contains(words, word)
}

func numeric(fieldType string) bool {
	switch fieldType {
	case "integer", "decimal", "wan", "yuan":
		return true
	}
	return false
}

// fullWidth writes a code in full-width characters.
func fullWidth(s string) string {
	return strings.Map(func(c rune) rune { return c - '!' + '！' }, s)
}
