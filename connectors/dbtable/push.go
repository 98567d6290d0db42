package dbtable

import (
	"context"
	"fmt"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

var pushSettings = []connectors.Setting{
	{Name: "push_table", Title: catalog.Text{ZH: "推送表", EN: "table to push to"},
		Help: catalog.Text{ZH: "评价结果写入的表，一行一条；空为不推送", EN: "results are laid down here, one row each; empty: nothing is pushed"}},
	{Name: "push_schema", Title: catalog.Text{ZH: "推送表的模式", EN: "schema of the push table"}, Help: catalog.Text{ZH: "反馈表同在此模式；空为默认模式", EN: "the feedback table's too; empty: the default schema"}},
	{Name: "feedback_table", Title: catalog.Text{ZH: "反馈表", EN: "feedback table"},
		Help: catalog.Text{ZH: "接收方写入受理结果的表；空为写入即算接收", EN: "the receiver writes its answers here; empty: laid down is accepted"}},
	{Name: "sender", Title: catalog.Text{ZH: "来源部门编码", EN: "code of the sending department"}, Help: catalog.Text{ZH: "写入 src_dept_code", EN: "written to src_dept_code"}},
}

// target is where results are laid down.
type target struct{ schema, push, feedback, sender string }

func readTarget(r *connectors.Reader) target {
	return target{schema: r.Text("push_schema"), push: r.Text("push_table"), feedback: r.Text("feedback_table"), sender: r.Text("sender")}
}

// Rows of the push table and of the feedback table are in one of these states; 1 is the receiver's.
const (
	stateNew      = "0"
	stateAccepted = "2"
	stateRejected = "3"
)

// Push lays a delivery's rows down in one transaction. A row that lies there stays as it is, unless the
// one that comes has a greater version. With a feedback table the receipt is pending: the answer comes there.
func (c *conn) Push(ctx context.Context, d connectors.Delivery) (connectors.Receipt, error) {
	op := "push to " + d.Target
	switch {
	case c.target.push == "":
		return connectors.Receipt{}, &fault.Error{Op: op, Code: fault.Invalid, Hint: "set push_table", Err: fmt.Errorf("this connection names no table to push to")}
	case d.ID == "":
		return connectors.Receipt{}, fault.Newf(fault.Internal, op, "the delivery has no id")
	}
	speak := c.engine.dialect()
	statement := speak.upsert(speak, speak.name(c.target.schema, c.target.push), pushColumns)
	made := d.Made.In(connectors.Shanghai).Format("2006-01-02 15:04:05.000")
	err := c.retried(ctx, func(w writer) error {
		for _, row := range d.Rows {
			if err := w.exec(ctx, statement, row.ID, operation(row.Kind), made, d.ID, c.target.sender, stateNew, nil, nil, nil, row.USCC, row.Version, string(row.Body)); err != nil {
				return fmt.Errorf("row %s: %w", row.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return connectors.Receipt{}, failed(ctx, op, err)
	}
	if c.target.feedback == "" {
		return connectors.Receipt{Code: "0", Message: "laid down in " + c.target.push, Accepted: int64(len(d.Rows))}, nil
	}
	return c.answered(ctx, d)
}

// operation is what the receiver does with a row.
func operation(kind string) string {
	switch kind {
	case "retraction":
		return "D"
	case "correction":
		return "U"
	}
	return "I"
}

// attempts is how often a transaction is tried that the database gave up for another's sake.
const attempts = 5

// retried writes, again where two pushes of the same rows met and the database gave one of them up.
func (c *conn) retried(ctx context.Context, work func(writer) error) error {
	for n := 1; ; n++ {
		err := c.engine.write(ctx, work)
		if err == nil || n == attempts || ctx.Err() != nil || !metAnother(err) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(n) * 20 * time.Millisecond):
		}
	}
}
