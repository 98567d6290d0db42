package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"xinshu/internal/fault"
	"xinshu/internal/vault"
)

// Key opens the API to a program: a platform's, which has roles of its own, or a user's, which has at
// most the user's rights.
type Key struct {
	ID          string
	Owner       string // client:name, or user:name
	Title       string
	Kind        string // Bearer or Signed
	Roles       []Role // of a client's key
	Rights      []Right
	Scope       Scope
	Networks    []string // addresses and networks it may be used from; empty: any
	From, Until time.Time
	Created     time.Time
	CreatedBy   string
	Used        time.Time // zero: never
	UsedAddress string
	Revoked     time.Time // zero: not
}

// The kinds of keys.
const (
	Bearer = "bearer" // the secret travels with every request
	Signed = "signed" // the secret signs every request and never travels
)

// ClientID and UserID name owners of keys; they are the ids of actors.
func ClientID(name string) string { return "client:" + name }

// UserID is the id of a user's actor.
func UserID(name string) string { return "user:" + name }

// InForce says whether a key may be used at a time.
func (k Key) InForce(now time.Time) bool { return k.Revoked.IsZero() && inTerm(k.From, k.Until, now) }

func (k Key) place() string { return "key/" + k.ID }

// personal are the rights that no program has in its own name: somebody answers for what is decided.
var personal = []Right{CatalogueApprove, CasesDecide, PoliciesApprove, UsersChange, KeysChange}

// liveAtOnce is how many keys of one owner and title are good at a time: the one in use and its successor.
const liveAtOnce = 2

// longestKey bounds the term of a key: what is never renewed is forgotten, and leaks.
const longestKey = 2 * 366 * 24 * time.Hour

// SecretStore keeps sealed texts.
type SecretStore interface {
	SetSecret(ctx context.Context, item vault.Item) error
	Secret(ctx context.Context, place string) (text string, found bool, err error)
	ForgetSecret(ctx context.Context, place string) error
}

// Keys are the keys of programs.
type Keys struct {
	store   Store
	secrets SecretStore
	vault   *vault.Vault
	trail   Recorder
	now     func() time.Time
}

// NewKeys wires keys to what keeps them.
func NewKeys(store Store, secrets SecretStore, v *vault.Vault, trail Recorder, now func() time.Time) *Keys {
	return &Keys{store: store, secrets: secrets, vault: v, trail: trail, now: now}
}

var ownerName = regexp.MustCompile(`^(user|client):[a-z0-9][a-z0-9._@-]{1,63}$`)

