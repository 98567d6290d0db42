package settle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/fault"
	"xinshu/internal/lake"
)

func TestIdsFollowTheOrderOfCodesWithinACommitAndAreNeverReused(t *testing.T) {
	l := openLake(t, t.TempDir())
	debt := func(code string) row {
		return row{"record_key": code, "uscc": code, "kind": "tax_arrears", "announced_on": "2025-04-01", "received_on": "2025-10-28"}
	}
	stageRows(t, l, "tax.arrears", debt(codes[7]), debt(codes[2]), debt(codes[5]))
	settleNow(t, l)
	stageRows(t, l, "tax.arrears", debt(codes[9]), debt(codes[5]), debt(codes[1]))
	r := settleNow(t, l)
	wants(t, l, "select entity_id, uscc from entity order by entity_id",
		"1 "+codes[2], "2 "+codes[5], "3 "+codes[7], "4 "+codes[1], "5 "+codes[9])
	if r.Entities != 2 {
		t.Errorf("%d codes got an id", r.Entities)
	}
}

func TestAnEarlyRepairFindsItsRecordAndEveryReportOfTheSameAct(t *testing.T) {
	l := openLake(t, t.TempDir())
	penalty := func(key, day string) row {
		return row{"record_key": key, "uscc": codes[1], "kind": "penalty", "penalty_category": "罚款", "decided_on": "2025-09-01",
			"doc_no": "文罚1号", "authority_uscc": codes[9], "received_on": day}
	}
	marks := "select m.kind, r.dataset, m.known_from from mark as m left join record as r on r.record_id = m.target_record_id and r.version = 1 order by m.known_from, r.dataset"
	stageRows(t, l, "nat-credit.repair", row{"record_key": "R1", "uscc": codes[1], "kind": "repair", "doc_no": "文罚1号",
		"authority_uscc": codes[9], "effective_on": "2025-10-20", "received_on": "2025-10-28"})
	settleNow(t, l)
	wants(t, l, marks, "repair - 1")
	stageRows(t, l, "prov-credit.penalty", penalty("X1", "2025-11-03"))
	settleNow(t, l)
	wants(t, l, marks, "repair - 1", "repair prov-credit.penalty 2")
	stageRows(t, l, "cult.penalty", penalty("P1", "2025-12-29"))
	settleNow(t, l)
	wants(t, l, marks, "repair - 1", "repair prov-credit.penalty 2", "repair cult.penalty 3")
	wants(t, l, "select dataset, version, status, received_on from record order by dataset, version",
		"cult.penalty 1 in_force 2025-12-29",
		"prov-credit.penalty 1 in_force 2025-11-03",
		"prov-credit.penalty 2 withdrawn 2025-12-29")
}

func TestARepairOfARecordThatLiesInAnUntouchedRangeLeavesTheRangeAlone(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "cult.penalty", row{"record_key": "P1", "uscc": codes[1], "kind": "penalty", "decided_on": "2025-09-01", "doc_no": "文罚1号", "received_on": "2025-10-28"})
	settleNow(t, l)
	before, _ := l.Head(t.Context(), chain.Settled)
	stageRows(t, l, "nat-credit.repair", row{"record_key": "R1", "uscc": codes[1], "kind": "repair", "doc_no": "文罚1号", "effective_on": "2025-10-20", "received_on": "2025-11-03"})
	settleNow(t, l)
	after, _ := l.Head(t.Context(), chain.Settled)
	if before.Table(Record)[0].Key != after.Table(Record)[0].Key || before.Table(Entity)[0].Key != after.Table(Entity)[0].Key {
		t.Error("a repair alone wrote records or entities anew")
	}
	wants(t, l, "select count(*) from mark as m join record as r on r.record_id = m.target_record_id", "1")
}

func TestADecidedCaseIsACommitOfMarksAloneAndAddedOnce(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "cult.penalty", row{"record_key": "P1", "uscc": codes[1], "kind": "penalty", "decided_on": "2025-09-01", "doc_no": "文罚1号", "received_on": "2025-10-28"})
	settleNow(t, l)
	on := func(s string) catalog.Date { d, _ := catalog.ParseDate(s); return d }
	mark := Statement{ID: "case-7", Kind: "objection_upheld", USCC: codes[1], DocNo: "文罚1号", EffectiveOn: on("2026-02-15"), ReceivedOn: on("2026-02-16"), DecidedBy: "市信用办"}
	s := settler(t, l)
	r, err := s.AddMarks(t.Context(), "case-run", []Statement{mark})
	if err != nil || !r.Committed || r.N != 2 || r.Ranges != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	wants(t, l, "select m.mark_id, m.kind, m.effective_on, m.decided_by, r.doc_no, m.known_from from mark as m join record as r on r.record_id = m.target_record_id",
		"case-7 objection_upheld 2026-02-15 市信用办 文罚1号 2")
	if r, err := s.AddMarks(t.Context(), "case-run-again", []Statement{mark}); err != nil || r.Committed || r.N != 2 {
		t.Errorf("the same case again: %+v, %v", r, err)
	}
	if r := settleNow(t, l); r.Committed {
		t.Error("a commit of marks alone made settled rows look new")
	}
	mark.DocNo = ""
	if _, err := s.AddMarks(t.Context(), "case-run", []Statement{mark}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a mark that names no record: %v", err)
	}
}

