package dbtable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	mssql "github.com/microsoft/go-mssqldb"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// One look at the feedback table brings at most so many batches, and so many rows of each; the rest
// comes with the next look.
const (
	answerBatches = 1_000
	answerRows    = 20_000
)

// metAnother says whether a database gave a transaction up because of another one.
func metAnother(err error) bool {
	var my *mysql.MySQLError
	var pg *pgconn.PgError
	var ms mssql.Error
	switch {
	case errors.As(err, &my):
		return my.Number == 1213 || my.Number == 1205 || my.Number == 1062
	case errors.As(err, &pg):
		return pg.Code == "40P01" || pg.Code == "40001"
	case errors.As(err, &ms):
		return ms.Number == 1205 || ms.Number == 2627
	}
	return strings.Contains(err.Error(), "ORA-00001") || strings.Contains(err.Error(), "ORA-00060")
}

// feedback are the rows of one batch as the receiver wrote them.
type feedback struct {
	ids     []int64
	receipt connectors.Receipt
	whole   bool // a row speaks for the batch
}

// Answers reads the feedback rows that were not taken, batch by batch.
func (c *conn) Answers(ctx context.Context) iter.Seq2[connectors.Answer, error] {
	return func(yield func(connectors.Answer, error) bool) {
		const op = "read feedback"
		if c.target.feedback == "" {
			return
		}
		batches, err := c.batches(ctx)
		if err != nil {
			yield(connectors.Answer{}, failed(ctx, op, err))
			return
		}
		for _, batch := range batches {
			f, err := c.readFeedback(ctx, batch, false)
			if err != nil {
				err = failed(ctx, op+" of "+batch, err)
			}
			handle, _ := json.Marshal(f.ids) // numbers always encode
			if !yield(connectors.Answer{DeliveryID: batch, Receipt: f.receipt, Handle: string(handle)}, err) || ctx.Err() != nil {
				return
			}
		}
	}
}

// joined is the feedback table beside the push table: an answer to a row may leave its batch unnamed.
func (c *conn) joined() (text, batch string) {
	d := c.engine.dialect()
	q := d.quote
	text = fmt.Sprintf("%s%sf left join %s%sp on p.%s = f.%s", d.name(c.target.schema, c.target.feedback), d.alias,
		d.name(c.target.schema, c.target.push), d.alias, q("rec_id"), q("rec_id"))
	return text, fmt.Sprintf("coalesce(nullif(f.%s, ''), p.%s)", q("batch_no"), q("batch_no"))
}

// batches finds those with an answer that was not taken, the oldest answer first. Answers to rows that
// were never sent belong to none and stay where they are.
func (c *conn) batches(ctx context.Context) (found []string, err error) {
	from, batch := c.joined()
	q := c.engine.dialect().quote
	query := fmt.Sprintf("select %s, min(f.%s) from %s where f.%s = 0 and f.%s in (%s, %s) and %s is not null group by %s order by 2",
		batch, q("fb_id"), from, q("taken"), q("state"), stateAccepted, stateRejected, batch, batch)
	err = c.engine.read(ctx, func(r reader) error {
		return r.rows(ctx, query, nil, nil, func(values [][]byte) error {
			if len(found) < answerBatches {
				found = append(found, string(values[0]))
			}
			return nil
		})
	})
	return found, err
}

