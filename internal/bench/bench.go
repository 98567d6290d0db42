// Package bench owns measured speed: it generates settled data in the layout that settling writes,
// runs a yardstick and the product over it in one process, and says how they compare. It refuses to
// judge: no test fails on a clock. Data goes through a lake that the caller gives; figures go back.
package bench

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"xinshu/catalog"
	"xinshu/internal/chain"
	"xinshu/internal/duck"
	"xinshu/internal/explain"
	"xinshu/internal/fault"
	"xinshu/internal/grading"
	"xinshu/pipelines/score"
)

// Lake is what the bench needs of a lake: to settle into it and to score from it.
type Lake interface {
	score.Lake
}

// Options say how much is measured.
type Options struct {
	Entities int64 // 0: 5,000,000
	Threads  int   // 0: one for each core
	MemoryMB int   // DuckDB's limit; 0: 317, which leaves room for the process under 512
	AsOf     catalog.Date
	Scorer   score.Scorer // Lake, Seals and SQL set; the bench sets the rest
	Policy   catalog.Policy
	Tell     func(string) // progress in words; may be nil
}

// Score is what bench score prints.
type Score struct {
	Ratio       float64 `json:"score_ratio"` // scoring with its outputs written, over the yardstick with its own
	PeakMB      int64   `json:"score_peak_mb"`
	OneEntityMS float64 `json:"one_entity_ms"` // explaining one entity, warm, middle of many
	Entities    int64   `json:"entities"`
	Records     int64   `json:"records"`
	Threads     int     `json:"threads"`
	CPURatio    float64 `json:"cpu_ratio"` // the same ratio in processor time, which a busy machine disturbs less
	FloorS      float64 `json:"floor_s"`
	ScoreS      float64 `json:"score_s"`
	SealS       float64 `json:"seal_s"` // sorting and hashing the canonical rows: outside the ratio
}

const rangeSize = 1 << 16

// RunScore generates, measures the yardstick and then the product.
func RunScore(ctx context.Context, o Options) (Score, error) {
	if o.Entities == 0 {
		o.Entities = 5_000_000
	}
	if o.Threads == 0 {
		o.Threads = runtime.NumCPU()
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = 317
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	o.Scorer.Duck = duck.Options{Threads: o.Threads, MemoryMB: o.MemoryMB, TempDir: o.Scorer.Lake.TempDir()}
	s := Score{Entities: o.Entities, Threads: o.Threads}
	entry, err := generate(ctx, o)
	if err != nil {
		return s, err
	}
	for _, f := range entry.Table("record") {
		s.Records += f.Rows
	}
	// The yardstick runs twice and its better time stands, so that a cold cache cannot flatter us.
	floorCPU := 0.0
	for range 2 {
		before := cpuSeconds()
		took, err := floor(ctx, o, entry)
		if err != nil {
			return s, err
		}
		if used := cpuSeconds() - before; floorCPU == 0 || used < floorCPU {
			floorCPU = used
		}
		if s.FloorS == 0 || took < s.FloorS {
			s.FloorS = took
		}
		o.Tell(fmt.Sprintf("yardstick %.2f s", took))
	}
	used, err := s.product(ctx, o)
	if err != nil {
		return s, err
	}
	s.Ratio, s.CPURatio = s.ScoreS/s.FloorS, used/floorCPU
	s.OneEntityMS, err = oneEntity(ctx, o)
	return s, err
}

// product runs the full score and takes the time and memory of its phases.
func (s *Score) product(ctx context.Context, o Options) (cpu float64, err error) {
	since, before := time.Now(), cpuSeconds()
	o.Scorer.Watch = func(phase string, done, of int) { // called at the end of each piece of a phase
		now, used := time.Now(), cpuSeconds()
		if phase == "score" {
			s.ScoreS, cpu = s.ScoreS+now.Sub(since).Seconds(), cpu+used-before
		} else {
			s.SealS += now.Sub(since).Seconds()
		}
		since, before = now, used
		o.Tell(fmt.Sprintf("%s %d of %d", phase, done, of))
	}
	resetPeak()
	if _, err := o.Scorer.Run(ctx, "bench-score", o.Policy, score.Clocks{AsOf: o.AsOf, CorrectedTo: catalog.NoDate}); err != nil {
		return 0, err
	}
	s.PeakMB = peakMB()
	return cpu, nil
}

// cpuSeconds is the processor time the process has used.
func cpuSeconds() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// floor runs the yardstick over the same files, cut into the same groups, and writes what comes out.
func floor(ctx context.Context, o Options, settled chain.Entry) (seconds float64, err error) {
	text, err := readModel(o)
	if err != nil {
		return 0, err
	}
	db, err := duck.Open(o.Scorer.Duck)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }() // in memory
	models, err := grading.Load(o.Scorer.SQL)
	if err != nil {
		return 0, err
	}
	if err := grading.Prepare(ctx, db, models, o.Policy, score.Clocks{AsOf: o.AsOf, CorrectedTo: o.AsOf, KnownSeq: 1, MarksSeq: 1}); err != nil {
		return 0, err
	}
	began := time.Now()
	for i, group := range score.Groups(settled, o.MemoryMB) {
		if err := o.Scorer.Views(ctx, db, group); err != nil {
			return 0, err
		}
		out := filepath.Join(o.Scorer.Lake.TempDir(), "floor-"+strconv.Itoa(i)+".parquet")
		if _, err := db.Copy(ctx, text, out); err != nil {
			return 0, err
		}
		defer func() { _ = os.Remove(out) }() // in the lake's temporary folder
	}
	return time.Since(began).Seconds(), nil
}

