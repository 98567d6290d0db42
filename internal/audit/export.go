package audit

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// The forms of an export.
const (
	JSONLines = "jsonl" // each line is what was hashed, with its hash: a third party can check the chain
	CSV       = "csv"   // for workbooks; with a byte order mark, because Excel wants one for Chinese
)

// List gives a page of entries, the newest first; next is Filter.After of the page behind it, 0 when
// there is none.
func (t *Trail) List(ctx context.Context, f Filter) (page []Entry, next int64, err error) {
	if f.Limit < 1 || f.Limit > 500 {
		f.Limit = 100
	}
	f.Limit++
	page, err = t.store.Entries(ctx, f)
	if err == nil && len(page) == f.Limit {
		page = page[:f.Limit-1]
		next = page[len(page)-1].Seq
	}
	return page, next, err
}

// Export writes the chosen entries, the oldest first, and gives how many. The export is itself an act.
func (t *Trail) Export(ctx context.Context, w io.Writer, form string, f Filter) (n int64, err error) {
	write := map[string]func(*bufio.Writer, Entry) error{JSONLines: writeLine, CSV: writeRow}[form]
	if write == nil {
		return 0, fault.Newf(fault.Invalid, "export the audit trail", "there is no form %q; %s and %s are known", form, JSONLines, CSV)
	}
	detail := map[string]string{"form": form}
	for name, text := range map[string]string{"actor": f.Actor, "action": f.Action, "uscc": f.USCC, "purpose": f.Purpose, "outcome": f.Outcome, "kind": f.Kind, "id": f.ID, "text": f.Text} {
		if text != "" {
			detail[name] = text
		}
	}
	for name, at := range map[string]time.Time{"from": f.From, "until": f.Until} {
		if !at.IsZero() {
			detail[name] = at.UTC().Format(time.RFC3339)
		}
	}
	if err := t.Record(ctx, auth.Act{Action: "audit.export", Kind: "audit", Detail: detail}); err != nil {
		return 0, err
	}
	out := bufio.NewWriter(w)
	if form == CSV {
		_, _ = out.WriteString("\uFEFF" + strings.Join(columns, ",") + "\r\n") // an error stays in out and is met again
	}
	err = t.store.Chain(ctx, func(_ Root, _ Head, entries iter.Seq2[Entry, error]) error {
		for e, err := range entries {
			if err != nil {
				return err
			}
			if !f.takes(e) {
				continue
			}
			if err := write(out, e); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, errors.Join(err, out.Flush())
}

// takes says whether the filter chooses an entry; run state's query says the same.
func (f Filter) takes(e Entry) bool {
	same := func(want, have string) bool { return want == "" || want == have }
	return (f.From.IsZero() || !e.At.Before(f.From)) && (f.Until.IsZero() || e.At.Before(f.Until)) &&
		same(f.Actor, e.Actor) && same(f.Kind, e.Kind) && same(f.ID, e.ID) && same(f.USCC, e.USCC) && same(f.Purpose, e.Purpose) && same(f.Outcome, e.Outcome) &&
		(f.Action == "" || f.Action == e.Action || strings.HasSuffix(f.Action, ".") && strings.HasPrefix(e.Action, f.Action)) &&
		(f.Text == "" || strings.Contains(strings.ToLower(e.Name+"\n"+e.ID+"\n"+detailText(e)), strings.ToLower(f.Text)))
}

func writeLine(w *bufio.Writer, e Entry) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Entry
		Hash string `json:"hash"`
	}{e, e.Hash})
}

var columns = []string{"seq", "at", "actor", "name", "roles", "way", "address", "action", "kind", "id", "uscc", "purpose", "outcome", "detail", "prev", "hash"}

func writeRow(w *bufio.Writer, e Entry) error {
	row := []string{fmt.Sprint(e.Seq), e.At.UTC().Format("2006-01-02T15:04:05.000Z"), e.Actor, e.Name, e.Roles, e.Way, e.Address, e.Action, e.Kind, e.ID, e.USCC, e.Purpose, e.Outcome, detailText(e), e.Prev, e.Hash}
	for i, cell := range row {
		row[i] = harmless(cell)
	}
	c := csv.NewWriter(w)
	c.UseCRLF = true
	if err := c.Write(row); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

// harmless keeps a spreadsheet from taking a stranger's text for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func detailText(e Entry) string {
	if len(e.Detail) == 0 {
		return ""
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(e.Detail) // texts only
	return strings.TrimSpace(b.String())
}