func TestANaturalPersonStopsTheSettling(t *testing.T) {
	l := openLake(t, t.TempDir())
	id := "41048119900307" + "561" // a made-up number; the check digit follows
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(id[i]-'0') * w
	}
	id += string("10X98765432"[sum%11])
	stageRows(t, l, "cult.penalty", row{"uscc": id, "kind": "penalty", "decided_on": "2025-09-01", "received_on": "2025-10-28"})
	_, err := settler(t, l).Run(t.Context(), "run")
	if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), id) {
		t.Errorf("want a refusal that does not print the number, got %v", err)
	}
	if head, _ := l.Head(t.Context(), chain.Settled); head.N != 0 {
		t.Error("something was settled")
	}
}

// The rows of a small province over time: versions, a double report, repairs and withdrawals.
func provinceRows() map[string][]row {
	rows := map[string][]row{}
	add := func(dataset string, r row) { rows[dataset] = append(rows[dataset], r) }
	for i, code := range codes[:12] {
		day := fmt.Sprintf("2025-10-%02d", i+1)
		add("amr.reg", row{"record_key": code, "uscc": code, "entity_name": fmt.Sprintf("第%d公司", i), "established_on": "2012-05-06", "level": "active", "source_time": day + " 08:00:00", "received_on": "2025-10-28"})
		if i%3 == 0 {
			add("amr.reg", row{"record_key": code, "uscc": code, "entity_name": fmt.Sprintf("新%d公司", i), "established_on": "2012-05-06", "level": "suspended", "source_time": day + " 09:00:00", "received_on": "2025-10-28"})
		}
		p := row{"record_key": "P" + code, "uscc": code, "kind": "penalty", "penalty_category": "罚款", "decided_on": day, "doc_no": "文罚" + code, "authority_uscc": codes[20], "source_time": day + " 10:00:00", "received_on": "2025-10-28"}
		add("cult.penalty", p)
		if i%2 == 0 {
			add("prov-credit.penalty", p)
			add("nat-credit.repair", row{"record_key": "R" + code, "uscc": code, "kind": "repair", "doc_no": "文罚" + code, "effective_on": "2025-10-20", "source_time": day + " 11:00:00", "received_on": "2025-10-28"})
		}
		if i == 5 { // the register names the number, an organisation code needs nobody to
			add("amr.reg", row{"record_key": code, "uscc": code, "reg_no": number, "entity_name": "第五公司", "established_on": "2012-05-06", "level": "active", "source_time": day + " 09:30:00", "received_on": "2025-10-28"})
			for _, n := range []string{number, codes[6][8:17]} {
				add("cult.penalty", row{"record_key": "N" + n, "uscc": n, "kind": "penalty", "decided_on": day, "doc_no": "文罚" + n, "source_time": day + " 10:00:00", "received_on": "2025-10-28"})
			}
		}
		if i%4 == 0 {
			add("cult.penalty", row{"record_key": "P" + code, "uscc": code, "op": "D", "kind": "penalty", "source_time": day + " 12:00:00", "received_on": "2025-10-28"})
		}
	}
	return rows
}

// what a settled lake says, in words in which the order of arrival must not appear: no ids, no version
// numbers, no snapshots.
var saidByContent = []string{
	"select distinct dataset, record_id, row_sha from record order by all",
	"select dataset, record_id, row_sha, status, status_on, level from record where known_to is null order by all",
	"select uscc, name, in_scope_from, in_scope_until from entity where known_to is null order by all",
	`select kind, target_record_id, effective_on from (
		select *, row_number() over (partition by mark_id order by known_from desc) as place from mark
	) where place = 1 order by all`,
	"select number, kind, uscc, dataset, says, source_time from alias where known_to is null order by all",
}

func saidBy(t *testing.T, l *lake.Lake) string {
	var said []string
	for _, query := range saidByContent {
		said = append(said, ask(t, l, query)...)
	}
	return strings.Join(said, "\n")
}

