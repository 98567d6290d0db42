package auth

import "slices"

// Right is one thing that somebody may do. Every page and every API operation declares exactly one.
type Right string

// The rights, by area. "See" never changes anything.
const (
	Anyone Right = "anyone" // no actor needed: health, sign-in, static files
	Self   Right = "self"   // any actor: the own account, sign-out

	OverviewSee      Right = "overview.see"
	SourcesSee       Right = "sources.see"
	SourcesChange    Right = "sources.change" // connections of sources: test, preview, save
	SchedulesSee     Right = "schedules.see"
	SchedulesChange  Right = "schedules.change"
	RunsSee          Right = "runs.see"
	RunsStart        Right = "runs.start" // run now, retry, backfill, cancel
	CatalogueSee     Right = "catalogue.see"
	CataloguePropose Right = "catalogue.propose"
	CatalogueApprove Right = "catalogue.approve" // never one's own proposal
	QuarantineSee    Right = "quarantine.see"
	QuarantineMend   Right = "quarantine.mend"
	FeedsRelease     Right = "feeds.release"
	IdentityChange   Right = "identity.change"
	GradesSum        Right = "grades.sum"    // distributions and movement; names no entity
	GradesSee        Right = "grades.see"    // one entity's grade and its explanation, for a named purpose
	GradesExport     Right = "grades.export" // changes and whole results, within the actor's scope
	CasesSee         Right = "cases.see"
	CasesOpen        Right = "cases.open"
	CasesDecide      Right = "cases.decide"
	PoliciesSee      Right = "policies.see"
	PoliciesPropose  Right = "policies.propose"
	PoliciesApprove  Right = "policies.approve" // never one's own proposal
	DeliveriesSee    Right = "deliveries.see"
	DeliveriesChange Right = "deliveries.change" // replay, retry
	TargetsSee       Right = "targets.see"
	TargetsChange    Right = "targets.change" // connections of targets
	ReceiptsPost     Right = "receipts.post"
	UsersSee         Right = "users.see"
	UsersChange      Right = "users.change"
	KeysSee          Right = "keys.see"
	KeysChange       Right = "keys.change"
	AuditSee         Right = "audit.see"
	AlertsSee        Right = "alerts.see"
	AlertsAnswer     Right = "alerts.answer"
	MetricsSee       Right = "metrics.see"
)

// granted says which rights each role has. A right that is not listed is not given.
var granted = map[Role][]Right{
	Administrator: {
		OverviewSee, SourcesSee, SourcesChange, SchedulesSee, SchedulesChange, RunsSee, RunsStart, CatalogueSee, PoliciesSee,
		GradesSum, DeliveriesSee, DeliveriesChange, TargetsSee, TargetsChange, UsersSee, UsersChange, KeysSee, KeysChange,
		AuditSee, AlertsSee, AlertsAnswer, MetricsSee,
	},
	Steward: {
		OverviewSee, SourcesSee, SchedulesSee, RunsSee, RunsStart, CatalogueSee, CataloguePropose, CatalogueApprove, QuarantineSee,
		QuarantineMend, FeedsRelease, IdentityChange, GradesSum, GradesSee, CasesSee, CasesOpen, PoliciesSee, PoliciesPropose,
		DeliveriesSee, TargetsSee, AlertsSee, AlertsAnswer,
	},
	CreditOffice: {
		OverviewSee, RunsSee, CatalogueSee, CatalogueApprove, GradesSum, GradesSee, GradesExport, CasesSee, CasesOpen, CasesDecide,
		PoliciesSee, PoliciesPropose, PoliciesApprove, DeliveriesSee, TargetsSee, FeedsRelease, AlertsSee, AlertsAnswer,
	},
	Auditor: {
		OverviewSee, SourcesSee, SchedulesSee, RunsSee, CatalogueSee, QuarantineSee, GradesSum, GradesSee, CasesSee, PoliciesSee,
		DeliveriesSee, TargetsSee, UsersSee, KeysSee, AuditSee, AlertsSee, MetricsSee,
	},
	// Lingyuan 2021, article 7(2): departments look up any entity's grade, for a purpose that is kept.
	DepartmentUser: {CatalogueSee, QuarantineSee, QuarantineMend, GradesSum, GradesSee, CasesSee, CasesOpen},
	TownshipUser:   {GradesSum, GradesSee},
	ThirdParty:     {GradesSee},
	Downstream:     {GradesSee, GradesExport, ReceiptsPost},
}

// May says whether the actor has a right. Nobody at all has Anyone.
func (a Actor) May(r Right) bool {
	if r == Anyone || r == Self && a.ID != "" {
		return true
	}
	if a.Only != nil && !slices.Contains(a.Only, r) {
		return false
	}
	for _, role := range a.Roles {
		if slices.Contains(granted[role], r) {
			return true
		}
	}
	return false
}

// Rights lists every right that some role has, and those that need none.
func Rights() []Right {
	all := []Right{Anyone, Self}
	for _, role := range Roles {
		for _, r := range granted[role] {
			if !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all
}
