package push

import "xinshu/connectors"

// Judge says what a receipt means for each row of a delivery: code "" accepted, any other rejected.
// A row that the result does not name has no answer yet. Platforms differ in how much they name:
// a row receipt counts for its row; of the rows not named the batch's counts decide, when they can
// mean only one thing. A batch that is only taken for handling decides nothing about rows it does not name.
func Judge(ids []string, r connectors.Receipt) []connectors.RowReceipt {
	verdicts := make([]connectors.RowReceipt, 0, len(ids))
	named := make(map[string]bool, len(r.Rows))
	var accepted, rejected int64
	for _, row := range r.Rows {
		named[row.ID] = true
		if row.Code == "0" {
			row.Code = ""
		}
		if row.Code == "" {
			accepted++
		} else {
			rejected++
		}
		verdicts = append(verdicts, row)
	}
	if r.Pending {
		return verdicts
	}
	var rest []string
	for _, id := range ids {
		if !named[id] {
			rest = append(rest, id)
		}
	}
	var code, message string
	switch n := int64(len(rest)); {
	case n == r.Accepted-accepted && r.Rejected == rejected:
	case n == r.Rejected-rejected && r.Accepted == accepted:
		code, message = r.Code, r.Message
		if code == "" || code == "0" {
			code = "REJECTED" // the platform gave no code that says so
		}
	default:
		return verdicts
	}
	for _, id := range rest {
		verdicts = append(verdicts, connectors.RowReceipt{ID: id, Code: code, Message: message})
	}
	return verdicts
}
