package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"xinshu/catalog"
	"xinshu/internal/simulate"
	"xinshu/pipelines"
	"xinshu/pipelines/score"
)

func demoCommand(t *terminal, o *options) *cobra.Command {
	d := &demo{terminal: t}
	var (
		once  bool
		clock string
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "demo", Short: "the whole main job on a simulated province over the real protocols, on loopback", Args: usage(cobra.NoArgs)})
	cmd.Flags().IntVar(&d.entities, "entities", simulate.DefaultEntities, "entities of the province")
	cmd.Flags().Uint64Var(&d.seed, "seed", 1, "seed of the province; the same seed gives the same seals")
	cmd.Flags().StringVar(&clock, "clock", simulate.Days[len(simulate.Days)-1].Format(time.DateOnly), "the hub's day at the end; the province lives through its days up to it")
	cmd.Flags().StringVar(&d.addr, "addr", "127.0.0.1:8088", "where the console stays up; the simulated platforms take free ports on loopback")
	cmd.Flags().BoolVar(&once, "once", false, "end after the last push; else the province stays up until Ctrl-C")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, day := range simulate.Days {
			if day.Format(time.DateOnly) <= clock {
				d.days++
			}
		}
		if _, err := catalog.ParseDate(clock); err != nil || d.entities < 1 || d.days < 1 {
			return usageError{fmt.Errorf("--entities is at least 1, --clock a day (2006-01-02) from %s on", simulate.Days[0].Format(time.DateOnly))}
		}
		c, err := o.load()
		if err != nil {
			return err
		}
		if o.data == "" && o.config == "" {
			c.Data = "data/demo"
		}
		orElse(&c.MaskKey, "the persons of the simulated province are made up") // a fixed key: the same seed leaves the same data
		return d.run(cmd.Context(), c, once)
	}
	return cmd
}

// demo lives through the province's days with a hub of its own.
type demo struct {
	*terminal
	entities, days int
	seed           uint64
	addr           string

	progress *progress
	sum      *tally

	mu    sync.Mutex
	day   time.Time // the morning of the day the province is in
	since time.Time
}

// now is the hub's clock: the province's morning, and on from there.
func (d *demo) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.day.Add(time.Since(d.since))
}

func (d *demo) wake(day time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.day, d.since = day, time.Now()
}

// lived is what the demo remembers of itself, so that a killed one goes on where it was.
type lived struct {
	Entities int    `json:"entities"`
	Seed     uint64 `json:"seed"`
	Days     int    `json:"days"` // days lived through to the end
}

