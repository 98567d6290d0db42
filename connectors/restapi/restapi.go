// Package restapi owns platforms that speak HTTP and JSON: signing, refreshed secrets, pages of rows
// in an envelope, deliveries and their receipts. It refuses to take anything for an answer that is
// none: a login page, a cut body or broken JSON is an error, never zero rows. Pages go up to staging,
// deliveries come from pushing, both through the words of package connectors.
package restapi

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Driver is the kind restapi. Signatures carry the wall clock that now gives.
func Driver(now func() time.Time) connectors.Driver {
	return connectors.Driver{
		Kind: "restapi", Settings: settings, Job: jobSettings,
		Title: catalog.Text{ZH: "数据接口", EN: "REST interface"},
		About: catalog.Text{ZH: "平台以 HTTP 与 JSON 提供的数据接口：签名、分页、增量、推送与回执。", EN: "A platform that speaks HTTP and JSON: signatures, pages, increments, deliveries and receipts."},
		Open: func(_ context.Context, values connectors.Values) (connectors.Conn, error) {
			return open(values, clock{now: now, sleep: sleep})
		},
	}
}

var settings = []connectors.Setting{
	{Name: "url", Required: true, Title: catalog.Text{ZH: "接口地址", EN: "address"},
		Help: catalog.Text{ZH: "平台的根地址，例如 https://gateway.example.gov.cn/share；不写账号和参数", EN: "root address of the platform, without account or parameters"}},
	{Name: "profile", Default: "plain", Choices: profileNames(), Title: catalog.Text{ZH: "签名方式", EN: "signing profile"},
		Help: catalog.Text{ZH: "plain 不签名；bearer 令牌；national 国家数据共享交换平台；openapi 山东、辽宁开放网关；tif 广东 TIF 网关；city 城市上报接口", EN: "plain: none; bearer: a token; national: national data sharing and exchange platform; openapi: gateways of Shandong and Liaoning; tif: Guangdong TIF gateway; city: city reporting API"}},
	{Name: "id", Title: catalog.Text{ZH: "请求者标识", EN: "requester id"},
		Help: catalog.Text{ZH: "rid、clientId、paasid 或 appKey，由签名方式决定", EN: "rid, clientId, paasid or appKey, as the profile calls it"}},
	{Name: "secret", Secret: true, Title: catalog.Text{ZH: "密钥或令牌", EN: "secret or token"},
		Help: catalog.Text{ZH: "national 填服务授权码 appkey，工作密钥用它换取", EN: "for national the appkey, from which working secrets are fetched"}},
	{Name: "refresh_path", Default: "/sysapi/auth/refreshappsecret", Title: catalog.Text{ZH: "密钥刷新路径", EN: "path of the refresh call"},
		Help: catalog.Text{ZH: "仅 national 使用，相对接口地址", EN: "used by national only, relative to the address"}},
	{Name: "refresh_sid", Title: catalog.Text{ZH: "密钥刷新服务编码", EN: "service id of the refresh call"},
		Help: catalog.Text{ZH: "空为使用数据服务的编码", EN: "empty: the service id of the data call"}},
	{Name: "derive", Default: "sha1prng", Choices: []string{"sha1prng", "raw", "none"}, Title: catalog.Text{ZH: "密钥解密方式", EN: "key derivation"},
		Help: catalog.Text{ZH: "工作密钥的 AES 密钥如何得到：sha1prng 由 appkey 派生；raw 直接取 appkey 的 16、24 或 32 字节；none 未加密", EN: "how the AES key of the working secret comes from the appkey: derived, its 16, 24 or 32 bytes taken, or no encryption"}},
	{Name: "auth_codes", Default: "401,403,E-106", Title: catalog.Text{ZH: "鉴权失败代码", EN: "codes of a refused signature"},
		Help: catalog.Text{ZH: "逗号分隔；遇到时刷新密钥一次后重试", EN: "comma separated; the secret is renewed once and the call repeated"}},
	{Name: "code_path", Default: "code", Title: catalog.Text{ZH: "结果代码字段", EN: "member holding the result code"},
		Help: catalog.Text{ZH: "空为没有结果代码；多级用点分隔", EN: "empty: the platform gives none; levels are separated by dots"}},
	{Name: "ok_codes", Default: "0", Title: catalog.Text{ZH: "成功代码", EN: "codes of success"},
		Help: catalog.Text{ZH: "逗号分隔；其余一律视为失败并原样记录", EN: "comma separated; every other code is a failure and kept as received"}},
	{Name: "message_path", Default: "message", Title: catalog.Text{ZH: "结果说明字段", EN: "member holding the message"},
		Help: catalog.Text{ZH: "失败时显示", EN: "shown when a call fails"}},
	{Name: "rate", Default: "20", Title: catalog.Text{ZH: "每秒最多请求数", EN: "requests a second, at most"},
		Help: catalog.Text{ZH: "超过时等待，不报错；可用小数", EN: "beyond it calls wait; fractions are allowed"}},
	{Name: "tries", Default: "5", Title: catalog.Text{ZH: "最多尝试次数", EN: "tries of one call"},
		Help: catalog.Text{ZH: "遇到 429、5xx、连接中断时重试；其他 4xx 立即失败", EN: "429, 5xx and cut connections are tried again; other 4xx fail at once"}},
	{Name: "timeout", Default: "60s", Title: catalog.Text{ZH: "单次请求时限", EN: "time for one try"},
		Help: catalog.Text{ZH: "例如 60s", EN: "for example 60s"}},
	{Name: "total_timeout", Default: "10m", Title: catalog.Text{ZH: "含重试的总时限", EN: "time for one call with its tries"},
		Help: catalog.Text{ZH: "Retry-After 超过剩余时间时不再等待", EN: "a Retry-After beyond what is left is not waited for"}},
	{Name: "body_limit_mb", Default: "64", Title: catalog.Text{ZH: "应答大小上限（MB）", EN: "largest answer (MB)"},
		Help: catalog.Text{ZH: "超过即失败", EN: "a larger one fails"}},
	{Name: "push_path", Title: catalog.Text{ZH: "推送路径", EN: "path of deliveries"},
		Help: catalog.Text{ZH: "相对接口地址；空为不推送", EN: "relative to the address; empty: nothing is pushed"}},
	{Name: "push_sid", Title: catalog.Text{ZH: "推送服务编码", EN: "service id of deliveries"},
		Help: catalog.Text{ZH: "national、tif 使用", EN: "used by national and tif"}},
	{Name: "receipt_path", Default: "data", Title: catalog.Text{ZH: "回执字段", EN: "member holding the receipt"},
		Help: catalog.Text{ZH: "其中取 accepted、rejected、rows[{id 或 rec_id, code, message}]", EN: "holds accepted, rejected, rows[{id or rec_id, code, message}]"}},
}

