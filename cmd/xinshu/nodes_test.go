package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xinshu/internal/chain"
	"xinshu/internal/lake"
	"xinshu/internal/lake/s3test"
	"xinshu/internal/pgtest"
	"xinshu/internal/state"
	"xinshu/pipelines/schedule"
)

// cluster is three nodes of one hub on one PostgreSQL and one S3 store, and departments that lay down files.
type cluster struct {
	t      *testing.T
	dir    string
	server *s3test.Server
	state  *state.State
	book   *schedule.Book
	nodes  []*node
	kills  int
}

// node is one hub process; it has a data folder, a name and a port of its own.
type node struct {
	config string
	cmd    *exec.Cmd
	out    *bytes.Buffer
	done   chan struct{}
}

var clusterDatasets = []string{"amr.severe", "amr.abnormal", "civil.severe", "court.debtor", "court.limit", "emergency.severe", "hrss.wagelist", "stats.severe", "tax.abnormal", "tax.severe"}

const clusterSources = 20

// TestThreeNodesTakeEveryTickOnce lets 200 schedules fire on three hub processes that are killed and
// started again at random. In the end every tick has been taken once and dealt with by its schedule's
// policy, and the lake holds what one hub that was never killed comes to.
func TestThreeNodesTakeEveryTickOnce(t *testing.T) {
	lasts, schedules := 14*time.Second, 40
	if full() {
		lasts, schedules = 150*time.Second, 200
	}
	c := newCluster(t)
	firsts := c.plan(schedules)
	for i := range c.nodes {
		c.start(i)
	}
	began := uint64(time.Now().UnixNano()) // any number will do; it is printed
	random := rand.New(rand.NewPCG(began, 0))
	c.trouble(random, lasts)
	c.calm()
	t.Logf("random seed %d", began)

	ticks := c.everyTickOnce(firsts)
	tasks, taken := c.tasks(schedule.Filter{}), 0
	for _, task := range tasks {
		if task.Attempt > 1 {
			taken++
		}
	}
	c.fencesGrow()
	want, got := c.unkilled(), c.holds()
	if len(want) < 3*clusterSources {
		t.Errorf("only %d statements to compare", len(want))
	}
	if diff := differences(want, got); diff != "" {
		t.Errorf("after %d kills: %s", c.kills, diff)
	}
	if taken == 0 {
		t.Error("no task was taken over: the kills met none")
	}
	t.Logf("three nodes, %d schedules: %d ticks, each taken once; %d tasks, %d of them taken over, %d kills; %d statements in the lake as of a hub never killed",
		schedules, ticks, len(tasks), taken, c.kills, len(got))
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	server, err := s3test.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	c := &cluster{t: t, dir: t.TempDir(), server: server}
	dsn := pgtest.Start(t)
	text := "policies: [jiangyin-2020]\nmask_key: the same on every node\nsources:\n"
	for i := range clusterSources {
		text += fmt.Sprintf("  - {name: s%d, kind: files, values: {root: %s/in/%d}, datasets: {%s: {pattern: \"*.csv\"}}}\n", i, c.dir, i, clusterDatasets[i%len(clusterDatasets)])
		c.bring(i, 0)
	}
	lay(t, c.dir+"/out/README", "the receiver's folder")
	text += fmt.Sprintf("targets:\n  - {id: t0, kind: files, values: {root: %s/out, packet: json}}\n", c.dir)
	lay(t, c.dir+"/calm.yaml", "data: "+c.dir+"/calm\n"+text)
	store := fmt.Sprintf("store: {kind: s3, endpoint: %q, bucket: nodes, access_key: %s, secret_key: %s}\nstate: {dsn: %q}\n", server.Endpoint, s3test.AccessKey, s3test.SecretKey, dsn)
	for i := range 3 {
		n := &node{config: fmt.Sprintf("%s/node%d.yaml", c.dir, i)}
		lay(t, n.config, fmt.Sprintf("data: %s/node%d\nnode: node%d\nscore: {threads: 1}\nserve: {addr: %q, workers: 3, poll: 200ms, lease: 3s, grace: 2s, backoff: 500ms, on_time: 3s}\n", c.dir, i, i, freeAddr(t))+store+text)
		c.nodes = append(c.nodes, n)
	}
	if c.state, err = state.Open(t.Context(), dsn, hubClock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.state.Close() })
	cat, _ := loadCatalog(Config{})
	c.book = &schedule.Book{Store: c.state, Planner: schedule.Planner{Calendar: cat.Calendars}, Now: hubClock}
	return c
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// bring lays a file of a department down, whole.
func (c *cluster) bring(source, n int) {
	name := fmt.Sprintf("%s/in/%d/%05d.csv", c.dir, source, n)
	listings(c.t, name+".part", source*1000+n, 3)
	if err := os.Rename(name+".part", name); err != nil {
		c.t.Fatal(err)
	}
}