// check says everything that is wrong with a key.
func (k Key) check(now time.Time, owner *User) error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !ownerName.MatchString(k.Owner) {
		add("the owner is client: or user: and a name of 2 to 64 of a-z, 0-9 and . _ - @")
	}
	if n := utf8.RuneCountInString(k.Title); n < 1 || n > 100 || strings.ContainsFunc(k.Title, isControl) {
		add("the title has 1 to 100 characters")
	}
	if k.Kind != Bearer && k.Kind != Signed {
		add("the kind is %s or %s", Bearer, Signed)
	}
	if _, err := Networks(k.Networks); err != nil {
		faults = append(faults, err)
	}
	if len(k.Networks) > 100 {
		add("networks has %d items; at most 100", len(k.Networks))
	}
	if k.Until.IsZero() || k.Until.After(now.Add(longestKey)) || !k.Until.After(now) {
		add("a key ends on a day to come, within two years")
	}
	switch {
	case owner != nil && len(k.Roles) > 0:
		add("a user's key has the user's roles and none of its own")
	case owner != nil:
		faults = append(faults, k.Scope.check()...)
		if _, ok := owner.Scope.narrow(k.Scope); !ok {
			add("the scope of the key is not within the user's")
		}
		for _, r := range k.Rights {
			if !owner.Actor("", "").May(r) || r == Anyone || r == Self {
				add("the user has no right %q to give", string(r))
			}
		}
	default:
		faults = append(faults, checkGrant(k.Roles, k.Scope, k.From, k.Until)...)
		for _, r := range personal {
			if (Actor{Roles: k.Roles, Only: k.Rights}).May(r) {
				add("the right %q is a person's: name rights without it, or make the key a user's", string(r))
			}
		}
		for _, r := range k.Rights {
			if !(Actor{Roles: k.Roles}).May(r) || r == Anyone {
				add("the roles of the key do not have the right %q", string(r))
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return &fault.Error{Op: "make a key", Code: fault.Invalid, Err: err}
	}
	return nil
}

// usualEnd is where a key ends that is given no end: a year after it begins.
func usualEnd(now, from time.Time) time.Time {
	if from.After(now) {
		now = from
	}
	return now.AddDate(1, 0, 0)
}

// Make makes a key, good for a year unless it says otherwise (a third party's says until when it was
// approved), and gives its text, which is shown once: of a bearer key what goes behind Bearer, of a
// signing key its secret.
func (s *Keys) Make(ctx context.Context, k Key) (Key, string, error) {
	owner, err := s.owner(ctx, k)
	if err != nil {
		return k, "", err
	}
	if by := From(ctx); owner != nil && by.ID != k.Owner && by.Way != WayShell {
		return k, "", &fault.Error{Op: "make a key", Code: fault.Forbidden, Err: errors.New("a user's key is made by the user alone: whoever has it acts as the user"), Hint: "make it signed in as that user"}
	}
	now := s.now()
	k.ID, k.Created, k.CreatedBy = newID(), now, From(ctx).ID
	k.Used, k.UsedAddress, k.Revoked = time.Time{}, "", time.Time{}
	if k.Until.IsZero() && !slices.Contains(k.Roles, ThirdParty) {
		k.Until = usualEnd(now, k.From)
	}
	if err := k.check(now, owner); err != nil {
		return k, "", err
	}
	if err := s.room(ctx, k); err != nil {
		return k, "", err
	}
	return s.keep(ctx, k, "key.make")
}

// keep stores a new key. The secret of a signing key is sealed before the key is there: a key without
// its secret would be of no use, a secret without its key is of no harm.
func (s *Keys) keep(ctx context.Context, k Key, action string) (Key, string, error) {
	secret := newToken()
	detail := grantDetail(k.Roles, k.Scope, k.From, k.Until)
	detail["owner"], detail["kind"] = k.Owner, k.Kind
	if err := s.trail.Record(ctx, Act{Action: action, Kind: "key", ID: k.ID, Detail: detail}); err != nil {
		return k, "", err
	}
	if k.Kind == Bearer {
		return k, bearerMark + k.ID + "_" + secret, s.store.AddKey(ctx, k, hashOf(secret))
	}
	sealed, err := s.vault.Seal(k.place(), []byte(secret))
	if err != nil {
		return k, "", err
	}
	if err := s.secrets.SetSecret(ctx, vault.Item{Place: k.place(), Text: sealed}); err != nil {
		return k, "", err
	}
	return k, secret, s.store.AddKey(ctx, k, "")
}

// owner gives the user whose key it is; nil of a client's.
func (s *Keys) owner(ctx context.Context, k Key) (*User, error) {
	name, is := strings.CutPrefix(k.Owner, "user:")
	if !is {
		return nil, nil //nolint:nilnil // a client is no user, and that is no fault
	}
	u, found, err := s.store.User(ctx, name)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.Newf(fault.NotFound, "find user", "there is no user %q", clipText(name, 64))
	}
	return &u, nil
}

// room refuses a third key that is good at the same time as two of its kind.
func (s *Keys) room(ctx context.Context, k Key) error {
	all, err := s.store.Keys(ctx, k.Owner)
	if err != nil {
		return err
	}
	live := 0
	for _, other := range all {
		if other.InForce(s.now()) && other.Title == k.Title {
			live++
		}
	}
	if live >= liveAtOnce {
		return &fault.Error{Op: "make a key", Code: fault.Conflict, Err: fmt.Errorf("two keys %q of %s are good already", k.Title, k.Owner), Hint: "revoke one of them, or wait for its end"}
	}
	return nil
}

