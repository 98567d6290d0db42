// Package connectors owns the words between a step and a platform: page, cursor, delivery, receipt,
// and the small interfaces every connector kind keeps. It refuses to know any one kind; those live
// in the folders below it. Pages go to pipelines/stage, deliveries come from pipelines/push.
package connectors

import (
	"context"
	"iter"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"xinshu/catalog"
)

// Values are settings by name, secrets already resolved. They are never printed.
type Values map[string]string

// Setting declares one thing an operator can set. The form, the manual page and the check at
// start-up are drawn from it.
type Setting struct {
	Name     string
	Title    catalog.Text // what it is called on screen
	Help     catalog.Text // meaning, unit, what empty means
	Default  string
	Required bool
	Secret   bool     // kept in a file or the environment, printed as ***
	Choices  []string // empty: free text
	When     string   // "place=sftp,ftp": only then does it matter, and only then is it asked for; empty: always
}

// Driver opens connections of one kind.
type Driver struct {
	Kind     string // "restapi"; also the name of the folder
	Title    catalog.Text
	About    catalog.Text // what it connects to, in a sentence or two for the manual
	Settings []Setting    // of a connection
	Job      []Setting    // of one dataset on that connection (path, table, mode)
	Open     func(ctx context.Context, values Values) (Conn, error)
}

// Conn is an open connection. A Conn that can pull is also a Puller, one that can push a Pusher.
type Conn interface {
	// Test reaches the platform and says what it found.
	Test(ctx context.Context) (Finding, error)
	Close() error
}

// Job is one dataset on one connection.
type Job struct {
	Dataset catalog.Dataset
	Values  Values  // by the driver's Job settings
	Window  *Window // a part to be read again by itself; nil: what follows the cursor
}

// Window is a stretch of the watermark, half open: From is included, Until is left out, so that
// neighbouring windows neither overlap nor leave a gap. Both are written as the source writes its
// watermark; an empty one is unbounded. A pull of a window neither reads nor moves the cursor.
type Window struct{ From, Until string }

// Cursor is a place in a source; empty is the beginning. Only the connector that made it reads it.
type Cursor string

// Puller reads one dataset from one platform.
type Puller interface {
	// Pull yields pages in source order, beginning after the cursor. The sequence ends at the first
	// error or when the source has no more. After a crash a page may come twice, never in part.
	Pull(ctx context.Context, job Job, after Cursor) iter.Seq2[Page, error]
}

// Acker is a Puller whose source wants to be told what was taken (flag 0 to 1, file moved away).
type Acker interface {
	// Ack tells the source that the items behind the handles are committed. Repeating it is harmless.
	Ack(ctx context.Context, job Job, handles iter.Seq2[string, error]) error
}

// Page is one answer of a source.
type Page struct {
	Batch    arrow.Record // columns named as the source names them, all of type utf8, null where the source gives none; the reader releases it
	Origin   Origin       // where the first row was found
	Rejects  []Reject     // rows that could not even be read into columns; they count as read
	Next     Cursor       // the place after the last row
	Declared *int64       // the total the source says this pull has; on any one page, usually the first
	Taken    []string     // handles of source items that this page completes; given back through Ack once committed
	Whole    bool         // on the last page: the pull gave everything that the source holds now, so what is not in it is gone; a source that holds nothing gives one page without Batch that says so
}

// Origin is where a row was found, so that a steward finds it again.
type Origin struct {
	File  string  // path, URL without secrets, or table
	Line  int64   // line of the first row in its file (1 is the first line, a header included), or its number in the page
	Page  int64   // page number; 0 when the source has no pages
	Lines []int64 // line of each row when they are not consecutive; nil otherwise
}

// Reject is a row that could not be read: a broken CSV record, a JSON element that is no object.
type Reject struct {
	Line   int64
	Column string // empty when the fault is not in one column
	Reason string // reason code, upper case: CSV_FIELDS, JSON_SYNTAX, ENCODING
	Value  string // what was there, cut to 500 characters
	File   bool   // the whole file is refused: Value says why, in words, and holds nothing of its rows
}

// Delivery is one message to one target: grades, retractions or repairs, in the target's order.
type Delivery struct {
	ID      string    // the same on every attempt; the receiver keeps one record per row id
	Target  string    // target id
	Kind    string    // grades
	Made    time.Time // when it was put together; part of no signature
	Rows    []Row
	Wording string // the notice's own sentence about what the result is not
}

// Row is one statement about one entity.
type Row struct {
	ID      string `json:"id"`      // policy/uscc/version
	Kind    string `json:"kind"`    // grade, correction or retraction
	Version int64  `json:"version"` // grows per policy and entity; a receiver keeps the greatest
	USCC    string `json:"uscc"`
	Body    []byte `json:"-"` // the JSON of the row, as sent; holds id, kind, version, uscc and the rest
}

// Receipt is a platform's answer to a delivery: one for the batch, one for each row it names.
type Receipt struct {
	Code     string // as received, kept verbatim
	Message  string
	Accepted int64
	Rejected int64
	Pending  bool // accepted for handling; the answer comes later (answer file, feedback table)
	Rows     []RowReceipt
}

// RowReceipt is the answer about one row.
type RowReceipt struct {
	ID      string
	Code    string // empty or "0" when accepted
	Message string
}

// Pusher delivers results to one platform.
type Pusher interface {
	// Push hands over one delivery. Pushing the same Delivery.ID again leaves one record on the
	// platform, not two.
	Push(ctx context.Context, d Delivery) (Receipt, error)
}

// Answerer is a Pusher whose platform answers later.
type Answerer interface {
	// Answers yields receipts that arrived since, with the delivery id each belongs to. An answer
	// stays with the platform until Taken is called for it.
	Answers(ctx context.Context) iter.Seq2[Answer, error]
	Taken(ctx context.Context, a Answer) error
}

// Answer is a receipt that came later.
type Answer struct {
	DeliveryID string
	Receipt    Receipt
	Handle     string
}
