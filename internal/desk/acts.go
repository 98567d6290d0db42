package desk

import (
	"context"
	"io"

	"xinshu/internal/audit"
	"xinshu/internal/fault"
)

// Acts gives a page of the audit trail, the newest first; next is Filter.After of the page behind it.
func (d *Desk) Acts(ctx context.Context, f audit.Filter) (page []audit.Entry, next int64, err error) {
	if d.Trail == nil {
		return nil, 0, noTrail()
	}
	return d.Trail.List(ctx, f)
}

// ExportActs writes the chosen entries, the oldest first; the export is an act too.
func (d *Desk) ExportActs(ctx context.Context, w io.Writer, form string, f audit.Filter) error {
	if d.Trail == nil {
		return noTrail()
	}
	_, err := d.Trail.Export(ctx, w, form, f)
	return err
}

// VerifyActs holds the trail against itself, and names the first entry that does not match.
func (d *Desk) VerifyActs(ctx context.Context) (audit.Report, error) {
	if d.Trail == nil {
		return audit.Report{}, noTrail()
	}
	return d.Trail.Verify(ctx)
}

func noTrail() error {
	return fault.Newf(fault.NotFound, "read the audit trail", "this hub keeps none")
}