func (d *demo) run(ctx context.Context, c Config, once bool) (err error) {
	d.progress, d.sum = newProgress(d.err), newTally()
	defer d.progress.close()
	marker := filepath.Join(c.Data, "demo.json")
	past, err := d.past(marker)
	if err != nil {
		return err
	}
	d.wake(simulate.Days[max(past.Days, 1)-1])
	cat, _ := loadCatalog(c)
	province, err := simulate.New(d.seed, d.entities, cat)
	if err != nil {
		return err
	}
	world, err := simulate.Open(filepath.Join(c.Data, "province"), "127.0.0.1:0", cat, province, d.now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	d.progress.say("the province of seed %d is up: %d entities, %d platforms, %d departments, %d datasets", d.seed, d.entities, len(cat.Platforms), len(cat.Departments), len(cat.Datasets))
	c.Sources, c.Targets = sourcesOf(world), targetsOf(world)
	open := func(texts catalog.Texts) (*app, error) {
		c.texts = texts
		a, err := openApp(ctx, c, d.now)
		if err == nil {
			a.pipeline.Watch = d.progress.event
		}
		return a, err
	}
	a, err := open(nil)
	if err != nil {
		return err
	}
	defer func() {
		if a != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if _, err := a.state.Interrupt(ctx); err != nil {
		return err
	}
	for day := past.Days + 1; day <= d.days; day++ {
		if err := d.live(ctx, a, world, day); err != nil {
			return err
		}
		past.Days = day
		text, _ := json.Marshal(past) // three numbers always marshal
		if err := writeOnce(marker, text); err != nil {
			return err
		}
	}
	d.progress.say("the platforms answered %d calls with 503 and repeated %d pages", world.Refused(), world.Repeated())
	if err := d.recall(ctx, a, world); err != nil {
		return err
	}
	if err := d.finish(ctx, a); err != nil || once {
		return err
	}
	d.say("\nThe province stays up. The data is in %s: try\n  xinshu quarantine list --data %s", c.Data, c.Data)
	look, serving := time.NewTicker(lookAgain), a
	defer look.Stop()
	a = nil // whoever serves closes it
	return d.serveOn(ctx, serving, open, d.addr, look.C)
}

// past reads how far an earlier demo in the same folder came. A folder of another province is refused.
func (d *demo) past(marker string) (lived, error) {
	fresh := lived{Entities: d.entities, Seed: d.seed}
	text, err := os.ReadFile(marker)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(marker), 0o750); err != nil {
			return fresh, err
		}
		text, _ = json.Marshal(fresh) // three numbers always marshal
		return fresh, writeOnce(marker, text)
	}
	var p lived
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read %s: %w", marker, err)
	}
	if p.Entities != d.entities || p.Seed != d.seed {
		return p, usageError{fmt.Errorf("%s holds the province of seed %d with %d entities; give another --data, or remove that folder", filepath.Dir(marker), p.Seed, p.Entities)}
	}
	return p, nil
}

// live takes the province to a day and does what the hub does on it.
func (d *demo) live(ctx context.Context, a *app, w *simulate.World, day int) error {
	d.wake(simulate.Days[day-1])
	if err := w.Advance(ctx, day); err != nil {
		return err
	}
	today := simulate.Days[day-1].Format(time.DateOnly)
	d.progress.say("day %d, %s: %s", day, today, calendar[day-1].what)
	choice := pipelines.Choice{Clocks: score.Clocks{AsOf: catalog.NoDate, CorrectedTo: catalog.NoDate}, NoPush: true}
	out, err := a.pipeline.Run(ctx, choice)
	d.sum.add(out)
	if err != nil {
		return err
	}
	for _, due := range calendar[day-1].scores {
		policy, err := findPolicy(a.catalog, due.policy)
		if err != nil {
			return err
		}
		scored, err := a.pipeline.Score(ctx, policy, due.clocks(today))
		if err != nil {
			return err
		}
		if scored.Published, err = a.pipeline.Publish(ctx, policy, scored.Result); err != nil {
			return err
		}
		d.sum.add(pipelines.Outcome{Scores: []pipelines.Scored{scored}})
	}
	return d.deliver(ctx, a, w)
}

// deliver pushes, lets the departments answer their packets, and takes the answers in.
func (d *demo) deliver(ctx context.Context, a *app, w *simulate.World) error {
	for range 2 {
		reports, err := a.pipeline.Push(ctx)
		d.sum.add(pipelines.Outcome{Pushes: reports})
		if err != nil {
			return err
		}
		if _, err := w.AnswerPackets(); err != nil {
			return err
		}
	}
	return nil
}

// recall lets a demo that was killed after its last day still print its whole summary.
func (d *demo) recall(ctx context.Context, a *app, w *simulate.World) error {
	if len(d.sum.scores) > 0 {
		return nil
	}
	if err := w.Advance(ctx, d.days); err != nil {
		return err
	}
	for _, policy := range a.catalog.Policies {
		newest, err := a.pipeline.Scorer.Newest(ctx, policy)
		if err == nil {
			d.sum.add(pipelines.Outcome{Scores: []pipelines.Scored{{Policy: policy, Result: newest}}})
		}
	}
	return d.deliver(ctx, a, w)
}

func (d *demo) finish(ctx context.Context, a *app) error {
	summary, err := d.sum.summary(ctx, a)
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(summary)
	}
	d.printf("%s", summary.text())
	return nil
}