func TestTheOrderOfArrivalDoesNotChangeWhatIsSettled(t *testing.T) {
	rows := provinceRows()
	reference := openLake(t, t.TempDir())
	for _, d := range []string{"amr.reg", "cult.penalty", "nat-credit.repair", "prov-credit.penalty"} {
		stageRows(t, reference, d, rows[d]...)
	}
	settleNow(t, reference)
	want := saidBy(t, reference)
	if strings.Count(want, "withdrawn") != 6 || strings.Count(want, "suspended") != 4 {
		t.Fatalf("the province is not what it was made to be:\n%s", want)
	}
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 7)) // an order of arrival, no secret
		l := openLake(t, t.TempDir())
		type delivery struct {
			dataset string
			row     row
		}
		var all []delivery
		for d, list := range rows {
			for _, x := range list {
				all = append(all, delivery{d, x})
			}
		}
		slices.SortFunc(all, func(a, b delivery) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for chunk := range slices.Chunk(all, 1+len(all)/4) {
			byDataset := map[string][]row{}
			for _, x := range chunk {
				byDataset[x.dataset] = append(byDataset[x.dataset], x.row)
			}
			for d, list := range byDataset {
				stageRows(t, l, d, list...)
			}
			settleNow(t, l)
		}
		if got := saidBy(t, l); got != want {
			t.Errorf("seed %d: another order of arrival settles to\n%s\nwant\n%s", seed, got, want)
		}
	}
}

// A settler whose base moves under it does its work again on the new head.
func TestASettlingThatLosesIsDoneAgain(t *testing.T) {
	l := openLake(t, t.TempDir())
	stageRows(t, l, "tax.arrears", row{"record_key": "A", "uscc": codes[3], "kind": "tax_arrears", "announced_on": "2025-04-01", "received_on": "2025-10-28"})
	rival := &rivalled{Lake: l}
	rival.before = func() {
		stageRows(t, l, "tax.arrears", row{"record_key": "B", "uscc": codes[1], "kind": "tax_arrears", "announced_on": "2025-04-02", "received_on": "2025-10-28"})
		settleNow(t, l)
		stageRows(t, l, "tax.arrears", row{"record_key": "C", "uscc": codes[2], "kind": "tax_arrears", "announced_on": "2025-04-03", "received_on": "2025-10-28"})
	}
	if r, err := settler(t, rival).Run(t.Context(), "loser"); err != nil || r.N != 2 || !r.Committed {
		t.Fatalf("%+v, %v", r, err)
	}
	wants(t, l, "select r.decided_on, r.known_from, e.entity_id from record as r join entity as e on e.entity_id = r.entity_id order by r.decided_on",
		"2025-04-01 1 2", "2025-04-02 1 1", "2025-04-03 2 3")
}

// rivalled lets somebody else commit just before the first commit.
type rivalled struct {
	*lake.Lake
	before func()
}

func (r *rivalled) Commit(ctx context.Context, d chain.Draft) (chain.Entry, error) {
	if r.before != nil {
		r.before()
		r.before = nil
	}
	return r.Lake.Commit(ctx, d)
}

const childDir = "XINSHU_SETTLE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(settleAndExit(dir))
	}
	os.Exit(m.Run())
}

// settleAndExit is the process that gets killed.
func settleAndExit(dir string) int {
	store, err := lake.OpenFolder(dir)
	if err != nil {
		return 1
	}
	l, err := lake.New(store, lake.Options{})
	if err != nil {
		return 1
	}
	c, _ := catalog.Load(catalog.Files)
	s := &Settler{Lake: l, Catalog: c, SQL: os.DirFS("../../sql"), Threads: 1, Now: time.Now}
	if os.Getenv(childJudges) != "" {
		return judgeAndExit(s)
	}
	if _, err := s.Run(context.Background(), fmt.Sprintf("run-%d", os.Getpid())); err != nil {
		return 1
	}
	return 0
}

func TestKilledAnywhereAndStartedAgainItSettlesTheSame(t *testing.T) {
	rows := provinceRows()
	fill := func(l *lake.Lake, part int) {
		for _, d := range []string{"amr.reg", "cult.penalty", "nat-credit.repair", "prov-credit.penalty"} {
			half := len(rows[d]) / 2
			stageRows(t, l, d, [][]row{rows[d][:half], rows[d][half:]}[part]...)
		}
	}
	unkilled := openLake(t, t.TempDir())
	for part := range 2 {
		fill(unkilled, part)
		settleNow(t, unkilled)
	}
	want := ask(t, unkilled, "select * from record order by all")

	for _, point := range []string{"c0:1", "c1:1", "c1:2", "c2:1", "c3:1"} {
		dir := t.TempDir()
		for part := range 2 {
			l := openLake(t, dir)
			fill(l, part)
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), childDir+"="+dir, fault.CrashEnv+"="+point)
			if err := child.Run(); err == nil || child.ProcessState.ExitCode() != -1 {
				t.Fatalf("%s: the process was not killed: %v", point, err)
			}
			settleNow(t, openLake(t, dir))
		}
		l := openLake(t, dir)
		if got := ask(t, l, "select * from record order by all"); !slices.Equal(got, want) {
			t.Errorf("killed at %s: %d record versions, want %d, or others", point, len(got), len(want))
		}
		if head, _ := l.Head(t.Context(), chain.Settled); head.N != 2 {
			t.Errorf("killed at %s: the chain has %d entries, want 2", point, head.N)
		}
	}
}
