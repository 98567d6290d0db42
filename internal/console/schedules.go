package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

func (c *Console) schedulePages() []Page {
	return []Page{
		{Pattern: "GET /schedules", Right: auth.SchedulesSee, Do: c.schedules},
		{Pattern: "GET /schedules/new", Right: auth.SchedulesChange, Do: c.editSchedule},
		{Pattern: "POST /schedules/new", Right: auth.SchedulesChange, Do: c.editSchedule},
		{Pattern: "GET /schedules/{id}", Right: auth.SchedulesSee, Do: c.schedule},
		{Pattern: "GET /schedules/{id}/edit", Right: auth.SchedulesChange, Do: c.editSchedule},
		{Pattern: "POST /schedules/{id}/edit", Right: auth.SchedulesChange, Do: c.editSchedule},
		{Pattern: "POST /schedules/{id}/pause", Right: auth.SchedulesChange, Do: c.pauseSchedule},
		{Pattern: "POST /schedules/{id}/remove", Right: auth.SchedulesChange, Do: c.removeSchedule},
		{Pattern: "POST /schedules/{id}/run", Right: auth.RunsStart, Do: c.runSchedule},
	}
}

func (c *Console) schedules(q *Request) error {
	lines, err := c.Desk.Schedules(q.Context())
	if err != nil {
		return err
	}
	return q.Render("schedules/list", map[string]any{"Schedules": lines})
}

// nextShown is how many firings a person sees ahead.
const nextShown = 8

func (c *Console) schedule(q *Request) error {
	id := q.PathValue("id")
	s, err := c.Desk.Schedule(q.Context(), id)
	if err != nil {
		return err
	}
	next, err := c.Desk.NextTimes(q.Context(), s, nextShown)
	tasks, listed := c.Desk.Tasks(q.Context(), schedule.Filter{Schedule: id, Most: 20})
	if listed != nil {
		return listed
	}
	return q.Render("schedules/one", map[string]any{"One": s, "Next": next, "Fault": shownFault(err), "Tasks": tasks.Tasks})
}

// scheduleForm is the form of a schedule.
type scheduleForm struct {
	schedule.Schedule
	New      bool
	Next     desk.NextTimes
	Waits    bool // for fresh datasets: it has no times
	Fault    *fault.Error
	Sources  []desk.Connection
	Policies []catalog.Policy
	Doings   []string
	Datasets string // of the work, one a line
	Fresher  string // datasets to wait for, one a line
}

func (c *Console) editSchedule(q *Request) error {
	id := q.PathValue("id")
	form := scheduleForm{New: id == "", Doings: schedule.Doings, Policies: c.Desk.Policies(q.Context())}
	var err error
	if form.Sources, err = c.Desk.Connections(q.Context(), desk.SourceRole); err != nil {
		return err
	}
	switch {
	case q.Method == http.MethodPost:
		if err := q.readForm(); err != nil {
			return err
		}
		form.Schedule = readSchedule(q.PostForm)
		if id != "" {
			form.ID = id
		}
		form.Next, err = c.Desk.NextTimes(q.Context(), form.Schedule, nextShown)
		if err == nil && q.PostFormValue("do") == "save" {
			saved, failed := c.Desk.SaveSchedule(q.Context(), form.Schedule)
			if failed == nil {
				return q.See(address("/schedules", saved.ID), q.Say("schedules.saved", saved.ID))
			}
			err = failed
		}
		if form.Fault = shownFault(err); err != nil {
			q.Status = http.StatusUnprocessableEntity
		}
	case id != "":
		if form.Schedule, err = c.Desk.Schedule(q.Context(), id); err != nil {
			return err
		}
		form.Next, _ = c.Desk.NextTimes(q.Context(), form.Schedule, nextShown) // one that stands may have become impossible; the form says so when it is checked
	default:
		form.Schedule = schedule.Schedule{Spec: "30 2 * * *", Work: schedule.Work{Do: schedule.DoPull, Source: q.URL.Query().Get("source")}}
		form.Next, _ = c.Desk.NextTimes(q.Context(), form.Schedule, nextShown)
	}
	form.Waits = len(form.Fresh) > 0
	form.Datasets, form.Fresher = strings.Join(form.Work.Datasets, "\n"), strings.Join(form.Schedule.Fresh, "\n")
	return q.Render("schedules/edit", form)
}

// readSchedule takes a schedule from a form.
func readSchedule(form url.Values) schedule.Schedule {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	s := schedule.Schedule{ID: get("id"), Title: get("title"), Spec: get("spec"), Zone: get("zone"), Days: get("days"), Window: get("window"),
		CatchUp: get("catch_up"), Overlap: get("overlap"), Fresh: strings.Fields(form.Get("fresh")), Paused: get("paused") != "",
		Work: schedule.Work{Do: get("what"), Source: get("source"), Datasets: strings.Fields(form.Get("datasets")), Policies: form["policies"], NoPush: get("no_push") != ""}}
	s.Cap = count(get("cap"))
	s.Attempts = count(get("attempts"))
	s.Version, _ = strconv.ParseInt(get("version"), 10, 64) // none: a new one, and saving over another is a conflict
	if get("by") == "fresh" {
		s.Spec, s.Window = "", ""
	} else {
		s.Fresh = nil
	}
	return s
}

// count reads a number that may be left out; what is none is told by the check of the schedule.
func count(text string) int {
	n, err := strconv.Atoi(text)
	if text != "" && err != nil {
		return -1
	}
	return n
}

func (c *Console) pauseSchedule(q *Request) error {
	id, pause := q.PathValue("id"), q.PostFormValue("paused") == "true"
	if _, err := c.Desk.PauseSchedule(q.Context(), id, pause); err != nil {
		return err
	}
	if pause {
		return q.See(address("/schedules", id), q.Say("schedules.was.paused", id))
	}
	return q.See(address("/schedules", id), q.Say("schedules.was.resumed", id))
}

func (c *Console) removeSchedule(q *Request) error {
	id := q.PathValue("id")
	version, err := wholeNumber(q.PostFormValue("version"))
	if err != nil {
		return err
	}
	if err := c.Desk.DeleteSchedule(q.Context(), id, version); err != nil {
		return err
	}
	return q.See("/schedules", q.Say("schedules.removed", id))
}

func (c *Console) runSchedule(q *Request) error {
	task, err := c.Desk.RunSchedule(q.Context(), q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.See(address("/tasks", task.ID), q.Say("sources.queued"))
}
