package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"xinshu/internal/api"
	"xinshu/internal/auth"
	"xinshu/internal/console"
	"xinshu/internal/desk"
	"xinshu/web"
)

// asOperations says with which operations of the API one does what a page of the console does. A page
// that is only a form, or is about signing in with a browser, says so after a dash.
var asOperations = map[string]string{
	"GET /{$}":                                       "getOverview",
	"GET /":                                          "- what no page answers",
	"POST /preferences":                              "- language and look of the browser",
	"GET /sign-in":                                   "- browser",
	"POST /sign-in":                                  "- browser; a program has a key",
	"GET /sign-in/provider":                          "- browser",
	"GET /sign-in/oidc":                              "- browser",
	"GET /setup":                                     "- the first administrator is made by a person, with the token of the terminal",
	"POST /setup":                                    "- the same",
	"POST /sign-out":                                 "- browser",
	"GET /account":                                   "getSelf",
	"GET /account/password":                          "- form",
	"POST /account/password":                         "- a person changes it with the old one, in a browser",
	"POST /account/sign-out-elsewhere":               "- browser",
	"GET /settings":                                  "- leads to the others",
	"GET /settings/about":                            "getAbout",
	"GET /settings/calendars":                        "listCalendars",
	"GET /settings/targets":                          "listTargets",
	"GET /settings/targets/new":                      "- form",
	"POST /settings/targets/new":                     "createTarget tryTarget",
	"GET /settings/targets/{id}":                     "getTarget",
	"GET /settings/targets/{id}/edit":                "getTarget",
	"POST /settings/targets/{id}/edit":               "changeTarget tryTarget",
	"POST /settings/targets/{id}/remove":             "removeTarget",
	"POST /settings/targets/{id}/try":                "trySavedTarget",
	"GET /settings/targets/{id}/export":              "exportTarget",
	"GET /settings/audit":                            "listActs",
	"GET /settings/audit/export":                     "exportTrail",
	"POST /settings/audit/verify":                    "verifyTrail",
	"GET /settings/keys":                             "listKeys",
	"GET /settings/keys/new":                         "- form",
	"POST /settings/keys":                            "makeKey",
	"POST /settings/keys/{id}/{act}":                 "rotateKey revokeKey",
	"GET /settings/users":                            "listUsers",
	"GET /settings/users/new":                        "- form",
	"POST /settings/users":                           "addUser",
	"GET /settings/users/{name}":                     "getUser",
	"POST /settings/users/{name}":                    "changeUser",
	"POST /settings/users/{name}/{act}":              "disableUser unlockUser resetUser",
	"GET /alerts":                                    "listAlerts listOpenAlerts",
	"POST /alerts/{id}/seen":                         "seeAlert",
	"GET /catalogue":                                 "listDatasets",
	"GET /catalogue/datasets/{dataset}":              "getDataset exportContract",
	"GET /catalogue/datasets/{dataset}/profile":      "getProfile",
	"GET /catalogue/datasets/{dataset}/lineage":      "getLineage",
	"GET /catalogue/indicators/{policy}/{indicator}": "getIndicatorOrigin",
	"GET /catalogue/datasets/{id}/odcs":              "exportContract",
	"GET /catalogue/guideline":                       "exportGuideline",
	"GET /find":                                      "searchEntities",
	"GET /find/{uscc}":                               "getGrades explainGrade",
	"GET /grades":                                    "listDistributions countGrades",
	"GET /grades/{policy}":                           "countGrades listReleases compareReleases",
	"GET /grades/{policy}/movers":                    "listMovers",
	"GET /deliveries":                                "listDeliveryTargets",
	"GET /deliveries/targets/{target}":               "getDeliveryTarget listDeliveries",
	"GET /deliveries/targets/{target}/rejected":      "listRejectedRows",
	"GET /deliveries/{id}":                           "getDelivery",
	"POST /deliveries/targets/{target}/retry":        "retryTarget",
	"POST /deliveries/targets/{target}/replay":       "replayTarget",
	"GET /quarantine":                                "countRefusedRows",
	"GET /quarantine/workbook":                       "exportRefusedRows",
	"POST /quarantine/workbook":                      "checkWorkbook",
	"POST /quarantine/workbook/{upload}":             "takeWorkbook",
	"GET /quarantine/{dataset}":                      "listRefusedRows",
	"GET /quarantine/{dataset}/{n}/{row}":            "getRefusedRow",
	"POST /quarantine/{dataset}/{n}/{row}":           "correctRefusedRow",
	"POST /quarantine/{dataset}/{n}/{row}/strike":    "strikeRefusedRow",
	"POST /quarantine/retry":                         "retryRefusedRows",
	"GET /runs":                                      "listTasks",
	"GET /runs/steps":                                "listRuns",
	"GET /runs/{id}":                                 "getRun",
	"POST /runs":                                     "startTask",
	"GET /tasks/{id}":                                "getTask",
	"GET /tasks/{id}/events":                         "listTaskEvents",
	"POST /tasks/{id}/cancel":                        "cancelTask",
	"POST /tasks/{id}/retry":                         "retryTask",
	"GET /schedules":                                 "listSchedules",
	"GET /schedules/new":                             "nextTimes",
	"POST /schedules/new":                            "createSchedule nextTimes",
	"GET /schedules/{id}":                            "getSchedule",
	"GET /schedules/{id}/edit":                       "getSchedule",
	"POST /schedules/{id}/edit":                      "changeSchedule",
	"POST /schedules/{id}/pause":                     "pauseSchedule",
	"POST /schedules/{id}/remove":                    "removeSchedule",
	"POST /schedules/{id}/run":                       "runSchedule",
	"GET /sources":                                   "listSources",
	"GET /sources/new":                               "trySource",
	"POST /sources/new":                              "createSource trySource",
	"GET /sources/{id}":                              "getSource listSourceFeeds listSourceRuns",
	"GET /sources/{id}/edit":                         "getSource",
	"POST /sources/{id}/edit":                        "changeSource",
	"POST /sources/{id}/remove":                      "removeSource",
	"POST /sources/{id}/try":                         "trySavedSource",
	"GET /sources/{id}/export":                       "exportSource",
	"POST /sources/{id}/pull":                        "startTask",
	"POST /sources/{id}/release":                     "releaseFeed",
	"GET /cases":                                     "listCases",
	"GET /cases/orphans":                             "listWaitingMarks",
	"GET /cases/new":                                 "listContestable",
	"POST /cases/new":                                "openCase",
	"GET /cases/{no}":                                "getCase",
	"POST /cases/{no}/bring":                         "bringToCase",
	"POST /cases/{no}/decide":                        "workCase",
	"GET /policies":                                  "listPolicies",
	"GET /policies/{id}":                             "listPolicies listProposals",
	"GET /policies/{id}/preview":                     "previewPolicy",
	"GET /policies/{id}/propose":                     "getPolicyText",
	"POST /policies/{id}/propose":                    "proposePolicy",
	"GET /proposals/policies":                        "listProposals",
	"GET /proposals/policies/{id}":                   "getProposal",
	"POST /proposals/policies/{id}/answer":           "answerPolicy",
	"POST /proposals/policies/{id}/withdraw":         "withdrawPolicy",
	"GET /catalogue/proposals":                       "listProposals",
	"GET /catalogue/proposals/{id}":                  "getProposal",
	"GET /catalogue/datasets/{id}/propose":           "getContractText",
	"POST /catalogue/datasets/{id}/propose":          "proposeContract importContract",
	"POST /catalogue/proposals/{id}/answer":          "answerContract",
	"POST /catalogue/proposals/{id}/withdraw":        "withdrawContract",
}

