package connectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const hidden = "***"

// String names what is set and shows no value: an address may carry a password as well.
func (v Values) String() string {
	names := slices.Sorted(maps.Keys(v))
	for i, name := range names {
		names[i] = name + "=" + hidden
	}
	return "{" + strings.Join(names, " ") + "}"
}

// GoString keeps %#v from printing values.
func (v Values) GoString() string { return v.String() }

// LogValue keeps structured logs from printing values.
func (v Values) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalJSON writes names without values. What must be saved is saved from where it was read.
func (v Values) MarshalJSON() ([]byte, error) {
	shown := make(map[string]string, len(v))
	for name := range v {
		shown[name] = hidden
	}
	return json.Marshal(shown)
}

// Fill checks values against what a driver declares and adds the defaults of those not given. One
// given empty stays empty, because many settings say what empty means ("no result code", "no pages");
// a choice has no empty one. It finds all faults at once: unknown names, required ones that are missing, values outside the choices. No fault shows a value.
func Fill(settings []Setting, values Values) (Values, error) {
	filled := make(Values, len(settings))
	var faults []error
	known := make(map[string]bool, len(settings))
	for _, s := range settings {
		known[s.Name] = true
		value, given := values[s.Name]
		value = strings.TrimSpace(value)
		if !given || value == "" && len(s.Choices) > 0 {
			value = s.Default
		}
		switch {
		case value == "" && s.Required:
			faults = append(faults, fmt.Errorf("%s (%s) is not set", s.Name, s.Title.EN))
		case value != "" && len(s.Choices) > 0 && !slices.Contains(s.Choices, value):
			faults = append(faults, fmt.Errorf("%s is none of %s", s.Name, strings.Join(s.Choices, ", ")))
		}
		filled[s.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			faults = append(faults, fmt.Errorf("%s is no setting of this kind", name))
		}
	}
	return filled, errors.Join(faults...)
}

// Reader takes typed settings out of filled values and remembers every fault, so that a form shows
// them all at once.
type Reader struct {
	values Values
	faults []error
}

// NewReader fills the values and begins with the faults found there.
func NewReader(settings []Setting, values Values) *Reader {
	filled, err := Fill(settings, values)
	r := &Reader{values: filled}
	if err != nil {
		r.faults = append(r.faults, err)
	}
	return r
}

// Text gives a setting as it stands.
func (r *Reader) Text(name string) string { return r.values[name] }

// List gives a comma separated setting, blanks trimmed, empty items dropped.
func (r *Reader) List(name string) []string {
	var items []string
	for item := range strings.SplitSeq(r.values[name], ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// Int gives a whole number of at least least.
func (r *Reader) Int(name string, least int) int {
	n, err := strconv.Atoi(r.values[name])
	if err != nil || n < least {
		r.faults = append(r.faults, fmt.Errorf("%s is no whole number of at least %d", name, least))
	}
	return n
}

// Float gives a number above zero.
func (r *Reader) Float(name string) float64 {
	f, err := strconv.ParseFloat(r.values[name], 64)
	if err != nil || !(f > 0) {
		r.faults = append(r.faults, fmt.Errorf("%s is no number above zero", name))
	}
	return f
}

// Duration gives a time such as 30s or 24h; empty is zero.
func (r *Reader) Duration(name string) time.Duration {
	if r.values[name] == "" {
		return 0
	}
	d, err := time.ParseDuration(r.values[name])
	if err != nil || d < 0 {
		r.faults = append(r.faults, fmt.Errorf("%s is no time such as 30s or 24h", name))
	}
	return d
}

// Fault adds a finding about a setting; it must not show a secret.
func (r *Reader) Fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf(format, args...))
}

// Err gives all faults as one error, nil when there are none.
func (r *Reader) Err() error { return errors.Join(r.faults...) }