func readModel(o Options) (string, error) {
	f, err := o.Scorer.SQL.Open("bench/floor.sql")
	if err != nil {
		return "", fault.Newf(fault.Internal, "read the yardstick", "%w", err)
	}
	defer func() { _ = f.Close() }() // read only
	var b strings.Builder
	if _, err := bufio.NewReader(f).WriteTo(&b); err != nil {
		return "", fault.Newf(fault.Internal, "read the yardstick", "%w", err)
	}
	m, err := duck.ParseModel("floor.sql", b.String())
	return m.Query, err
}

//go:embed settled.sql
var settledSQL string

// generate settles the bench's data: one file of records and one of entities for each range. A lake
// that holds them already, from an earlier measurement, is taken as it is.
func generate(ctx context.Context, o Options) (chain.Entry, error) {
	l := o.Scorer.Lake
	head, err := l.Head(ctx, chain.Settled)
	if err != nil {
		return chain.Entry{}, err
	}
	intent := chain.Intent("bench", strconv.FormatInt(o.Entities, 10), settledSQL, entitySQL, codeSQL)
	if head.N > 0 && head.Intent == intent {
		o.Tell("the generated entities stand already")
		return head, nil
	}
	db, err := duck.Open(duck.Options{Threads: o.Threads, MemoryMB: o.MemoryMB, TempDir: l.TempDir()})
	if err != nil {
		return chain.Entry{}, err
	}
	defer func() { _ = db.Close() }() // in memory
	if err := db.Exec(ctx, codeSQL); err != nil {
		return chain.Entry{}, err
	}
	var files []chain.File
	put := func(table, query string, rng int64) error {
		path := filepath.Join(l.TempDir(), fmt.Sprintf("bench-%s-%d.parquet", table, rng))
		rows, err := db.Copy(ctx, query, path)
		if err != nil {
			return err
		}
		f, err := l.Put(ctx, chain.Object{Chain: chain.Settled, Run: "bench", Table: table, Range: rng, Path: path, Rows: rows,
			MinID: rng * rangeSize, MaxID: rng*rangeSize + rangeSize - 1})
		files = append(files, f)
		return err
	}
	for first := int64(0); first < o.Entities; first += rangeSize {
		last := min(first+rangeSize, o.Entities)
		cut := strings.NewReplacer("$first", strconv.FormatInt(first, 10), "$last", strconv.FormatInt(last, 10))
		if err := put("record", cut.Replace(settledSQL), first/rangeSize); err != nil {
			return chain.Entry{}, err
		}
		if err := put("entity", cut.Replace(entitySQL), first/rangeSize); err != nil {
			return chain.Entry{}, err
		}
		o.Tell(fmt.Sprintf("generated %d of %d entities", last, o.Entities))
	}
	return l.Commit(ctx, chain.Draft{Base: head, Files: files, Keep: func(chain.File) bool { return false },
		Entry: chain.Entry{Chain: chain.Settled, Run: "bench", Intent: intent}})
}

