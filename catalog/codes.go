package catalog

// CodeList is a closed list of values that a field may hold.
type CodeList struct {
	ID     string      `yaml:"id" json:"id"`
	Title  Text        `yaml:"title" json:"title"`
	Values []CodeValue `yaml:"values" json:"values"`
}

// CodeValue is one value of a list. A source may write the code, the Chinese title or an alias; the code is kept.
type CodeValue struct {
	Code  string   `yaml:"code" json:"code"`
	ZH    string   `yaml:"zh" json:"zh"`
	EN    string   `yaml:"en" json:"en"`
	Alias []string `yaml:"alias" json:"alias,omitempty"`
}

func (l *loader) codeList(list *CodeList, at place) []Fault {
	c := checker{place: at}
	c.named(list.ID, list.Title)
	if len(list.Values) == 0 {
		c.fail([]any{"values"}, "a code list needs values")
	}
	meant := map[string]string{} // written form to the code it stands for
	for i, v := range list.Values {
		here := []any{"values", i}
		if v.Code == "" || v.ZH == "" || v.EN == "" {
			c.fail(here, "a value needs code, zh and en")
		}
		for _, written := range append([]string{v.Code, v.ZH}, v.Alias...) {
			if other, taken := meant[written]; taken && other != v.Code {
				c.fail(here, "%q stands for %s already", written, other)
			}
			meant[written] = v.Code
		}
		if i > 0 && v.Code == list.Values[i-1].Code {
			c.fail(here, "code %s is given twice", v.Code)
		}
	}
	return c.faults
}
