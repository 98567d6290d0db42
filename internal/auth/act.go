package auth

import "context"

// Act is one thing that an actor did or looked at, as the audit trail keeps it.
type Act struct {
	Action  string            // what, in one word or two: "user.add", "grade.view"
	Kind    string            // of what it was done to: user, key, source, grade ...
	ID      string            // of which
	USCC    string            // of the entity whose data it touches; empty: none
	Purpose string            // what for; of every look at an entity
	Outcome string            // Done, Refused or Failed; empty: Done
	Detail  map[string]string // what else tells an auditor what happened; never a secret
}

// The outcomes of an act.
const (
	Done    = "done"
	Refused = "refused" // the hub said no
	Failed  = "failed"
)

// Recorder keeps acts with the actor of the context; internal/audit does. What cannot be recorded is not done.
type Recorder interface {
	Record(ctx context.Context, a Act) error
}
