package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"xinshu/internal/auth"
	"xinshu/internal/backup"
	"xinshu/internal/fault"
	"xinshu/internal/state"
)

// keysApart is said after every backup and restore: a copy of the data that carried its keys would
// protect nothing.
const keysApart = "not in the backup, by intent: xinshu.yaml, the catalogue folder, and the keys (mask.key, vault.key, certificates); keep them apart and safe, sealed secrets open with nothing else"

func backupCommand(t *terminal, o *options) *cobra.Command {
	var (
		to        string
		stateOnly bool
		keep      int
	)
	cmd := group(t.jsonFlag(&cobra.Command{Use: "backup", Short: "copy run state and lake, at one moment and beside a hub at work, to a folder (what is there already is not copied again) or one .tar file"}))
	cmd.PersistentFlags().StringVar(&to, "to", "", "folder, or a file whose name ends in .tar")
	cmd.Flags().BoolVar(&stateOnly, "state-only", false, "run state alone, where the store is backed up by itself")
	cmd.Flags().IntVar(&keep, "keep", 0, "afterwards keep this many backups of the folder and take the older ones away; 0: keep all")
	help := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if to == "" {
			return help(cmd, args)
		}
		if len(args) > 0 || keep < 0 || keep > 0 && backup.IsFile(to) {
			return usageError{errors.New("--keep is 0 or more and goes with a folder; see xinshu backup --help")}
		}
		return t.withApp(o, func(ctx context.Context, a *app) error {
			return t.backup(ctx, a, to, stateOnly, keep)
		})(cmd, args)
	}
	cmd.AddCommand(t.backupListCommand(), t.backupCheckCommand())
	return cmd
}

func (t *terminal) backup(ctx context.Context, a *app, to string, stateOnly bool, keep int) error {
	m := &backup.Maker{State: a.state, Postgres: state.IsPostgres(a.config.State.DSN), Lake: a.lake, NoLake: stateOnly, Now: time.Now, Node: a.config.Node, Xinshu: version}
	copied := m.Make
	if backup.IsFile(to) {
		copied = m.MakeFile
	}
	if err := a.trail.Record(ctx, auth.Act{Action: "backup.make", Kind: "backup", ID: to}); err != nil { // the copy tells of itself
		return err
	}
	s, err := copied(ctx, to)
	if err != nil {
		return err
	}
	var gone backup.Pruned
	if keep > 0 {
		if gone, err = backup.Prune(ctx, to, keep); err != nil {
			return err
		}
	}
	if t.json {
		return t.printJSON(s)
	}
	t.printf("backup %s: %d rows of run state", s.ID, s.State.Rows)
	if s.Lake != nil {
		t.printf(", %d objects of %d bytes, of them %d of %d bytes new", s.Lake.Objects, s.Lake.Bytes, s.Lake.Copied, s.Lake.CopiedBytes)
	}
	t.printf("\n")
	if gone.Sets > 0 {
		t.printf("taken away: %d older backups, %d objects of %d bytes\n", gone.Sets, gone.Objects, gone.Bytes)
	}
	t.say(keysApart)
	return nil
}

func (t *terminal) backupListCommand() *cobra.Command {
	var from string
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "the whole backups of a folder, oldest first", Args: usage(cobra.NoArgs)})
	cmd.Flags().StringVar(&from, "from", "", "folder")
	cmd.RunE = func(*cobra.Command, []string) error {
		sets, err := backup.List(from)
		if err != nil || t.json {
			return errors.Join(err, t.printJSON(sets))
		}
		for _, s := range sets {
			t.printf("%s  %s  %d rows", s.ID, s.MadeAt.In(shanghai).Format(time.DateTime), s.State.Rows)
			if s.Lake != nil {
				t.printf(", %d objects of %d bytes", s.Lake.Objects, s.Lake.Bytes)
			}
			t.printf("\n")
		}
		return nil
	}
	return cmd
}

