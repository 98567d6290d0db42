package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/console"
	"xinshu/pipelines/schedule"
	"xinshu/web"
)

// counter is a hub with two penalised companies, its console, and people who come to it.
type counter struct {
	*testing.T
	app   *app
	pages *console.Console
	dir   string
}

const penalised = `CF_XDR_MC,CF_XDR_LB,CF_XDR_SHXYM,CF_WSH,CF_WFXW,CF_SY,CF_YJ,CF_CFLB,CF_NR,CF_JDRQ,CF_YXQ,CF_CFJG,CF_CFJGDM,CF_SJLY,CF_SJLYDM,severity
一号公司,法人及非法人组织,91350100M000100Y43,文罚〔2025〕1号,未按规定经营,事实一,依据一,警告,警告,2025-03-01,2026-03-01,某文旅局,11330000002482322Q,某文旅局,11330000002482322Q,一般
二号公司,法人及非法人组织,91330100799655058B,文罚〔2025〕2号,未按规定经营,事实二,依据二,警告,警告,2025-04-01,2026-04-01,某文旅局,11330000002482322Q,某文旅局,11330000002482322Q,一般
`

func newCounter(t *testing.T) *counter {
	t.Helper()
	dir := t.TempDir()
	lay(t, filepath.Join(dir, "in", "reg_1.csv"), "uscc,entity_name,est_date,reg_status,status_date,industry_code,reg_no\n91350100M000100Y43,一号公司,2015-03-01,存续,,C,\n91330100799655058B,二号公司,2016-03-01,存续,,C,\n")
	lay(t, filepath.Join(dir, "in", "cf_1.csv"), penalised)
	conf := filepath.Join(dir, "xinshu.yaml")
	lay(t, conf, fmt.Sprintf(`data: %[1]s/data
policies: [heilongjiang-2021]
sources:
  - {name: dept, kind: files, collected: "2025-11-28", values: {root: %[1]s/in}, datasets: {amr.reg: {pattern: "reg_*.csv"}, cult.penalty: {pattern: "cf_*.csv"}}}
`, dir))
	xinshu(t, "", "run", "--as-of", "2025-12-31", "-c", conf)
	c, err := loadConfig(conf)
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), c, hubClock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	o := &counter{T: t, app: a, dir: dir}
	o.pages, err = console.New(console.Options{Desk: a.desk, Files: web.Files, Now: a.now, Version: "test", Log: slog.New(slog.DiscardHandler),
		Who: func(r *http.Request) (auth.Actor, error) {
			name, role, _ := strings.Cut(r.Header.Get("X-Person"), " ")
			if name == "" {
				return auth.Actor{}, nil
			}
			actor := auth.Actor{ID: name, Name: name, Roles: []auth.Role{auth.Role(role)}, Way: "session"}
			if actor.Roles[0] == auth.DepartmentUser {
				actor.Scope.Departments = []string{"amr"}
			}
			return actor, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// asks gets a page as a person and holds its status.
func (o *counter) asks(person, path string, status int) string {
	o.Helper()
	return o.answer(httptest.NewRequestWithContext(o.Context(), http.MethodGet, path, nil), person, status)
}

// sends posts a form; a value that begins with @ is the content of a file of that field.
func (o *counter) sends(person, path string, status int, form url.Values) string {
	o.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, values := range form {
		if content, file := strings.CutPrefix(values[0], "@"); file {
			part, _ := w.CreateFormFile(name, "证明.pdf")
			_, _ = part.Write([]byte(content)) // into memory
			continue
		}
		_ = w.WriteField(name, values[0]) // into memory
	}
	_ = w.Close()
	r := httptest.NewRequestWithContext(o.Context(), http.MethodPost, path, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return o.answer(r, person, status)
}

func (o *counter) answer(r *http.Request, person string, status int) string {
	o.Helper()
	r.Header.Set("X-Person", person)
	w := httptest.NewRecorder()
	o.pages.ServeHTTP(w, r)
	body := w.Body.String()
	if w.Code != status {
		o.Fatalf("%s %s for %s: %d, want %d\n%s", r.Method, r.URL, person, w.Code, status, regexp.MustCompile(`(?s)<[^>]*>\s*`).ReplaceAllString(body, " "))
	}
	if status == http.StatusSeeOther {
		return w.Header().Get("Location")
	}
	return body
}

func (o *counter) holds(body string, words ...string) {
	o.Helper()
	for _, w := range words {
		if !strings.Contains(body, w) {
			o.Errorf("the page does not say %q", w)
		}
	}
}

const (
	officer = "张三 credit_office"
	second  = "李四 credit_office"
	steward = "王五 steward"
	guest   = "赵六 department_user"
)

func TestACaseGoesItsWayThroughTheConsole(t *testing.T) {
	o := newCounter(t)
	o.holds(o.asks(officer, "/cases", 200), "没有符合条件的申请")
	o.holds(o.asks(steward, "/cases/new?uscc=91350100M000100Y43", 200), "一号公司", "文罚〔2025〕1号")
	o.holds(o.asks(steward, "/cases/new?uscc=123", 422), "不是有效代码")

	form := url.Values{"kind": {"objection"}, "uscc": {"91350100M000100Y43"}, "doc_no": {"文罚〔2025〕1号"}, "claim": {"当事人有误"}, "received_on": {o.app.desk.Today().String()},
		"policy": {"heilongjiang-2021"}, "way": {"site"}, "evidence_kind_1": {"document"}, "evidence_title_1": {""}, "evidence_file_1": {"@内容"}}
	path := o.sends(steward, "/cases/new", 303, form)
	page := o.asks(steward, path, 200)
	o.holds(page, "已收到", "证明.pdf", "7a688306423b", "信用网站")
	form.Set("claim", "")
	o.holds(o.sends(steward, "/cases/new", 422, form), "申请没有写明内容", "文罚〔2025〕1号")

	// A steward registers, the credit counter decides; another department sees neither.
	o.sends(steward, path+"/decide", 403, url.Values{"do": {"accept"}})
	o.asks(guest, path, 403)
	o.holds(o.asks(guest, "/cases", 200), "没有符合条件的申请")
	o.sends(officer, path+"/decide", 303, url.Values{"do": {"accept"}})
	o.holds(o.asks(officer, path, 200), "已受理", "异议中", "异议提出")
	o.holds(o.sends(officer, path+"/decide", 422, url.Values{"do": {"decide"}, "outcome": {"upheld"}, "reason": {""}}), "决定没有写明理由")
	o.sends(officer, path+"/decide", 422, url.Values{"do": {"decide"}, "reason": {"属实"}})
	o.sends(officer, path+"/decide", 303, url.Values{"do": {"ask"}, "reason": {"缺委托书"}})
	o.sends(steward, path+"/bring", 303, url.Values{"evidence_kind_1": {"document"}, "evidence_title_1": {"委托书"}, "reason": {"已补"}})
	o.sends(officer, path+"/decide", 303, url.Values{"do": {"decide"}, "outcome": {"upheld"}, "reason": {"属实"}, "decided_on": {o.app.desk.Today().String()}})
	o.holds(o.asks(officer, path, 200), "已支持", "已撤销", "异议成立", "委托书", "heilongjiang-2021", "待更正")
	o.holds(o.asks(officer, "/cases?all=1", 200), "已支持", path)
	o.holds(o.asks(officer, "/cases/orphans", 200), "没有等待的标注")
	tasks, err := o.app.desk.Tasks(auth.With(t.Context(), auth.Shell("t")), schedule.Filter{})
	if err != nil || len(tasks.Tasks) != 1 || tasks.Tasks[0].Work.Do != "grade" || tasks.Tasks[0].Work.AsOf != "2025-12-31" {
		t.Errorf("queued: %+v, %v", tasks, err)
	}

	// In English, every word is there.
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", "en")
	o.holds(o.answer(r, officer, 200), "Objection", "Upheld", "withdrawn")
}

func TestAChangeOfAContractAndAPolicyIsReviewedInTheConsole(t *testing.T) {
	o := newCounter(t)
	text := func(file string, edits ...string) string {
		body, err := fs.ReadFile(catalog.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(strings.NewReplacer(edits...).Replace(string(body)), "\n", "\r\n")
	}
	o.holds(o.asks(officer, "/policies", 200), "heilongjiang-2021", "试评")
	o.holds(o.asks(officer, "/policies/heilongjiang-2021", 200), "行政处罚", "O1")
	o.holds(o.asks(officer, "/policies/heilongjiang-2021/propose", 200), "id: heilongjiang-2021")
	next := text("policies/heilongjiang-2021.yaml", "level: general, points: -40", "level: general, points: -80")
	o.holds(o.sends(officer, "/policies/heilongjiang-2021/propose", 422, url.Values{"text": {strings.Replace(next, "total: 1000", "total: 999", 1)}, "note": {"调整"}}), "policies/heilongjiang-2021.yaml:", "调整")
	path := o.sends(officer, "/policies/heilongjiang-2021/propose", 303, url.Values{"text": {next}, "note": {"调整一般处罚分值"}})
	o.holds(o.asks(officer, path, 200), "您自己的提议", "points: -80")
	o.sends(officer, path+"/answer", 403, url.Values{"answer": {"approved"}})
	id := path[strings.LastIndex(path, "/")+1:]
	preview := o.asks(second, "/policies/heilongjiang-2021/preview?to="+id+"&as_of=2025-12-31&purpose=supervision", 200)
	o.holds(preview, "等级变动矩阵", "一号公司", "720")
	if strings.Contains(o.asks(second, "/policies/heilongjiang-2021/preview?to="+id+"&as_of=2025-12-31", 200), "一号公司") {
		t.Error("an entity is named for no purpose")
	}
	o.holds(o.sends(second, path+"/answer", 422, url.Values{"answer": {"refused"}}), "没有写明理由")
	o.sends(second, path+"/answer", 303, url.Values{"answer": {"approved"}})
	o.holds(o.asks(second, "/proposals/policies", 200), "已批准", "张三", "李四")

	// A contract: its ODCS form goes to the department and comes back.
	body := o.asks(steward, "/catalogue/datasets/amr.severe/odcs", 200)
	changed := strings.NewReplacer(`version: "1"`, `version: "2"`, "value: daily", "value: weekly").Replace(body)
	o.holds(o.sends(steward, "/catalogue/datasets/amr.severe/propose", 422, url.Values{"text": {""}, "file": {"@" + strings.Replace(changed, "logicalType: date\n", "logicalType: array\n", 1)}, "note": {"x"}}), "is a structure")
	path = o.sends(steward, "/catalogue/datasets/amr.severe/propose", 303, url.Values{"text": {""}, "file": {"@" + changed}, "note": {"改为每周"}})
	o.holds(o.asks(officer, path, 200), "cycle", "daily", "weekly")
	o.sends(steward, path+"/withdraw", 303, url.Values{})
	o.holds(o.asks(officer, "/catalogue/proposals", 200), "已撤回", "amr.severe")
	if !strings.HasPrefix(o.asks(steward, "/catalogue/guideline", 200), "PK") {
		t.Error("the guideline's table is no workbook")
	}
	o.asks(officer, "/proposals/policies/R20000101-0001", 404)

	// Everything that was done stands in the trail.
	entries, err := o.app.state.Entries(t.Context(), audit.Filter{Action: "release.", Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	var done []string
	for _, e := range entries {
		done = append(done, e.Actor+" "+e.Action+" "+e.Outcome)
	}
	for _, want := range []string{"张三 release.propose done", "李四 release.approved done", "李四 release.refused failed", "王五 release.withdrawn done"} {
		if !slices.Contains(done, want) {
			t.Errorf("the trail does not hold %q: %q", want, done)
		}
	}
}
