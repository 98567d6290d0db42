// Package files owns exchange by file: folders here and over SFTP, CSV and JSON in the encodings that
// departments send, companions that say a file is whole, and packets with their answer files. It
// refuses files that are not whole, and keeps no copy of what it reads. Pages go up to staging,
// deliveries come from pushing.
//
// A packet is {guid}.xml or .json with a .md5 and, last of all, an .ok beside it. The receiver answers
// with a file {packet}.fb, written under another name and renamed:
//
//	{"guid": "…", "code": "0", "message": "", "accepted": 9, "rejected": 1, "rows": [{"id": "…", "code": "E01", "message": "…"}]}
//
// or the same as XML: <answer><guid/><code/><message/><accepted/><rejected/><rows><row id="" code="" message=""/></rows></answer>.
package files

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Driver is the kind files.
func Driver() connectors.Driver {
	return connectors.Driver{Kind: "files", Settings: settings, Job: jobSettings,
		Title: catalog.Text{ZH: "文件交换", EN: "files"},
		About: catalog.Text{ZH: "部门放在目录或文件服务器上的数据文件，以及数据包与答复文件。", EN: "Data files that departments lay down in a folder or on a file server, and packets with their answers."},
		Open:  func(ctx context.Context, values connectors.Values) (connectors.Conn, error) { return open(ctx, values) }}
}

