package dbtable

import (
	"maps"
	"slices"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
)

const overNetwork = "engine=mysql,oracle,postgres,sqlserver"

// settings are those of a connection: what all engines share, then what each brings.
func settings() []connectors.Setting {
	all := []connectors.Setting{
		{Name: "engine", Required: true, Choices: engineNames(), Title: catalog.Text{ZH: "数据库类型", EN: "database"},
			Help: catalog.Text{ZH: "sqlite 为文件；mysql 含 MariaDB；postgres 含其兼容库", EN: "sqlite is a file; mysql is MariaDB too; postgres is also what speaks its protocol"}},
		{Name: "host", When: overNetwork, Title: catalog.Text{ZH: "主机", EN: "host"},
			Help: catalog.Text{ZH: "mysql、postgres：以 / 开头为本机套接字", EN: "mysql, postgres: beginning with / it is a socket"}},
		{Name: "port", When: overNetwork, Title: catalog.Text{ZH: "端口", EN: "port"},
			Help: catalog.Text{ZH: "空为通常端口：postgres 5432，mysql 3306，sqlserver 1433，oracle 1521", EN: "empty: the usual one, postgres 5432, mysql 3306, sqlserver 1433, oracle 1521"}},
		{Name: "database", When: overNetwork, Title: catalog.Text{ZH: "库名", EN: "database name"}, Help: catalog.Text{ZH: "oracle 为服务名", EN: "the service name for oracle"}},
		{Name: "user", When: overNetwork, Title: catalog.Text{ZH: "用户", EN: "user"}, Help: catalog.Text{ZH: "只需读权限；按标志位抽取另需更新权限", EN: "needs to read; mode flag needs to update too"}},
		{Name: "password", Secret: true, When: overNetwork, Title: catalog.Text{ZH: "口令", EN: "password"}, Help: catalog.Text{ZH: "空为无口令", EN: "empty: none"}},
		{Name: "sslmode", When: overNetwork, Default: "prefer", Choices: []string{"disable", "prefer", "require", "verify-ca", "verify-full"}, Title: catalog.Text{ZH: "加密方式", EN: "TLS"},
			Help: catalog.Text{ZH: "prefer 能加密则加密；require 必须加密但不验证书；verify-full 同时核对主机名", EN: "prefer: when the server can; require: always, without checking the certificate; verify-full checks the host's name too"}},
		{Name: "tls_ca", When: overNetwork, Title: catalog.Text{ZH: "根证书文件", EN: "file of the root certificate"},
			Help: catalog.Text{ZH: "PEM；空为系统信任的证书", EN: "PEM; empty: what the system trusts"}},
		{Name: "connect_timeout", When: overNetwork, Default: "15s", Title: catalog.Text{ZH: "连接时限", EN: "time to connect"}, Help: catalog.Text{ZH: "例如 15s", EN: "for example 15s"}},
		{Name: "zone", Default: "Asia/Shanghai", Title: catalog.Text{ZH: "源端时区", EN: "zone of the source"},
			Help: catalog.Text{ZH: "不带时区的时间列属于哪个时区，例如 UTC；取出时换算为北京时间，日期列不变", EN: "which zone times belong to in columns that carry none, for example UTC; they are brought to Shanghai time, dates stay"}},
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		for _, s := range engines[name].settings {
			if !seen[s.Name] {
				all, seen[s.Name] = append(all, s), true
			}
		}
	}
	return append(all, pushSettings...)
}

