package state

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"xinshu/internal/fault"
)

// IsPostgres says whether an address means PostgreSQL; any other is the path of an SQLite file.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// connect opens the database at an address without touching its tables.
func connect(address string) (*sql.DB, goose.Dialect, error) {
	driver, dialect, dsn := "pgx", goose.DialectPostgres, address
	if !IsPostgres(address) {
		driver, dialect = "sqlite3", goose.DialectSQLite3
		if err := os.MkdirAll(filepath.Dir(address), 0o750); err != nil { //nolint:gosec // the address is the config's
			return nil, dialect, err
		}
		// Immediate: a transaction takes the write lock when it begins, so it never has to give up half way.
		dsn = "file:" + (&url.URL{Path: address}).EscapedPath() + "?_journal_mode=WAL&_busy_timeout=20000&_txlock=immediate&_foreign_keys=on"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, dialect, err
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8) // a new one has read nothing yet
	return db, dialect, nil
}

func newProvider(db *sql.DB, dialect goose.Dialect) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true)}
	if dialect == goose.DialectPostgres { // nodes that start at once take turns
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 30))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, db, files, options...)
}

func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	provider, err := newProvider(db, dialect)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		if _, err = provider.Up(ctx); err == nil || attempt == 5 || dialect == goose.DialectPostgres || ctx.Err() != nil {
			return err
		}
		// SQLite has no lock around all of it: a command that began at once may have made the table first.
	}
}

// Migration is one change of the tables.
type Migration struct {
	Version int64
	Name    string    // of its file
	Applied time.Time // zero: not yet
}

// Migrations lists every change of the tables that this hub knows, and when the database at an address
// took it. It changes no table of ours; an SQLite file that is not there has taken none and is not made.
func Migrations(ctx context.Context, address string) (list []Migration, err error) {
	const op = "list migrations"
	_, absent := os.Stat(address)
	db, dialect, err := connect(address)
	if err != nil {
		return nil, failed(op, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := newProvider(db, dialect)
	if err != nil {
		return nil, failed(op, err)
	}
	if !IsPostgres(address) && errors.Is(absent, fs.ErrNotExist) { // opening lazily made no file
		for _, m := range provider.ListSources() {
			list = append(list, Migration{Version: m.Version, Name: filepath.Base(m.Path)})
		}
		return list, nil
	}
	found, err := provider.Status(ctx)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Unavailable, Err: err, Hint: "check the address of the state database"}
	}
	for _, m := range found {
		list = append(list, Migration{Version: m.Source.Version, Name: filepath.Base(m.Source.Path), Applied: m.AppliedAt})
	}
	return list, nil
}
