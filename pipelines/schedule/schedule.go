// Package schedule owns WHEN: schedules, their ticks, the tasks that ticks and people queue, and the
// leases under which nodes take them. It refuses to know how a task's steps are done (pipelines/work
// does them) and where it is all kept: run state keeps it, behind Store. Schedules come from the
// people who save them and go, tick by tick, to whichever node has a worker free.
//
// It imports none of the steps, because run state keeps these types and must not bring DuckDB along.
package schedule

import "time"

// What becomes of the ticks that passed while nobody could fire them.
const (
	CatchUpSkip = "skip" // none is made up for
	CatchUpOnce = "once" // the newest is made up for, once
	CatchUpAll  = "all"  // each is made up for, at most Cap of them, the newest ones
)

// What becomes of a tick while a task of the same schedule is not done.
const (
	OverlapSkip  = "skip"  // it is skipped, and that is recorded
	OverlapQueue = "queue" // it waits for its turn, behind at most Cap others
)

// Which days a schedule keeps.
const (
	EveryDay    = ""
	WorkingDays = "working" // by the State Council's notices, as the catalogue's calendars have them
	RestDays    = "rest"
)

// Schedule says when a piece of work is due. It has either a Spec or Fresh datasets.
type Schedule struct {
	ID       string   `json:"id" yaml:"id"` // as people name it: letters, digits, - and _
	Title    string   `json:"title" yaml:"title,omitempty"`
	Spec     string   `json:"spec" yaml:"spec,omitempty"`         // cron, five fields: minute hour day month weekday
	Zone     string   `json:"zone" yaml:"zone,omitempty"`         // in which Spec and Window are read; empty: Asia/Shanghai
	Days     string   `json:"days" yaml:"days,omitempty"`         // "", working, rest: of the tick's own day
	Window   string   `json:"window" yaml:"window,omitempty"`     // 22:00-06:00: a tick outside waits for its beginning
	Fresh    []string `json:"fresh" yaml:"fresh,omitempty"`       // fires when all these datasets were refreshed since it last fired
	CatchUp  string   `json:"catch_up" yaml:"catch_up,omitempty"` // empty: once
	Cap      int      `json:"cap" yaml:"cap,omitempty"`           // most ticks made up for, and most that wait; 0: 10
	Overlap  string   `json:"overlap" yaml:"overlap,omitempty"`   // empty: skip
	Attempts int      `json:"attempts" yaml:"attempts,omitempty"` // how often a task is tried while something is out of reach; 0: 5
	Work     Work     `json:"work" yaml:"work"`
	Paused   bool     `json:"paused" yaml:"paused,omitempty"`

	NextAt  time.Time `json:"next_at" yaml:"-"`  // zero: paused, or waits for Fresh
	FiredAt time.Time `json:"fired_at" yaml:"-"` // its newest tick, or when it was made; zero: never saved
	Version int64     `json:"version" yaml:"-"`  // grows with every save; 0: new
	SavedAt time.Time `json:"saved_at" yaml:"-"`
	SavedBy string    `json:"saved_by" yaml:"-"`
}

// What a task may do.
const (
	DoPull    = "pull"    // pull and stage
	DoSettle  = "settle"  // turn what is staged into credit records
	DoScore   = "score"   // score the policies; nothing is published
	DoPublish = "publish" // state what the newest results change
	DoReplay  = "replay"  // make due again what a target was told; a person asks for it, never a schedule
	DoPush    = "push"    // bring the targets what is due
	DoGrade   = "grade"   // settle, score, publish and push: what follows once the data are there
	DoRun     = "run"     // the whole job
)

// Doings lists what a schedule's task may do, in the order of the main job.
var Doings = []string{DoPull, DoSettle, DoScore, DoPublish, DoPush, DoGrade, DoRun}

// Work says what a task does. No source and no datasets: all; no policies: those in use; no targets: all.
type Work struct {
	Do          string   `json:"do" yaml:"do"`
	Source      string   `json:"source,omitempty" yaml:"source,omitempty"`
	Datasets    []string `json:"datasets,omitempty" yaml:"datasets,omitempty"`
	Policies    []string `json:"policies,omitempty" yaml:"policies,omitempty"`
	Targets     []string `json:"targets,omitempty" yaml:"targets,omitempty"`
	AsOf        string   `json:"as_of,omitempty" yaml:"as_of,omitempty"`               // 2006-01-02; empty: the tick's day, or a yearly policy's last cut-off
	CorrectedTo string   `json:"corrected_to,omitempty" yaml:"corrected_to,omitempty"` // 2006-01-02; empty: the cut-off
	Again       *Again   `json:"again,omitempty" yaml:"again,omitempty"`               // a stretch read once more; it leaves the cursor alone
	Replay      *Replay  `json:"replay,omitempty" yaml:"replay,omitempty"`             // asked for at its target, and at nothing else
	NoPush      bool     `json:"no_push,omitempty" yaml:"no_push,omitempty"`
	Reload      bool     `json:"reload,omitempty" yaml:"reload,omitempty"` // pull from the beginning
}

// Again is a stretch of a source's watermark, half open, as the source writes it.
type Again struct {
	From  string `json:"from" yaml:"from"`
	Until string `json:"until" yaml:"until"`
	Slice string `json:"slice,omitempty" yaml:"slice,omitempty"` // how much goes into one commit: 24h, or a number
}

// Replay is a window of what was published, sent to one target once more: from one time of publication
// until another, half open, or the releases of one policy from the first to the last.
type Replay struct {
	From   time.Time `json:"from,omitzero" yaml:"from,omitempty"`
	Until  time.Time `json:"until,omitzero" yaml:"until,omitempty"`
	First  int64     `json:"first,omitempty" yaml:"first,omitempty"`
	Last   int64     `json:"last,omitempty" yaml:"last,omitempty"`
	Reason string    `json:"reason" yaml:"reason"`
}