// plan saves the schedules. Their first ticks come at short distances, a few of them from an outage
// before; after that each fires every minute. It gives the first tick of each.
func (c *cluster) plan(n int) map[string]time.Time {
	c.t.Helper()
	firsts := map[string]time.Time{}
	now := hubClock().Truncate(time.Second)
	for i := range n {
		s := schedule.Schedule{ID: fmt.Sprintf("s%03d", i), Spec: "* * * * *", Cap: 1000, Attempts: 50, CatchUp: schedule.CatchUpAll, Overlap: schedule.OverlapQueue,
			Work: schedule.Work{Do: schedule.DoPull, Source: fmt.Sprintf("s%d", i%clusterSources)}}
		switch i % 4 {
		case 1:
			s.CatchUp, s.Overlap = schedule.CatchUpOnce, schedule.OverlapSkip
		case 2:
			s.CatchUp, s.Overlap = schedule.CatchUpSkip, schedule.OverlapSkip
		case 3:
			s.CatchUp, s.Overlap = schedule.CatchUpAll, schedule.OverlapSkip
		}
		if i%20 == 7 {
			s.Work = schedule.Work{Do: schedule.DoGrade}
		}
		s, err := c.book.Validate(s, now)
		if err != nil {
			c.t.Fatal(err)
		}
		s.NextAt, s.FiredAt, s.SavedAt, s.SavedBy = now.Add(time.Duration(i)*100*time.Millisecond), now, now, "test"
		if i%10 < 4 { // nobody was there to fire them
			s.NextAt = now.Add(-time.Duration(2+i%3) * time.Minute)
		}
		if _, err := c.state.SaveSchedule(c.t.Context(), s); err != nil {
			c.t.Fatal(err)
		}
		firsts[s.ID] = s.NextAt
	}
	return firsts
}

func (c *cluster) start(i int) {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	n := c.nodes[i]
	n.cmd, n.out, n.done = exec.Command(self, "serve", "-c", n.config), &bytes.Buffer{}, make(chan struct{})
	n.cmd.Env = append(os.Environ(), asCommand+"=1")
	n.cmd.Stdout, n.cmd.Stderr = n.out, n.out
	if err := n.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) { _ = cmd.Wait(); close(done) }(n.cmd, n.done)
	c.t.Cleanup(func() { c.end(n, syscall.SIGKILL) })
}

func (c *cluster) end(n *node, signal syscall.Signal) {
	_ = n.cmd.Process.Signal(signal) // an error says that it is gone already
	<-n.done
}

