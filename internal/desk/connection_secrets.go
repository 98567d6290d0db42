package desk

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"xinshu/internal/auth"
	"xinshu/internal/fault"
)

// leads are the settings that say where a connection leads. Secrets that are kept were entered for that
// place: whoever turns the connection elsewhere must know them, or a change of address would read them out.
var leads = []string{"url", "token_url", "host", "port", "endpoint", "bucket", "place", "engine", "path", "database", "sid", "profile", "tls", "sslmode", "server_name"}

// before is what was kept of a connection's secrets.
type before struct {
	kept map[string]string
	lost []string // places of secrets that hold no longer
}

// secretsBefore gives the secrets that a draft may keep: those of the saved connection as long as it
// leads to the same place, and those that the same person typed into the same form.
func (d *Desk) secretsBefore(ctx context.Context, draft Draft, plain body) (before, error) {
	b := before{kept: map[string]string{}}
	if draft.Version > 0 {
		k, err := d.State.Connection(ctx, draft.Role, draft.ID)
		if err != nil {
			return b, err
		}
		was, err := d.readKept(k)
		if err != nil {
			return b, err
		}
		secrets, err := d.unsealed(k)
		if err != nil {
			return b, err
		}
		if was.Kind == draft.Kind && !slices.ContainsFunc(leads, func(name string) bool { return was.Values[name] != plain.Values[name] }) {
			b.kept = secrets
		} else {
			b.lost = slices.Sorted(maps.Keys(secrets))
		}
	}
	held, err := d.held(ctx, draft.Sealed)
	if err != nil {
		return b, err
	}
	for place, secret := range held {
		b.kept[place] = secret
		b.lost = slices.DeleteFunc(b.lost, func(lost string) bool { return lost == place })
	}
	return b, nil
}

// heldFor is how long a form may lie open with secrets typed into it.
const heldFor = time.Hour

// typed are secrets on their way from one page of a form to the next.
type typed struct {
	At      int64             `json:"at"`
	Secrets map[string]string `json:"secrets"`
}

// HoldSecrets seals the secrets of a draft, so that a form that is shown again need not ask for them
// again and the browser never has them. Only the same person's forms can give them back, within an hour.
func (d *Desk) HoldSecrets(ctx context.Context, draft Draft) (string, error) {
	all, err := d.held(ctx, draft.Sealed)
	if err != nil {
		return "", err
	}
	values := Given{Kind: draft.Kind, Values: draft.Values, Datasets: jobsOf(draft)}
	_, secrets := d.parted(values)
	maps.Copy(all, secrets)
	if len(all) == 0 {
		return "", nil
	}
	text, err := json.Marshal(typed{At: d.Now().UnixMilli(), Secrets: all})
	if err != nil {
		return "", err
	}
	defer clear(text)
	return d.Vault.Seal(formPlace(ctx), text)
}

// HeldSecrets names the secrets that a draft brings along or keeps, for a form to say so.
func (d *Desk) HeldSecrets(ctx context.Context, draft Draft) ([]string, error) {
	all, err := d.held(ctx, draft.Sealed)
	if err != nil {
		return nil, err
	}
	if draft.Version > 0 {
		c, err := d.Connection(ctx, draft.Role, draft.ID)
		if err != nil {
			return nil, err
		}
		for _, place := range c.Kept {
			all[place] = ""
		}
	}
	for _, place := range draft.Forget {
		delete(all, place)
	}
	return slices.Sorted(maps.Keys(all)), nil
}

func (d *Desk) held(ctx context.Context, sealed string) (map[string]string, error) {
	secrets := map[string]string{}
	if sealed == "" {
		return secrets, nil
	}
	var t typed
	text, err := d.Vault.Open(formPlace(ctx), sealed)
	if err == nil {
		defer clear(text)
		err = json.Unmarshal(text, &t)
	}
	if at := time.UnixMilli(t.At); err != nil || d.Now().Sub(at) > heldFor {
		return nil, &fault.Error{Op: "read the form", Code: fault.Invalid, Err: err, Hint: "it lay open for more than an hour; enter the secrets again"}
	}
	maps.Copy(secrets, t.Secrets)
	return secrets, nil
}

// formPlace binds what a form brings along to the person who typed it.
func formPlace(ctx context.Context) string { return "form/" + auth.From(ctx).ID }
