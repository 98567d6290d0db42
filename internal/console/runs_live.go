package console

import (
	"strconv"
	"strings"
	"time"

	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

// mostListeners bounds the live pages of one node: each asks run state every second.
const mostListeners = 200

// livePace is how often a live page looks for news, and mostLive how long it lives before the browser
// comes again: a connection that is forgotten does not stay for ever.
const (
	livePace = time.Second
	mostLive = 30 * time.Minute
	mostLog  = 500  // events that a page shows
	mostKept = 2000 // events that run state keeps of a task
)

// liveTask is what the page of a task shows, whole or part by part.
type liveTask struct {
	desk.TaskView
	Events  []schedule.Event
	Done    int
	LastNo  int64
	HasMore bool // older events were left out
}

func (c *Console) task(q *Request) error {
	v, err := c.liveTask(q, q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.Render("runs/task", v)
}

// liveTask reads a task with its steps and the last of its log.
func (c *Console) liveTask(q *Request, id string) (v liveTask, err error) {
	if v.TaskView, err = c.Desk.Task(q.Context(), id); err != nil {
		return v, err
	}
	if v.Events, err = c.Desk.TaskEvents(q.Context(), id, 0, mostKept); err != nil {
		return v, err
	}
	v.Events = v.Events[max(0, len(v.Events)-mostLog):]
	if n := len(v.Events); n > 0 {
		v.LastNo, v.HasMore = v.Events[n-1].No, v.Events[0].No > 1
	}
	for _, s := range v.Steps {
		if s.State == "done" {
			v.Done++
		}
	}
	return v, nil
}

// place says how far a reader of the task is: the number of the newest event and the state.
func (t liveTask) place() string { return strconv.FormatInt(t.LastNo, 10) + "-" + t.State }

// readPlace gives what place said; nothing where it cannot be read, and then everything is told.
func readPlace(place string) (seen int64, state string) {
	no, state, _ := strings.Cut(place, "-")
	seen, err := strconv.ParseInt(no, 10, 64)
	if err != nil {
		return -1, ""
	}
	return seen, state
}

// taskEvents sends what becomes of a task while it runs. Its place is what the browser says when it
// comes again, to this node or another: the events lie in run state.
func (c *Console) taskEvents(q *Request) error {
	if c.listeners.Add(1) > mostListeners {
		c.listeners.Add(-1)
		return &fault.Error{Op: "follow the task", Code: fault.Unavailable, Hint: "too many live pages are open; this one can be loaded anew"}
	}
	defer c.listeners.Add(-1)
	id := q.PathValue("id")
	v, err := c.liveTask(q, id)
	if err != nil {
		return err
	}
	stream, last := q.Stream()
	seen, state := readPlace(last)
	tick := time.NewTicker(c.livePace)
	defer tick.Stop()
	end := time.Now().Add(mostLive)
	for quiet := 0; ; quiet++ {
		switch {
		case v.LastNo > seen || v.State != state:
			if err := c.tell(q, stream, v); err != nil {
				return nil // the browser went away
			}
			seen, state, quiet = v.LastNo, v.State, 0
		case v.Finished(): // and its last line, which comes after its state, was told
			_ = stream.End() // the browser may have gone away
			return nil
		case quiet%15 == 14:
			if stream.Beat() != nil {
				return nil
			}
		}
		select {
		case <-q.Context().Done():
			return nil
		case now := <-tick.C:
			if now.After(end) {
				return nil
			}
		}
		news, err := c.Desk.TaskMoved(q.Context(), id, seen, state)
		if err == nil && news {
			v, err = c.liveTask(q, id)
		}
		if err != nil {
			return nil // the answer has begun; the browser comes again and is told
		}
	}
}

// tell sends the parts of the page that change; who got the last of them has them all.
func (c *Console) tell(q *Request, stream *Stream, v liveTask) error {
	for _, part := range []string{"task-head", "task-steps", "task-log"} {
		html, err := q.Fragment("runs/task", part, v)
		if err != nil {
			return err
		}
		place := ""
		if part == "task-log" {
			place = v.place()
		}
		if err := stream.Patch(place, Patch{ID: part, HTML: html}); err != nil {
			return err
		}
	}
	return nil
}
