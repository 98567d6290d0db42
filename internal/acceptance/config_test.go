//go:build acceptance

package acceptance

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"

	"xinshu/catalog"
	"xinshu/internal/lake/s3test"
	"xinshu/internal/mariatest"
)

// config is the xinshu.yaml of the hub under test. Secrets come from the environment and from files.
func (w *world) config() string {
	w.t.Setenv("XINSHU_ACCEPTANCE_STATE", w.stateDSN)
	w.t.Setenv("XINSHU_ACCEPTANCE_TOKEN", gatewayToken)
	w.t.Setenv("XINSHU_ACCEPTANCE_POST", postSecret)
	key := filepath.Join(w.dir, "sftp.key")
	w.must(os.WriteFile(key, []byte(w.ssh.PrivateKey), 0o600))
	front, err := pgx.ParseConfig(w.frontDSN)
	w.must(err)
	sftp := map[string]string{"place": "sftp", "root": w.ssh.Dir, "host": w.ssh.Host, "port": w.ssh.Port, "user": w.ssh.User,
		"private_key": "${file:" + key + "}", "host_key": w.ssh.HostKey}
	inbox := maps.Clone(sftp)
	inbox["outbox"], inbox["packet"] = "inbox", "xml"

	jobs := map[string]map[string]map[string]string{register: {}, frontend: {}, departments: {}, gateway: {}, province: {},
		mariaFront: {}, ftpDepartment: {}, bucketDepartment: {}}
	jobs[register][amrReg] = map[string]string{"folder": "register", "pattern": "enterprises_*.csv", "ready": "ok", "checksum": "required", "encoding": "gb18030"}
	jobs[frontend][amrReg] = map[string]string{"table": tableOf(amrReg), "mode": "full"}
	jobs[province]["prov-credit.penalty"] = map[string]string{"path": "penalties", "rows_path": "rows", "total_path": "total", "page_param": "", "size_param": "", "since_param": ""}
	for dataset, home := range homes {
		switch home.source {
		case departments:
			jobs[departments][dataset] = map[string]string{"pattern": dataset + "_*"}
		case gateway:
			jobs[gateway][dataset] = map[string]string{"path": dataset, "page_rows": "7"}
		case ftpDepartment:
			jobs[ftpDepartment][dataset] = map[string]string{"pattern": dataset + "_*.csv.gz", "checksum": "sm3"}
		case bucketDepartment:
			jobs[bucketDepartment][dataset] = map[string]string{"pattern": dataset + "_*.csv"}
		case frontend, mariaFront:
			mode := map[manner]string{everything: "full", since: "watermark", once: "flag"}[home.gives]
			jobs[home.source][dataset] = map[string]string{"table": tableOf(dataset), "mode": mode}
		}
	}
	collected := stockDay.Format(time.DateOnly)
	source := func(name, kind string, values map[string]string) map[string]any {
		return map[string]any{"name": name, "kind": kind, "values": values, "datasets": jobs[name], "collected": collected}
	}
	maria := map[string]string{"engine": "mysql", "host": w.mariaAt.Socket, "database": w.mariaAt.Database, "user": mariatest.User, "password": mariatest.Password}
	office := maps.Clone(maria)
	office["push_table"], office["feedback_table"], office["sender"] = pushTable, feedbackTable, "410481-FGW"
	text, err := yaml.Marshal(map[string]any{
		"data":  filepath.Join(w.dir, "data"),
		"node":  "acceptance",
		"store": map[string]any{"kind": "s3", "endpoint": w.s3.Endpoint, "bucket": bucket, "access_key": s3test.AccessKey, "secret_key": s3test.SecretKey},
		"state": map[string]any{"dsn": "${env:XINSHU_ACCEPTANCE_STATE}"},
		"sources": []any{
			source(register, "files", sftp),
			source(frontend, "dbtable", map[string]string{"engine": "postgres", "host": front.Host, "port": fmt.Sprint(front.Port), "database": front.Database, "user": front.User, "sslmode": "disable"}),
			source(departments, "files", map[string]string{"place": "folder", "root": filepath.Join(w.dir, "departments")}),
			source(gateway, "restapi", map[string]string{"url": w.rest.URL + "/gateway", "profile": "bearer", "secret": "${env:XINSHU_ACCEPTANCE_TOKEN}", "rate": "200"}),
			source(province, "restapi", map[string]string{"url": w.rest.URL + "/province", "code_path": ""}),
			source(mariaFront, "dbtable", maria),
			source(ftpDepartment, "files", map[string]string{"place": "ftp", "root": w.ftp.Dir, "host": w.ftp.Host, "port": w.ftp.Port, "user": w.ftp.User, "password": w.ftp.Password, "tls": "off"}),
			source(bucketDepartment, "files", map[string]string{"place": "s3", "root": dropPrefix, "endpoint": w.s3.Endpoint, "bucket": dropBucket, "access_key": s3test.AccessKey,
				"secret_key": s3test.SecretKey, "tls": "off", "path_style": "on"}),
		},
		"targets": []any{
			map[string]any{"id": "city-share", "kind": "restapi", "values": map[string]string{"url": w.rest.URL, "profile": "openapi", "id": clientID, "secret": clientSecret, "push_path": "receive"}},
			map[string]any{"id": "dept-sftp", "kind": "files", "values": inbox},
			map[string]any{"id": "office-db", "kind": "dbtable", "values": office},
		},
		"catalog": w.ownCatalog(),
		"receive": map[string]any{"senders": []any{map[string]any{"name": posts, "secret": "${env:XINSHU_ACCEPTANCE_POST}", "datasets": []string{posted}}}},
	})
	w.must(err)
	return string(text)
}

// ownCatalog is the installation's own layer: it pulls the honour lists whole, and says so.
func (w *world) ownCatalog() string {
	w.t.Helper()
	const path = "datasets/prov-credit/list.yaml"
	text, err := fs.ReadFile(catalog.Files, path)
	w.must(err)
	own := filepath.Join(w.dir, "catalog", filepath.FromSlash(path))
	w.must(os.MkdirAll(filepath.Dir(own), 0o750))
	w.must(os.WriteFile(own, append(text, "stock: whole\n"...), 0o600))
	return filepath.Join(w.dir, "catalog")
}
