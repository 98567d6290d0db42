// Package alerts owns what the hub tells people by itself: the rules that find something that needs
// a person, that each is raised once and ends when the cause is gone, and the messages about it by
// mail and webhook. It refuses to mend anything, and to gather what the rules look at: that comes from
// cmd. Alerts are kept in run state, where the console lists them; messages go out at least once, each
// with an id that stays the same.
package alerts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How bad it is.
const (
	Warning  = "warning"  // somebody should look today
	Critical = "critical" // somebody should look now
)

// Finding is what a rule found to be so at this moment.
type Finding struct {
	Rule    string
	Subject string // with the rule its name: while it lasts it is one alert
	Level   string
	ZH, EN  string // one sentence that says what is so and what to do
}

// Alert is a finding that was told.
type Alert struct {
	ID        string    `json:"id"`
	Rule      string    `json:"rule"`
	Subject   string    `json:"subject"`
	Level     string    `json:"level"`
	ZH        string    `json:"zh"`
	EN        string    `json:"en"`
	Raised    time.Time `json:"raised"`
	Seen      time.Time `json:"seen"` // zero: nobody has
	SeenBy    string    `json:"seen_by,omitempty"`
	Escalated time.Time `json:"escalated"` // zero: not
	Ended     time.Time `json:"ended"`     // zero: it lasts
}

// What a message says about its alert.
const (
	Raised    = "raised"
	Escalated = "escalated"
	Ended     = "ended"
)

// Message is one alert on its way to one channel.
type Message struct {
	ID      string
	Event   string
	Channel string
	At      time.Time
	Attempt int // 1 for the first
	Alert   Alert
}

// Store keeps alerts and their messages. All nodes share it.
type Store interface {
	// OpenAlerts gives the alerts that last, the oldest first.
	OpenAlerts(ctx context.Context) ([]Alert, error)
	// RaiseAlert stores an alert with a message for each channel in one transaction; false when one of
	// this rule and subject lasts already.
	RaiseAlert(ctx context.Context, a Alert, channels []string) (bool, error)
	// MarkAlert ends or escalates an alert, with a message for each channel, in one transaction; false
	// when somebody did before. Words and level are brought up to date.
	MarkAlert(ctx context.Context, a Alert, event string, at time.Time, channels []string) (bool, error)
	// ClaimMessage takes the next message that is due, which nobody else then gets for a while.
	ClaimMessage(ctx context.Context, hold time.Duration) (Message, bool, error)
	// MessageSent closes a message.
	MessageSent(ctx context.Context, id string) error
	// MessageFailed has a message tried again at a time; the zero time gives it up.
	MessageFailed(ctx context.Context, id string, why string, next time.Time) error
}

// Rule looks for one kind of trouble.
type Rule struct {
	Name string
	Find func(ctx context.Context) ([]Finding, error)
	// Local says that each node finds what is so on its own machine. Its findings bear the node's name, and
	// they end by that node, or by any once that node is gone.
	Local bool
}

// Channel delivers messages. Send may be called again with the same message.
type Channel interface {
	// Name is what messages for it are kept under; it stays the same over restarts.
	Name() string
	// Wants says whether the channel tells of an event.
	Wants(event string) bool
	Send(ctx context.Context, m Message) error
}

// Keeper looks, tells and escalates. Its fields are set once, before use.
type Keeper struct {
	Store         Store
	Rules         []Rule
	Channels      []Channel
	Now           func() time.Time
	Node          string                                      // that looks
	Nodes         func(ctx context.Context) ([]string, error) // that are there; nil: this one alone
	EscalateAfter time.Duration                               // 0: never
	Failed        func(what string, err error)
}