// trouble kills and stops nodes at random instants and starts them again, brings files meanwhile, and
// once lets nobody be there for some seconds.
func (c *cluster) trouble(random *rand.Rand, lasts time.Duration) {
	over := time.Now().Add(lasts)
	ctx, cancel := context.WithDeadline(c.t.Context(), over)
	defer cancel()
	var departments sync.WaitGroup
	departments.Go(func() {
		for n := 1; pass(ctx, lasts/30); n++ {
			c.bring(n%clusterSources, n)
		}
	})
	outage := time.Now().Add(lasts / 2)
	for pass(ctx, time.Duration(random.Int64N(int64(2500*time.Millisecond)))) {
		if time.Now().After(outage) {
			outage = over
			for _, n := range c.nodes {
				c.end(n, syscall.SIGKILL)
				c.kills++
			}
			pass(ctx, 6*time.Second)
			for i := range c.nodes {
				c.start(i)
			}
			continue
		}
		i, signal := random.IntN(len(c.nodes)), syscall.SIGKILL
		if random.IntN(4) == 0 {
			signal = syscall.SIGTERM
		} else {
			c.kills++
		}
		c.end(c.nodes[i], signal)
		pass(ctx, time.Duration(random.Int64N(int64(1500*time.Millisecond))))
		c.start(i)
	}
	departments.Wait()
}

// pass waits unless the time is over.
func pass(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// calm lets no schedule fire any more, waits until every task is over, and has everything done once more
// that came after the last pull.
func (c *cluster) calm() {
	c.t.Helper()
	all, err := c.book.Schedules(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range all {
		if _, err := c.book.Pause(c.t.Context(), s.ID, true, "test"); err != nil {
			c.t.Fatal(err)
		}
	}
	c.idle()
	now := hubClock()
	last := schedule.Task{ID: "last", Work: schedule.Work{Do: schedule.DoRun}, State: schedule.Waiting, Queued: now, After: now, Attempts: 5}
	if _, err := c.state.Enqueue(c.t.Context(), last); err != nil {
		c.t.Fatal(err)
	}
	c.idle()
	for _, n := range c.nodes {
		c.end(n, syscall.SIGTERM)
	}
}

func (c *cluster) idle() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	for {
		page, err := c.state.Tasks(ctx, schedule.Filter{States: []string{schedule.Waiting, schedule.Running}, Most: 3})
		if err != nil {
			c.t.Fatalf("tasks do not come to an end: %v\n%s", err, lastLines(c.nodes[0].out.String()))
		}
		if len(page.Tasks) == 0 {
			return
		}
		pass(ctx, 200*time.Millisecond)
	}
}

func (c *cluster) tasks(f schedule.Filter) (all []schedule.Task) {
	c.t.Helper()
	for f.Most = 500; ; {
		page, err := c.state.Tasks(c.t.Context(), f)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, page.Tasks...)
		if f.After = page.Next; f.After == "" {
			return all
		}
	}
}

// everyTickOnce holds each schedule's tasks against the ticks that its expression gives from the first
// one to the newest that was taken.
func (c *cluster) everyTickOnce(firsts map[string]time.Time) (ticks int) {
	c.t.Helper()
	why := map[string][]string{
		schedule.CatchUpAll + schedule.OverlapQueue: nil,
		schedule.CatchUpOnce + schedule.OverlapSkip: {schedule.WhyNewer, schedule.WhyOverlap},
		schedule.CatchUpSkip + schedule.OverlapSkip: {schedule.WhyLate, schedule.WhyOverlap},
		schedule.CatchUpAll + schedule.OverlapSkip:  {schedule.WhyOverlap},
	}
	reasons := map[string]int{}
	for id, first := range firsts {
		s, err := c.book.Schedule(c.t.Context(), id)
		if err != nil {
			c.t.Fatal(err)
		}
		got := map[int64]schedule.Task{}
		for _, task := range c.tasks(schedule.Filter{Schedule: id}) {
			if _, twice := got[task.Tick.UnixMilli()]; twice {
				c.t.Errorf("%s: the tick %s was taken twice", id, task.Tick)
			}
			got[task.Tick.UnixMilli()] = task
		}
		expected := 0
		for at := first; !at.After(s.FiredAt); at = c.next(s, at) {
			expected++
			task, taken := got[at.UnixMilli()]
			switch {
			case !taken:
				c.t.Errorf("%s: the tick %s was lost", id, at)
			case task.State == schedule.Skipped && !slices.Contains(why[s.CatchUp+s.Overlap], task.Why):
				c.t.Errorf("%s (%s, %s): the tick %s was skipped: %s", id, s.CatchUp, s.Overlap, at, task.Why)
			case task.State != schedule.Skipped && task.State != schedule.Done:
				c.t.Errorf("%s: the task of tick %s is %s: %s %s", id, at, task.State, task.Why, task.Error)
			}
			reasons[task.State+" "+task.Why]++
		}
		if expected != len(got) || expected == 0 {
			c.t.Errorf("%s: %d ticks, %d tasks", id, expected, len(got))
		}
		ticks += expected
	}
	c.t.Logf("what became of the ticks: %v", reasons)
	return ticks
}

