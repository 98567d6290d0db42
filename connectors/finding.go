package connectors

import (
	"fmt"
	"time"
)

// What a test of a connection can find.
const (
	FoundServer = "server" // a database; Place: its name and version, as it says them
	FoundFiles  = "files"  // a folder; Count: files in it
	FoundEmpty  = "empty"  // a bucket in which nothing begins with Place yet
	FoundAnswer = "answer" // a platform; Count: the status of its answer
	FoundSecret = "secret" // a platform that gave a working secret; Until: how long it holds, zero: it did not say
)

// FindingCodes lists them, so that who puts findings into words can say that none is missing.
var FindingCodes = []string{FoundServer, FoundFiles, FoundEmpty, FoundAnswer, FoundSecret}

// Finding is what a test of a connection found. The zero Finding: nothing.
type Finding struct {
	Code  string    `json:"code"`
	Place string    `json:"place"`
	Count int       `json:"count,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// String says it in English.
func (f Finding) String() string {
	switch f.Code {
	case FoundFiles:
		return fmt.Sprintf("reached %s; %d files in it", f.Place, f.Count)
	case FoundEmpty:
		return fmt.Sprintf("reached the bucket; nothing in it begins with %s yet", f.Place)
	case FoundAnswer:
		return fmt.Sprintf("reached %s; it answered with status %d", f.Place, f.Count)
	case FoundSecret:
		if f.Until.IsZero() {
			return fmt.Sprintf("reached %s; it gave a working secret", f.Place)
		}
		return fmt.Sprintf("reached %s; the working secret holds until %s", f.Place, f.Until.In(Shanghai).Format(time.DateTime))
	}
	return f.Place
}
