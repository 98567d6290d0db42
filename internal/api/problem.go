package api

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// Problem is an answer that says no, in the form of RFC 9457. It never repeats what was sent: that
// may be somebody's number.
type Problem struct {
	Type    string         `json:"type" format:"uri-reference" doc:"Stable name of the kind of problem" example:"urn:xinshu:problem:not_found"`
	Code    string         `json:"code" doc:"The last part of type" example:"not_found"`
	Title   string         `json:"title" doc:"The kind of problem in English" example:"There is no such thing"`
	TitleZH string         `json:"title_zh" doc:"The kind of problem in Chinese" example:"没有这项内容"`
	Status  int            `json:"status" doc:"HTTP status" example:"404"`
	Detail  string         `json:"detail,omitempty" doc:"What happened here, and what to do about it" example:"read a run: there is no such run"`
	Request string         `json:"request_id,omitempty" doc:"Number of the request; name it when you ask for help" example:"4f8f1c0a6b7d4e2f"`
	Errors  []ProblemPlace `json:"errors,omitempty" doc:"Every place of the request that is wrong"`

	Look      string `json:"look,omitempty" doc:"Of a request whose outcome is unknown: the operation that shows whether it was done" example:"GET /v1/tasks"`
	Successor string `json:"successor,omitempty" doc:"Of a withdrawn result: the code that the entity was merged into"`

	wait   int    // seconds after which to ask again; 0: nothing is said
	allow  string // methods that the path has
	closes bool   // the connection ends with this answer
}

