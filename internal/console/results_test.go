package console

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/desk/desktest"
	"xinshu/web"
)

// key finds words that have no translation: they stand as their key.
var key = regexp.MustCompile(`(?:>|")(?:find|grades|deliveries|catalogue|status|told|change|problem)\.[a-z][a-z._-]*`)

func TestPagesOfCatalogueGradesAndDeliveries(t *testing.T) {
	h := desktest.New(t)
	h.Answer(t, 100)
	actor := auth.Shell("test")
	c, err := New(Options{Desk: h.Desk, Files: web.Files, Now: func() time.Time { return h.Clock }, Version: "test", Log: slog.New(slog.DiscardHandler),
		Who: func(*http.Request) (auth.Actor, error) { return actor, nil }})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, lang, form string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form))
		if form != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		req.AddCookie(&http.Cookie{Name: "lang", Value: lang})
		w := httptest.NewRecorder()
		c.ServeHTTP(w, req)
		return w
	}
	code := desktest.Code(700)
	about := "policy=" + desktest.Policy + "&purpose=audit"
	for _, p := range []struct {
		path   string
		status int
		zh, en string
	}{
		{"/catalogue", 200, "城市管理", "Urban"},
		{"/catalogue?q=no-such-thing", 200, "没有这样的数据集", "No such dataset"},
		{"/catalogue/datasets/urban.penalty", 200, "信息项", "Fields"},
		{"/catalogue/datasets/nobody.nothing", 404, "", ""},
		{"/catalogue/datasets/urban.penalty/profile", 200, "还没有画像", "No profile yet"},
		{"/catalogue/datasets/urban.penalty/lineage?field=CF_WSH", 200, "计入哪些指标", "Where it counts"},
		{"/catalogue/indicators/" + desktest.Policy + "/O1", 200, "行政处罚", "administrative penalties"},
		{"/grades", 200, "等级", "Grades"},
		{"/grades/" + desktest.Policy, 200, "等级迁移", "Movement"},
		{"/grades/" + desktest.Policy + "?from=2&to=1", 422, "", ""},
		{"/grades/" + desktest.Policy + "/movers?from=1&to=2&grade_from=B&grade_to=C&purpose=audit", 200, "舞钢市", "舞钢市"},
		{"/grades/" + desktest.Policy + "/movers?from=1&to=2&grade_from=B&grade_to=C", 200, "请先选择查询用途", "Choose a purpose first"},
		{"/find", 200, "主体查询", "Look up an entity"},
		{"/find?q=" + url.QueryEscape("恒信"), 200, "请先选择查询用途", "Choose a purpose first"},
		{"/find?purpose=audit&q=" + url.QueryEscape("恒信"), 200, "恒信", "恒信"},
		{"/find?purpose=audit&q=" + url.QueryEscape("没有的名称"), 200, "没有找到", "Nobody was found"},
		{"/find?purpose=audit&q=" + url.QueryEscape("信"), 422, "请至少输入两个字", "at least two characters"},
		{"/find?purpose=other&words=" + url.QueryEscape("核对名单") + "&q=" + code, 200, code, code},
		{"/find/" + code, 303, "", ""},
		{"/find/" + code + "?purpose=audit", 303, "", ""},
		{"/find/" + code + "?" + about, 200, "得分构成", "How the score comes about"},
		{"/find/" + code + "?as_of=2021-12-31&" + about, 200, "2021-12-31", "2021-12-31"},
		{"/find/" + code + "?as_of=yesterday&" + about, 422, "", ""},
		{"/find/" + desktest.Code(desktest.Entities+1) + "?" + about, 404, "", ""},
		{"/deliveries", 200, desktest.Target, desktest.Target},
		{"/deliveries/targets/" + desktest.Target, 200, "本平台无此主体", "Replay a window"},
		{"/deliveries/targets/nobody", 404, "", ""},
		{"/deliveries/targets/" + desktest.Target + "?state=nonsense", 422, "", ""},
		{"/deliveries/targets/" + desktest.Target + "?cursor=nonsense", 422, "", ""},
		{"/deliveries/targets/" + desktest.Target + "/rejected?code=R-404", 200, "本平台无此主体", "Settle the cause"},
		{"/deliveries/x-0", 404, "", ""},
	} {
		for lang, want := range map[string]string{"zh": p.zh, "en": p.en} {
			w := ask(http.MethodGet, p.path, lang, "")
			body := w.Body.String()
			if w.Code != p.status {
				t.Errorf("%s in %s: %d, want %d", p.path, lang, w.Code, p.status)
			} else if !strings.Contains(body, want) {
				t.Errorf("%s in %s does not say %q", p.path, lang, want)
			}
			if untold := key.FindString(body); untold != "" {
				t.Errorf("%s in %s shows the key %s", p.path, lang, untold)
			}
		}
	}
	for form, status := range map[string]int{"from=2020-01-01&until=2099-01-01&reason=restored": 303, "from=2020-01-01&until=2099-01-01": 422, "from=soon&until=later&reason=x": 422} {
		if w := ask(http.MethodPost, "/deliveries/targets/"+desktest.Target+"/replay", "zh", form); w.Code != status {
			t.Errorf("replay with %s: %d, want %d", form, w.Code, status)
		}
	}
	if w := ask(http.MethodPost, "/deliveries/targets/"+desktest.Target+"/retry", "zh", ""); w.Code != http.StatusSeeOther {
		t.Errorf("retry: %d", w.Code)
	}
	actor = auth.Actor{ID: "user:admin", Name: "admin", Roles: []auth.Role{auth.Administrator}}
	if w := ask(http.MethodGet, "/find/"+code+"?"+about, "zh", ""); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "舞钢市") {
		t.Errorf("an administrator sees an entity's grade: %d", w.Code)
	}
}
