package api

import (
	"context"
	"net/http"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/pipelines/schedule"
)

// Target is a target with how far its deliveries are.
type Target struct {
	ID     string      `json:"id"`
	Kind   string      `json:"kind"`
	Limits desk.Limits `json:"limits"`
	Count  Count       `json:"count"`
}

// Count is how far the deliveries to a target are, in rows.
type Count struct {
	Sent         int64 `json:"sent"`
	Acknowledged int64 `json:"acknowledged"`
	Rejected     int64 `json:"rejected"`
	Superseded   int64 `json:"superseded" doc:"a newer version took its place before it was answered"`
	Open         int64 `json:"open"`
	ForPerson    int64 `json:"for_person" doc:"of the open ones, those that wait for a person"`
}

// TargetDetail is one target with why rows stand rejected.
type TargetDetail struct {
	Target
	Reasons []Rejections `json:"reasons" nullable:"false"`
}

// Rejections are rows that a target refused with one code.
type Rejections struct {
	Code    string    `json:"code"`
	Message string    `json:"message" doc:"the target's own words, of one of them"`
	Rows    int64     `json:"rows"`
	Last    time.Time `json:"last"`
}

// Delivery is one delivery.
type Delivery struct {
	ID       string    `json:"id"`
	Target   string    `json:"target"`
	Policy   string    `json:"policy"`
	Size     int64     `json:"size" doc:"rows it was made with"`
	Made     time.Time `json:"made"`
	State    string    `json:"state" doc:"due, awaiting, done, open or void"`
	Attempts int64     `json:"attempts"`
	Next     time.Time `json:"next,omitzero" doc:"not to be tried before"`
	Code     string    `json:"code,omitempty" doc:"of the last failure"`
	Message  string    `json:"message,omitempty"`
}

// DeliveryDetail is one delivery with what was answered.
type DeliveryDetail struct {
	Delivery
	Tries    []Attempt  `json:"attempts_made" nullable:"false"`
	Receipts []Received `json:"receipts" nullable:"false"`
	Rows     []Told     `json:"rows" nullable:"false"`
	Next     string     `json:"next_rows,omitempty" doc:"code after which the rows go on"`
}

// Attempt is one try.
type Attempt struct {
	No      int64     `json:"no"`
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Message string    `json:"message,omitempty"`
}

// Received is a receipt as it came.
type Received struct {
	At       time.Time `json:"at"`
	Code     string    `json:"code,omitempty"`
	Message  string    `json:"message,omitempty"`
	Accepted int64     `json:"accepted"`
	Rejected int64     `json:"rejected"`
	Pending  bool      `json:"pending"`
}

// Told is what a target was told of an entity, and what it answered.
type Told struct {
	Target   string    `json:"target"`
	Policy   string    `json:"policy"`
	USCC     string    `json:"uscc"`
	Version  int64     `json:"version"`
	Kind     string    `json:"kind"`
	State    string    `json:"state" doc:"due, sent, acknowledged, rejected or superseded"`
	Delivery string    `json:"delivery,omitempty"`
	Sent     time.Time `json:"sent,omitzero"`
	Answered time.Time `json:"answered,omitzero"`
	Code     string    `json:"code,omitempty"`
	Message  string    `json:"message,omitempty"`
}

// Window is what is sent again.
type Window struct {
	Policies []string  `json:"policies,omitempty" maxItems:"50"`
	From     time.Time `json:"from,omitzero" doc:"of publication, half open"`
	Until    time.Time `json:"until,omitzero"`
	First    int64     `json:"first,omitempty" minimum:"0" doc:"or: releases of one policy, both included"`
	Last     int64     `json:"last,omitempty" minimum:"0"`
	Reason   string    `json:"reason" minLength:"1" maxLength:"500"`
}

// Due is how many rows are due by what was asked.
type Due struct {
	Rows int64 `json:"rows"`
}

