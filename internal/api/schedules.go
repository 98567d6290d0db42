package api

import (
	"context"
	"net/http"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/pipelines/schedule"
)

// Timetable is a schedule as somebody fills it in.
type Timetable struct {
	ID       string        `json:"id" minLength:"1" maxLength:"64" example:"court-nightly"`
	Title    string        `json:"title,omitempty" maxLength:"200"`
	Spec     string        `json:"spec,omitempty" maxLength:"100" doc:"minute hour day month weekday; either this or fresh" example:"30 1 * * *"`
	Zone     string        `json:"zone,omitempty" maxLength:"64" doc:"empty: Asia/Shanghai"`
	Days     string        `json:"days,omitempty" enum:",working,rest" doc:"which days it keeps; empty: every day"`
	Window   string        `json:"window,omitempty" maxLength:"11" doc:"a tick outside waits for its beginning" example:"22:00-06:00"`
	Fresh    []string      `json:"fresh,omitempty" maxItems:"200" doc:"fires when all these datasets were refreshed since it last fired"`
	CatchUp  string        `json:"catch_up,omitempty" enum:",skip,once,all" doc:"what becomes of ticks that passed during an outage"`
	Cap      int           `json:"cap,omitempty" minimum:"0" maximum:"1000"`
	Overlap  string        `json:"overlap,omitempty" enum:",skip,queue"`
	Attempts int           `json:"attempts,omitempty" minimum:"0" maximum:"100"`
	Work     schedule.Work `json:"work"`
	Paused   bool          `json:"paused,omitempty"`
}

func (t Timetable) schedule(version int64) schedule.Schedule {
	return schedule.Schedule{ID: t.ID, Title: t.Title, Spec: t.Spec, Zone: t.Zone, Days: t.Days, Window: t.Window, Fresh: t.Fresh, CatchUp: t.CatchUp,
		Cap: t.Cap, Overlap: t.Overlap, Attempts: t.Attempts, Work: t.Work, Paused: t.Paused, Version: version}
}

// ScheduleLine is a schedule with what became of its newest task.
type ScheduleLine struct {
	schedule.Schedule
	Last *schedule.Task `json:"last,omitempty"`
}

// NextTimes are the next firings of a schedule.
type NextTimes struct {
	Times   []time.Time `json:"times" nullable:"false"`
	Assumed []int       `json:"assumed_years,omitempty" doc:"years of these times whose holidays are not published yet: Monday to Friday are taken for working days"`
}

func (a *API) schedules() {
	const base, one, tag = "/v1/schedules", "/v1/schedules/{id}", "schedules"
	tagged := func(s schedule.Schedule) *versioned[schedule.Schedule] {
		return &versioned[schedule.Schedule]{ETag: versionTag(s.Version), Body: s}
	}
	get(a, op{Path: base, ID: "listSchedules", Tag: tag, Right: auth.SchedulesSee, Words: "Schedules with their next times and newest tasks", ZH: "全部计划：下次时间与最近结果。"},
		func(ctx context.Context, _ *Empty) (List[ScheduleLine], error) {
			lines, err := a.Desk.Schedules(ctx)
			out := listOf[ScheduleLine](nil)
			for _, l := range lines {
				line := ScheduleLine{Schedule: l.Schedule}
				if l.Last.ID != "" {
					line.Last = &l.Last
				}
				out.Items = append(out.Items, line)
			}
			return out, err
		})
	register(a, op{Method: http.MethodGet, Path: one, ID: "getSchedule", Tag: tag, Right: auth.SchedulesSee, Words: "One schedule", ZH: "一个计划。"},
		func(ctx context.Context, in *ByID) (*versioned[schedule.Schedule], error) {
			s, err := a.Desk.Schedule(ctx, in.ID)
			return tagged(s), err
		})
	type createInput struct{ Body Timetable }
	register(a, op{Method: http.MethodPost, Path: base, ID: "createSchedule", Tag: tag, Right: auth.SchedulesChange, Status: http.StatusCreated, Words: "Make a schedule", ZH: "新建计划；永远不会触发的计划被拒绝。"},
		func(ctx context.Context, in *createInput) (*versioned[schedule.Schedule], error) {
			s, err := a.Desk.SaveSchedule(ctx, in.Body.schedule(0))
			return tagged(s), err
		})
	type changeInput struct {
		ByID
		IfMatch
		Body Timetable
	}
	register(a, op{Method: http.MethodPut, Path: one, ID: "changeSchedule", Tag: tag, Right: auth.SchedulesChange, Versioned: true, Words: "Change a schedule", ZH: "修改计划。"},
		func(ctx context.Context, in *changeInput) (*versioned[schedule.Schedule], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			if in.Body.ID != in.ID {
				return nil, newProblem("invalid", "the id in the body is not the one in the path")
			}
			s, err := a.Desk.SaveSchedule(ctx, in.Body.schedule(version))
			return tagged(s), changed(err)
		})
	type removeInput struct {
		ByID
		IfMatch
	}
	register(a, op{Method: http.MethodDelete, Path: one, ID: "removeSchedule", Tag: tag, Right: auth.SchedulesChange, Versioned: true, Words: "Remove a schedule", ZH: "删除计划；它的任务记录保留。"},
		func(ctx context.Context, in *removeInput) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return nil, changed(a.Desk.DeleteSchedule(ctx, in.ID, version))
		})
	type nextInput struct {
		Count int `query:"count" minimum:"1" maximum:"50" default:"5" doc:"How many."`
		Body  Timetable
	}
	post(a, op{Path: base + "/next", ID: "nextTimes", Tag: tag, Right: auth.SchedulesSee, Words: "The next times of a schedule as filled in; nothing is kept", ZH: "保存之前查看今后的触发时间。"},
		func(ctx context.Context, in *nextInput) (NextTimes, error) {
			next, err := a.Desk.NextTimes(ctx, in.Body.schedule(0), in.Count)
			return NextTimes{Times: append([]time.Time{}, next.Times...), Assumed: next.Assumed}, err
		})
	type pauseInput struct {
		ByID
		Body struct {
			Paused bool `json:"paused" doc:"true: it fires no more; what passes meanwhile is not made up for"`
		}
	}
	post(a, op{Path: one + "/pause", ID: "pauseSchedule", Tag: tag, Right: auth.SchedulesChange, Words: "Pause a schedule, or let it go on", ZH: "暂停或恢复计划。"},
		func(ctx context.Context, in *pauseInput) (schedule.Schedule, error) {
			return a.Desk.PauseSchedule(ctx, in.ID, in.Body.Paused)
		})
	post(a, op{Path: one + "/run", ID: "runSchedule", Tag: tag, Right: auth.RunsStart, Status: http.StatusCreated, Words: "Do a schedule's work once more now", ZH: "立即执行一次。"},
		func(ctx context.Context, in *ByID) (schedule.Task, error) { return a.Desk.RunSchedule(ctx, in.ID) })
}