var settings = []connectors.Setting{
	{Name: "place", Default: "folder", Choices: []string{"folder", "sftp", "ftp", "s3"}, Title: catalog.Text{ZH: "位置", EN: "place"},
		Help: catalog.Text{ZH: "folder 本机或挂载的目录；其余为远程：sftp、ftp、s3 对象存储", EN: "a folder on this machine or mounted here; or a remote one: SFTP, FTP, an S3 bucket"}},
	{Name: "root", Required: true, Title: catalog.Text{ZH: "根目录", EN: "root folder"},
		Help: catalog.Text{ZH: "其下的目录才可读写；s3 为前缀，“/”为整个桶", EN: "nothing outside it is read or written; with s3 a prefix, / for the whole bucket"}},
	{Name: "host", When: "place=sftp,ftp", Title: catalog.Text{ZH: "主机", EN: "host"}, Help: catalog.Text{ZH: "主机名或地址", EN: "name or address"}},
	{Name: "port", When: "place=sftp,ftp", Title: catalog.Text{ZH: "端口", EN: "port"}, Help: catalog.Text{ZH: "空为 sftp 22、ftp 21", EN: "empty: 22 for sftp, 21 for ftp"}},
	{Name: "user", When: "place=sftp,ftp", Title: catalog.Text{ZH: "用户", EN: "user"}, Help: catalog.Text{ZH: "登录用户；匿名 FTP 填 anonymous", EN: "who logs in; anonymous for an anonymous FTP server"}},
	{Name: "password", Secret: true, When: "place=sftp,ftp", Title: catalog.Text{ZH: "口令", EN: "password"}, Help: catalog.Text{ZH: "sftp 口令或私钥填一项", EN: "sftp needs the password or the private key"}},
	{Name: "private_key", Secret: true, When: "place=sftp", Title: catalog.Text{ZH: "私钥", EN: "private key"}, Help: catalog.Text{ZH: "PEM 文本", EN: "the text of a PEM file"}},
	{Name: "passphrase", Secret: true, When: "place=sftp", Title: catalog.Text{ZH: "私钥口令", EN: "passphrase of the key"}, Help: catalog.Text{ZH: "私钥加密时填", EN: "when the key is encrypted"}},
	{Name: "host_key", When: "place=sftp", Title: catalog.Text{ZH: "主机公钥", EN: "host key"},
		Help: catalog.Text{ZH: "sftp 必填：“ssh-ed25519 AAAA…”或指纹“SHA256:…”，逗号分隔可填多个；不符即拒绝连接", EN: "needed for sftp: \"ssh-ed25519 AAAA…\" or a fingerprint \"SHA256:…\", several separated by commas; another key is refused"}},
	{Name: "names", Default: "utf-8", Choices: []string{"utf-8", "gbk"}, When: "place=ftp", Title: catalog.Text{ZH: "文件名编码", EN: "encoding of names"},
		Help: catalog.Text{ZH: "中文文件名乱码时填 gbk", EN: "gbk where Chinese names come garbled"}},
	{Name: "endpoint", When: "place=s3", Title: catalog.Text{ZH: "服务地址", EN: "endpoint"}, Help: catalog.Text{ZH: "主机:端口，不写 http", EN: "host:port, without http"}},
	{Name: "bucket", When: "place=s3", Title: catalog.Text{ZH: "存储桶", EN: "bucket"}, Help: catalog.Text{ZH: "须已存在", EN: "must exist"}},
	{Name: "access_key", Secret: true, When: "place=s3", Title: catalog.Text{ZH: "访问键", EN: "access key"}, Help: catalog.Text{ZH: "与私密键成对", EN: "goes with the secret key"}},
	{Name: "secret_key", Secret: true, When: "place=s3", Title: catalog.Text{ZH: "私密键", EN: "secret key"}, Help: catalog.Text{ZH: "与访问键成对", EN: "goes with the access key"}},
	{Name: "region", Default: "us-east-1", When: "place=s3", Title: catalog.Text{ZH: "区域", EN: "region"}, Help: catalog.Text{ZH: "MinIO 等用默认值", EN: "MinIO and most others keep the default"}},
	{Name: "path_style", Default: "auto", Choices: []string{"auto", "on", "off"}, When: "place=s3", Title: catalog.Text{ZH: "路径式地址", EN: "bucket in the path"},
		Help: catalog.Text{ZH: "on 桶名写在路径里，off 写在主机名里；auto 自行判断", EN: "on: the bucket stands in the path; off: in the host name; auto: as the server is known to want it"}},
	{Name: "tls", Default: "on", Choices: []string{"on", "off"}, When: "place=ftp,s3", Title: catalog.Text{ZH: "加密传输", EN: "encrypted"},
		Help: catalog.Text{ZH: "ftp 为 AUTH TLS（显式），s3 为 https；off 时口令与数据明文传输", EN: "AUTH TLS (explicit) with ftp, https with s3; off: the password and the data travel in the clear"}},
	{Name: "ca_cert", When: "place=ftp,s3", Title: catalog.Text{ZH: "根证书", EN: "authority's certificate"},
		Help: catalog.Text{ZH: "PEM 文本，写 ${file:路径}；空为系统信任的机构", EN: "PEM text, write ${file:PATH}; empty: the authorities that the system trusts"}},
	{Name: "server_name", When: "place=ftp,s3", Title: catalog.Text{ZH: "证书中的名称", EN: "name in the certificate"}, Help: catalog.Text{ZH: "空为主机名", EN: "empty: the host"}},
	{Name: "stall", Default: "60s", Title: catalog.Text{ZH: "停顿时限", EN: "time without bytes"},
		Help: catalog.Text{ZH: "读取时在此时间内来的不足 64 KB，就断开并从断点续读，五次后失败", EN: "when less than 64 KB come in this time of reading, the line is dropped and reading resumes where it stopped, five times"}},
	{Name: "timeout", Default: "30s", When: "place=sftp,ftp,s3", Title: catalog.Text{ZH: "连接时限", EN: "time to connect"}, Help: catalog.Text{ZH: "建立连接并登录的时间", EN: "until the server has answered and let us in"}},
	{Name: "outbox", Title: catalog.Text{ZH: "推送目录", EN: "folder of packets"}, Help: catalog.Text{ZH: "相对根目录；空为根目录", EN: "below the root; empty: the root"}},
	{Name: "packet", Default: "xml", Choices: []string{"xml", "json"}, Title: catalog.Text{ZH: "数据包格式", EN: "form of packets"}, Help: catalog.Text{ZH: "包头加包体", EN: "header and body"}},
	{Name: "sender", Default: "xinshu", Title: catalog.Text{ZH: "发送方", EN: "sender"}, Help: catalog.Text{ZH: "写入包头", EN: "named in the header"}},
	{Name: "answers", Title: catalog.Text{ZH: "回执目录", EN: "folder of answers"}, Help: catalog.Text{ZH: "空为推送目录", EN: "empty: the folder of packets"}},
}

