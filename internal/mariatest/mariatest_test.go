package mariatest_test

import (
	"database/sql"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"xinshu/internal/mariatest"
)

func TestEachCallGivesItsOwnEmptyDatabase(t *testing.T) {
	for range 2 {
		at := mariatest.Start(t)
		db, err := sql.Open("mysql", mariatest.User+":"+mariatest.Password+"@unix("+at.Socket+")/"+at.Database)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := db.ExecContext(t.Context(), "create table taken (n integer)"); err != nil {
			t.Fatal(err)
		}
	}
}
