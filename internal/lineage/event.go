// Package lineage owns the OpenLineage events of runs: which datasets a run read and wrote, with their
// columns and row counts, for catalogues of data that listen to such events. It refuses to hold up a
// run: an event that cannot be written in time is dropped and counted. Runs come from whoever records
// them; events go to a file or an HTTP endpoint.
package lineage

import (
	"crypto/sha1" //nolint:gosec // version 5 of a UUID is made with it; nothing is protected by it
	"fmt"
	"time"

	"xinshu/internal/chain"
)

// The version of the specification that events are written to.
const (
	spec       = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
	facets     = "https://openlineage.io/spec/facets/"
	schemaSpec = facets + "1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
	parentSpec = facets + "1-0-1/ParentRunFacet.json#/$defs/ParentRunFacet"
	errorSpec  = facets + "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
	outputSpec = facets + "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
	inputSpec  = facets + "1-0-0/InputStatisticsInputDatasetFacet.json#/$defs/InputStatisticsInputDatasetFacet"
	typeSpec   = facets + "2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
)

// Event is a RunEvent.
type Event struct {
	EventType string    `json:"eventType"` // START, COMPLETE, FAIL, ABORT
	EventTime time.Time `json:"eventTime"`
	Producer  string    `json:"producer"`
	SchemaURL string    `json:"schemaURL"`
	Run       Run       `json:"run"`
	Job       Job       `json:"job"`
	Inputs    []Dataset `json:"inputs,omitempty"`
	Outputs   []Dataset `json:"outputs,omitempty"`
}

// Run names a run.
type Run struct {
	RunID  string         `json:"runId"` // a UUID made of our own id
	Facets map[string]any `json:"facets,omitempty"`
}

// Job names what was run.
type Job struct {
	Namespace string         `json:"namespace"`
	Name      string         `json:"name"`
	Facets    map[string]any `json:"facets,omitempty"`
}

// Dataset is read or written.
type Dataset struct {
	Namespace    string         `json:"namespace"`
	Name         string         `json:"name"`
	Facets       map[string]any `json:"facets,omitempty"`
	InputFacets  map[string]any `json:"inputFacets,omitempty"`
	OutputFacets map[string]any `json:"outputFacets,omitempty"`
}

// Column is one column of a dataset.
type Column struct {
	Name        string `json:"name"`
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
}

// facet is what every facet begins with.
func (w *Writer) facet(schema string, members map[string]any) map[string]any {
	members["_producer"], members["_schemaURL"] = w.Producer, schema
	return members
}

// event says of a run as it stands what the specification has words for.
func (w *Writer) event(r chain.Run, entry chain.Entry) Event {
	e := Event{EventTime: r.Started, Producer: w.Producer, SchemaURL: spec,
		Run: Run{RunID: uuid("run", r.ID), Facets: map[string]any{}},
		Job: Job{Namespace: w.Namespace, Name: r.Step, Facets: map[string]any{
			"jobType": w.facet(typeSpec, map[string]any{"processingType": "BATCH", "integration": "XINSHU", "jobType": "STEP"})}}}
	if r.Subject != "" {
		e.Job.Name += "." + r.Subject
	}
	switch r.Status {
	case "running":
		e.EventType = "START"
	case "done":
		e.EventType, e.EventTime = "COMPLETE", r.Ended
	case "interrupted":
		e.EventType, e.EventTime = "ABORT", r.Ended
	default:
		e.EventType, e.EventTime = "FAIL", r.Ended
	}
	if r.Task != "" {
		e.Run.Facets["parent"] = w.facet(parentSpec, map[string]any{
			"run": map[string]any{"runId": uuid("task", r.Task)}, "job": map[string]any{"namespace": w.Namespace, "name": "task"}})
	}
	if r.Error != "" {
		e.Run.Facets["errorMessage"] = w.facet(errorSpec, map[string]any{"message": r.Error, "programmingLanguage": "Go"})
	}
	w.datasets(&e, r, entry)
	return e
}

// datasets fills in what was read and written. A pull reads a department's dataset; any other step
// reads the chains that its commit names.
func (w *Writer) datasets(e *Event, r chain.Run, entry chain.Entry) {
	if r.Step == "pull" {
		in := Dataset{Namespace: w.Namespace + "/source/" + r.Source, Name: r.Subject, Facets: map[string]any{}}
		if r.Source == "" {
			in.Namespace = w.Namespace + "/source"
		}
		if w.Columns != nil {
			if columns := w.Columns(r.Subject); len(columns) > 0 {
				in.Facets["schema"] = w.facet(schemaSpec, map[string]any{"fields": columns})
			}
		}
		if r.Status == "done" {
			in.InputFacets = map[string]any{"inputStatistics": w.facet(inputSpec, map[string]any{"rowCount": r.Ledger.Read})}
		}
		e.Inputs = append(e.Inputs, in)
	}
	for _, in := range entry.Inputs {
		e.Inputs = append(e.Inputs, Dataset{Namespace: w.Lake, Name: in.Chain})
	}
	if r.Chain == "" {
		if r.Step == "push" && r.Subject != "" {
			e.Outputs = append(e.Outputs, Dataset{Namespace: w.Namespace + "/target", Name: r.Subject})
		}
		return
	}
	out := Dataset{Namespace: w.Lake, Name: r.Chain}
	if r.Step == "pull" {
		out.OutputFacets = map[string]any{"outputStatistics": w.facet(outputSpec, map[string]any{"rowCount": r.Ledger.Accepted})}
	} else if rows, size := brought(entry); entry.N > 0 {
		out.OutputFacets = map[string]any{"outputStatistics": w.facet(outputSpec, map[string]any{"rowCount": rows, "size": size})}
	}
	e.Outputs = append(e.Outputs, out)
}

// brought sums up what one commit added to its chain.
func brought(e chain.Entry) (rows, size int64) {
	for _, f := range e.Files {
		if f.N == e.N {
			rows += f.Rows
			size += f.Size
		}
	}
	return rows, size
}

// uuid makes the UUID, version 5, of one of our ids.
func uuid(kind, id string) string {
	sum := sha1.Sum([]byte("xinshu " + kind + " " + id)) //nolint:gosec // see the import
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