// Look runs every rule once. What is found and not told yet is raised, and raised anew when a warning
// becomes critical; what was told and is not found any more ends; what nobody saw for too long is
// escalated. A rule that fails changes nothing of its own alerts and does not hold up the others.
func (k *Keeper) Look(ctx context.Context) error {
	open, err := k.Store.OpenAlerts(ctx)
	if err != nil {
		return err
	}
	now := k.Now()
	var errs []error
	for _, rule := range k.Rules {
		found, err := rule.Find(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %s: %w", rule.Name, err))
			continue
		}
		mine := open
		if rule.Local {
			if found, mine, err = k.local(ctx, found, open); err != nil {
				errs = append(errs, fmt.Errorf("rule %s: %w", rule.Name, err))
				continue
			}
		}
		errs = append(errs, k.apply(ctx, rule.Name, found, mine, now))
	}
	for _, a := range open {
		if k.EscalateAfter > 0 && a.Seen.IsZero() && a.Escalated.IsZero() && now.Sub(a.Raised) >= k.EscalateAfter {
			_, err := k.Store.MarkAlert(ctx, a, Escalated, now, k.channels(Escalated))
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// local names this node in what it found, and gives the alerts that are its own to look after.
func (k *Keeper) local(ctx context.Context, found []Finding, open []Alert) (named []Finding, mine []Alert, err error) {
	others := []string{}
	if k.Nodes != nil {
		if others, err = k.Nodes(ctx); err != nil {
			return nil, nil, err
		}
	}
	for _, f := range found {
		f.Subject = k.Node + nodeSign + f.Subject
		f.ZH += "（节点 " + k.Node + "）"
		f.EN += " (node " + k.Node + ")"
		named = append(named, f)
	}
	for _, a := range open {
		if node, _, _ := strings.Cut(a.Subject, nodeSign); node == k.Node || !slices.Contains(others, node) {
			mine = append(mine, a)
		}
	}
	return named, mine, nil
}

const nodeSign = ": " // between a node's name and what it found

func (k *Keeper) apply(ctx context.Context, rule string, found []Finding, open []Alert, now time.Time) error {
	var errs []error
	lasting := map[string]bool{}
	for _, f := range found {
		lasting[f.Subject] = true
		if at := slices.IndexFunc(open, func(a Alert) bool { return a.Rule == rule && a.Subject == f.Subject }); at >= 0 {
			if open[at].Level != Warning || f.Level != Critical {
				continue
			}
			// It has become worse: it is told anew, under a name of its own, and wants to be seen again.
			if ours, err := k.Store.MarkAlert(ctx, open[at], Ended, now, nil); err != nil || !ours {
				errs = append(errs, err)
				continue
			}
		}
		a := Alert{ID: idOf(rule, f.Subject, now), Rule: rule, Subject: f.Subject, Level: f.Level, ZH: f.ZH, EN: f.EN, Raised: now}
		_, err := k.Store.RaiseAlert(ctx, a, k.channels(Raised))
		errs = append(errs, err)
	}
	for _, a := range open {
		if a.Rule == rule && !lasting[a.Subject] {
			_, err := k.Store.MarkAlert(ctx, a, Ended, now, k.channels(Ended))
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (k *Keeper) channels(event string) []string {
	var names []string
	for _, c := range k.Channels {
		if c.Wants(event) {
			names = append(names, c.Name())
		}
	}
	return names
}

func idOf(rule, subject string, raised time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x1f%s\x1f%d", rule, subject, raised.UnixMilli()))
	return "alert-" + raised.UTC().Format("20060102T150405") + "-" + hex.EncodeToString(sum[:6])
}

// waits are the distances between the attempts of one message: about a day in all.
var waits = []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 16 * time.Hour}

// holdFor is how long a node has for one message before another may try.
const holdFor = 2 * time.Minute

// Send delivers what is due. A channel that fails does not hold up the others, and a message that
// cannot be delivered for a day is given up, with the reason kept.
func (k *Keeper) Send(ctx context.Context) error {
	for ctx.Err() == nil {
		m, found, err := k.Store.ClaimMessage(ctx, holdFor)
		if err != nil || !found {
			return err
		}
		if err := k.deliver(ctx, m); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (k *Keeper) deliver(ctx context.Context, m Message) error {
	at := slices.IndexFunc(k.Channels, func(c Channel) bool { return c.Name() == m.Channel })
	if at < 0 {
		return k.Store.MessageFailed(ctx, m.ID, "the channel is not configured any more", time.Time{})
	}
	sending, cancel := context.WithTimeout(ctx, holdFor/2)
	defer cancel()
	err := k.Channels[at].Send(sending, m)
	if err == nil {
		return k.Store.MessageSent(ctx, m.ID)
	}
	if ctx.Err() != nil {
		return ctx.Err() // it stays due
	}
	if k.Failed != nil {
		k.Failed("send "+m.ID+" by "+m.Channel, err)
	}
	var next time.Time
	if m.Attempt <= len(waits) {
		next = k.Now().Add(waits[m.Attempt-1])
	}
	return k.Store.MessageFailed(ctx, m.ID, err.Error(), next)
}