var jobSettings = []connectors.Setting{
	{Name: "table", Required: true, Title: catalog.Text{ZH: "表或视图", EN: "table or view"},
		Help: catalog.Text{ZH: "只写名称，模式另填", EN: "the name alone, without schema"}},
	{Name: "schema", Title: catalog.Text{ZH: "模式", EN: "schema"},
		Help: catalog.Text{ZH: "空为默认模式；mysql 为库名，oracle 为用户名", EN: "empty: the default schema; a database for mysql, a user for oracle"}},
	{Name: "mode", Default: full, Choices: []string{full, watermark, flag}, Title: catalog.Text{ZH: "抽取方式", EN: "mode"},
		Help: catalog.Text{ZH: "full 每次全部；watermark 按增量字段；flag 按标志位，取走后置位", EN: "full: everything each time; watermark: by a column that grows; flag: what is not flagged, flagged once taken"}},
	{Name: "key", Title: catalog.Text{ZH: "排序字段", EN: "columns of the order"},
		Help: catalog.Text{ZH: "逗号分隔；空为数据集主键，其列不全在表中时为全部列；mysql、sqlserver 的 flag 方式用它找回无主键表的行", EN: "comma separated; empty: the dataset's key, or all columns where the table lacks it; mode flag of mysql and sqlserver finds the rows of a table without primary key by it"}},
	{Name: "cursor_column", When: "mode=watermark", Default: "op_time", Title: catalog.Text{ZH: "增量字段", EN: "watermark column"},
		Help: catalog.Text{ZH: "等于上次最大值的行会再取一次", EN: "rows equal to the last maximum are read again"}},
	{Name: "null_cursor", When: "mode=watermark", Default: "take", Choices: []string{"take", "refuse", "leave"}, Title: catalog.Text{ZH: "增量字段为空的行", EN: "rows without watermark"},
		Help: catalog.Text{ZH: "take 每次都取；refuse 拒绝抽取；leave 不取", EN: "take them each time, refuse the pull, or leave them out"}},
	{Name: "lookback", When: "mode=watermark", Title: catalog.Text{ZH: "回看时长", EN: "lookback"},
		Help: catalog.Text{ZH: "时间型增量字段向前多取，例如 24h", EN: "reads a time watermark again from that much earlier, for example 24h"}},
	{Name: "flag_column", When: "mode=flag", Default: "state", Title: catalog.Text{ZH: "标志字段", EN: "flag column"}, Help: catalog.Text{ZH: "交换双方约定的列", EN: "the column both sides agreed on"}},
	{Name: "flag_new", When: "mode=flag", Default: "0", Title: catalog.Text{ZH: "未取标志", EN: "flag of new rows"}, Help: catalog.Text{ZH: "提供方写入的值", EN: "what the provider writes"}},
	{Name: "flag_taken", When: "mode=flag", Default: "1", Title: catalog.Text{ZH: "已取标志", EN: "flag of taken rows"}, Help: catalog.Text{ZH: "提交之后由本系统写入", EN: "written here after the commit"}},
	{Name: "page_rows", Default: "10000", Title: catalog.Text{ZH: "每页行数", EN: "rows of a page"}, Help: catalog.Text{ZH: "最多 10000", EN: "10000 at most"}},
}

// Modes of a job.
const (
	full      = "full"
	watermark = "watermark"
	flag      = "flag"
)

// address is where a database listens, and how it is reached.
type address struct {
	host, database, user, password string
	port                           int
	sslmode, ca                    string
	wait                           time.Duration
	zone                           *time.Location
}

// readAddress takes the settings that engines over the network share.
func readAddress(r *connectors.Reader, port int) address {
	if r.Text("port") != "" {
		port = r.Int("port", 1)
	}
	return address{host: r.Text("host"), port: port, database: r.Text("database"), user: r.Text("user"), password: r.Text("password"),
		sslmode: r.Text("sslmode"), ca: r.Text("tls_ca"), wait: r.Duration("connect_timeout"), zone: readZone(r)}
}

// socket says whether the host is a socket of this machine.
func (s address) socket() bool { return strings.HasPrefix(s.host, "/") }

func readZone(r *connectors.Reader) *time.Location {
	zone, err := time.LoadLocation(r.Text("zone"))
	if err != nil || r.Text("zone") == "" {
		r.Fault("zone is no time zone such as Asia/Shanghai or UTC")
	}
	return zone
}