var jobSettings = []connectors.Setting{
	{Name: "folder", Title: catalog.Text{ZH: "目录", EN: "folder"}, Help: catalog.Text{ZH: "相对根目录；空为根目录", EN: "below the root; empty: the root"}},
	{Name: "pattern", Default: "*", Title: catalog.Text{ZH: "文件名样式", EN: "pattern of names"},
		Help: catalog.Text{ZH: "例如 penalty_*.csv；* 代表任意字符；也可写完整文件名", EN: "for example penalty_*.csv; * stands for any characters; or the whole name of one file"}},
	{Name: "format", Default: "auto", Choices: []string{"auto", "csv", "json", "jsonl", "xlsx", "xml", "parquet"}, Title: catalog.Text{ZH: "格式", EN: "format"},
		Help: catalog.Text{ZH: "auto 按扩展名：csv、txt、tsv、json、jsonl、xlsx、xml、parquet；无此类扩展名时按文件开头辨认", EN: "auto goes by the extension: csv, txt, tsv, json, jsonl, xlsx, xml, parquet; where that says nothing, by how the file begins"}},
	{Name: "encoding", When: "format=auto,csv,json,jsonl,xml", Default: "auto", Choices: []string{"auto", "utf-8", "gb18030"}, Title: catalog.Text{ZH: "编码", EN: "encoding"},
		Help: catalog.Text{ZH: "gb18030 含 GBK、GB2312；auto 先判断 UTF-8", EN: "gb18030 takes in GBK and GB2312; auto tells it from UTF-8"}},
	{Name: "delimiter", When: "format=auto,csv", Default: "comma", Choices: []string{"comma", "semicolon", "tab", "pipe"}, Title: catalog.Text{ZH: "分隔符", EN: "delimiter"}, Help: catalog.Text{ZH: "仅 CSV", EN: "CSV only"}},
	{Name: "rows_path", Default: "rows", When: "format=auto,json,xml", Title: catalog.Text{ZH: "行所在位置", EN: "where the rows are"},
		Help: catalog.Text{ZH: "JSON：行数组字段，文件本身是数组时不用。XML：行的路径，如 /packet/rows/row；或行的上级元素名。数据包的行在包体中", EN: "JSON: the member holding the rows, not used where the file is an array. XML: the path of a row such as /packet/rows/row, or the name of the element whose children are the rows; a packet has them in its body"}},
	{Name: "sheet", When: "format=auto,xlsx", Title: catalog.Text{ZH: "工作表", EN: "sheet"},
		Help: catalog.Text{ZH: "仅 xlsx；空为第一个可见的工作表，* 为全部可见的工作表，也可写表名（隐藏的亦可）", EN: "xlsx only; empty: the first visible sheet, *: all visible ones, or the name of one, which may be hidden"}},
	{Name: "header_row", Default: "auto", When: "format=auto,xlsx", Title: catalog.Text{ZH: "表头行", EN: "row of the header"},
		Help: catalog.Text{ZH: "仅 xlsx；auto：前 50 行中与数据集字段名、标题、别名相符最多的一行；也可写行号", EN: "xlsx only; auto: of the first 50 rows the one that names most fields of the dataset, by name, title or alias; or the number of the row"}},
	{Name: "int96", Default: "utc", Choices: []string{"utc", "local"}, When: "format=auto,parquet", Title: catalog.Text{ZH: "INT96 时间", EN: "INT96 times"},
		Help: catalog.Text{ZH: "仅 Parquet 的旧式时间列：utc 为 Spark、Hive 所写；local 为 Impala 所写的北京时间", EN: "only for the old kind of times in Parquet: utc as Spark and Hive write them, local as Impala writes Shanghai wall time"}},
	{Name: "ready", Default: "none", Choices: []string{"none", "ok"}, Title: catalog.Text{ZH: "就绪标志", EN: "sign that a file is whole"},
		Help: catalog.Text{ZH: "ok：有同名 .ok 文件才读", EN: "ok: a file is read only once its .ok is there"}},
	{Name: "checksum", Default: "if_present", Choices: []string{"if_present", "required", "md5", "sm3", "sha256", "none"}, Title: catalog.Text{ZH: "校验文件", EN: "checksum file"},
		Help: catalog.Text{ZH: "同名 .md5、.sm3、.sha256；不符的文件一行也不取，重放校验文件即可再读。填 md5、sm3、sha256 则必须有该文件", EN: "the .md5, .sm3 or .sha256 beside a file; of a file that differs no row is taken, and laying the companion anew has it read again. md5, sm3, sha256: that one must be there"}},
	{Name: "archive", Default: "auto", Choices: []string{"auto", "none", "gzip", "zip"}, Title: catalog.Text{ZH: "压缩", EN: "archive"},
		Help: catalog.Text{ZH: "auto 按扩展名 .gz、.zip；压缩包内不得再有压缩包，不得加密", EN: "auto goes by the extensions .gz and .zip; archives in archives and encrypted ones are refused"}},
	{Name: "members", When: "archive=auto,zip", Default: "*", Title: catalog.Text{ZH: "包内文件名样式", EN: "pattern of members"},
		Help: catalog.Text{ZH: "仅 zip；不符的成员不读，例如 *.csv", EN: "zip only; members of other names are not read, for example *.csv"}},
	{Name: "members_max", When: "archive=auto,zip", Default: "1000", Title: catalog.Text{ZH: "包内文件数上限", EN: "most members"}, Help: catalog.Text{ZH: "仅 zip；超过则整包拒收", EN: "zip only; an archive with more is refused"}},
	{Name: "unpacked_mb", When: "archive=auto,gzip,zip", Default: "16384", Title: catalog.Text{ZH: "解压大小上限（MB）", EN: "most MB unpacked"}, Help: catalog.Text{ZH: "整包合计；超过则拒收", EN: "of all members together; an archive with more is refused"}},
	{Name: "unpacked_ratio", When: "archive=auto,gzip,zip", Default: "200", Title: catalog.Text{ZH: "解压倍数上限", EN: "most growth"}, Help: catalog.Text{ZH: "解压后与压缩前大小之比，16 MB 以内不限；超过则拒收", EN: "size unpacked by size packed, free up to 16 MB; an archive with more is refused"}},
	{Name: "stock", Default: "each", Choices: []string{"each", "newest"}, Title: catalog.Text{ZH: "文件之间", EN: "what a file is"},
		Help: catalog.Text{ZH: "each：每个文件都是新增；newest：每个文件都是全量，只取文件名排在最后的一个", EN: "each: every file adds rows; newest: every file is the whole stock, and only the last in the order of names counts"}},
	{Name: "done", Title: catalog.Text{ZH: "已取目录", EN: "folder of taken files"},
		Help: catalog.Text{ZH: "相对根目录；取完的文件移入。空为留在原处", EN: "below the root; taken files move there. Empty: they stay"}},
	{Name: "page_rows", Default: "10000", Title: catalog.Text{ZH: "每页行数", EN: "rows of a page"}, Help: catalog.Text{ZH: "最多 10000", EN: "10000 at most"}},
}