var jobSettings = []connectors.Setting{
	{Name: "path", Required: true, Title: catalog.Text{ZH: "数据路径", EN: "path of the data"},
		Help: catalog.Text{ZH: "相对接口地址", EN: "relative to the address"}},
	{Name: "sid", Title: catalog.Text{ZH: "服务编码", EN: "service id"},
		Help: catalog.Text{ZH: "national、tif 使用", EN: "used by national and tif"}},
	{Name: "method", Default: "GET", Choices: []string{"GET", "POST"}, Title: catalog.Text{ZH: "请求方法", EN: "method"},
		Help: catalog.Text{ZH: "POST 时参数放在 JSON 正文中", EN: "with POST the parameters are members of a JSON body"}},
	{Name: "query", Title: catalog.Text{ZH: "固定参数", EN: "fixed parameters"},
		Help: catalog.Text{ZH: "例如 area=410481&kind=1", EN: "for example area=410481&kind=1"}},
	{Name: "page_param", Default: "page", Title: catalog.Text{ZH: "页码参数", EN: "parameter of the page number"},
		Help: catalog.Text{ZH: "空为不分页", EN: "empty: one answer holds everything"}},
	{Name: "size_param", Default: "rows", Title: catalog.Text{ZH: "页大小参数", EN: "parameter of the page size"},
		Help: catalog.Text{ZH: "空为不发送", EN: "empty: not sent"}},
	{Name: "page_rows", Default: "1000", Title: catalog.Text{ZH: "页大小", EN: "page size"},
		Help: catalog.Text{ZH: "每页行数，最多 10000", EN: "rows of a page, 10000 at most"}},
	{Name: "first_page", Default: "1", Title: catalog.Text{ZH: "首页页码", EN: "number of the first page"},
		Help: catalog.Text{ZH: "多数平台从 1 起", EN: "1 on most platforms"}},
	{Name: "since_param", Default: "since", Title: catalog.Text{ZH: "起始时间参数", EN: "parameter of the lower bound"},
		Help: catalog.Text{ZH: "含端点；空为每次取全部", EN: "inclusive; empty: every pull takes everything"}},
	{Name: "cursor_field", Default: "op_time", Title: catalog.Text{ZH: "增量字段", EN: "field of the watermark"},
		Help: catalog.Text{ZH: "其最大值作为下次的起始时间", EN: "its greatest value is the next lower bound"}},
	{Name: "lookback", Title: catalog.Text{ZH: "回看时长", EN: "lookback"},
		Help: catalog.Text{ZH: "起始时间向前移动，例如 24h；空为不移动", EN: "moves the lower bound back, for example 24h; empty: not moved"}},
	{Name: "rows_path", Default: "data.rows", Title: catalog.Text{ZH: "行数组字段", EN: "member holding the rows"},
		Help: catalog.Text{ZH: "多级用点分隔；应答本身是数组时不用", EN: "levels separated by dots; not used where the answer is an array"}},
	{Name: "total_path", Default: "data.total", Title: catalog.Text{ZH: "总数字段", EN: "member holding the total"},
		Help: catalog.Text{ZH: "用于核对是否取全；空为平台不给", EN: "checks that nothing is missing; empty: the platform gives none"}},
}

