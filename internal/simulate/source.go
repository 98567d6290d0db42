package simulate

import "xinshu/catalog"

// source says what one dataset holds: about whom, how often for each nature, between which dates, in
// which words. The words are the catalogue's canonical kinds and levels; the contract of the dataset
// says how its owner writes them.
type source struct {
	dataset    string
	categories string       // two-character categories, joined; empty: market entities
	industries string       // sections; empty: all
	rate       [natures]int // entities that have such records, per mille
	most       int          // records of one entity at most; 0: 1
	from, to   catalog.Date // dates of the facts; NoDate: no fact older than three years, none after the last day
	fixed      bool         // dates keep to from..to whatever the age of the entity (yearly exercises)
	kinds      []weighed    // for a contract whose kind is a field
	levels     [natures][]weighed
	term       [2]int // days from the date of the fact to its end, from..to; 0,0: none
	ends       int    // per mille that do end (lists left, arrears settled); the rest stay open
	changes    int    // per mille whose level changes once, later: corrections, outcomes, revocations
	was        string // the level that changes; empty: any
	becomes    string // what it becomes; empty: drawn again
	withdrawn  int    // per mille withdrawn later by a row of operation D
}

// Rates: of each nature, from exemplary to dishonest.
type rates = [natures]int

// everyNature gives the same words to all.
func everyNature(words ...weighed) (levels [natures][]weighed) {
	for n := range levels {
		levels[n] = words
	}
	return levels
}

// byNature gives the better words to the better.
func byNature(better, middle, worse []weighed) [natures][]weighed {
	return [natures][]weighed{better, better, middle, worse, worse}
}

const (
	anyCategory = "919293515212"
	companies   = "9193"
)

// The words of the levels, weighed.
var (
	severities = [natures][]weighed{
		Exemplary: {{"minor", 1}}, Good: {{"minor", 1}}, Ordinary: {{"minor", 70}, {"general", 30}},
		Careless: {{"minor", 40}, {"general", 55}, {"serious", 5}}, Dishonest: {{"minor", 15}, {"general", 55}, {"serious", 30}},
	}
	industryGrades = byNature([]weighed{{"best", 80}, {"good", 20}}, []weighed{{"best", 15}, {"good", 60}, {"medium", 25}}, []weighed{{"good", 15}, {"medium", 45}, {"poor", 40}})
	inspections    = byNature([]weighed{{"passed", 1}}, []weighed{{"passed", 95}, {"failed", 5}}, []weighed{{"passed", 45}, {"failed", 55}})
	licences       = everyNature(weighed{"active", 1})
	outcomes       = byNature([]weighed{{"fulfilled", 85}, {"open", 15}}, []weighed{{"fulfilled", 55}, {"open", 45}}, []weighed{{"fulfilled", 20}, {"open", 20}, {"broken", 60}})
	honourLevels   = byNature([]weighed{{"national", 15}, {"provincial", 35}, {"city", 30}, {"county", 20}}, []weighed{{"city", 40}, {"county", 60}}, []weighed{{"county", 1}})
	contracts      = byNature([]weighed{{"kept", 1}}, []weighed{{"kept", 97}, {"breached", 3}}, []weighed{{"kept", 40}, {"breached", 60}})
)

// usual reaches those whom a trade's ordinary business concerns, rarely the careless; adverse falls on the worse.
func usual(n int) rates   { return rates{n, n, n, n * 9 / 10, n * 8 / 10} }
func adverse(n int) rates { return rates{0, 0, n / 60, n, n * 2} }

// credit falls on the better.
func credit(n int) rates { return rates{n, n / 6, n / 40, 0, 0} }

func licenceSource(dataset, categories, industries string, rate int) source {
	return source{dataset: dataset, categories: categories, industries: industries, rate: usual(rate), levels: licences,
		term: [2]int{365, 5 * 365}, ends: 850, changes: 15, becomes: "revoked", from: day("2022-03-01")}
}