// TestTheAPIDoesWhatTheConsoleDoes holds the console's pages against the API's operations: there is one
// for each page, and whoever may open the page may call it.
func TestTheAPIDoesWhatTheConsoleDoes(t *testing.T) {
	d := &desk.Desk{}
	pages, err := console.New(console.Options{Desk: d, Files: web.Files, Guard: &auth.Guard{}, Now: time.Now, Log: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	rights := map[string]auth.Right{} // of operations
	for _, o := range api.New(api.Options{Desk: d, Now: time.Now, Log: slog.Default()}).Operations() {
		rights[o.ID] = o.Right
	}
	for _, p := range pages.Pages() {
		does, known := asOperations[p.Pattern]
		if !known {
			t.Errorf("%s has no operation of the API beside it: add one, and name both here", p.Pattern)
		}
		if strings.HasPrefix(does, "-") {
			continue
		}
		for id := range strings.FieldsSeq(does) {
			right, known := rights[id]
			if !known {
				t.Errorf("%s: there is no operation %s", p.Pattern, id)
				continue
			}
			for _, role := range auth.Roles {
				if somebody := (auth.Actor{ID: "user:x", Roles: []auth.Role{role}}); somebody.May(p.Right) && !somebody.May(right) {
					t.Errorf("the %s may %s, which wants %s, and not %s, which wants %s", role, p.Pattern, p.Right, id, right)
				}
			}
		}
	}
}
