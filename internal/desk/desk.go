// Package desk owns what people and programs ask of the hub and tell it, each thing once: the
// console, the API and the command line call it and ask nobody else. It refuses to know screens,
// requests and sessions: the actor comes in the context, and what of the data an actor may see is
// decided here. Answers come from run state, the lake and the catalogue; orders go to the pipeline
// and to the schedules.
package desk

import (
	"io/fs"
	"sync"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/audit"
	"xinshu/internal/cases"
	"xinshu/internal/duck"
	"xinshu/internal/lake"
	"xinshu/internal/state"
	"xinshu/pipelines"
	"xinshu/pipelines/schedule"
)

// Desk answers. Its fields are set once, before use; it may be used by several goroutines.
type Desk struct {
	Catalog  *catalog.Catalog
	Files    fs.FS                        // the built-in catalogue with the installation's folder over it, nothing released
	Drivers  map[string]connectors.Driver // by kind
	Lake     *lake.Lake
	State    *state.State
	Pipeline *pipelines.Pipeline
	SQL      fs.FS
	Duck     duck.Options
	Now      func() time.Time
	Version  string
	Trail    *audit.Trail // keeps who did and looked at what
	Data     string       // folder for temporary files
	Vault    Vault
	Given    []Given      // the sources and targets of the config
	Review   []cases.Kind // kinds of cases whose decision a second person confirms
	Book     *schedule.Book
	Patience time.Duration // how long a page waits for refused rows to be counted; 0: 0.15 s

	previews sync.Mutex // one preview at a time: it grades everybody twice

	kept    kept
	days    pastDays
	shelves shelves
}

// Today is the day of the hub's clock in Shanghai.
func (d *Desk) Today() catalog.Date { return catalog.DateOf(d.Now()) }