// codeSQL makes valid codes in order of the entities' numbers: both check characters are right (GB 32100, GB 11714).
const codeSQL = `
create macro bench_digit(s, i) as cast(substr(s, i, 1) as integer);
create macro bench_org(s) as (11 - (3 * bench_digit(s, 1) + 7 * bench_digit(s, 2) + 9 * bench_digit(s, 3) + 10 * bench_digit(s, 4)
	+ 5 * bench_digit(s, 5) + 8 * bench_digit(s, 6) + 4 * bench_digit(s, 7) + 2 * bench_digit(s, 8)) % 11) % 11;
create macro bench_last(s, o) as (31 - (324 + 20 * bench_digit(s, 1) + 29 * bench_digit(s, 2) + 25 * bench_digit(s, 3) + 13 * bench_digit(s, 4)
	+ 8 * bench_digit(s, 5) + 24 * bench_digit(s, 6) + 10 * bench_digit(s, 7) + 30 * bench_digit(s, 8) + 28 * case when o = 10 then 29 else o end) % 31) % 31;
create macro bench_whole(s, o) as '91410481' || s || case when o = 10 then 'X' else cast(o as varchar) end || substr('0123456789ABCDEFGHJKLMNPQRTUWXY', bench_last(s, o) + 1, 1);
create macro bench_code(n) as bench_whole(lpad(cast(n as varchar), 8, '0'), bench_org(lpad(cast(n as varchar), 8, '0')));`

// codeAt is the code of an entity's number, as codeSQL makes it.
func codeAt(n int64) string {
	body := fmt.Sprintf("91410481%08d", n)
	for _, org := range "0123456789X" {
		if !catalog.OrgCodeValid(body[8:] + string(org)) {
			continue
		}
		for _, last := range alphabet {
			if code := body + string(org) + string(last); catalog.CheckUSCC(code).Valid {
				return code
			}
		}
	}
	return body // no number comes here
}

const entitySQL = `select range as entity_id, bench_code(range) as uscc,
	'舞钢市' || substr('恒信达源盛鑫丰华瑞祥泰和兴隆诚美佳宏', cast(range % 17 as integer) + 1, 2) || substr('院岭垭口朱兰寺坡尚店八台尹集枣林', cast(range // 17 % 15 as integer) + 1, 2) || cast(range as varchar) || '号' ||
		case range % 4 when 0 then '商贸有限公司' when 1 then '建材有限责任公司' when 2 then '餐饮管理有限公司' else '农民专业合作社' end as name,
	'91' as category, date '2015-01-01' as in_scope_from, cast(null as date) as in_scope_until, cast(null as bigint) as survivor_id,
	case range % 5 when 0 then '410402' when 1 then '410411' else '410481' end as division, case range % 3 when 0 then 'C26' when 1 then 'F52' else 'H62' end as industry,
	date '2016-01-01' as received_on, cast(1 as bigint) as known_from, cast(null as bigint) as known_to
	from range($first, $last) order by range`

// oneEntity explains entities spread over the registry and gives the middle of the warm times.
func oneEntity(ctx context.Context, o Options) (float64, error) {
	x, err := explain.Open(ctx, explain.Options{Lake: o.Scorer.Lake, SQL: o.Scorer.SQL, Duck: o.Scorer.Duck, Policy: o.Policy})
	if err != nil {
		return 0, err
	}
	defer func() { _ = x.Close() }() // in memory
	var times []float64
	for i := range int64(21) {
		uscc := codeAt(i * o.Entities / 21)
		began := time.Now()
		if _, err := x.Entity(ctx, uscc, score.Clocks{AsOf: o.AsOf, CorrectedTo: catalog.NoDate}); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(began).Microseconds())/1000)
	}
	times = times[1:] // the first one warms
	slices.Sort(times)
	return times[len(times)/2], nil
}

// resetPeak starts the kernel's account of the process's peak memory anew.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) } // elsewhere the peak is of the whole process

// peakMB is the most memory the process held, by the kernel's account; 0 where there is none.
func peakMB() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb / 1024
		}
	}
	return 0
}
