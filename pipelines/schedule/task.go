package schedule

import (
	"errors"
	"time"
)

// ErrLost says that a task is another holder's by now: who is told so stops and commits nothing.
var ErrLost = errors.New("the lease was lost")

// The states of a task.
const (
	Waiting   = "waiting"   // for its time, its turn or a free worker
	Running   = "running"   // a node holds it under a lease
	Done      = "done"      //
	Failed    = "failed"    // waits for a person, who may retry it from the step that failed
	Skipped   = "skipped"   // a tick that was not fired, by its schedule's policy
	Cancelled = "cancelled" // a person stopped it
)

// Why a task waits, was skipped or was stopped.
const (
	WhyLate     = "late"     // nobody could fire it in time, and its schedule makes up for nothing
	WhyNewer    = "newer"    // a newer tick was made up for in its place; About: that tick's task
	WhyCap      = "cap"      // more ticks had passed than the schedule makes up for; About: how many this line stands for
	WhyOverlap  = "overlap"  // a task of the schedule was not done; About: that task
	WhyFull     = "full"     // as many tasks of the schedule wait as may; About: how many
	WhyBusy     = "busy"     // something it works on is in use; About: what, and by which task
	WhyWindow   = "window"   // its schedule's window is shut; it goes on when it opens
	WhyRetry    = "retry"    // something was out of reach; it is tried again by itself
	WhyReleased = "released" // the node that had it stopped; About: the node
	WhyLost     = "lost"     // nodes died of it, or while they had it, too often
	WhyPerson   = "person"   // About: who cancelled or retried it
)

// Stale is the state of a step that was done and is to be done again, because one before it was.
const Stale = "stale"

// States lists the states of a task.
var States = []string{Waiting, Running, Done, Failed, Skipped, Cancelled}

// Task is a piece of work that one node at a time takes under a lease. Its steps are runs.
type Task struct {
	ID       string    `json:"id"`       // schedule@tick, or of its own where a person asked for it
	Schedule string    `json:"schedule"` // empty: none
	Tick     time.Time `json:"tick"`     // the time it stands for; zero without a schedule
	Work     Work      `json:"work"`
	State    string    `json:"state"`
	Why      string    `json:"why"`   // it waits, was skipped or was stopped: one of the Why words
	About    string    `json:"about"` // what Why speaks of: a task, a count of ticks, a person, a lock
	Error    string    `json:"error"`
	Code     string    `json:"code"`     // of the error, as fault has them
	Node     string    `json:"node"`     // that holds it or held it last
	Fence    int64     `json:"fence"`    // of the newest holder: who has a smaller one may not commit
	Lease    time.Time `json:"lease"`    // until when the holder has it; zero: nobody has it
	Attempt  int       `json:"attempt"`  // how often it was begun
	Tries    int       `json:"tries"`    // how often in a row something was out of reach
	Attempts int       `json:"attempts"` // most tries
	After    time.Time `json:"after"`    // not before
	Queued   time.Time `json:"queued"`   //
	Started  time.Time `json:"started"`  // first taken
	Ended    time.Time `json:"ended"`    //
	Step     string    `json:"step"`     // where it stands or stopped: "pull court/court.debtor"
	By       string    `json:"by"`       // who asked for it; "schedule" for a tick
	Stopping string    `json:"stopping"` // who asked to stop it while it runs
}

// Finished says that nothing more becomes of the task unless a person retries it.
func (t Task) Finished() bool { return t.State != Waiting && t.State != Running }

// Key names one step of a task.
type Key struct {
	Step    string `json:"step"`    // pull, settle, score, publish, push
	Subject string `json:"subject"` // source/dataset, policy or target
}

func (k Key) String() string {
	if k.Subject == "" {
		return k.Step
	}
	return k.Step + " " + k.Subject
}

// Step is how one step of a task stands. A step that is done is not done again.
type Step struct {
	Key
	State string    `json:"state"` // running, done, failed; stale: done, and to be done again
	Note  string    `json:"note"`  // in words: "accepted 412, quarantined 3"
	Run   string    `json:"run"`   // its newest run
	Error string    `json:"error"`
	Code  string    `json:"code"`
	At    time.Time `json:"at"` // of the newest change
}

// Event is one line of a task's log, kept in run state so that every node can show it.
type Event struct {
	No      int64     `json:"no"` // grows within the task; the oldest ones are dropped
	At      time.Time `json:"at"`
	Node    string    `json:"node"`
	Step    string    `json:"step"`    // empty: of the task as a whole
	Subject string    `json:"subject"` // dataset, policy or target
	Status  string    `json:"status"`  // taken, running, done, failed, waiting, released, cancelled, retried
	Note    string    `json:"note"`
	Run     string    `json:"run"`
}

// Filter chooses tasks. Empty members choose all.
type Filter struct {
	Schedule string
	Source   string
	States   []string
	After    string // cursor: Next of the page before
	Most     int    // 0: 50; at most 500
}

// Page is a page of tasks, newest first.
type Page struct {
	Tasks []Task `json:"tasks"`
	Next  string `json:"next"` // empty: the last page
}

// Node is one hub process that takes tasks.
type Node struct {
	ID      string        `json:"id"` // of this life of it
	Name    string        `json:"name"`
	Version string        `json:"version"`
	Started time.Time     `json:"started"`
	Seen    time.Time     `json:"seen"`
	Tasks   int           `json:"tasks"` // held now
	Skew    time.Duration `json:"skew"`  // by how many nanoseconds its clock is ahead of the database's
}
