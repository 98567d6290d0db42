package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/internal/auth"
)

// areas are the tags of the operations, in the order of the console.
var areas = []*huma.Tag{
	{Name: "grades", Description: "评价结果：单个查询、变更流、整体导出、回执。Published grades for downstream platforms: one entity, the change feed, whole exports, receipts."},
	{Name: "sources", Description: "数据来源：连接、测试、预览、暂挂。Sources: connections, trials, feeds and their holds."},
	{Name: "targets", Description: "推送目标的连接。Connections of targets."},
	{Name: "schedules", Description: "计划：何时做什么。Schedules: when what is done."},
	{Name: "tasks", Description: "任务：排队、进度、重试、补数。Tasks: queue, progress, retry, backfill."},
	{Name: "quarantine", Description: "隔离区：被拒的行、更正、工作簿。Quarantine: refused rows, corrections, workbooks."},
	{Name: "deliveries", Description: "推送与回执。Deliveries and receipts."},
	{Name: "explanations", Description: "主体查询与等级说明。Entities, and why they have their grades."},
	{Name: "policies", Description: "评价办法、分布与变动。Policies, distributions and movement."},
	{Name: "cases", Description: "异议、修复与补充。Objections, repairs and completions."},
	{Name: "overview", Description: "总览。How the hub stands."},
	{Name: "catalogue", Description: "目录：数据集、标准、质量、血缘。Catalogue: datasets, contracts, quality, lineage."},
	{Name: "proposals", Description: "数据标准与办法的变更，两人审批。Changes of contracts and policies, by two persons."},
	{Name: "accounts", Description: "用户与密钥。Users and keys."},
	{Name: "audit", Description: "审计。The audit trail."},
	{Name: "alerts", Description: "告警。What needs a person."},
	{Name: "runs", Description: "运行记录与收支账。Runs and their ledgers."},
}

const about = `信枢的编程接口。控制台能做的，接口都能做。

The interface of Xinshu, the data-exchange hub for public credit information. It does whatever the console does.

- Say who asks with a bearer key (` + "`Authorization: Bearer …`" + `) or a signed request.
- Whoever reads a result names the purpose of the query (` + "`purpose`" + ` in the query, or the header ` + "`Xinshu-Purpose`" + `); it is kept.
- Lists go on with ` + "`cursor`" + `: repeat the request with the ` + "`next`" + ` of the answer, until there is none.
- An answer has an ` + "`ETag`" + `; a request with ` + "`If-None-Match`" + ` is answered 304 while nothing changed. Who changes something names the version with ` + "`If-Match`" + `.
- A POST with an ` + "`Idempotency-Key`" + ` is done once, however often it is sent. When the hub died while it did it, what may be done twice is done again; else the answer is 409 ` + "`outcome_unknown`" + `, and ` + "`look`" + ` names the operation that shows whether it was done.
- The requests of an account and of an address are bounded, by each node for itself: 429 with ` + "`Retry-After`" + `.
- What cannot be answered is answered with a problem (RFC 9457): ` + "`code`" + ` is stable, ` + "`title`" + ` and ` + "`title_zh`" + ` are for people. Nothing that was sent is repeated.`

// ifMatch is how a caller names the version that it changes.
var ifMatch = &huma.Param{Name: "If-Match", In: "header", Example: `"3"`, Description: "The ETag of what is changed, as it was read. Without it the answer is 428, with another version 412.",
	Schema: &huma.Schema{Type: "string", MaxLength: new(128)}}

// document begins the OpenAPI document.
func document(version string) huma.Config {
	c := huma.DefaultConfig("信枢 Xinshu", version)
	c.DocsPath, c.SchemasPath, c.OpenAPIPath, c.CreateHooks = "", "", "", nil // its page asks the internet for a script
	c.Info.Description = about
	c.Components.Schemas = schemas()
	c.Tags = areas
	c.Servers = []*huma.Server{{URL: "/", Description: "the hub that serves this document"}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "密钥，在控制台“设置 → 密钥”中生成，只显示一次。A key made in the console under Settings, shown once."},
		"signature": {Type: "apiKey", In: "header", Name: "Authorization",
			Description: "签名请求：以客户端密钥对方法、路径、查询、时间、随机数和正文摘要做 HMAC-SHA256。A signed request: HMAC-SHA256 over method, path, query, time, nonce and the digest of the body; docs/api.md says how."},
	}
	return c
}

func security(right auth.Right) []map[string][]string {
	if right == auth.Anyone {
		return []map[string][]string{{}}
	}
	return []map[string][]string{{"bearer": {}}, {"signature": {}}}
}

// complete finishes the document and serves it.
func (a *API) complete() {
	doc := a.huma.OpenAPI()
	for _, o := range a.all {
		at := documented(doc, o.Method, o.Path)
		for status, r := range at.Responses {
			n, _ := strconv.Atoi(status) // the framework writes numbers
			inWords(n, r)
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic("write the OpenAPI document: " + err.Error()) // it is made of this package's own declarations
	}
	const pattern = "GET /openapi.json"
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(text) // the caller may have gone
	})
	a.entries[pattern] = &entry{Operation: Operation{ID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Right: auth.Anyone}}
}

// inWords writes what an answer with a status means, its heads, and an example of a problem.
func inWords(status int, r *huma.Response) {
	if r.Headers == nil {
		r.Headers = map[string]*huma.Param{}
	}
	r.Headers["X-Request-Id"] = &huma.Param{Description: "number of the request", Schema: &huma.Schema{Type: "string"}}
	for code, k := range kinds {
		if k.status != status || code == "no_operation" || code == "key_reused" || code == "outcome_unknown" {
			continue
		}
		r.Description = k.zh + "。" + k.en + "."
		example := newProblem(code, "")
		example.Request = "4f8f1c0a6b7d4e2f"
		for _, media := range r.Content {
			media.Example = example
		}
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		r.Headers["Retry-After"] = &huma.Param{Description: "seconds after which to ask again", Schema: &huma.Schema{Type: "integer"}}
	}
}

// documented gives an operation as the document has it.
func documented(doc *huma.OpenAPI, method, path string) *huma.Operation {
	item := doc.Paths[path]
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodDelete: item.Delete, http.MethodPatch: item.Patch}[method]
}
