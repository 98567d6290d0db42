package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/catalog"
	"xinshu/internal/alerts"
	"xinshu/internal/auth"
	"xinshu/internal/cases"
	"xinshu/internal/desk"
	"xinshu/internal/release"
	"xinshu/pipelines/schedule"
)

// watched is a hub whose clock the test moves, with its keeper.
type watched struct {
	*testing.T
	*app
	keeper *alerts.Keeper
	at     time.Time
}

func newWatched(t *testing.T, c Config) *watched {
	t.Helper()
	w := &watched{T: t, at: time.Date(2025, 11, 12, 10, 0, 0, 0, shanghai)} // a Wednesday
	c.Data = t.TempDir()
	c.defaults()
	var err error
	if w.app, err = openApp(t.Context(), c, func() time.Time { return w.at }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.app.Close() })
	if w.keeper, err = w.app.keeper(slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// lasting looks and gives what lasts under a rule: subject and level.
func (w *watched) lasting(rule string) string {
	w.Helper()
	w.ok(w.keeper.Look(w.Context()))
	open, err := w.state.OpenAlerts(w.Context())
	w.ok(err)
	var all []string
	for _, a := range open {
		if a.Rule == rule {
			all = append(all, a.Subject+" "+a.Level)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func (w *watched) expect(rule, want, when string) {
	w.Helper()
	if got := w.lasting(rule); got != want {
		w.Errorf("%s: %q lasts under %s, not %q", when, got, rule, want)
	}
}

func TestACaseThatRunsOutOfTimeIsTold(t *testing.T) {
	w := newWatched(t, Config{})
	c, err := w.state.AddCase(t.Context(), cases.Case{Kind: cases.Objection, State: cases.Accepted, USCC: "91350100M000100Y43",
		ReceivedOn: catalog.DateOf(w.at), WaitingSince: catalog.NoDate, Limit: cases.Limit{Days: 5, Pauses: true}}, cases.Event{At: w.at, By: "li", What: cases.Accepted})
	w.ok(err)
	w.expect(alerts.Case, "", "five days before")
	w.at = w.at.AddDate(0, 0, 5) // Monday, two working days before Wednesday
	w.expect(alerts.Case, c.No+" warning", "two working days before")
	w.at = w.at.AddDate(0, 0, 3)
	w.expect(alerts.Case, c.No+" critical", "the day after its last")
	if open, _ := w.state.OpenAlerts(t.Context()); strings.Contains(open[0].ZH+open[0].EN, c.USCC) {
		t.Error("an alert names whom a case is about")
	}
	c.State, c.Decision = cases.Upheld, &cases.Decision{Upheld: true, DecidedOn: catalog.DateOf(w.at), Reason: "错"}
	_, err = w.state.SaveCase(t.Context(), c, cases.Event{At: w.at, By: "li", What: cases.Upheld})
	w.ok(err)
	w.expect(alerts.Case, "", "decided")
}

func TestAChangeThatNobodyAnswersIsTold(t *testing.T) {
	three := 3
	w := newWatched(t, Config{Alerts: AlertsConfig{ProposalDays: &three}})
	p, err := w.state.AddProposal(t.Context(), release.Proposal{Part: release.Policy, Subject: "henan-2020", State: release.Proposed, File: "policies/henan-2020.yaml", Text: "x", SHA256: "1", Note: "n", By: "user:li", At: w.at, InForce: catalog.DateOf(w.at)})
	w.ok(err)
	w.at = w.at.AddDate(0, 0, 5) // Monday: three working days
	w.expect(alerts.Proposal, "", "three working days")
	w.at = w.at.AddDate(0, 0, 1)
	w.expect(alerts.Proposal, p.ID+" warning", "four")
	p.State, p.AnsweredBy, p.AnsweredAt = release.Refused, "user:wang", w.at
	w.ok(w.state.AnswerProposal(t.Context(), p))
	w.expect(alerts.Proposal, "", "answered")
}

func TestANodeWithAWrongClockIsTold(t *testing.T) {
	w := newWatched(t, Config{Node: "a"})
	beat := func(skew time.Duration) { // what that node itself takes the time to be stands in its beat
		right := w.at.Add(time.Minute)
		w.at = right.Add(skew)
		_, _, err := w.state.Beat(t.Context(), schedule.Node{ID: "b/1", Name: "b", Started: w.at, Skew: skew}, nil, time.Minute)
		w.at = right
		w.ok(err)
	}
	beat(4 * time.Second)
	w.expect(alerts.Clock, "", "a little off")
	beat(-12 * time.Second)
	w.expect(alerts.Clock, "b warning", "behind")
	beat(-time.Hour)
	w.expect(alerts.Clock, "b critical", "so far behind that it takes nothing")
	w.expect(alerts.Node, "", "it lives, whatever its clock says")
	beat(0)
	w.expect(alerts.Clock, "", "mended")
	beat(time.Hour)
	w.at = w.at.Add(5 * time.Minute)
	w.expect(alerts.Clock, "", "gone, which is told as that")
	w.expect(alerts.Node, "b critical", "a clock that is ahead does not hide that it is gone")
}

// pair is a certificate that ends after a time, and its key.
func pair(t *testing.T, until time.Time) (certificate, private string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func TestCertificatesAndKeysThatWereMadeInTheConsoleAreTold(t *testing.T) {
	w := newWatched(t, Config{})
	ctx := auth.With(t.Context(), auth.Shell("test"))
	cert, key := pair(t, w.at.AddDate(0, 0, 20))
	saved, faults, err := w.desk.SaveConnection(ctx, desk.Draft{Role: desk.TargetRole, ID: "city", Kind: "restapi", Values: map[string]string{"url": "https://share.example.gov.cn", "client_cert": cert, "client_key": key}})
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	made, _, err := w.keys.Make(ctx, auth.Key{Owner: "client:city", Title: "等级", Kind: auth.Signed, Roles: []auth.Role{auth.Downstream}, Until: w.at.AddDate(0, 0, 10)})
	w.ok(err)
	w.expect(alerts.Expiry, "certificate target city: client_cert warning; key "+made.ID+" 等级 warning", "near their ends")
	w.at = w.at.AddDate(0, 0, 4)
	w.expect(alerts.Expiry, "certificate target city: client_cert warning; key "+made.ID+" 等级 critical", "the key nearer")
	_, _, err = w.keys.Rotate(ctx, made.ID, 7*24*time.Hour, w.at.AddDate(1, 0, 0))
	w.ok(err)
	w.expect(alerts.Expiry, "certificate target city: client_cert warning", "the key has a successor")
	cert, key = pair(t, w.at.AddDate(1, 0, 0))
	_, faults, err = w.desk.SaveConnection(ctx, desk.Draft{Role: desk.TargetRole, ID: "city", Kind: "restapi", Version: saved.Version, Values: map[string]string{"url": "https://share.example.gov.cn", "client_cert": cert, "client_key": key}})
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	w.expect(alerts.Expiry, "", "renewed")
}