type conn struct {
	root    *url.URL
	client  *client
	answers envelope
	push    pushing
}

type pushing struct{ path, sid, receipt string }

func open(values connectors.Values, c clock) (*conn, error) {
	const op = "open restapi"
	r := connectors.NewReader(settings, values)
	root, err := url.Parse(r.Text("url"))
	if err != nil || root.Host == "" || (root.Scheme != "http" && root.Scheme != "https") || root.User != nil || root.RawQuery != "" {
		r.Fault("url is no http or https address without account and parameters")
	}
	if strings.ContainsAny(r.Text("push_path")+r.Text("refresh_path"), "?#") {
		r.Fault("push_path and refresh_path take no parameters")
	}
	profile, ok := profiles[r.Text("profile")]
	if ok && profile.needsID && r.Text("id") == "" {
		r.Fault("id is not set, profile %s needs it", r.Text("profile"))
	}
	if ok && profile.needsSecret && r.Text("secret") == "" {
		r.Fault("secret is not set, profile %s needs it", r.Text("profile"))
	}
	bounds := bounds{tries: r.Int("tries", 1), timeout: r.Duration("timeout"), total: r.Duration("total_timeout"),
		rate: r.Float("rate"), body: r.Int("body_limit_mb", 1) << 20}
	if err := r.Err(); err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the source's settings", Err: err}
	}
	signer := &signer{profile: profile, id: r.Text("id"), key: r.Text("secret"), clock: c}
	answers := envelope{code: r.Text("code_path"), message: r.Text("message_path"), ok: r.List("ok_codes"), auth: r.List("auth_codes")}
	cn := &conn{root: root, answers: answers, push: pushing{r.Text("push_path"), r.Text("push_sid"), r.Text("receipt_path")}}
	cn.client = newClient(root, signer, answers, bounds, c)
	if profile.refreshed {
		signer.refresh = &refresher{client: cn.client, url: cn.at(r.Text("refresh_path")), sid: r.Text("refresh_sid"), derive: r.Text("derive")}
	}
	return cn, nil
}

// at gives the address of a path below the root.
func (c *conn) at(path string) string {
	return strings.TrimRight(c.root.String(), "/") + "/" + strings.TrimLeft(path, "/")
}

// Test reaches the platform: by fetching a working secret where refresh_sid says how, else by any answer at all.
func (c *conn) Test(ctx context.Context) (string, error) {
	if r := c.client.signer.refresh; r != nil && r.sid != "" {
		until, err := c.client.signer.renew(ctx, r.sid)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("reached %s; the working secret holds until %s", c.root.Host, until.In(connectors.Shanghai).Format(time.DateTime)), nil
	}
	status, err := c.client.reach(ctx, c.root.String())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("reached %s; it answered with status %d", c.root.Host, status), nil
}

// Close lets idle connections go.
func (c *conn) Close() error {
	c.client.http.GetClient().CloseIdleConnections()
	return nil
}
