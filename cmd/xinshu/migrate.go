package main

import (
	"time"

	"github.com/spf13/cobra"

	"xinshu/internal/state"
)

func migrateCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "migrate", Short: "the tables of run state: bring them up to date, or see how far they are (a hub that starts does the first by itself)"})
	up := &cobra.Command{Use: "up", Short: "take every migration that this version brings", Args: usage(cobra.NoArgs)}
	up.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		before, err := state.Migrations(cmd.Context(), c.stateAddress())
		if err != nil {
			return err
		}
		s, err := state.Open(cmd.Context(), c.stateAddress(), time.Now)
		if err != nil {
			return err
		}
		taken := 0
		for _, m := range before {
			if m.Applied.IsZero() {
				t.printf("%05d %s\n", m.Version, m.Name)
				taken++
			}
		}
		t.printf("%d taken; the tables are up to date\n", taken)
		return s.Close()
	}
	status := t.jsonFlag(&cobra.Command{Use: "status", Short: "every migration of this version, and when it was taken", Args: usage(cobra.NoArgs)})
	status.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		list, err := state.Migrations(cmd.Context(), c.stateAddress())
		if err != nil {
			return err
		}
		type line struct {
			Version int64      `json:"version"`
			Name    string     `json:"name"`
			Applied *time.Time `json:"applied"`
		}
		lines := make([]line, len(list))
		for i, m := range list {
			lines[i] = line{Version: m.Version, Name: m.Name}
			if !m.Applied.IsZero() {
				lines[i].Applied = &list[i].Applied
			}
		}
		if t.json {
			return t.printJSON(lines)
		}
		for _, m := range list {
			taken := "not yet"
			if !m.Applied.IsZero() {
				taken = m.Applied.Local().Format(time.DateTime)
			}
			t.printf("%05d %-24s %s\n", m.Version, m.Name, taken)
		}
		return nil
	}
	cmd.AddCommand(up, status)
	return cmd
}
