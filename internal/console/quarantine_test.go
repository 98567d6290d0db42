package console

import (
	"bytes"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
	"xinshu/web"
)

// hub is a console over a small real hub, for an actor with these roles.
func hub(t *testing.T, d *desk.Desk, roles ...auth.Role) *Console {
	t.Helper()
	actor := auth.Actor{ID: "user:li", Name: "李四", Roles: roles, Way: "session"}
	c, err := New(Options{Desk: d, Files: web.Files, Now: d.Now, Version: "test", Log: slog.New(slog.DiscardHandler),
		Who: func(*http.Request) (auth.Actor, error) { return actor, nil }, Token: func(*http.Request) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, c *Console, lang, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://hub.example"+path, nil)
	r.AddCookie(&http.Cookie{Name: "lang", Value: lang})
	return ask(c, r)
}

func send(t *testing.T, c *Console, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://hub.example"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return ask(c, r)
}

const refusedFile = "uscc,entity_name,list_reason,list_date,remove_date\n91350100M000100Y43,一号公司,甲,2025-03-01,\n91350100M000100Y40,二号公司,乙,2025-03-01,\n"

func TestThePagesOfOperationsStandInBothLanguages(t *testing.T) {
	d := desktest.Open(t)
	desktest.Ingest(t, d, "amr.severe", "a.csv", refusedFile)
	ctx := desktest.As(t, auth.Administrator)
	root := t.TempDir()
	if _, faults, err := d.SaveConnection(ctx, desk.Draft{Role: desk.SourceRole, ID: "amr-folder", Kind: "files", Values: map[string]string{"root": root}, Datasets: map[string]map[string]string{"amr.severe": {}}}); err != nil || len(faults) > 0 {
		t.Fatal(faults, err)
	}
	s, err := d.SaveSchedule(ctx, schedule.Schedule{ID: "nightly", Spec: "30 2 * * *", Days: "working", Work: schedule.Work{Do: schedule.DoPull, Source: "amr-folder"}})
	if err != nil {
		t.Fatal(err)
	}
	task, err := d.RunSchedule(ctx, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := d.Runs(ctx, 1)
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	c := hub(t, d, auth.Administrator, auth.Steward)
	for path, words := range map[string][2]string{
		"/sources": {"数据来源", "amr-folder"}, "/sources/new": {"接入来源", "Add a source"}, "/sources/new?kind=dbtable": {"数据库类型", "engine"},
		"/sources/amr-folder": {"立即拉取", "Pull now"}, "/sources/amr-folder/edit": {"测试并保存", "Test and save"}, "/sources/amr-folder/export": {"amr-folder", "amr-folder"},
		"/schedules": {"nightly", "nightly"}, "/schedules/nightly": {"工作日", "working days"}, "/schedules/nightly/edit": {"2025-11-19 02:30", "2025-11-19 02:30"}, "/schedules/new": {"以后的时间", "Next times"},
		"/runs": {"任务", "Tasks"}, "/runs/steps?day=2025-11-18": {"收支账", "ledger"}, "/runs/" + runs[0].ID: {runs[0].ID, "read 2 = accepted 1"}, "/tasks/" + task.ID: {"等待", "waiting"},
		"/quarantine": {"市市场监管局", "By reason"}, "/quarantine?department=amr": {"待处理", "Open"}, "/quarantine/amr.severe": {"91350100M000100Y40", "91350100M000100Y40"},
		"/quarantine/amr.severe?state=&q=none": {"没有符合条件", "No row matches"}, "/quarantine/amr.severe/1/1": {"提交更正", "Send the correction"},
	} {
		for i, lang := range Languages {
			w := get(t, c, lang, path)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), words[i]) {
				t.Errorf("%s in %s: %d, without %q", path, lang, w.Code, words[i])
			}
		}
	}
	for _, path := range []string{"/sources/none", "/runs/none", "/tasks/none", "/schedules/none", "/quarantine/none.none", "/quarantine/amr.severe/9/9"} {
		if w := get(t, c, "zh", path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get(t, c, "zh", "/runs/steps?cursor=x"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a cursor that is none: %d", w.Code)
	}
}

func TestASourceIsConnectedInTheFormAndItsSecretStaysHere(t *testing.T) {
	d := desktest.Open(t)
	c := hub(t, d, auth.Administrator)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.csv"), []byte(refusedFile), 0o600); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"id": {"amr"}, "kind": {"files"}, "values/place": {"folder"}, "values/root": {root}, "values/password": {"typed-secret-77"}, "do": {"preview"}}
	w := send(t, c, "/sources/new", form)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "至少选择一个数据集") {
		t.Errorf("without a dataset: %d", w.Code)
	}
	if strings.Contains(w.Body.String(), "typed-secret-77") {
		t.Error("the secret came back to the browser")
	}
	form["dataset"] = []string{"amr.severe"}
	w = send(t, c, "/sources/new", form)
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, "二号公司") || !strings.Contains(body, `class="bad"`) || strings.Contains(body, "typed-secret-77") {
		t.Errorf("the preview: %d", w.Code)
	}
	form.Set("do", "save")
	if w = send(t, c, "/sources/new", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sources/amr" {
		t.Errorf("saved: %d to %s", w.Code, w.Header().Get("Location"))
	}
	form.Set("values/root", filepath.Join(root, "gone"))
	form.Set("id", "other")
	if w = send(t, c, "/sources/new", form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `name="untested"`) {
		t.Errorf("out of reach: %d", w.Code)
	}
}

func TestATargetIsConnectedInTheForm(t *testing.T) {
	d := desktest.Open(t)
	c := hub(t, d, auth.Administrator)
	root := t.TempDir()
	form := url.Values{"id": {"township"}, "kind": {"files"}, "values/place": {"folder"}, "values/root": {root}, "values/password": {"typed-secret-78"},
		"limits/regions": {"4104 江北"}, "limits/policies": {"nowhere"}, "do": {"save"}}
	w := send(t, c, "/settings/targets/new", form)
	if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, "应为区划代码的开头") || !strings.Contains(body, "没有评价办法 nowhere") || strings.Contains(body, "typed-secret-78") {
		t.Errorf("with limits that are none: %d", w.Code)
	}
	policy := d.Catalog.Policies[0].ID
	form.Set("limits/regions", "4104，410500")
	form.Set("limits/policies", policy)
	form.Set("limits/public", "true")
	if w = send(t, c, "/settings/targets/new", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/settings/targets/township" {
		t.Fatalf("saved: %d to %s", w.Code, w.Header().Get("Location"))
	}
	saved, err := d.Connection(t.Context(), desk.TargetRole, "township")
	if err != nil || !saved.Limits.Public || !slices.Equal(saved.Limits.Regions, []string{"4104", "410500"}) || !slices.Equal(saved.Limits.Policies, []string{policy}) {
		t.Fatalf("it gets %+v, %v", saved.Limits, err)
	}
	for _, lang := range Languages {
		for _, path := range []string{"/settings/targets", "/settings/targets/new", "/settings/targets/new?kind=dbtable", "/settings/targets/township", "/settings/targets/township/edit", "/settings/targets/township/export"} {
			if w := get(t, c, lang, path); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "typed-secret-78") {
				t.Errorf("%s in %s: %d", path, lang, w.Code)
			}
		}
	}
	if w = send(t, c, "/settings/targets/township/try", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "连接成功") {
		t.Errorf("tried: %d", w.Code)
	}
	form.Set("version", "1")
	form.Del("limits/public")
	if w = send(t, c, "/settings/targets/township/edit", form); w.Code != http.StatusSeeOther {
		t.Errorf("changed: %d", w.Code)
	}
	if saved, err = d.Connection(t.Context(), desk.TargetRole, "township"); err != nil || saved.Limits.Public {
		t.Errorf("it is still open to society: %v", err)
	}
	if w = send(t, hub(t, d, auth.Auditor), "/settings/targets/township/remove", url.Values{"version": {"2"}}); w.Code != http.StatusForbidden {
		t.Errorf("removed by who may not: %d", w.Code)
	}
	if w = send(t, c, "/settings/targets/township/remove", url.Values{"version": {"2"}}); w.Code != http.StatusSeeOther {
		t.Errorf("removed: %d", w.Code)
	}
	if _, err := d.Connection(t.Context(), desk.TargetRole, "township"); !fault.Is(err, fault.NotFound) {
		t.Errorf("after it was removed: %v", err)
	}
}