func (a *API) deliveries() {
	a.connections("targets", "Target", desk.TargetRole, auth.TargetsSee, auth.TargetsChange)
	const tag = "deliveries"
	get(a, op{Path: "/v1/targets", ID: "listTargets", Tag: "targets", Right: auth.TargetsSee, Words: "Targets", ZH: "推送目标列表。"},
		func(ctx context.Context, _ *Empty) (List[desk.Connection], error) {
			all, err := a.Desk.Connections(ctx, desk.TargetRole)
			return listOf(all), err
		})
	get(a, op{Path: "/v1/deliveries/targets", ID: "listDeliveryTargets", Tag: tag, Right: auth.DeliveriesSee, Words: "How far the deliveries to each target are", ZH: "各目标的推送进度。"},
		func(ctx context.Context, _ *Empty) (List[Target], error) {
			lines, err := a.Desk.Deliveries(ctx)
			out := listOf[Target](nil)
			for _, l := range lines {
				out.Items = append(out.Items, targetOf(l))
			}
			return out, err
		})
	get(a, op{Path: "/v1/deliveries/targets/{id}", ID: "getDeliveryTarget", Tag: tag, Right: auth.DeliveriesSee, Words: "One target: counts, and why rows stand rejected", ZH: "一个目标的进度与拒收原因。"},
		func(ctx context.Context, in *ByID) (TargetDetail, error) {
			t, err := a.Desk.Target(ctx, in.ID)
			out := TargetDetail{Target: targetOf(t.TargetLine), Reasons: []Rejections{}}
			for _, r := range t.Reasons {
				out.Reasons = append(out.Reasons, Rejections{Code: r.Code, Message: r.Message, Rows: r.Rows, Last: r.Last})
			}
			return out, err
		})
	type rejectedInput struct {
		ByID
		Paged
		Code string `query:"code" required:"true" maxLength:"64" doc:"Refused with this code."`
	}
	pages(a, op{Path: "/v1/deliveries/targets/{id}/rejected", ID: "listRejectedRows", Tag: tag, Right: auth.DeliveriesSee, Words: "Rows that a target refused with one code", ZH: "一个目标以某原因拒收的行。"},
		func(ctx context.Context, in *rejectedInput, after string, most int) ([]Told, string, error) {
			p, err := a.Desk.Rejected(ctx, in.ID, in.Code, after, most)
			var rows []Told
			for _, r := range p.Rows {
				rows = append(rows, toldOf(r))
			}
			return rows, p.Next, err
		})
	type listInput struct {
		ByID
		Paged
		State string `query:"state" enum:"due,awaiting,done,open,void" doc:"Only deliveries in this state."`
	}
	pages(a, op{Path: "/v1/deliveries/targets/{id}/deliveries", ID: "listDeliveries", Tag: tag, Right: auth.DeliveriesSee, Words: "Deliveries to a target, the newest first", ZH: "发往一个目标的批次，最新在前。"},
		func(ctx context.Context, in *listInput, after string, most int) ([]Delivery, string, error) {
			p, err := a.Desk.DeliveriesTo(ctx, in.ID, in.State, after, most)
			var list []Delivery
			for _, d := range p.Deliveries {
				list = append(list, deliveryOf(d))
			}
			return list, p.Next, err
		})
	type oneInput struct {
		ByID
		State string `query:"state" enum:"due,sent,acknowledged,rejected,superseded" doc:"Only rows in this state."`
		After string `query:"after" maxLength:"18" doc:"Rows after this code."`
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"At most so many rows."`
	}
	get(a, op{Path: "/v1/deliveries/{id}", ID: "getDelivery", Tag: tag, Right: auth.DeliveriesSee, Words: "One delivery: attempts, receipts, rows", ZH: "一个批次：尝试、回执与各行。"},
		func(ctx context.Context, in *oneInput) (DeliveryDetail, error) {
			d, err := a.Desk.Delivery(ctx, in.ID, in.State, in.After, in.Limit)
			return detailOf(d), err
		})
	post(a, op{Path: "/v1/deliveries/targets/{id}/retry", ID: "retryTarget", Tag: tag, Right: auth.DeliveriesChange, Words: "Try again what waits for a person", ZH: "重试待人工处理的批次和被拒收的行。"},
		func(ctx context.Context, in *ByID) (Due, error) {
			rows, err := a.Desk.Retry(ctx, in.ID)
			return Due{Rows: rows}, err
		})
	type replayInput struct {
		ByID
		Body Window
	}
	post(a, op{Path: "/v1/deliveries/targets/{id}/replay", ID: "replayTarget", Tag: tag, Right: auth.DeliveriesChange, Status: http.StatusAccepted, Words: "Send a window of what was published once more",
		ZH: "重发一个时间窗内发布的结果；行编号不变，接收方不会重复。窗口可能有几百万行，由任务完成，进度见 `GET /v1/tasks/{id}`。", More: "A task does it, for a window may hold millions of rows: see `GET /v1/tasks/{id}`."},
		func(ctx context.Context, in *replayInput) (schedule.Task, error) {
			b := in.Body
			return a.Desk.Replay(ctx, in.ID, b.Policies, schedule.Replay{From: b.From, Until: b.Until, First: b.First, Last: b.Last, Reason: b.Reason})
		})
}
