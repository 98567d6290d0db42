package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"xinshu/internal/auth"
)

func keyCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "key", Short: "the keys with which programs use the API"})
	cmd.AddCommand(keyMake(t, o), keyList(t, o), keyRotate(t, o), keyRevoke(t, o))
	return cmd
}

func keyMake(t *terminal, o *options) *cobra.Command {
	var (
		g      grant
		k      auth.Key
		rights []string
		signed bool
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "make OWNER", Short: "make a key of client:NAME or user:NAME; its text goes to standard output, once", Args: usage(cobra.ExactArgs(1))})
	g.flags(cmd)
	cmd.Flags().Lookup("until").Usage = "last day of the key (2006-01-02), within two years; none: a year; a third party's must be named"
	cmd.Flags().StringVar(&k.Title, "title", "", "what the key is for; a key and its successor share it")
	cmd.Flags().StringSliceVar(&rights, "right", nil, "of the roles' rights only these, such as grades.see; none: all")
	cmd.Flags().StringSliceVar(&k.Networks, "network", nil, "addresses and networks it may be used from; none: any")
	cmd.Flags().BoolVar(&signed, "signed", false, "the key signs requests and never travels; else it is a bearer key")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			k.Owner, k.Roles, k.Scope, k.Kind = args[0], g.given(), g.scope(), auth.Bearer
			if signed {
				k.Kind = auth.Signed
			}
			for _, r := range rights {
				k.Rights = append(k.Rights, auth.Right(r))
			}
			var err error
			if k.From, k.Until, err = g.term(); err != nil {
				return err
			}
			made, text, err := a.keys.Make(ctx, k)
			if err != nil {
				return err
			}
			return t.madeKey(made, text)
		})(cmd, nil)
	}
	return cmd
}

// madeKey prints a new key: what is secret on standard output, where it can be sent to a file.
func (t *terminal) madeKey(k auth.Key, text string) error {
	if t.json {
		return t.printJSON(map[string]any{"id": k.ID, "kind": k.Kind, "owner": k.Owner, "until": k.Until, "key": text})
	}
	t.say("密钥 %s 已生成，仅显示这一次 / key %s (%s) of %s, good until %s; it is shown this once:", k.ID, k.ID, k.Kind, k.Owner, k.Until.In(shanghai).Format(time.DateTime))
	t.printf("%s\n", text)
	return nil
}

func keyList(t *terminal, o *options) *cobra.Command {
	var owner string
	cmd := t.jsonFlag(&cobra.Command{Use: "list", Short: "every key, without its secret", Args: usage(cobra.NoArgs)})
	cmd.Flags().StringVar(&owner, "owner", "", "client:NAME or user:NAME")
	cmd.RunE = t.withApp(o, func(ctx context.Context, a *app) error {
		keys, err := a.keys.List(ctx, owner)
		if err != nil {
			return err
		}
		if t.json {
			if keys == nil {
				keys = []auth.Key{}
			}
			return t.printJSON(keys)
		}
		for _, k := range keys {
			status, used := "in force", "never"
			if !k.InForce(a.now()) {
				status = "ended"
			}
			if !k.Used.IsZero() {
				used = k.Used.In(shanghai).Format("2006-01-02 15:04")
			}
			t.printf("%s %-7s %-9s until %s used %-16s %s %s\n", k.ID, k.Kind, status, k.Until.In(shanghai).Format(time.DateOnly), used, k.Owner, k.Title)
		}
		return nil
	})
	return cmd
}

func keyRotate(t *terminal, o *options) *cobra.Command {
	var (
		grace time.Duration
		until string
	)
	cmd := t.jsonFlag(&cobra.Command{Use: "rotate ID", Short: "make a key's successor; both are good for a while", Args: usage(cobra.ExactArgs(1))})
	cmd.Flags().DurationVar(&grace, "grace", 7*24*time.Hour, "how long the old key stays good")
	cmd.Flags().StringVar(&until, "until", "", "last day of the new key (2006-01-02); none: a year, and of a third party the day it was approved until")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.withApp(o, func(ctx context.Context, a *app) error {
			_, ends, err := (&grant{until: until}).term()
			if err != nil {
				return err
			}
			k, text, err := a.keys.Rotate(ctx, args[0], grace, ends)
			if err != nil {
				return err
			}
			return t.madeKey(k, text)
		})(cmd, nil)
	}
	return cmd
}

func keyRevoke(t *terminal, o *options) *cobra.Command {
	return &cobra.Command{Use: "revoke ID", Short: "end a key at once", Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.withApp(o, func(ctx context.Context, a *app) error { return a.keys.Revoke(ctx, args[0]) })(cmd, nil)
		}}
}
