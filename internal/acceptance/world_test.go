//go:build acceptance

package acceptance

import (
	"crypto/md5" // the companion that departments send
	"database/sql"
	"encoding/hex"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/minio/minio-go/v7"

	"xinshu/internal/ftptest"
	"xinshu/internal/lake/s3test"
	"xinshu/internal/mariatest"
	"xinshu/internal/pgtest"
	"xinshu/internal/sshtest"
)

// The sources of the hub under test.
const (
	register    = "register-sftp" // GB18030 file with .md5 and .ok on OpenSSH
	frontend    = "frontend"      // PostgreSQL front-end database
	departments = "departments"   // folder of CSV files
	gateway     = "gateway"       // REST with a token, pages and an envelope
	province    = "province"      // REST without a code: the penalty answer

	mariaFront       = "frontend-maria"    // MariaDB front-end database
	ftpDepartment    = "department-ftp"    // packed CSV with .sm3 on FTP
	bucketDepartment = "department-bucket" // CSV under a prefix of a bucket
)

// pulled are the sources that the hub pulls from; one more posts to it.
var pulled = []string{register, frontend, departments, gateway, province, mariaFront, ftpDepartment, bucketDepartment}

const (
	bucket       = "acceptance"
	gatewayToken = "gateway-acceptance-token"
	amrReg       = "amr.reg"
	amrAbnormal  = "amr.abnormal"
)

// world is everything outside the hub: real servers on loopback, and what they hold.
type world struct {
	t        *testing.T
	s3       *s3test.Server
	ssh      *sshtest.Server
	stateDSN string
	frontDB  *sql.DB
	frontDSN string
	maria    *sql.DB
	mariaAt  mariatest.Place
	ftp      *ftptest.Server
	drop     *minio.Client
	rest     *httptest.Server
	dir      string

	mu    sync.Mutex
	feeds map[string]*feed // by source and dataset

	samples    *sampleFiles
	receiver   *restReceiver
	department *department
	office     *office
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), feeds: map[string]*feed{}, samples: loadSamples(t)}
	var err error
	if w.s3, err = s3test.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.s3.Stop() })
	w.ssh = sshtest.Start(t)
	w.stateDSN, w.frontDSN = pgtest.Start(t), pgtest.Start(t)
	if w.frontDB, err = sql.Open("pgx", w.frontDSN); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.frontDB.Close() })
	var version string
	if err := w.frontDB.QueryRowContext(t.Context(), "select current_setting('server_version')").Scan(&version); err != nil {
		t.Fatal(err)
	}
	t.Logf("servers on loopback: S3: %s; PostgreSQL %s; OpenSSH on port %s", w.s3.Kind, version, w.ssh.Port)
	w.startMaria()
	w.ftp = ftptest.Start(t)
	w.makeBucket()
	w.office = newOffice(w)
	w.receiver = &restReceiver{shelf: newShelf()}
	w.department = &department{shelf: newShelf(), dir: filepath.Join(w.ssh.Dir, "inbox")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /gateway/{dataset}", w.gatewayAnswer)
	mux.HandleFunc("GET /province/penalties", w.provinceAnswer)
	mux.Handle("POST /receive", w.receiver)
	w.rest = httptest.NewServer(mux)
	t.Cleanup(w.rest.Close)
	w.layRegister()
	return w
}

// layRegister hands over the collected files: the companies in a front-end table and as a file on
// SFTP, the penalties as they are.
func (w *world) layRegister() {
	code := "统一社会信用代码"
	utf8 := &feed{source: frontend, dataset: amrReg, code: code, needs: []string{"企业名称", "注册日期"}, dated: "注册日期", columns: headerOf(w.t, w.samples.register), rows: w.samples.registerRows}
	gb := &feed{source: register, dataset: amrReg, code: code, needs: utf8.needs, dated: utf8.dated, gives: once, rows: w.samples.registerGBRows}
	penalties := &feed{source: province, dataset: "prov-credit.penalty", code: "CF_XDR_SHXYM", needs: []string{"CF_WSH", "CF_JDRQ"}, dated: "CF_JDRQ", rows: w.samples.penaltyAnswerRows}
	for _, f := range []*feed{utf8, gb, penalties} {
		w.feeds[f.source+" "+f.dataset] = f
	}
	w.fill(utf8, utf8.rows)
	folder := filepath.Join(w.ssh.Dir, "register")
	w.must(os.MkdirAll(folder, 0o750))
	file := filepath.Join(folder, "enterprises_20250930.csv")
	sum := md5.Sum(w.samples.registerGB)
	w.must(os.WriteFile(file, w.samples.registerGB, 0o600))
	w.must(os.WriteFile(file+".md5", []byte(hex.EncodeToString(sum[:])), 0o600))
	w.must(os.WriteFile(file+".ok", nil, 0o600))
}