func (c *cluster) next(s schedule.Schedule, at time.Time) time.Time {
	times, err := c.book.Next(s, at, 1)
	if err != nil {
		c.t.Fatal(err)
	}
	return times[0]
}

func (c *cluster) open() (*lake.Lake, lake.Store, lake.Options) {
	c.t.Helper()
	store, err := lake.OpenS3(c.t.Context(), c.server.Config("nodes"))
	if err != nil {
		c.t.Fatal(err)
	}
	o := lake.Options{Node: "test", Cache: filepath.Join(c.dir, "test-cache"), CacheBytes: 1 << 30}
	l, err := lake.New(store, o)
	if err != nil {
		c.t.Fatal(err)
	}
	return l, store, o
}

// fencesGrow walks back over every chain: whoever lost its lease must not have committed after its heir.
func (c *cluster) fencesGrow() {
	c.t.Helper()
	l, _, _ := c.open()
	chains, err := l.Chains(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, name := range chains {
		e, err := l.Head(c.t.Context(), name)
		for err == nil && e.N > 1 {
			var before chain.Entry
			if before, err = l.Entry(c.t.Context(), name, e.N-1); err == nil && (before.Fence > e.Fence || e.Fence == 0) {
				c.t.Errorf("%s: entry %d has fence %d, the one before %d", name, e.N, e.Fence, before.Fence)
			}
			e = before
		}
	}
}

// holds is what the nodes' lake came to: all statements but how often a grade was stated, and how many
// rows each dataset's chain took.
func (c *cluster) holds() []string {
	c.t.Helper()
	_, store, o := c.open()
	return comparables(c.t, store, o)
}

// unkilled is what one hub comes to that pulls the same files in one run.
func (c *cluster) unkilled() []string {
	c.t.Helper()
	xinshu(c.t, "", "run", "--no-push", "-c", c.dir+"/calm.yaml")
	store, err := lake.OpenFolder(filepath.Join(c.dir, "calm", "lake"))
	if err != nil {
		c.t.Fatal(err)
	}
	return comparables(c.t, store, lake.Options{Node: "test"})
}

func comparables(t *testing.T, store lake.Store, o lake.Options) (all []string) {
	t.Helper()
	for _, s := range holdingsIn(t, store, o) {
		if !strings.HasPrefix(s, "published/") {
			all = append(all, s)
		}
	}
	visitChains(t, store, o, func(head chain.Entry, query func(question) []string) {
		if strings.HasPrefix(head.Chain, "published/") {
			all = append(all, query(question{"grade", "select concat_ws('|', uscc, grade, score) from held"})...)
		}
		for _, table := range []string{"rows", "quarantine"} {
			rows := int64(0)
			for _, f := range head.Table(table) {
				rows += f.Rows
			}
			if strings.HasPrefix(head.Chain, "stage/") {
				all = append(all, fmt.Sprintf("%s has %d %s", head.Chain, rows, table))
			}
		}
	})
	slices.Sort(all)
	return all
}
