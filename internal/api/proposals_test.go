package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"xinshu/internal/auth"
)

// said gives a body as JSON.
func said(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// may makes the world's actor a person who has some rights and no others.
func (w *world) may(id string, role auth.Role, rights ...auth.Right) {
	w.actor = auth.Actor{ID: id, Name: id, Roles: []auth.Role{role}, Only: rights, Way: "bearer"}
}

var version = regexp.MustCompile(`(?m)^version: .*\n`)

func TestWhoeverMayProposeMayTakeItsOwnBack(t *testing.T) {
	for _, c := range []struct {
		name, text, under   string
		role                auth.Role
		see, propose, other auth.Right
	}{
		{"a contract", "/v1/catalogue/amr.severe/text", "/v1/proposals/contracts", auth.Steward, auth.CatalogueSee, auth.CataloguePropose, auth.PoliciesPropose},
		{"a policy", "/v1/policies/henan-2020/text", "/v1/proposals/policies", auth.CreditOffice, auth.PoliciesSee, auth.PoliciesPropose, auth.CatalogueApprove},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.may("user:zhang", c.role, c.see, c.propose)
			var file CatalogueFile
			w.get(c.text, &file)
			next := version.ReplaceAllString(file.Text, "") + "version: 90\n"
			if c.propose == auth.PoliciesPropose {
				next = strings.Replace(file.Text, "\n", "\n# 说明：仅作文字整理\n", 1)
			}
			body := said(t, ProposalIn{File: file.File, Text: next, Note: "整理"})
			propose := func() string {
				out := w.ask(http.MethodPost, c.under, body)
				var made struct{ ID string }
				if err := json.Unmarshal(out.Body.Bytes(), &made); err != nil || out.Code != http.StatusCreated || made.ID == "" {
					t.Fatalf("%d %s (%v)", out.Code, out.Body, err)
				}
				return made.ID
			}
			id := propose()
			w.refused(w.ask(http.MethodPost, c.under+"/"+id+"/answer", `{"answer":"approved"}`), http.StatusForbidden, "forbidden")
			w.may("user:li", c.role, c.see, c.propose)
			w.refused(w.ask(http.MethodPost, c.under+"/"+id+"/withdraw", ""), http.StatusForbidden, "forbidden") // another's
			w.may("user:zhang", c.role, c.see, c.other)
			w.refused(w.ask(http.MethodPost, c.under+"/"+id+"/withdraw", ""), http.StatusForbidden, "forbidden") // a key without the right
			w.may("user:zhang", c.role, c.see, c.propose)
			if out := w.ask(http.MethodPost, c.under+"/"+id+"/withdraw", ""); out.Code != http.StatusOK || !strings.Contains(out.Body.String(), `"state":"withdrawn"`) {
				t.Errorf("his own: %d %s", out.Code, out.Body)
			}
			other := map[string]string{"/v1/proposals/contracts": "/v1/proposals/policies", "/v1/proposals/policies": "/v1/proposals/contracts"}[c.under]
			w.may("user:wang", auth.Steward)
			w.actor.Only = nil
			w.actor.Roles = []auth.Role{auth.Steward, auth.CreditOffice}
			w.refused(w.ask(http.MethodPost, other, body), http.StatusUnprocessableEntity, "invalid") // the other part's file
			id = propose()
			w.refused(w.ask(http.MethodPost, other+"/"+id+"/withdraw", ""), http.StatusNotFound, "not_found")
		})
	}
}

func TestTheCatalogueInTheFormsOfOthers(t *testing.T) {
	w := newWorld(t)
	w.may("user:zhang", auth.Steward, auth.CatalogueSee, auth.CataloguePropose)
	var odcs Text
	w.get("/v1/catalogue/amr.severe/odcs", &odcs)
	out := w.ask(http.MethodPost, "/v1/catalogue/odcs", said(t, ContractIn{Text: strings.Replace(odcs.Text, `version: "1"`, `version: "91"`, 1)}))
	var read ContractRead
	if err := json.Unmarshal(out.Body.Bytes(), &read); err != nil || out.Code != http.StatusOK || read.File != "datasets/amr/severe.yaml" || !strings.Contains(read.Text, "fields:") {
		t.Errorf("read back: %d %s (%v)", out.Code, out.Body, err)
	}
	p := w.refused(w.ask(http.MethodPost, "/v1/catalogue/odcs", `{"text":"kind: DataContract\nschema: 7\n"}`), http.StatusUnprocessableEntity, "invalid")
	if !strings.Contains(p.Detail, "contract.odcs.yaml") {
		t.Errorf("it does not say where: %s", p.Detail)
	}
	table := w.ask(http.MethodGet, "/v1/catalogue/guideline", "")
	book, err := excelize.OpenReader(table.Body)
	w.ok(err)
	rows, err := book.GetRows("信息资源目录")
	w.ok(err)
	csv := w.ask(http.MethodGet, "/v1/catalogue/guideline?format=csv", "")
	if lines := strings.Count(csv.Body.String(), "\n"); len(rows) < len(w.Desk.Catalog.Datasets) || lines < len(rows) || !strings.HasPrefix(csv.Header().Get("Content-Type"), "text/csv") {
		t.Errorf("%d rows, %d lines", len(rows), lines)
	}
}

func TestAProgramSeesWhoItIs(t *testing.T) {
	w := newWorld(t)
	w.may("user:zhang", auth.Steward, auth.CatalogueSee, auth.UsersChange)
	var self Whoami
	w.get("/v1/self", &self)
	if self.ID != "user:zhang" || !slices.Contains(self.Rights, auth.CatalogueSee) || slices.Contains(self.Rights, auth.UsersChange) || slices.Contains(self.Rights, auth.GradesSee) {
		t.Errorf("%+v", self)
	}
	var about About
	w.get("/v1/about", &about)
	if about.Version != "test" || about.Go == "" || about.Catalogue.Datasets != len(w.Desk.Catalog.Datasets) {
		t.Errorf("%+v", about)
	}
	var years List[WorkingYear]
	w.get("/v1/calendars", &years)
	if n := len(years.Items); n == 0 || years.Items[n-1].WorkingDays < 240 || years.Items[n-1].WorkingDays > 256 {
		t.Errorf("%+v", years)
	}
}