// homes says where rows of a dataset lie and how they are given.
var homes = map[string]feed{
	"cult.penalty":           {source: departments, gives: once, code: "CF_XDR_SHXYM", needs: []string{"CF_WSH"}, dated: "CF_JDRQ"},
	"hrss.labour":            {source: departments, gives: once},
	"civil.donate":           {source: mariaFront, gives: once},
	"ecology.penalty":        {source: frontend, gives: since, code: "CF_XDR_SHXYM", needs: []string{"CF_WSH"}, dated: "CF_JDRQ"},
	"prov-credit.honour":     {source: frontend, gives: since},
	"prov-credit.commitment": {source: frontend, gives: everything},
	"prov-credit.list":       {source: frontend, gives: everything},
	"emergency.inspect":      {source: frontend, gives: once},
	"nat-credit.severe":      {source: gateway, gives: since},
	"court.debtor":           {source: mariaFront, gives: everything, needs: []string{"court"}},
	"tax.grade":              {source: gateway, gives: since},
	"tax.arrears":            {source: gateway, gives: since},
	"customs.grade":          {source: mariaFront, gives: since},
	"nat-credit.repair":      {source: gateway, gives: since, needs: []string{"doc_no"}},
}

func init() {
	for _, w := range ratingWords {
		homes[w.dataset] = feed{source: departments, gives: once}
	}
	homes["housing.property"] = feed{source: ftpDepartment, gives: once}
	homes["tobacco.grade"] = feed{source: bucketDepartment, gives: once}
}

// add gives rows to their sources, which write op_time behind them where they keep one.
func (w *world) add(rows []made, written time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh := map[string][]row{}
	for _, m := range rows {
		home, known := homes[m.dataset]
		if !known {
			w.t.Fatalf("no source holds %s", m.dataset)
		}
		if m.dataset == posted && written.After(stockDay) {
			home.source = posts // the department handed over its stock as a file, and posts since
		}
		key := home.source + " " + m.dataset
		if w.feeds[key] == nil {
			home.dataset = m.dataset
			if home.code == "" {
				home.code = "uscc"
			}
			w.feeds[key] = &home
		}
		if home.gives == since {
			m.row["op_time"] = written.Format(time.DateTime)
		}
		w.feeds[key].rows = append(w.feeds[key].rows, m.row)
		fresh[key] = append(fresh[key], m.row)
	}
	for _, key := range slices.Sorted(maps.Keys(fresh)) {
		switch f := w.feeds[key]; f.source {
		case departments, ftpDepartment, bucketDepartment:
			w.hand(f, fresh[key], written)
		case mariaFront:
			if f.columns == nil {
				f.columns = columnsOf(fresh[key])
			}
			w.fillMaria(f, fresh[key])
		case frontend:
			if f.columns == nil {
				f.columns = columnsOf(fresh[key])
			}
			w.fill(f, fresh[key])
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// tableOf is the front-end table of a dataset.
func tableOf(dataset string) string { return strings.ReplaceAll(dataset, ".", "_") }

// fill writes rows into a table of the front-end database; a table whose rows are given once has the
// state column that the hub sets.
func (w *world) fill(f *feed, rows []row) {
	w.t.Helper()
	quoted, marks, definition := make([]string, len(f.columns)), make([]string, len(f.columns)), make([]string, 0, len(f.columns)+1)
	for i, name := range f.columns {
		quoted[i], marks[i] = pgx.Identifier{name}.Sanitize(), "$"+strconv.Itoa(i+1)
		definition = append(definition, quoted[i]+" text")
	}
	if f.gives == once {
		definition = append(definition, "state integer not null default 0")
	}
	name := pgx.Identifier{tableOf(f.dataset)}.Sanitize()
	_, err := w.frontDB.ExecContext(w.t.Context(), "create table if not exists "+name+" ("+strings.Join(definition, ", ")+")")
	w.must(err)
	tx, err := w.frontDB.BeginTx(w.t.Context(), nil)
	w.must(err)
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.PrepareContext(w.t.Context(), "insert into "+name+" ("+strings.Join(quoted, ", ")+") values ("+strings.Join(marks, ", ")+")")
	w.must(err)
	defer func() { _ = insert.Close() }()
	for _, r := range rows {
		values := make([]any, len(f.columns))
		for i, column := range f.columns {
			if r[column] != "" {
				values[i] = r[column]
			}
		}
		_, err := insert.ExecContext(w.t.Context(), values...)
		w.must(err)
	}
	w.must(tx.Commit())
}
