package dbtable

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/mariatest"
	"xinshu/internal/pgtest"
)

// server is a database of one engine with a way to change it from outside.
type server struct {
	values connectors.Values
	db     *sql.DB
}

func servers() map[string]func(t testing.TB) server {
	return map[string]func(t testing.TB) server{"sqlite": startSQLite, "postgres": startPostgres, "mysql": startMariaDB}
}

func startSQLite(t testing.TB) server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "front end #1%41.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return server{connectors.Values{"engine": "sqlite", "path": path}, db}
}

func startPostgres(t testing.TB) server {
	t.Helper()
	dsn := pgtest.Start(t)
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return server{connectors.Values{"engine": "postgres", "host": config.Host, "port": fmt.Sprint(config.Port), "database": config.Database,
		"user": "postgres", "password": "swordfish-7741", "sslmode": "disable"}, db}
}

func startMariaDB(t testing.TB) server {
	t.Helper()
	at := mariatest.Start(t)
	db, err := sql.Open("mysql", mariatest.User+":"+mariatest.Password+"@unix("+at.Socket+")/"+at.Database+"?charset=utf8mb4&time_zone=%27%2B08:00%27&sql_mode=%27ANSI_QUOTES,PIPES_AS_CONCAT%27")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return server{connectors.Values{"engine": "mysql", "host": at.Socket, "database": at.Database, "user": mariatest.User, "password": mariatest.Password}, db}
}

// written is a statement in the database's own words.
func (s server) written(query string) string {
	if s.values["engine"] == "mysql" {
		query = marks.ReplaceAllString(query, "?")
		for _, pair := range mysqlWords {
			query = strings.ReplaceAll(query, pair[0], pair[1])
		}
	}
	return query
}

var (
	marks      = regexp.MustCompile(`\$[0-9]+`)
	mysqlWords = [][2]string{{"id text", "id varchar(190)"}, {" text", " longtext"}, {"op_time timestamp", "op_time datetime(6)"}}
)

func (s server) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := s.db.ExecContext(t.Context(), s.written(query), args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func (s server) open(t testing.TB) connectors.Conn {
	t.Helper()
	c, err := Driver().Open(t.Context(), s.values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s server) source(t testing.TB, values connectors.Values) connectortest.Source {
	t.Helper()
	return connectortest.Source{Conn: s.open(t), Column: "id", Secret: s.values["password"],
		Job: connectors.Job{Dataset: catalog.Dataset{ID: "tax.grade", Key: []string{"id"}}, Values: values}}
}

// seven rows; two share the op_time of a page's end.
func (s server) seed(t *testing.T) (ids []string) {
	t.Helper()
	s.exec(t, `create table "税 务""等级" (id text primary key, op_time timestamp, state integer not null default 0, "纳税 等级" text)`)
	for i, minute := range []int{1, 2, 3, 3, 4, 5, 6} {
		id := fmt.Sprintf("r%d", i+1)
		ids = append(ids, id)
		s.exec(t, `insert into "税 务""等级" (id, op_time, "纳税 等级") values ($1, $2, $3)`, id, fmt.Sprintf("2025-10-28 09:0%d:00", minute), "A")
	}
	return ids
}

func TestPullKeepsItsPromises(t *testing.T) {
	for name, start := range servers() {
		for _, mode := range []string{full, watermark, flag} {
			t.Run(name+" "+mode, func(t *testing.T) {
				connectortest.Pull(t, func(t *testing.T) connectortest.Source {
					s := start(t)
					ids := s.seed(t)
					src := s.source(t, connectors.Values{"table": `税 务"等级`, "mode": mode, "page_rows": "2"})
					src.Rows, src.Flagged = ids, mode == flag
					return src
				})
			})
		}
	}
}
