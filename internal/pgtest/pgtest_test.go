package pgtest_test

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"xinshu/internal/pgtest"
)

func TestEachCallGivesItsOwnEmptyDatabase(t *testing.T) {
	for range 2 {
		db, err := sql.Open("pgx", pgtest.Start(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := db.ExecContext(t.Context(), "create table taken (n integer)"); err != nil {
			t.Fatal(err)
		}
	}
}
