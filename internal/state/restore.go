package state

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/pressly/goose/v3"

	"xinshu/internal/fault"
)

// Dumped is a table on its way back into a database.
type Dumped struct {
	Table
	Rows iter.Seq2[[]any, error]
}

// Restore makes the database at an address from what Dump wrote, on whichever of the two databases it
// was written. The database must be Empty. All rows come in one transaction; an SQLite file gets its
// name when everything is in it. So a restore that is killed leaves none, or one that is Empty still.
// version is what Dump gave: the tables are made as they were then and brought up to date afterwards.
func Restore(ctx context.Context, address string, version int64, tables iter.Seq2[Dumped, error]) error {
	const op = "restore run state"
	if empty, err := Empty(ctx, address); err != nil || !empty {
		return errors.Join(err, notEmpty(op, empty))
	}
	if IsPostgres(address) {
		return failed(op, restoreInto(ctx, address, version, tables))
	}
	made := address + ".restoring"
	for _, left := range []string{made, made + "-wal", made + "-shm"} { // of a restore that was killed
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed(op, err)
		}
	}
	if err := restoreInto(ctx, made, version, tables); err != nil {
		return failed(op, err)
	}
	fault.At(fault.MidRestore)
	if err := os.Rename(made, address); err != nil {
		return failed(op, err)
	}
	dir, err := os.Open(filepath.Dir(address))
	if err != nil {
		return failed(op, err)
	}
	return failed(op, errors.Join(dir.Sync(), dir.Close()))
}

func notEmpty(op string, empty bool) error {
	if empty {
		return nil
	}
	return &fault.Error{Op: op, Code: fault.Conflict, Err: errors.New("the state database is there already"),
		Hint: "a restore writes into an empty place only; give another place, or move the old one away"}
}

// Empty says whether a restore may write to an address: there is no such file, the PostgreSQL
// database holds no table, or only what a restore that was killed left behind.
func Empty(ctx context.Context, address string) (empty bool, err error) {
	const op = "look at run state"
	if !IsPostgres(address) {
		_, err := os.Stat(address)
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, failed(op, err)
	}
	db, _, err := connect(address)
	if err != nil {
		return false, failed(op, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	names, err := texts(ctx, db, schemaOf(true).names)
	if err != nil {
		return false, &fault.Error{Op: op, Code: fault.Unavailable, Err: err, Hint: "check the address of the state database"}
	}
	return len(names) == 0 || slices.Contains(names, restoring), nil
}

// restoring is a table that stands in a PostgreSQL database while a restore fills it.
const restoring = "restore_unfinished"

// restoreInto brings the schema to the version of the dump, loads the rows and brings the schema up to date.
func restoreInto(ctx context.Context, address string, version int64, tables iter.Seq2[Dumped, error]) (err error) {
	db, dialect, err := connect(address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := newProvider(db, dialect)
	if err != nil {
		return err
	}
	known := provider.ListSources()
	if version < 1 || version > known[len(known)-1].Version {
		return &fault.Error{Op: "read the backup", Code: fault.Invalid, Err: errors.New("it was made by a newer version of the hub"), Hint: "restore it with that version or a later one"}
	}
	if _, err := db.ExecContext(ctx, `create table if not exists `+restoring+` (at bigint)`); err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, version); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit this does nothing
	if err := loadAll(ctx, tx, schemaOf(dialect == goose.DialectPostgres), tables); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `drop table `+restoring); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// loadAll fills the tables, after it has taken out what migrations put there by themselves.
func loadAll(ctx context.Context, tx *sql.Tx, kind schema, tables iter.Seq2[Dumped, error]) error {
	there, err := kind.tables(ctx, tx)
	if err != nil {
		return err
	}
	at := map[string]Table{}
	for _, t := range slices.Backward(there) {
		at[t.Name] = t
		if _, err := tx.ExecContext(ctx, `delete from `+quoted([]string{t.Name})); err != nil {
			return err
		}
	}
	for t, err := range tables {
		if err != nil {
			return err
		}
		if columns := at[t.Name].Columns; !sameNames(columns, t.Columns) {
			return fault.Newf(fault.Invalid, "load "+t.Name, "the backup has the columns %v, the database %v", t.Columns, columns)
		}
		if err := loadTable(ctx, tx, t); err != nil {
			return err
		}
		fault.At(fault.MidRestore)
	}
	return nil
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// loadTable inserts the rows of one table, several to a statement.
func loadTable(ctx context.Context, tx *sql.Tx, t Dumped) error {
	args := make([]any, 0, batch*len(t.Columns))
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, `insert into `+quoted([]string{t.Name})+` (`+quoted(t.Columns)+`) values `+
			placeholders(len(args)/len(t.Columns), len(t.Columns)), args...)
		args = args[:0]
		return err
	}
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		if len(row) != len(t.Columns) {
			return fault.Newf(fault.Invalid, "load "+t.Name, "a row has %d values for %d columns", len(row), len(t.Columns))
		}
		if args = append(args, row...); len(args) == cap(args) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