func penaltySource(dataset, categories, industries string, rate int) source {
	return source{dataset: dataset, categories: categories, industries: industries, rate: adverse(rate), most: 3, levels: severities,
		term: [2]int{365, 365}, ends: 1000, changes: 20, withdrawn: 12, from: day("2024-06-01")}
}

func listSource(dataset, categories, industries string, rate rates) source {
	return source{dataset: dataset, categories: categories, industries: industries, rate: rate, term: [2]int{60, 700}, ends: 450, from: day("2023-06-01")}
}

func gradeSource(dataset, categories, industries string, rate int, rated string) source {
	on := day(rated)
	return source{dataset: dataset, categories: categories, industries: industries, rate: usual(rate), levels: industryGrades,
		from: on, to: on.AddDays(20), fixed: true, term: [2]int{365, 365}, ends: 1000, changes: 10}
}

func inspectionSource(dataset, categories, industries string, rate int) source {
	return source{dataset: dataset, categories: categories, industries: industries, rate: usual(rate), most: 2, levels: inspections, from: day("2024-09-01"), withdrawn: 4}
}

func honourSource(dataset, categories, industries string, rate int) source {
	return source{dataset: dataset, categories: categories, industries: industries, rate: credit(rate), levels: honourLevels, from: day("2022-06-01"), term: [2]int{3 * 365, 3 * 365}, ends: 1000}
}

func commitmentSource(dataset string, rate int) source {
	return source{dataset: dataset, categories: anyCategory, rate: rates{rate * 2, rate, rate, rate, rate}, most: 2, levels: outcomes, term: [2]int{60, 400}, ends: 1000,
		kinds: []weighed{{"voluntary_commitment", 60}, {"commitment", 40}}, from: day("2024-06-01"), changes: 400, was: "open", withdrawn: 3}
}

