package chain

// Feed is what a stage chain remembers of one source's way of delivering its dataset. Every entry
// carries the feeds of all its sources on, so that the newest one tells.
type Feed struct {
	UsualWhole int64     `json:"usual_whole,omitempty"` // rows of a usual pull that gave everything; 0: not known
	UsualNew   int64     `json:"usual_new,omitempty"`   // rows of a usual pull of what was new; 0: not known
	RowsOn     string    `json:"rows_on,omitempty"`     // day of the newest pull that brought rows, 2006-01-02
	LongestGap int64     `json:"longest_gap,omitempty"` // most days between two pulls that brought rows, while nothing was wrong
	Done       []Stretch `json:"done,omitempty"`        // stretches of the watermark that were read again, in order, merged
	Hold       *Hold     `json:"hold,omitempty"`        // nil: what the feed leaves out counts as gone
	Ended      *Ended    `json:"ended,omitempty"`       // how the newest hold ended
	Drift      []Drift   `json:"drift,omitempty"`       // in what the source departs from the contract
}

// Stretch is a half-open part of the watermark.
type Stretch struct {
	From  string `json:"from"`
	Until string `json:"until"`
}

// Hold says why a feed's absences are not believed for now.
type Hold struct {
	Alarm string `json:"alarm"` // empty, few, late
	Since string `json:"since"` // day of the pull that raised it
	Rows  int64  `json:"rows"`  // that came; of a late feed: days without any
	Usual int64  `json:"usual"` // that usually come; of a late feed: most days it ever took
	Run   string `json:"run"`   // the run that raised it
}

// Ended says how a hold ended: by a person, who answers for it, or by a pull that was as usual.
type Ended struct {
	Hold   Hold   `json:"hold"`
	On     string `json:"on"`           // day
	By     string `json:"by,omitempty"` // empty: by itself
	Reason string `json:"reason,omitempty"`
}

// The alarms of a feed. The first two speak of pulls of everything, the others of what is new.
const (
	FeedEmpty  = "empty"   // no row, where rows are usual
	FeedFew    = "few"     // far fewer rows than usual
	FeedLate   = "late"    // nothing for longer than the dataset's cycle and than the feed ever took
	FeedFewNew = "few_new" // far fewer rows than usual, where the contract sets a bound
)

// Held says whether any of a chain's feeds is on hold, and since which day the first of them is.
func (e Entry) Held() (since string, held bool) {
	for _, f := range e.Feeds {
		if f.Hold != nil && (!held || f.Hold.Since < since) {
			since, held = f.Hold.Since, true
		}
	}
	return since, held
}
