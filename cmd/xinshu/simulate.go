package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"xinshu/internal/simulate"
)

func simulateCommand(t *terminal, o *options) *cobra.Command {
	var (
		entities, day int
		seed          uint64
		addr          string
	)
	cmd := &cobra.Command{Use: "simulate", Short: "the simulated province alone: prints a config for it and stays up", Args: usage(cobra.NoArgs),
		Long: "Starts the platforms and departments of the simulated province on loopback, prints a xinshu.yaml with its sources and targets on standard output, and stays up until Ctrl-C. Another terminal can then pull from it."}
	cmd.Flags().IntVar(&entities, "entities", simulate.DefaultEntities, "entities of the province")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the province")
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:0", "where the simulated platforms listen")
	cmd.Flags().IntVar(&day, "day", 1, "the day of its life that it is in, 1 to 5")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if entities < 1 || day < 1 || day > len(simulate.Days) {
			return usageError{fmt.Errorf("--entities is at least 1, --day 1 to %d", len(simulate.Days))}
		}
		dir := o.data
		orElse(&dir, "data/province")
		cat, _ := loadCatalog(Config{})
		province, err := simulate.New(seed, entities, cat)
		if err != nil {
			return err
		}
		world, err := simulate.Open(dir, addr, cat, province, time.Now)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, world.Close()) }()
		if err := world.Advance(cmd.Context(), day); err != nil {
			return err
		}
		text, err := yaml.Marshal(Config{Sources: sourcesOf(world), Targets: targetsOf(world)})
		if err != nil {
			return err
		}
		t.printf("%s", text)
		t.say("the province is up on day %d (%s); Ctrl-C ends it", day, simulate.Days[day-1].Format(time.DateOnly))
		for cmd.Context().Err() == nil {
			if _, err := world.AnswerPackets(); err != nil {
				return err
			}
			select {
			case <-cmd.Context().Done():
			case <-time.After(time.Second):
			}
		}
		return nil
	}
	return cmd
}
