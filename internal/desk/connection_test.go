package desk_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
	"xinshu/internal/desk/desktest"
	"xinshu/internal/fault"
)

func folderDraft(t *testing.T) (desk.Draft, string) {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "severe.csv"), []byte(severe(2, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return desk.Draft{Role: desk.SourceRole, ID: "amr-folder", Kind: "files", Values: map[string]string{"place": "folder", "root": root},
		Datasets: map[string]map[string]string{"amr.severe": {"pattern": "*.csv"}}}, root
}

func TestASourceIsTriedSavedPulledAndRemoved(t *testing.T) {
	d := desktest.Open(t)
	ctx := desktest.As(t, auth.Administrator)
	draft, _ := folderDraft(t)
	trial, faults, err := d.TryConnection(ctx, draft, []string{"amr.severe"}, 10)
	if err != nil || len(faults) > 0 || trial.Reached == "" || len(trial.Datasets) != 1 || len(trial.Datasets[0].Rows) != 3 {
		t.Fatalf("tried: %+v %v %v", trial, faults, err)
	}
	if v := trial.Datasets[0].Rows[2].Verdict; v != "quarantined" {
		t.Errorf("the third row is %s", v)
	}
	saved, faults, err := d.SaveConnection(ctx, draft)
	if err != nil || len(faults) > 0 || saved.Version != 1 || saved.Values["place"] != "" {
		t.Fatalf("saved: %+v %v %v", saved, faults, err)
	}
	if _, _, err := d.SaveConnection(ctx, draft); !fault.Is(err, fault.Conflict) {
		t.Errorf("the name a second time: %v", err)
	}
	sources, err := d.MadeSources(ctx)
	if err != nil || len(sources) != 1 || sources[0].Datasets["amr.severe"]["pattern"] != "*.csv" {
		t.Fatalf("the pipeline gets %+v, %v", sources, err)
	}
	lines, err := d.Sources(ctx)
	if err != nil || len(lines) != 1 || lines[0].State != desk.Never || !slices.Equal(lines[0].Owners, []string{"amr"}) {
		t.Errorf("listed as %+v, %v", lines, err)
	}
	text, err := d.ExportConnection(ctx, desk.SourceRole, "amr-folder")
	if err != nil || !strings.Contains(text, "name: amr-folder") || !strings.Contains(text, "amr.severe") {
		t.Errorf("exported as %s, %v", text, err)
	}
	if err := d.RemoveConnection(ctx, desk.SourceRole, "amr-folder", saved.Version); err != nil {
		t.Fatal(err)
	}
	if left, err := d.MadeSources(ctx); err != nil || len(left) != 0 {
		t.Errorf("after its removal: %+v, %v", left, err)
	}
}

func TestFaultsOfADraftAreToldFieldByField(t *testing.T) {
	d := desktest.Open(t)
	d.Given = []desk.Given{{Role: desk.SourceRole, ID: "court", Kind: "files", Values: connectors.Values{"root": "/x"}}}
	for _, c := range []struct {
		name  string
		draft desk.Draft
		want  []string
	}{
		{"a name of the config", desk.Draft{ID: "court", Kind: "files", Values: map[string]string{"root": "/x"}, Datasets: map[string]map[string]string{"amr.severe": {}}}, []string{"id"}},
		{"a name with a slash, no dataset", desk.Draft{ID: "a/b", Kind: "files", Values: map[string]string{"root": "/x"}}, []string{"datasets", "id"}},
		{"a kind that nobody knows", desk.Draft{ID: "a", Kind: "pigeon", Datasets: map[string]map[string]string{"amr.severe": {}}}, []string{"kind"}},
		{"what must be set, and a choice that is none", desk.Draft{ID: "a", Kind: "files", Values: map[string]string{"place": "moon"}, Datasets: map[string]map[string]string{"amr.severe": {"format": "pdf"}}},
			[]string{"datasets/amr.severe/format", "values/place", "values/root"}},
		{"a file of the machine as a secret", desk.Draft{ID: "a", Kind: "files", Values: map[string]string{"root": "/x", "password": "${file:/etc/shadow}"}, Datasets: map[string]map[string]string{"amr.severe": {}}}, []string{"values/password"}},
		{"a dataset that is not there", desk.Draft{ID: "a", Kind: "files", Values: map[string]string{"root": "/x"}, Datasets: map[string]map[string]string{"amr.none": {}}}, []string{"datasets"}},
		{"a day that is none", desk.Draft{ID: "a", Kind: "files", Collected: "2025-02-30", Values: map[string]string{"root": "/x"}, Datasets: map[string]map[string]string{"amr.severe": {}}}, []string{"collected"}},
	} {
		c.draft.Role = desk.SourceRole
		faults, err := d.CheckConnection(desktest.As(t, auth.Administrator), c.draft)
		var got []string
		for _, f := range faults {
			if f.Text.ZH == "" || f.Text.EN == "" {
				t.Errorf("%s: %s has no words", c.name, f.Field)
			}
			got = append(got, f.Field)
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v, %v", c.name, got, c.want, err)
		}
	}
}

func TestSecretsAreSealedKeptAndNeverShown(t *testing.T) {
	d := desktest.Open(t)
	ctx := desktest.As(t, auth.Administrator)
	const secret = "correct-horse-battery"
	draft := desk.Draft{Role: desk.SourceRole, ID: "sftp", Kind: "files", Values: map[string]string{"place": "sftp", "root": "/data", "host": "10.0.0.9", "user": "hub", "password": secret, "host_key": "SHA256:abc"},
		Datasets: map[string]map[string]string{"amr.severe": {}}}
	saved, faults, err := d.SaveConnection(ctx, draft)
	if err != nil || len(faults) > 0 || !slices.Equal(saved.Kept, []string{"password"}) {
		t.Fatalf("saved as %+v %v %v", saved, faults, err)
	}
	kept, err := d.State.Connection(ctx, desk.SourceRole, "sftp")
	if err != nil || strings.Contains(kept.Body+kept.Secrets, secret) {
		t.Errorf("run state keeps it in clear, %v", err)
	}
	shown, err := json.Marshal(saved)
	text, exported := d.ExportConnection(ctx, desk.SourceRole, "sftp")
	if err != nil || exported != nil || strings.Contains(string(shown)+text, secret) || !strings.Contains(text, "${env:XINSHU_SFTP_PASSWORD}") {
		t.Errorf("it is shown: %s %s, %v %v", shown, text, err, exported)
	}

	again := draft
	again.Version, again.Values = saved.Version, map[string]string{"place": "sftp", "root": "/data/new", "host": "10.0.0.9", "user": "hub", "password": "", "host_key": "SHA256:abc"}
	saved, faults, err = d.SaveConnection(ctx, again)
	sources, made := d.MadeSources(ctx)
	if err != nil || made != nil || len(faults) > 0 || sources[0].Values["password"] != secret || sources[0].Values["root"] != "/data/new" {
		t.Errorf("left empty it is not kept: %v %v %v", faults, err, made)
	}
	elsewhere := again
	elsewhere.Version, elsewhere.Values = saved.Version, map[string]string{"place": "sftp", "root": "/data/new", "host": "203.0.113.7", "user": "hub", "host_key": "SHA256:abc"}
	if faults, err := d.CheckConnection(ctx, elsewhere); err != nil || len(faults) != 1 || faults[0].Field != "values/password" {
		t.Errorf("turned to another host, the secret goes along: %v %v", faults, err)
	}
	forget := again
	forget.Version, forget.Forget = saved.Version, []string{"password"}
	if saved, _, err = d.SaveConnection(ctx, forget); err != nil || len(saved.Kept) != 0 {
		t.Errorf("forgotten, it is kept: %+v %v", saved, err)
	}

	// A form that is shown again brings the secret along sealed, for the same person and for an hour.
	draft.ID = "other"
	sealed, err := d.HoldSecrets(ctx, draft)
	if err != nil || sealed == "" || strings.Contains(sealed, secret) {
		t.Fatalf("held as %q, %v", sealed, err)
	}
	draft.Sealed, draft.Values["password"] = sealed, ""
	if held, err := d.HeldSecrets(ctx, draft); err != nil || !slices.Equal(held, []string{"password"}) {
		t.Errorf("held: %v %v", held, err)
	}
	stranger := auth.With(t.Context(), auth.Actor{ID: "user:zhao"})
	if _, err := d.HeldSecrets(stranger, draft); !fault.Is(err, fault.Invalid) {
		t.Errorf("somebody else opens it: %v", err)
	}
	d.Now = func() time.Time { return desktest.Clock.Add(2 * time.Hour) }
	if _, err := d.HeldSecrets(ctx, draft); !fault.Is(err, fault.Invalid) {
		t.Errorf("after two hours: %v", err)
	}
}