// readFeedback reads what was answered to one batch: to all of it, or row by row.
func (c *conn) readFeedback(ctx context.Context, batch string, taken bool) (f feedback, err error) {
	d := c.engine.dialect()
	q := d.quote
	from, of := c.joined()
	where := fmt.Sprintf("%s = %s", of, d.mark(1))
	if !taken {
		where += " and f." + q("taken") + " = 0"
	}
	query := fmt.Sprintf("select f.%s, f.%s, f.%s, f.%s, f.%s from %s where %s order by f.%s", q("fb_id"), q("rec_id"), q("state"), q("err_code"), q("err_msg"), from, where, q("fb_id"))
	at := map[string]int{}
	var verdict, message string
	err = c.engine.read(ctx, func(r reader) error {
		if err := r.rows(ctx, query, []any{batch}, nil, func(values [][]byte) error {
			if len(f.ids) == answerRows {
				return nil
			}
			id, err := strconv.ParseInt(string(values[0]), 10, 64)
			if err != nil {
				return err
			}
			row, state, code := string(values[1]), strings.TrimSpace(string(values[2])), string(values[3])
			if state != stateAccepted && state != stateRejected {
				return nil // the receiver is not done with it
			}
			if state == stateRejected && (code == "" || code == "0") {
				code = "REJECTED"
			}
			if state == stateAccepted {
				code = ""
			}
			f.ids = append(f.ids, id)
			if row == "" {
				f.whole, verdict, message = true, code, string(values[4])
				return nil
			}
			if _, again := at[row]; !again {
				at[row] = len(f.receipt.Rows)
				f.receipt.Rows = append(f.receipt.Rows, connectors.RowReceipt{})
			}
			f.receipt.Rows[at[row]] = connectors.RowReceipt{ID: row, Code: code, Message: string(values[4])} // the last word holds
			return nil
		}); err != nil {
			return err
		}
		return c.count(ctx, r, batch, &f, verdict, message)
	})
	return f, err
}

// count makes the batch's figures: of a batch answered whole the rows not named share its verdict; of
// one answered row by row those not named wait.
func (c *conn) count(ctx context.Context, r reader, batch string, f *feedback, verdict, message string) error {
	for _, row := range f.receipt.Rows {
		if row.Code == "" {
			f.receipt.Accepted++
		} else {
			f.receipt.Rejected++
		}
	}
	f.receipt.Code, f.receipt.Message = verdict, message
	if verdict == "" {
		f.receipt.Code = "0"
	}
	if !f.whole {
		f.receipt.Pending = true // says nothing of rows it does not name
		return nil
	}
	d := c.engine.dialect()
	n, err := r.count(ctx, fmt.Sprintf("select count(*) from %s where %s = %s", d.name(c.target.schema, c.target.push), d.quote("batch_no"), d.mark(1)), batch)
	if err != nil {
		return err
	}
	rest := max(n-int64(len(f.receipt.Rows)), 0)
	if verdict == "" {
		f.receipt.Accepted += rest
	} else {
		f.receipt.Rejected += rest
	}
	return nil
}

// answered looks for what was answered to a delivery that lies there already: it may have been taken
// by a hub that has since lost its database, and will not be found among the new ones again.
func (c *conn) answered(ctx context.Context, d connectors.Delivery) (connectors.Receipt, error) {
	f, err := c.readFeedback(ctx, d.ID, true)
	if err != nil {
		return connectors.Receipt{}, failed(ctx, "look for an answer", err)
	}
	if len(f.ids) == 0 || !f.whole && len(f.receipt.Rows) < len(d.Rows) {
		return connectors.Receipt{Pending: true, Message: "laid down in " + c.target.push}, nil
	}
	f.receipt.Pending = false
	return f.receipt, nil
}

// Taken marks the feedback rows behind an answer, so that they do not come again.
func (c *conn) Taken(ctx context.Context, a connectors.Answer) error {
	const op = "mark feedback"
	var ids []int64
	if err := json.Unmarshal([]byte(a.Handle), &ids); err != nil {
		return fault.Newf(fault.Invalid, op, "the handle was not made by kind dbtable")
	}
	d := c.engine.dialect()
	err := c.retried(ctx, func(w writer) error {
		for len(ids) > 0 {
			part := ids[:min(len(ids), ackRows)]
			ids = ids[len(part):]
			texts := make([]string, len(part))
			for i, id := range part {
				texts[i] = strconv.FormatInt(id, 10)
			}
			if err := w.exec(ctx, fmt.Sprintf("update %s set %s = 1 where %s in (%s)", d.name(c.target.schema, c.target.feedback), d.quote("taken"), d.quote("fb_id"), strings.Join(texts, ", "))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return failed(ctx, op, err)
	}
	return nil
}