// sources is the whole province: one entry per dataset but for the three of cases and the two double
// reports, which follow from the others.
var sources = []source{
	{dataset: "amr.reg", categories: "919293", rate: usual(1000)},
	{dataset: "civil.org", categories: "5152", rate: usual(1000)},
	{dataset: "prov-share.institution", categories: "12", rate: usual(1000)},
	{dataset: "prov-share.organ", categories: "11", rate: usual(1000)},

	{dataset: "amr.annual", rate: rates{1000, 1000, 960, 960, 960}, from: day("2025-01-05"), to: day("2025-12-20"), fixed: true, changes: 300, was: "not_filed", becomes: "late",
		levels: byNature([]weighed{{"on_time", 1}}, []weighed{{"on_time", 950}, {"late", 35}, {"not_filed", 15}}, []weighed{{"on_time", 55}, {"late", 20}, {"not_filed", 25}})},
	{dataset: "civil.annual", categories: "5152", rate: usual(900), from: day("2025-05-10"), to: day("2025-09-20"), fixed: true,
		levels: byNature([]weighed{{"on_time", 1}}, []weighed{{"on_time", 90}, {"late", 10}}, []weighed{{"on_time", 40}, {"late", 30}, {"not_filed", 30}})},
	{dataset: "edu.annual", categories: "52", industries: "P", rate: usual(900), from: day("2025-05-10"), to: day("2025-07-20"), fixed: true,
		levels: byNature([]weighed{{"on_time", 1}}, []weighed{{"on_time", 90}, {"late", 10}}, []weighed{{"on_time", 40}, {"late", 30}, {"not_filed", 30}})},

	licenceSource("cult.licence", "", "RI", 300), licenceSource("health.inst", "919252", "Q", 900), licenceSource("health.venue", "", "HO", 700),
	licenceSource("housing.qual", "91", "E", 550), licenceSource("transport.permit", "", "G", 700), licenceSource("tobacco.retail", "", "F", 350),
	licenceSource("hrss.agency", "91", "L", 250), licenceSource("finance.org", "91", "J", 700), licenceSource("police.hotel", "", "HJ", 250),
	licenceSource("police.security", "91", "L", 120), licenceSource("edu.school", "52", "P", 950), licenceSource("emergency.permit", "91", "BEC", 220),
	licenceSource("agri.input", "", "A", 250), licenceSource("natres.survey", "91", "M", 250), licenceSource("justice.firm", "31", "L", 1000),
	licenceSource("commerce.oil", "91", "F", 30), licenceSource("ecology.permit", "91", "BCD", 450), licenceSource("water.intake", "91", "BCD", 110),
	licenceSource("urban.permit", "91", "EF", 60), licenceSource("urban.gas", "91", "D", 600), licenceSource("forestry.cut", "9193", "A", 160),
	licenceSource("cad.enterprise", "91", "EM", 60), licenceSource("post.permit", "91", "G", 160), licenceSource("prov-credit.licence", "", "", 60),
	licenceSource("ecology.eia", "91", "BC", 150), licenceSource("forestry.landuse", "91", "ABD", 60),
	licenceSource("commerce.prepaid", "91", "FHO", 60), licenceSource("post.outlet", "9192", "G", 220),

	penaltySource("cult.penalty", "", "RHI", 250), penaltySource("tobacco.case", "", "F", 180), penaltySource("police.penalty", "", "HJLF", 120),
	penaltySource("justice.penalty", "31", "L", 150), penaltySource("ecology.penalty", "", "BCDN", 420), penaltySource("urban.penalty", "", "EFH", 250),
	penaltySource("forestry.penalty", "", "AC", 150), penaltySource("medins.penalty", "919252", "Q", 350), penaltySource("stats.penalty", "", "BCE", 90),
	penaltySource("post.penalty", "", "G", 180), penaltySource("prov-credit.penalty", anyCategory, "", 330),

	listSource("amr.abnormal", "", "", rates{0, 0, 8, 120, 250}), listSource("tax.abnormal", "", "", rates{0, 0, 3, 30, 80}),
	listSource("amr.severe", "", "", rates{0, 0, 0, 10, 180}), listSource("tax.severe", "91", "", rates{0, 0, 0, 4, 90}),
	listSource("hrss.wagelist", "91", "E", rates{0, 0, 0, 15, 150}), listSource("emergency.severe", "91", "BCEG", rates{0, 0, 0, 5, 60}),
	listSource("stats.severe", "91", "BCEF", rates{0, 0, 0, 3, 40}), listSource("nat-credit.severe", anyCategory, "", rates{0, 0, 0, 4, 80}),
	listSource("court.debtor", "91925152", "", rates{0, 0, 1, 40, 220}), listSource("court.limit", "9192", "", rates{0, 0, 1, 40, 200}),
	{dataset: "civil.severe", categories: "5152", rate: rates{0, 0, 5, 120, 400}, kinds: []weighed{{"abnormal_list", 60}, {"severe_list", 40}}, term: [2]int{60, 700}, ends: 450, from: day("2023-06-01")},
	{dataset: "edu.training", categories: "9152", industries: "P", rate: usual(400), kinds: []weighed{{"white_list", 85}, {"adverse_list", 15}}, term: [2]int{200, 700}, ends: 250, from: day("2023-06-01")},
	{dataset: "prov-credit.list", categories: anyCategory, rate: rates{300, 30, 2, 15, 60}, term: [2]int{200, 900}, ends: 300, from: day("2023-06-01")}, // the kind follows from the nature: see kindOf

	{dataset: "tax.arrears", rate: adverse(160), most: 2, term: [2]int{20, 300}, ends: 550, from: day("2024-03-01")},
	{dataset: "housing.wage", categories: "91", industries: "E", rate: adverse(300), term: [2]int{20, 300}, ends: 550, from: day("2024-03-01")},
	{dataset: "hrss.social", categories: "9152", rate: usual(500), from: day("2025-07-05"), to: day("2026-01-10"), fixed: true, most: 2, changes: 500, was: "open", becomes: "settled",
		levels: byNature([]weighed{{"settled", 1}}, []weighed{{"settled", 95}, {"open", 5}}, []weighed{{"settled", 50}, {"open", 50}})},
	{dataset: "housing.project", categories: "91", industries: "E", rate: usual(350), most: 2, levels: contracts, from: day("2023-10-01")},
	{dataset: "natres.land", categories: "91", industries: "CEK", rate: adverse(80), term: [2]int{60, 500}, ends: 400, from: day("2023-06-01")},
	{dataset: "medins.designated", categories: "919252", industries: "Q", rate: usual(700), levels: contracts, from: day("2023-01-01"), changes: 25, was: "kept", becomes: "breached"},

	{dataset: "tax.grade", categories: companies, rate: usual(850), from: day("2025-04-20"), to: day("2025-04-30"), fixed: true, changes: 25,
		levels: byNature([]weighed{{"A", 75}, {"B", 20}, {"M", 5}}, []weighed{{"A", 8}, {"B", 55}, {"M", 32}, {"C", 5}}, []weighed{{"B", 30}, {"M", 25}, {"C", 25}, {"D", 20}})},
	{dataset: "hrss.labour", categories: companies, rate: usual(250), from: day("2025-06-10"), to: day("2025-06-30"), fixed: true, term: [2]int{365, 365}, ends: 1000,
		levels: byNature([]weighed{{"A", 1}}, []weighed{{"A", 40}, {"B", 60}}, []weighed{{"B", 50}, {"C", 50}})},
	{dataset: "customs.grade", categories: "91", industries: "CFG", rate: rates{220, 60, 20, 20, 30}, from: day("2023-03-01"), term: [2]int{700, 1200}, ends: 700,
		levels: byNature([]weighed{{"advanced", 70}, {"regular", 30}}, []weighed{{"advanced", 2}, {"regular", 98}}, []weighed{{"regular", 50}, {"dishonest", 50}})},
	gradeSource("cult.rating", "", "R", 500, "2025-03-10"), gradeSource("housing.property", "91", "K", 500, "2025-10-08"), gradeSource("transport.assess", "91", "G", 400, "2025-06-05"),
	gradeSource("tobacco.grade", "92", "F", 260, "2025-10-08"), gradeSource("finance.rating", "91", "J", 600, "2025-05-12"),
	gradeSource("commerce.expo", "91", "L", 120, "2025-07-10"), gradeSource("ecology.rating", "91", "BCD", 400, "2025-06-25"), gradeSource("water.rating", "91", "EN", 100, "2025-04-01"),
	gradeSource("medins.rating", "919252", "Q", 500, "2025-03-25"), gradeSource("post.rating", "91", "G", 130, "2025-09-01"),
	{dataset: "justice.assess", categories: "31", industries: "L", rate: usual(900), from: day("2025-05-20"), to: day("2025-06-10"), fixed: true, term: [2]int{365, 365}, ends: 1000,
		levels: byNature([]weighed{{"good", 1}}, []weighed{{"good", 90}, {"medium", 10}}, []weighed{{"medium", 60}, {"poor", 40}})}, // it knows no best
	{dataset: "nat-credit.result", categories: "91", rate: usual(150), from: day("2025-09-10"), to: day("2025-09-20"), fixed: true,
		levels: byNature([]weighed{{"优", 70}, {"良", 30}}, []weighed{{"优", 5}, {"良", 75}, {"中", 20}}, []weighed{{"良", 10}, {"中", 60}, {"差", 30}})},
	{dataset: "prov-credit.result", categories: "91", rate: usual(250), from: day("2024-10-31"), to: day("2024-10-31"), fixed: true,
		levels: byNature([]weighed{{"优", 70}, {"良", 30}}, []weighed{{"优", 5}, {"良", 75}, {"中", 20}}, []weighed{{"良", 10}, {"中", 60}, {"差", 30}})},

	inspectionSource("health.inspect", "919252", "HOQ", 350), inspectionSource("emergency.inspect", "91", "BCE", 350), inspectionSource("finance.risk", "91", "J", 500),
	inspectionSource("miit.energy", "91", "BCD", 120),
	{dataset: "agri.quality", categories: "9193", industries: "AC", rate: adverse(150), levels: everyNature(weighed{"failed", 1}), from: day("2024-09-01")}, // it holds the failures alone
	{dataset: "city-share.supervision", categories: anyCategory, rate: usual(120), most: 2, from: day("2025-01-01")},
	{dataset: "city-share.measure", rate: rates{120, 10, 2, 40, 200}, levels: byNature([]weighed{{"reward", 1}}, []weighed{{"reward", 60}, {"restriction", 40}}, []weighed{{"restriction", 1}}),
		from: day("2024-10-01"), term: [2]int{180, 365}, ends: 800},
	{dataset: "city-share.talk", rate: rates{0, 0, 3, 60, 200}, levels: everyNature(weighed{"reminder", 60}, weighed{"warning", 40}), from: day("2024-10-01")},

	commitmentSource("nat-credit.commitment", 60), commitmentSource("prov-credit.commitment", 200),
	{dataset: "city-share.commitment", categories: anyCategory, rate: usual(100), levels: outcomes, term: [2]int{30, 200}, ends: 1000, from: day("2024-06-01"), changes: 400, was: "open"},

	honourSource("agri.coop", "93", "A", 300), honourSource("miit.sme", "91", "CIM", 200), honourSource("miit.green", "91", "C", 120), honourSource("prov-credit.honour", anyCategory, "", 300),
	{dataset: "civil.donate", categories: anyCategory, rate: credit(300), most: 3, from: day("2024-06-01")},
	{dataset: "city-gov.volunteer", categories: anyCategory, rate: credit(320), most: 3, from: day("2024-06-01")},
	{dataset: "prov-credit.selfreport", rate: credit(250), kinds: []weighed{{"honour", 30}, {"donation", 35}, {"volunteering", 35}}, levels: honourLevels, term: [2]int{3, 60}, ends: 700, from: day("2024-10-01")},

	{dataset: "transport.violation", categories: companies, industries: "G", rate: adverse(350), most: 3, levels: severities, from: day("2024-09-01")},
	{dataset: "natres.credit", categories: "91", industries: "M", rate: rates{200, 60, 20, 200, 400}, levels: byNature([]weighed{{"good", 1}}, []weighed{{"good", 60}, {"minor", 40}}, []weighed{{"minor", 30}, {"general", 50}, {"serious", 20}}), from: day("2024-03-01"), term: [2]int{365, 365}, ends: 1000},
	{dataset: "water.market", categories: "91", industries: "EN", rate: adverse(120), levels: severities, from: day("2024-03-01"), term: [2]int{180, 700}, ends: 1000},
	{dataset: "cad.conduct", categories: "91", industries: "EM", rate: rates{80, 20, 5, 80, 200}, levels: byNature([]weighed{{"good", 1}}, []weighed{{"good", 50}, {"minor", 50}}, []weighed{{"minor", 40}, {"general", 40}, {"serious", 20}}), from: day("2024-03-01")},
	{dataset: "emergency.accident", categories: "91", industries: "BCEG", rate: adverse(40), levels: everyNature(weighed{"general", 85}, weighed{"larger", 11}, weighed{"major", 3}, weighed{"extreme", 1}), from: day("2024-01-01")},
	{dataset: "city-share.complaint", categories: anyCategory, rate: rates{10, 20, 40, 150, 300}, most: 2, levels: everyNature(weighed{"open", 30}, weighed{"founded", 35}, weighed{"unfounded", 35}), changes: 700, was: "open", from: day("2024-10-01")},
}
