package catalog

import "sync/atomic"

const overridesFile = "rules/uscc-overrides.yaml"

// RecordedCode is a steward's recorded decision that a code is valid though its check character is wrong:
// pilot codes issued before GB 32100 settled still circulate.
type RecordedCode struct {
	Code      string `yaml:"code" json:"code"`
	DecidedBy string `yaml:"decided_by" json:"decided_by"`
	DecidedOn *Date  `yaml:"decided_on" json:"decided_on"`
	Evidence  string `yaml:"evidence" json:"evidence"` // where the code was seen on an official register
}

// Record makes codes valid that a steward stated in the hub, beside those of the catalogue's file. It
// is called before the catalogue is used, and again when the statements change; rows that are checked
// meanwhile are judged by either.
func (c *Catalog) Record(codes ...string) {
	stated := make(map[string]bool, len(codes))
	for _, code := range codes {
		stated[code] = true
	}
	if c.stated == nil { // no loaded catalogue
		c.stated = &atomic.Pointer[map[string]bool]{}
	}
	c.stated.Store(&stated)
}

func (l *loader) overrides() []RecordedCode {
	var files []struct {
		Overrides []RecordedCode `yaml:"overrides"`
	}
	load(l, overridesFile, &files, func(f *struct {
		Overrides []RecordedCode `yaml:"overrides"`
	}, at place,
	) []Fault {
		c := checker{place: at}
		for i, o := range f.Overrides {
			here := []any{"overrides", i}
			if v := CheckUSCC(o.Code); v.Reason != USCCCheck || v.Normalized != o.Code {
				c.fail(here, "%q needs no override or must have none: only a well-formed code with a wrong check character takes one", v.Input)
			}
			if o.DecidedBy == "" || o.DecidedOn == nil || o.Evidence == "" {
				c.fail(here, "an override names who decided it, on which day and on what evidence")
			}
		}
		return c.faults
	})
	var all []RecordedCode
	for _, f := range files {
		all = append(all, f.Overrides...)
	}
	for _, o := range all {
		l.cat.recorded[o.Code] = true
	}
	return all
}
