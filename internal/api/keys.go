package api

import (
	"context"
	"time"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
)

// Key opens the API to a program.
type Key struct {
	ID       string       `json:"id" readOnly:"true" required:"false"`
	Owner    string       `json:"owner" minLength:"1" maxLength:"100" doc:"client:name, or user:name" example:"client:city-share"`
	Title    string       `json:"title" minLength:"1" maxLength:"100"`
	Kind     string       `json:"kind" enum:"bearer,signed"`
	Roles    []auth.Role  `json:"roles,omitempty" maxItems:"8" doc:"of a client's key"`
	Rights   []auth.Right `json:"rights,omitempty" maxItems:"60" doc:"at most these; absent: all that the roles give"`
	Scope    Scope        `json:"scope,omitzero"`
	Networks []string     `json:"networks,omitempty" maxItems:"100" doc:"addresses it may be used from; absent: any"`
	From     time.Time    `json:"from,omitzero"`
	Until    time.Time    `json:"until,omitzero" doc:"within two years; absent: a year after it begins. A third party's must be named"`
	Used     *time.Time   `json:"used,omitempty" readOnly:"true"`
	Revoked  *time.Time   `json:"revoked,omitempty" readOnly:"true"`
}

// MadeKey is a key with its secret, shown once.
type MadeKey struct {
	Key    Key    `json:"key"`
	Secret string `json:"secret" doc:"shown once"`
}

func keyOf(k auth.Key) Key {
	out := Key{ID: k.ID, Owner: k.Owner, Title: k.Title, Kind: k.Kind, Roles: k.Roles, Rights: k.Rights, Scope: Scope(k.Scope), Networks: k.Networks, From: k.From, Until: k.Until}
	if !k.Used.IsZero() {
		out.Used = &k.Used
	}
	if !k.Revoked.IsZero() {
		out.Revoked = &k.Revoked
	}
	return out
}

func (a *API) keys() {
	const base, one, tag = "/v1/keys", "/v1/keys/{id}", "accounts"
	type listInput struct {
		Owner string `query:"owner" maxLength:"100" doc:"Only of this owner."`
	}
	get(a, op{Path: base, ID: "listKeys", Tag: tag, Right: auth.KeysSee, Words: "Keys, without their secrets", ZH: "密钥列表（不含密钥内容）。"},
		func(ctx context.Context, in *listInput) (List[Key], error) {
			keys, err := a.Keys.List(ctx, in.Owner)
			out := listOf[Key](nil)
			for _, k := range keys {
				out.Items = append(out.Items, keyOf(k))
			}
			return out, err
		})
	type makeInput struct{ Body Key }
	post(a, op{Path: base, ID: "makeKey", Tag: tag, Right: auth.KeysChange, Status: 201, Secret: true, Words: "Make a key; its secret is shown once", ZH: "生成密钥；只显示一次。"},
		func(ctx context.Context, in *makeInput) (MadeKey, error) {
			b := in.Body
			k, secret, err := a.Keys.Make(ctx, auth.Key{Owner: b.Owner, Title: b.Title, Kind: b.Kind, Roles: b.Roles, Rights: b.Rights, Scope: auth.Scope(b.Scope), Networks: b.Networks, From: b.From, Until: b.Until})
			return MadeKey{Key: keyOf(k), Secret: secret}, err
		})
	type rotateInput struct {
		ByID
		Body struct {
			Hours int       `json:"hours" minimum:"0" maximum:"2160" doc:"for how long the old one is still good"`
			Until time.Time `json:"until,omitzero" doc:"end of the new one; absent: a year from now, of a third party's the end of the old one"`
		}
	}
	post(a, op{Path: one + "/rotate", ID: "rotateKey", Tag: tag, Right: auth.KeysChange, Secret: true, Words: "Make a key's successor; both are good for a while", ZH: "轮换密钥：新旧并用一段时间。"},
		func(ctx context.Context, in *rotateInput) (MadeKey, error) {
			k, secret, err := a.Keys.Rotate(ctx, in.ID, time.Duration(in.Body.Hours)*time.Hour, in.Body.Until)
			return MadeKey{Key: keyOf(k), Secret: secret}, err
		})
	register(a, op{Method: "DELETE", Path: one, ID: "revokeKey", Tag: tag, Right: auth.KeysChange, Words: "Revoke a key at once", ZH: "立即吊销密钥。"},
		func(ctx context.Context, in *ByID) (*struct{}, error) { return nil, a.Keys.Revoke(ctx, in.ID) })
}

// Act is one entry of the audit trail.
type Act struct {
	audit.Entry
	Hash string `json:"hash"`
}

func (a *API) audits() {
	const base, tag = "/v1/audit", "audit"
	type listInput struct {
		Cursor  int64     `query:"cursor" minimum:"0" doc:"The next of the page before; 0: the newest."`
		Limit   int       `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"At most so many."`
		From    time.Time `query:"from" doc:"Not before."`
		Until   time.Time `query:"until" doc:"Before."`
		Actor   string    `query:"actor" maxLength:"100" doc:"By this account."`
		Action  string    `query:"action" maxLength:"64" doc:"This action, or the beginning of one."`
		Kind    string    `query:"kind" maxLength:"64" doc:"Done to this kind of thing."`
		ID      string    `query:"id" maxLength:"200" doc:"Done to this thing."`
		USCC    string    `query:"uscc" maxLength:"18" doc:"About this code."`
		Purpose string    `query:"purpose" maxLength:"210" doc:"For this purpose."`
		Outcome string    `query:"outcome" enum:"done,refused,failed" doc:"With this outcome."`
	}
	type page struct {
		Items []Act `json:"items" nullable:"false"`
		Next  int64 `json:"next" doc:"cursor of the following page; 0: this was the last"`
	}
	get(a, op{Path: base, ID: "listActs", Tag: tag, Right: auth.AuditSee, Words: "Who did or viewed what, the newest first", ZH: "审计记录，最新在前。"},
		func(ctx context.Context, in *listInput) (page, error) {
			entries, next, err := a.Desk.Trail.List(ctx, audit.Filter{From: in.From, Until: in.Until, Actor: in.Actor, Action: in.Action, Kind: in.Kind, ID: in.ID,
				USCC: in.USCC, Purpose: in.Purpose, Outcome: in.Outcome, After: in.Cursor, Limit: in.Limit})
			out := page{Items: []Act{}, Next: next}
			for _, e := range entries {
				out.Items = append(out.Items, Act{Entry: e, Hash: e.Hash})
			}
			return out, err
		})
	post(a, op{Path: base + "/verify", ID: "verifyTrail", Tag: tag, Right: auth.AuditSee, Words: "Check the whole trail", ZH: "校验审计链。"},
		func(ctx context.Context, _ *Empty) (audit.Report, error) { return a.Desk.Trail.Verify(ctx) })
}
