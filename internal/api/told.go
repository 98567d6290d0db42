package api

import "xinshu/internal/desk"

func targetOf(l desk.TargetLine) Target {
	c := l.Count
	return Target{ID: l.ID, Kind: l.Kind, Limits: l.Limits, Count: Count{Sent: c.Sent, Acknowledged: c.Acknowledged, Rejected: c.Rejected,
		Superseded: c.Superseded, Open: c.Open, ForPerson: c.ForPerson}}
}

func deliveryOf(d desk.Sent) Delivery {
	return Delivery{ID: d.ID, Target: d.Target, Policy: d.Policy, Size: d.Size, Made: d.Made, State: d.State, Attempts: d.Attempts, Next: d.Next, Code: d.Code, Message: d.Message}
}

func toldOf(t desk.Told) Told {
	return Told{Target: t.Target, Policy: t.Policy, USCC: t.USCC, Version: t.Version, Kind: t.Kind, State: t.State, Delivery: t.Delivery,
		Sent: t.Sent, Answered: t.Answered, Code: t.Code, Message: t.Message}
}

func detailOf(d desk.DeliveryDetail) DeliveryDetail {
	out := DeliveryDetail{Delivery: deliveryOf(d.Delivery), Tries: []Attempt{}, Receipts: []Received{}, Rows: []Told{}, Next: d.Next}
	for _, t := range d.Tries {
		out.Tries = append(out.Tries, Attempt{No: t.No, At: t.At, Outcome: t.Outcome, Message: t.Message})
	}
	for _, r := range d.Receipts {
		out.Receipts = append(out.Receipts, Received{At: r.At, Code: r.Code, Message: r.Message, Accepted: r.Accepted, Rejected: r.Rejected, Pending: r.Pending})
	}
	for _, r := range d.Rows {
		out.Rows = append(out.Rows, toldOf(r))
	}
	return out
}
