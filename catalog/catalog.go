// Package catalog owns the words of the field: codes, departments, platforms, families, datasets,
// policies, dated rules and calendars, each a YAML file that an installation may replace. It refuses
// to move data; it tells those who do what a row must look like. It imports nothing of the house
// but internal/fault.
package catalog

// Text is a title in the two languages of the screens.
type Text struct {
	ZH string `yaml:"zh" json:"zh"`
	EN string `yaml:"en" json:"en"`
}

// Field is one column of a dataset as its owner sends it.
type Field struct {
	Name        string `yaml:"name" json:"name"`
	Title       Text   `yaml:"title" json:"title"`
	Type        string `yaml:"type" json:"type"` // text date datetime integer decimal wan yuan boolean uscc
	Required    bool   `yaml:"required" json:"required,omitempty"`
	Codes       string `yaml:"codes" json:"codes,omitempty"`             // name of a code list; a value outside it is quarantined
	Sensitivity string `yaml:"sensitivity" json:"sensitivity,omitempty"` // public (default), internal, personal: masked before the first durable write
	Max         int    `yaml:"max" json:"max,omitempty"`                 // most characters; 0: no limit of its own
	Unit        string `yaml:"unit" json:"unit,omitempty"`
}

// Mapping says where a family column's value comes from.
type Mapping struct {
	Field   string            `yaml:"field" json:"field,omitempty"`
	First   []string          `yaml:"first" json:"first,omitempty"`     // the first of these fields that is not empty
	Const   string            `yaml:"const" json:"const,omitempty"`     // always this value
	Values  map[string]string `yaml:"values" json:"values,omitempty"`   // source value to canonical value; a value outside it is quarantined, unless Default is set
	Default string            `yaml:"default" json:"default,omitempty"` // for an empty or unlisted value
}

// Check is a rule across fields; a row that breaks it is quarantined with the check's code.
type Check struct {
	Code    string   `yaml:"code" json:"code"`
	Message Text     `yaml:"message" json:"message"`
	Rule    string   `yaml:"rule" json:"rule"` // not_after, not_future, positive_iff, required_if, uscc
	Fields  []string `yaml:"fields" json:"fields"`
	Words   []string `yaml:"words" json:"words,omitempty"` // of positive_iff and required_if
}

// Subject names the fields that say whom a row is about.
type Subject struct {
	USCC     string `yaml:"uscc" json:"uscc"`
	Name     string `yaml:"name" json:"name"`
	Category string `yaml:"category" json:"category,omitempty"` // where it says 自然人 the row is skipped
}

// Duty is the supplier's promise: so many working days from the date in a field to receipt.
type Duty struct {
	WorkingDays int    `yaml:"working_days" json:"working_days"`
	From        string `yaml:"from" json:"from"`
}

// Guard says when a feed brings so little that its absences are not believed. Percent of a usual
// pull; 0 turns the comparison off, so that only a pull without any row raises an alarm.
type Guard struct {
	Least    *int `yaml:"least" json:"least,omitempty"`         // of a pull that gives everything; nil: 50
	LeastNew *int `yaml:"least_new" json:"least_new,omitempty"` // of a pull of what is new; nil: 0, for such pulls vary
}

// Dataset is a contract: what its owner supplies and how its rows become a family's columns.
type Dataset struct {
	ID      string             `yaml:"id" json:"id"` // owner.slug
	Title   Text               `yaml:"title" json:"title"`
	Owner   string             `yaml:"owner" json:"owner"` // department or platform id
	Family  string             `yaml:"family" json:"family"`
	Kind    Mapping            `yaml:"kind" json:"kind"`
	Class   string             `yaml:"class" json:"class"` // C01..C13 of the national basic catalogue
	Share   string             `yaml:"share" json:"share"` // unconditional, conditional, none
	Way     string             `yaml:"way" json:"way"`     // restapi, dbtable, files
	Cycle   string             `yaml:"cycle" json:"cycle"`
	Stock   string             `yaml:"stock" json:"stock,omitempty"` // whole: what a pull of everything no longer has is gone; empty: absence means nothing
	Guard   Guard              `yaml:"guard" json:"guard,omitzero"`
	Duty    Duty               `yaml:"duty" json:"duty"`
	Version int                `yaml:"version" json:"version"`
	Use     []string           `yaml:"use" json:"use,omitempty"`
	Subject Subject            `yaml:"subject" json:"subject"`
	Fields  []Field            `yaml:"fields" json:"fields"`   // those of the field sets first
	Key     []string           `yaml:"key" json:"key"`         // the record key
	Map     map[string]Mapping `yaml:"map" json:"map"`         // by family column
	Checks  []Check            `yaml:"checks" json:"checks"`   // those of the field sets first
	Aliases map[string]string  `yaml:"aliases" json:"aliases"` // other names a source uses, to field names
	Drift   Drift              `yaml:"drift" json:"drift"`     // what happens when the source changes

	File   string `yaml:"-" json:"file"`   // where the contract lies
	SHA256 string `yaml:"-" json:"sha256"` // of the contract with its field sets and family
}

// Column is one column of a family.
type Column struct {
	Name  string `yaml:"name" json:"name"`
	Type  string `yaml:"type" json:"type"` // text date timestamp integer fen boolean
	Title Text   `yaml:"title" json:"title"`
}

// Family is a set of datasets that become credit records by one SQL file.
type Family struct {
	ID      string              `yaml:"id" json:"id"`
	Title   Text                `yaml:"title" json:"title"`
	Kinds   map[string][]string `yaml:"kinds" json:"kinds"` // kind to its levels; "*" is any level
	Columns []Column            `yaml:"columns" json:"columns"`
}

// Department is one of the units that supply datasets.
type Department struct {
	ID     string `yaml:"id" json:"id"`
	Order  int    `yaml:"order" json:"order"`
	Title  Text   `yaml:"title" json:"title"`
	Sector Text   `yaml:"sector" json:"sector"`
	Clause string `yaml:"clause" json:"clause"`
}

// Platform is an upstream or downstream party that is not one of the departments.
type Platform struct {
	ID      string `yaml:"id" json:"id"`
	Title   Text   `yaml:"title" json:"title"`
	Way     string `yaml:"way" json:"way"`
	Content Text   `yaml:"content" json:"content"`
}