func TestAWorkbookIsCheckedThenTakenIn(t *testing.T) {
	d := desktest.Open(t)
	desktest.Ingest(t, d, "amr.severe", "a.csv", refusedFile)
	c := hub(t, d, auth.Steward)
	out := get(t, c, "zh", "/quarantine/workbook?dataset=amr.severe")
	if out.Code != http.StatusOK || !bytes.HasPrefix(out.Body.Bytes(), []byte("PK")) {
		t.Fatalf("the workbook: %d", out.Code)
	}
	upload := func(body []byte) *httptest.ResponseRecorder {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		part, err := m.CreateFormFile("workbook", "退回.xlsx")
		if err == nil {
			_, err = part.Write(body)
		}
		if err != nil || m.Close() != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://hub.example/quarantine/workbook", &b)
		r.Header.Set("Content-Type", m.FormDataContentType())
		return ask(c, r)
	}
	if w := upload([]byte("no workbook")); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("what is no workbook: %d", w.Code)
	}
	w := upload(out.Body.Bytes())
	_, rest, found := strings.Cut(w.Body.String(), `action="/quarantine/workbook/`)
	id, _, _ := strings.Cut(rest, `"`)
	if w.Code != http.StatusOK || !found {
		t.Fatalf("checked: %d", w.Code)
	}
	if w := send(t, c, "/quarantine/workbook/"+id, nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "工作簿已接收") {
		t.Errorf("taken in: %d", w.Code)
	}
	if w := send(t, c, "/quarantine/workbook/"+id, nil); w.Code != http.StatusNotFound {
		t.Errorf("taken in twice: %d", w.Code)
	}
}
