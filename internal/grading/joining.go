package grading

import (
	"context"
	"fmt"

	"xinshu/internal/duck"
)

// joinNobody makes the relations that say whose records are counted for whom: the claims of numbers as
// a view, and identity as it is nearly everywhere, empty.
func (m Models) joinNobody(ctx context.Context, db *duck.DB) error {
	for _, model := range m.Joining {
		var err error
		switch model.Name {
		case Rejoined:
			continue
		case Identity:
			err = db.Table(ctx, Identity, model.Columns, nil)
		default:
			err = db.Create(ctx, model)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Identify fills the relation identity from the settled aliases, judgements and marks under the
// clocks as they stand, and says how many rows it has: 0 means that every record stays where it lies.
func (m Models) Identify(ctx context.Context, db *duck.DB) (int64, error) {
	if err := db.Exec(ctx, "truncate identity"); err != nil {
		return 0, err
	}
	if err := db.Exec(ctx, "insert into identity by name\n"+m.joiningText(Identity)); err != nil {
		return 0, fmt.Errorf("run model %s: %w", Identity, err)
	}
	var rows int64
	return rows, db.One(ctx, "select count(*) from identity", nil, &rows)
}

// Joined is for those who ask whose records are whose and score nothing: it makes the relations and
// fills them. The small settled relations and run must be there.
func (m Models) Joined(ctx context.Context, db *duck.DB) error {
	if err := m.joinNobody(ctx, db); err != nil {
		return err
	}
	_, err := m.Identify(ctx, db)
	return err
}

// Rejoin is the text of the model that puts records under the entities they are counted for.
func (m Models) Rejoin() string { return m.joiningText(Rejoined) }

func (m Models) joiningText(name string) string {
	for _, model := range m.Joining {
		if model.Name == name {
			return model.Query
		}
	}
	return ""
}
