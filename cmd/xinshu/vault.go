package main

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
	"xinshu/internal/vault"
)

// VaultConfig says under which key secrets are sealed that are kept in run state.
type VaultConfig struct {
	// Key seals and opens: 32 bytes in Base64, as `xinshu vault key` prints them, given as ${file:PATH} or
	// ${env:NAME}. Several nodes need the same. Empty: keys made once and kept in vault.key in the data folder.
	Key string `yaml:"key,omitempty"`
	// OldKeys open what was sealed before. `xinshu vault rotate` makes them needless, but for older backups.
	OldKeys []string `yaml:"old_keys,omitempty"`
}

func (v VaultConfig) check(f *configFaults) {
	if v.Key == "" && len(v.OldKeys) > 0 {
		f.add([]any{"vault"}, "vault.old_keys open only; vault.key, which seals, is not set")
	}
	if _, err := vault.ParseKey(v.Key); v.Key != "" && err != nil {
		f.add([]any{"vault", "key"}, "vault.key %s", err)
	}
	for i, text := range v.OldKeys {
		if _, err := vault.ParseKey(text); err != nil {
			f.add([]any{"vault", "old_keys", i}, "vault.old_keys: number %d %s", i+1, err)
		}
	}
}

// vaultFile is where keys lie that the config does not give.
func vaultFile(c Config) string { return filepath.Join(c.Data, "vault.key") }

func openVault(c Config) (*vault.Vault, error) {
	if c.Vault.Key == "" {
		return vault.OpenFile(vaultFile(c))
	}
	var keys []vault.Key
	for _, text := range append([]string{c.Vault.Key}, c.Vault.OldKeys...) {
		k, err := vault.ParseKey(text)
		if err != nil {
			return nil, usageError{fault.Newf(fault.Invalid, "open the vault", "a key of the config %w", err)}
		}
		keys = append(keys, k)
	}
	return vault.New(keys...)
}

func vaultCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "vault", Short: "the keys under which secrets in run state are sealed"})
	cmd.AddCommand(vaultKey(t), vaultStatus(t, o), vaultRotate(t, o))
	return cmd
}

func vaultKey(t *terminal) *cobra.Command {
	return &cobra.Command{Use: "key", Short: "print a new key for vault.key; keep it in a file that only the hub reads", Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, text := vault.NewKey()
			t.printf("%s\n", text)
			return nil
		}}
}

// vaultReport is what `vault status` and `vault rotate` print with --json.
type vaultReport struct {
	Key     string         `json:"key"`    // the id of the one that seals
	Sealed  map[string]int `json:"sealed"` // secrets by the id of their key
	Renewed int            `json:"renewed"`
}

func vaultStatus(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "status", Short: "open every sealed secret, print none, and count them by key", Args: usage(cobra.NoArgs)})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		r := vaultReport{Key: a.vault.First()}
		var err error
		if r.Sealed, err = a.vault.Check(ctx, a.state); err != nil {
			return err
		}
		return t.vaultReport(r)
	})
	return cmd
}

func vaultRotate(t *terminal, o *options) *cobra.Command {
	cmd := t.jsonFlag(&cobra.Command{Use: "rotate", Args: usage(cobra.NoArgs),
		Short: "seal every secret under the newest key: of the config, or one made now in the data folder"})
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		if a.config.Vault.Key == "" {
			if _, err := vault.AddKey(vaultFile(a.config)); err != nil {
				return err
			}
			var err error
			if a.vault, err = openVault(a.config); err != nil {
				return err
			}
		}
		if err := a.trail.Record(ctx, auth.Act{Action: "vault.rotate", Kind: "vault", ID: a.vault.First()}); err != nil {
			return err
		}
		_, renewed, err := a.vault.Rotate(ctx, a.state)
		if err != nil {
			return err
		}
		r := vaultReport{Key: a.vault.First(), Renewed: renewed}
		if r.Sealed, err = a.vault.Check(ctx, a.state); err != nil {
			return err
		}
		return t.vaultReport(r)
	})
	return cmd
}

func (t *terminal) vaultReport(r vaultReport) error {
	if t.json {
		return t.printJSON(r)
	}
	t.printf("key %s seals; %d secrets were sealed anew\n", r.Key, r.Renewed)
	ids := make([]string, 0, len(r.Sealed))
	for id := range r.Sealed {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		t.printf("%6d secrets open under key %s\n", r.Sealed[id], id)
	}
	return nil
}
