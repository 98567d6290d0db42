package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/pipelines/schedule"
)

// TestAHubThatDiesBetweenADeedAndItsAnswerDoesNotDoItAgain kills a hub that queued a task and paused a
// schedule before it kept the answers. The same requests come to another one after their hold.
func TestAHubThatDiesBetweenADeedAndItsAnswerDoesNotDoItAgain(t *testing.T) {
	dir := t.TempDir()
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "xinshu.yaml")
	lay(t, config, fmt.Sprintf("sources:\n  - {name: amr, kind: files, values: {root: %s/in}, datasets: {amr.severe: {pattern: \"*.csv\"}}}\nserve: {workers: 1}\n", dir))
	ahead := time.Duration(0)
	open := func() (*app, http.Handler) {
		c, err := loadConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		c.Data = data
		a, err := openApp(t.Context(), c, func() time.Time { return hubClock().Add(ahead) })
		if err != nil {
			t.Fatal(err)
		}
		h, err := a.service()
		if err != nil {
			t.Fatal(err)
		}
		return a, h
	}
	a, _ := open()
	ctx := auth.With(t.Context(), auth.Shell("test"))
	one, err := a.desk.SaveSchedule(ctx, schedule.Schedule{ID: "leap", Spec: "0 0 29 2 *", CatchUp: schedule.CatchUpAll, Attempts: 1, Work: schedule.Work{Do: schedule.DoPull, Source: "amr"}})
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := a.keys.Make(ctx, auth.Key{Owner: "client:ops", Title: "ops", Kind: auth.Bearer, Roles: []auth.Role{auth.Administrator},
		Rights: []auth.Right{auth.RunsStart, auth.RunsSee, auth.SchedulesChange, auth.SchedulesSee}, Until: hubClock().AddDate(0, 1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	request := func(url, path, body string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "at-night"+path)
		return r
	}
	run, pause := "/v1/schedules/"+one.ID+"/run", "/v1/schedules/"+one.ID+"/pause"
	for path, body := range map[string]string{run: "", pause: `{"paused":true}`} {
		d := openDoorOf(t, "serve", config, data, fault.CrashEnv+"="+fault.BeforeAnswer)
		answer, err := http.DefaultClient.Do(request(d.url, path, body))
		if err == nil {
			_ = answer.Body.Close()
			t.Fatalf("%s was answered with %d; the hub was not killed", path, answer.StatusCode)
		}
		<-d.done
	}
	ahead = 2 * time.Minute
	a, h := open()
	t.Cleanup(func() { _ = a.Close() })
	again := func(path, body string) *httptest.ResponseRecorder {
		r := request("http://hub", path, body)
		r.RemoteAddr = "127.0.0.1:1"
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		return out
	}
	for range 2 {
		if out := again(run, ""); out.Code != http.StatusConflict || !strings.Contains(out.Body.String(), `"code":"outcome_unknown"`) || !strings.Contains(out.Body.String(), `"look":"GET /v1/tasks"`) {
			t.Errorf("the task's request again: %d %s", out.Code, out.Body)
		}
	}
	page, err := a.state.Tasks(ctx, schedule.Filter{Schedule: one.ID, Most: 10})
	if err != nil || len(page.Tasks) != 1 {
		t.Errorf("%d tasks are queued (%v)", len(page.Tasks), err)
	}
	if out := again(pause, `{"paused":true}`); out.Code != http.StatusOK || out.Header().Get("Idempotent-Replayed") != "" {
		t.Errorf("what may be done twice: %d %s", out.Code, out.Body)
	}
	if out := again(pause, `{"paused":true}`); out.Code != http.StatusOK || out.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("and then once: %d %s", out.Code, out.Body)
	}
}