func (a *API) tasks() {
	const base, one, tag = "/v1/tasks", "/v1/tasks/{id}", "tasks"
	type listInput struct {
		Paged
		Schedule string   `query:"schedule" maxLength:"64" doc:"Only tasks of this schedule."`
		Source   string   `query:"source" maxLength:"64" doc:"Only tasks that pull from this source."`
		State    []string `query:"state" enum:"waiting,running,done,failed,skipped,cancelled" doc:"Only tasks in one of these states."`
	}
	pages(a, op{Path: base, ID: "listTasks", Tag: tag, Right: auth.RunsSee, Words: "Tasks, the newest first", ZH: "任务列表，最新在前。"},
		func(ctx context.Context, in *listInput, after string, most int) ([]schedule.Task, string, error) {
			p, err := a.Desk.Tasks(ctx, schedule.Filter{Schedule: in.Schedule, Source: in.Source, States: in.State, After: after, Most: most})
			return p.Tasks, p.Next, err
		})
	get(a, op{Path: one, ID: "getTask", Tag: tag, Right: auth.RunsSee, Words: "One task with its steps", ZH: "一个任务及其步骤。"},
		func(ctx context.Context, in *ByID) (desk.TaskView, error) { return a.Desk.Task(ctx, in.ID) })
	type eventsInput struct {
		ByID
		After int64 `query:"after" minimum:"0" doc:"Only lines with a greater number."`
		Limit int   `query:"limit" minimum:"1" maximum:"500" default:"200" doc:"At most so many."`
	}
	get(a, op{Path: one + "/events", ID: "listTaskEvents", Tag: tag, Right: auth.RunsSee, Words: "The log of a task, in order", ZH: "任务日志。"},
		func(ctx context.Context, in *eventsInput) (List[schedule.Event], error) {
			events, err := a.Desk.TaskEvents(ctx, in.ID, in.After, in.Limit)
			return listOf(events), err
		})
	post(a, op{Path: one + "/cancel", ID: "cancelTask", Tag: tag, Right: auth.RunsStart, Words: "Cancel a task", ZH: "取消任务。"},
		func(ctx context.Context, in *ByID) (schedule.Task, error) { return a.Desk.CancelTask(ctx, in.ID) })
	post(a, op{Path: one + "/retry", ID: "retryTask", Tag: tag, Right: auth.RunsStart, Words: "Retry a task from the step that failed", ZH: "从失败的步骤重试。"},
		func(ctx context.Context, in *ByID) (schedule.Task, error) { return a.Desk.RetryTask(ctx, in.ID) })
}