func (t *terminal) backupCheckCommand() *cobra.Command {
	var from, set string
	cmd := &cobra.Command{Use: "check", Short: "read every byte of a backup and compare its checksums; nothing is brought back", Args: usage(cobra.NoArgs)}
	cmd.Flags().StringVar(&from, "from", "", "folder or .tar file")
	cmd.Flags().StringVar(&set, "set", "", "id of the backup; the newest if not given")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return withBackup(cmd.Context(), from, os.TempDir(), set, func(dir string, s backup.Set) error {
			if err := backup.Check(cmd.Context(), dir, s); err != nil {
				return err
			}
			t.printf("backup %s is whole: every checksum matches\n", s.ID)
			return nil
		})
	}
	return cmd
}

func restoreCommand(t *terminal, o *options) *cobra.Command {
	var (
		from, set, into string
		above           int64
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "restore", Short: "bring a backup back into an empty place; run again it goes on where it was killed", Args: usage(cobra.NoArgs)})
	cmd.Flags().StringVar(&from, "from", "", "folder or .tar file that xinshu backup wrote")
	cmd.Flags().StringVar(&set, "set", "", "id of the backup; the newest if not given")
	cmd.Flags().StringVar(&into, "into", "", "data folder; else that of --data or the config, whose store and state database are filled")
	cmd.Flags().Int64Var(&above, "above", 0, "an epoch that receivers are known to have seen, when a later restore than this backup came from elsewhere")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := o.load()
		if err != nil {
			return err
		}
		if from == "" || above < 0 {
			return usageError{errors.New("say --from, the folder or file of the backup")}
		}
		orReplace(&c.Data, into)
		return t.restore(cmd.Context(), c, from, set, above)
	}
	return cmd
}

func orReplace(s *string, with string) {
	if with != "" {
		*s = with
	}
}

func (t *terminal) restore(ctx context.Context, c Config, from, set string, above int64) error {
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return &fault.Error{Op: "open data folder", Code: fault.Invalid, Err: err, Hint: "give a folder that can be written with --into"}
	}
	return withBackup(ctx, from, c.Data, set, func(dir string, s backup.Set) error {
		l, err := openLake(ctx, c, nil)
		if err != nil {
			return err
		}
		r := backup.Restorer{Lake: l, Address: c.stateAddress(), Above: above}
		done, err := r.Restore(ctx, dir, s)
		if err != nil {
			return err
		}
		if t.json {
			return t.printJSON(done)
		}
		t.printf("backup %s is back: %d rows of run state", s.ID, s.State.Rows)
		if s.Lake != nil {
			t.printf(", %d objects of %d bytes", s.Lake.Objects, s.Lake.Bytes)
		}
		t.printf("; versions of grades are counted in epoch %d from now on\n", done.Epoch)
		if done.Note != "" {
			t.say("%s", done.Note)
		}
		t.say("%s", keysApart)
		t.say("what sources gave after %s is not in it: have files that were taken since laid out again and flags set back, or pull everything once with xinshu pull --reload", s.MadeAt.Format(time.RFC3339))
		t.say("now run: xinshu verify --read-data")
		return nil
	})
}

// withBackup finds a backup, and unpacks it for a while where it is one file.
func withBackup(ctx context.Context, from, work, set string, do func(dir string, s backup.Set) error) (err error) {
	if from == "" {
		return usageError{errors.New("say --from, the folder or file of the backup")}
	}
	if backup.IsFile(from) {
		packed := from
		if from, err = os.MkdirTemp(work, ".unpacked-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(from)) }()
		if err := backup.Unpack(ctx, packed, from); err != nil {
			return err
		}
	}
	s, err := backup.Find(from, set)
	if err != nil {
		return err
	}
	return do(from, s)
}

// stateAddress is where run state is kept.
func (c Config) stateAddress() string {
	if c.State.DSN != "" {
		return c.State.DSN
	}
	return filepath.Join(c.Data, "state.db")
}
