// Package all owns the list of connector kinds, and nothing else. cmd takes the kinds from here; a
// new kind is one line.
package all

import (
	"time"

	"xinshu/connectors"
	"xinshu/connectors/dbtable"
	"xinshu/connectors/files"
	"xinshu/connectors/restapi"
)

// Drivers lists the kinds, in the order of the screens. now is the wall clock, which signatures carry.
func Drivers(now func() time.Time) []connectors.Driver {
	return []connectors.Driver{
		restapi.Driver(now),
		dbtable.Driver(),
		files.Driver(),
	}
}

// Driver gives the kind of that name.
func Driver(kind string, now func() time.Time) (connectors.Driver, bool) {
	for _, d := range Drivers(now) {
		if d.Kind == kind {
			return d, true
		}
	}
	return connectors.Driver{}, false
}