// ProblemPlace is one place of a request that is wrong.
type ProblemPlace struct {
	Location string `json:"location" doc:"Where: body.rows[3].id, query.limit, path.uscc" example:"query.limit"`
	Message  string `json:"message" doc:"What is wrong there" example:"expected number <= 500"`
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the form.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders gives the heads that go with the answer.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{"Cache-Control": {"no-store"}}
	if p.wait > 0 {
		h.Set("Retry-After", strconv.Itoa(p.wait))
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="xinshu"`)
	}
	if p.closes {
		h.Set("Connection", "close") // what is left of the body is not read
	}
	return h
}

// kind is a kind of problem: its status and its name in two languages.
type kind struct {
	status int
	en, zh string
}

var kinds = map[string]kind{
	"malformed":       {http.StatusBadRequest, "The request cannot be read", "请求无法读取"},
	"unauthorized":    {http.StatusUnauthorized, "It is not known who asks", "未登录或密钥无效"},
	"forbidden":       {http.StatusForbidden, "This account may not do that", "无权进行此操作"},
	"not_found":       {http.StatusNotFound, "There is no such thing", "没有这项内容"},
	"no_operation":    {http.StatusNotFound, "There is no such operation", "没有这个接口"},
	"method":          {http.StatusMethodNotAllowed, "The path does not have this method", "该路径不支持此方法"},
	"not_acceptable":  {http.StatusNotAcceptable, "The answer cannot be given in the form asked for", "不支持所要求的返回格式"},
	"slow":            {http.StatusRequestTimeout, "The request came too slowly", "请求传输过慢"},
	"conflict":        {http.StatusConflict, "It has changed meanwhile, or is under way", "内容已被改动或正在处理"},
	"outcome_unknown": {http.StatusConflict, "It is not known whether the request was done", "无法确定该请求是否已办理"},
	"retracted":       {http.StatusGone, "The result was withdrawn", "评价结果已撤回"},
	"precondition":    {http.StatusPreconditionFailed, "It is not the version that was named", "版本不符"},
	"too_large":       {http.StatusRequestEntityTooLarge, "The request is too large", "请求内容过大"},
	"media_type":      {http.StatusUnsupportedMediaType, "The content cannot be taken in this form", "不支持的内容类型"},
	"invalid":         {http.StatusUnprocessableEntity, "Something in the request is wrong", "请求内容有误"},
	"key_reused":      {http.StatusUnprocessableEntity, "The idempotency key belongs to another request", "幂等键已用于其他请求"},
	"version_missing": {http.StatusPreconditionRequired, "The version that is to be changed must be named", "须指明所修改的版本"},
	"too_many":        {http.StatusTooManyRequests, "Too many requests", "请求过于频繁"},
	"internal":        {http.StatusInternalServerError, "Something went wrong here", "系统内部出错"},
	"unavailable":     {http.StatusServiceUnavailable, "Not available just now", "暂时不可用"},
}

// codes gives the kind of problem that a fault's code or a status from the framework means.
var (
	codes = map[fault.Code]string{fault.Invalid: "invalid", fault.NotFound: "not_found", fault.Conflict: "conflict",
		fault.Unauthorized: "unauthorized", fault.Forbidden: "forbidden", fault.Unavailable: "unavailable",
		fault.TooMany: "too_many"}
	statuses = map[int]string{http.StatusBadRequest: "malformed", http.StatusUnauthorized: "unauthorized", http.StatusForbidden: "forbidden",
		http.StatusNotFound: "not_found", http.StatusMethodNotAllowed: "method", http.StatusNotAcceptable: "not_acceptable",
		http.StatusRequestTimeout: "slow", http.StatusConflict: "conflict", http.StatusRequestEntityTooLarge: "too_large",
		http.StatusUnsupportedMediaType: "media_type", http.StatusUnprocessableEntity: "invalid"}
)

// newProblem makes a problem of a kind.
func newProblem(code, detail string) *Problem {
	k, known := kinds[code]
	if !known {
		code, k, detail = "internal", kinds["internal"], ""
	}
	return &Problem{Type: "urn:xinshu:problem:" + code, Code: code, Title: k.en, TitleZH: k.zh, Status: k.status, Detail: detail}
}

// problem turns an error into a problem. What is ours to know is not told: the cause of an internal
// error, and what exactly does not answer.
func problem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	code := codes[fault.CodeOf(err)]
	p = newProblem(code, "")
	var f *fault.Error
	if !errors.As(err, &f) || p.Code == "internal" {
		return p
	}
	if soon, ok := errors.AsType[*auth.TooSoon](err); ok {
		p.wait = max(1, int((soon.After+time.Second-1)/time.Second))
	}
	if p.Detail = masked(f.Error()); p.Code == "unavailable" {
		p.wait = 5
		p.Detail = f.Op
		if f.Hint != "" {
			p.Detail += " (" + f.Hint + ")"
		}
	}
	return p
}

// numbers are what may be a person's number.
var numbers = regexp.MustCompile(`[0-9]{15,17}[0-9Xx]?`)

// masked is a text without what may be a person's number.
func masked(text string) string { return numbers.ReplaceAllString(text, "…") }

// problemsAreOurs has the framework make its refusals in our form.
var problemsAreOurs = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return refusal(status, message, errs...)
	}
	huma.NewErrorWithContext = func(c huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := refusal(status, message, errs...)
		p.Request = requestOf(c.Context())
		return p
	}
})

// refusal is what the framework says no with: faults of form, each with its place.
func refusal(status int, message string, errs ...error) *Problem {
	code, known := statuses[status]
	if !known {
		code = "internal"
	}
	p := newProblem(code, message)
	if p.Code == "internal" {
		p.Detail = ""
	}
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue // the framework's own words about something it could not read
		}
		detail := d.ErrorDetail()
		p.Errors = append(p.Errors, ProblemPlace{Location: place(detail.Location), Message: plain(detail.Message)})
	}
	return p
}

// word is a member's name that cannot be somebody's number.
var word = regexp.MustCompile(`^[A-Za-z_-][A-Za-z0-9_-]{0,39}(\[[0-9]{1,6}\])*$`)

// place gives a location without names that the request made up.
func place(location string) string {
	parts := strings.Split(location, ".")
	for i, part := range parts {
		if !word.MatchString(part) {
			parts[i] = "…"
		}
	}
	if len(parts) > 8 {
		parts = append(parts[:8], "…")
	}
	return strings.Join(parts, ".")
}

// plain gives a message of the framework without what encoding/json repeats of the input.
func plain(message string) string {
	if strings.HasPrefix(message, "json: ") || strings.HasPrefix(message, "invalid character") || strings.Contains(message, "unexpected end of JSON") || strings.HasPrefix(message, "strconv.") {
		return "this is not JSON of the form that the operation takes"
	}
	return message
}