type conn struct {
	place  place
	outbox string
	answer string
	packet string
	sender string
	stall  time.Duration
	pause  time.Duration
	now    func() time.Time
}

func open(ctx context.Context, values connectors.Values) (*conn, error) {
	const op = "open files"
	r := connectors.NewReader(settings, values)
	kind := r.Text("place")
	needs(r, kind)
	c := &conn{outbox: below(r, "outbox"), answer: below(r, "answers"), packet: r.Text("packet"), sender: r.Text("sender"), stall: r.Duration("stall"), pause: time.Second, now: time.Now}
	if r.Text("answers") == "" {
		c.answer = c.outbox
	}
	if err := r.Err(); err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the source's settings", Err: err}
	}
	var err error
	switch kind {
	case "sftp":
		c.place, err = openRemote(ctx, r)
	case "ftp":
		c.place, err = openFTP(ctx, r)
	case "s3":
		c.place, err = openS3(ctx, r)
	default:
		c.place, err = openFolder(r.Text("root"))
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// needs names what a place cannot do without.
func needs(r *connectors.Reader, place string) {
	for _, name := range map[string][]string{"sftp": {"host", "user", "host_key"}, "ftp": {"host", "user"}, "s3": {"endpoint", "bucket", "access_key", "secret_key"}}[place] {
		if r.Text(name) == "" {
			r.Fault("%s is not set, place %s needs it", name, place)
		}
	}
	if place == "sftp" && r.Text("password") == "" && r.Text("private_key") == "" {
		r.Fault("neither password nor private_key is set, place sftp needs one")
	}
	if place != "folder" {
		r.Duration("timeout")
	}
	if r.Text("port") != "" {
		r.Int("port", 1)
	}
}

// portOr gives the port, or the usual one.
func portOr(r *connectors.Reader, usual string) string {
	if port := r.Text("port"); port != "" {
		return port
	}
	return usual
}

// below reads a folder setting; it may not leave the root.
func below(r *connectors.Reader, name string) string {
	dir := path.Clean(strings.Trim(strings.ReplaceAll(r.Text(name), `\`, "/"), "/"))
	if dir == ".." || strings.HasPrefix(dir, "../") {
		r.Fault("%s leaves the root folder", name)
	}
	return dir
}

// Test lists the root.
func (c *conn) Test(ctx context.Context) (connectors.Finding, error) {
	found, err := c.place.list(ctx, ".")
	if _, ok := c.place.(*bucket); ok && errors.Is(err, fs.ErrNotExist) { // the first packet makes it
		return connectors.Finding{Code: connectors.FoundEmpty, Place: c.place.name(".")}, nil
	}
	if err != nil {
		return connectors.Finding{}, failed(ctx, "list the root folder", err)
	}
	return connectors.Finding{Code: connectors.FoundFiles, Place: c.place.name("."), Count: len(found)}, nil
}

// Close ends the connection.
func (c *conn) Close() error { return c.place.close() }
