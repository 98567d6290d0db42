package api

import (
	"net/http"
	"slices"
)

// A request under an idempotency key is answered after it was done, and its answer is kept after that.
// A process that dies between the two leaves a deed that nobody can tell from none. What may be done
// twice is then done again; of all else the caller is told where to look.

// repeatable are the operations that leave the same when they are done twice.
var repeatable = []string{
	"postReceipt", "takeWorkbook", // the same content changes nothing the second time
	"seeAlert", "disableUser", "unlockUser", "pauseSchedule", "cancelTask", // they name how it is to be
	"answerContract", "answerPolicy", "withdrawContract", "withdrawPolicy", // the same answer of the same person
	"trySource", "trySavedSource", "tryTarget", "trySavedTarget", "nextTimes", "previewPolicy", "verifyTrail", "importContract", // they keep nothing
}

// shownBy names for every other operation the one that shows whether it was done.
var shownBy = map[string]string{
	"addUser": "listUsers", "resetUser": "getUser", "makeKey": "listKeys", "rotateKey": "listKeys",
	"createSource": "listSources", "createTarget": "listTargets", "createSchedule": "listSchedules",
	"startTask": "listTasks", "runSchedule": "listTasks", "retryTask": "getTask", "releaseFeed": "listSourceFeeds",
	"retryTarget": "getDeliveryTarget", "replayTarget": "listDeliveries",
	"correctRefusedRow": "getRefusedRow", "strikeRefusedRow": "getRefusedRow", "retryRefusedRows": "countRefusedRows",
	"openCase": "listCases", "workCase": "getCase", "bringToCase": "getCase", "proposeContract": "listProposals", "proposePolicy": "listProposals",
}

func (e *entry) repeatable() bool { return slices.Contains(repeatable, e.ID) }

// unknown is the answer to a request of which nobody knows whether it was done.
func (a *API) unknown(e *entry) *Problem {
	p := newProblem("outcome_unknown", "the hub stopped, or failed, while it did this; look whether it was done, and send it under another key if it was not")
	at := slices.IndexFunc(a.all, func(o Operation) bool { return o.ID == shownBy[e.ID] })
	if at >= 0 {
		p.Look = http.MethodGet + " " + a.all[at].Path
	}
	return p
}