// Rotate makes a successor of a key with the same settings. Without an end it is good for a year, and a
// third party's as long as it was approved for. The old one stays good for grace, so that the program's
// owner can change over without a gap.
func (s *Keys) Rotate(ctx context.Context, id string, grace time.Duration, until time.Time) (Key, string, error) {
	old, err := s.Get(ctx, id)
	if err != nil {
		return old, "", err
	}
	now := s.now()
	if !old.InForce(now) {
		return old, "", &fault.Error{Op: "rotate key " + id, Code: fault.Conflict, Err: errors.New("it is not good any more"), Hint: "make a new key"}
	}
	k := old
	k.From, k.Until = time.Time{}, until
	if until.IsZero() && slices.Contains(old.Roles, ThirdParty) {
		k.Until = old.Until
	}
	k, text, err := s.Make(ctx, k)
	if err != nil {
		return k, "", err
	}
	if ends := now.Add(grace); ends.Before(old.Until) {
		err = s.store.EndKey(ctx, id, ends, false)
	}
	return k, text, err
}

// Revoke ends a key at once.
func (s *Keys) Revoke(ctx context.Context, id string) error {
	k, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := s.trail.Record(ctx, Act{Action: "key.revoke", Kind: "key", ID: id, Detail: map[string]string{"owner": k.Owner}}); err != nil {
		return err
	}
	if err := s.store.EndKey(ctx, id, s.now(), true); err != nil {
		return err
	}
	return s.secrets.ForgetSecret(ctx, k.place())
}

// List gives the keys of an owner, of all when none is named, the newest first.
func (s *Keys) List(ctx context.Context, owner string) ([]Key, error) {
	return s.store.Keys(ctx, owner)
}

// Get gives one key.
func (s *Keys) Get(ctx context.Context, id string) (Key, error) {
	k, _, found, err := s.store.Key(ctx, id)
	if err == nil && !found {
		return k, fault.Newf(fault.NotFound, "find key", "there is no key %q", clipText(id, 64))
	}
	return k, err
}

// actor is who a proven key stands for: the client, or the user with at most the user's rights.
func (s *Keys) actor(ctx context.Context, k Key, way string, from netip.Addr) (Actor, error) {
	refused := func(why, hint string) (Actor, error) {
		return Actor{}, &fault.Error{Op: "use a key", Code: fault.Unauthorized, Err: errors.New(why), Hint: hint}
	}
	now := s.now()
	if !k.InForce(now) {
		return refused("the key is not good, or not good any more", "ask the hub's administrator for a new one")
	}
	networks, err := Networks(k.Networks)
	if err != nil {
		return Actor{}, &fault.Error{Op: "use a key", Code: fault.Internal, Err: err}
	}
	if len(networks) > 0 && !slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(from.Unmap()) }) {
		return refused("the key may not be used from this address", "the administrator can add the address to the key")
	}
	a := Actor{ID: k.Owner, Name: k.Title, Roles: k.Roles, Only: k.Rights, Scope: k.Scope, Way: way, Address: addressText(from)}
	owner, err := s.owner(ctx, k)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Actor{}, err
	}
	switch {
	case err != nil, owner != nil && (!owner.InForce(now) || owner.MustChange):
		return refused("the key's owner may not sign in", "ask the hub's administrator")
	case owner != nil:
		scope, ok := owner.Scope.narrow(k.Scope)
		if !ok {
			return refused("the key reaches beyond its owner's scope", "make a new key")
		}
		a.Name, a.Roles, a.Scope = owner.Title, owner.Roles, scope
	}
	if now.Sub(k.Used) >= time.Minute { // a platform asks often; one a minute is written
		if err := s.store.KeyUsed(ctx, k.ID, a.Address); err != nil {
			return Actor{}, err
		}
	}
	return a, nil
}

// addressText is an address as it is written down.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}
