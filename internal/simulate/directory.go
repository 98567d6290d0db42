package simulate

import (
	"net"
	"path/filepath"
	"strings"

	"xinshu/catalog"
)

// SourceSpec is how the hub must be set up to pull from one of the world's parties.
type SourceSpec struct {
	Name, Kind string
	Values     map[string]string
	Datasets   map[string]map[string]string // dataset id to its settings on this source
}

// TargetSpec is how the hub must be set up to push to one of the world's parties.
type TargetSpec struct {
	ID, Kind   string
	Values     map[string]string
	Policies   []string
	Regions    []string
	Industries []string
	Fields     []string
	Public     bool
}

// Sources describes every party that can be pulled from, in the order of their names.
func (w *World) Sources() []SourceSpec {
	byName := map[string]*SourceSpec{}
	var names []string
	for _, ds := range w.datasets {
		how := w.ways[ds.ID]
		name := ds.Owner + "-" + how.door
		if how.kind == "dbtable" {
			name = ds.Owner + "-frontend"
		}
		s, ok := byName[name]
		if !ok {
			s = &SourceSpec{Name: name, Kind: how.kind, Values: w.connection(ds, how), Datasets: map[string]map[string]string{}}
			byName[name] = s
			names = append(names, name)
		}
		s.Datasets[ds.ID] = job(ds, how)
	}
	specs := make([]SourceSpec, len(names))
	for i, name := range names {
		specs[i] = *byName[name]
	}
	return specs
}

func (w *World) connection(ds catalog.Dataset, how way) map[string]string {
	switch how.kind {
	case "dbtable":
		return map[string]string{"engine": "sqlite", "path": filepath.Join(w.dir, "frontend", ds.Owner+".db")}
	case "files":
		if how.door == "folder" {
			return map[string]string{"place": "folder", "root": filepath.Join(w.dir, "folders", ds.Owner)}
		}
		host, port, _ := net.SplitHostPort(w.sftp.addr()) // our own listener's address always splits
		return map[string]string{"place": "sftp", "root": ds.Owner, "host": host, "port": port, "user": sftpUser, "password": sftpPassword, "host_key": w.sftp.fingerprint()}
	}
	values := map[string]string{"url": w.addr, "rate": "1000"}
	switch how.door {
	case "gateway":
		values["profile"], values["id"], values["secret"] = "national", requester, appKey
	case "token":
		values["profile"], values["secret"] = "bearer", bearerToken
	}
	return values
}

func job(ds catalog.Dataset, how way) map[string]string {
	switch how.kind {
	case "dbtable":
		return map[string]string{"table": frontendTable(ds.ID), "mode": how.door, "key": "row_id"}
	case "files":
		slug := strings.TrimPrefix(ds.ID, ds.Owner+".")
		return map[string]string{"folder": slug, "ready": "ok", "checksum": "required", "done": slug + "/done"}
	}
	values := map[string]string{"path": how.door + "/" + ds.ID}
	if how.door == "gateway" {
		values["sid"] = "s_" + frontendTable(ds.ID)
	}
	return values
}

// Targets describes the parties that take results: the city's exchange platform takes everything, the
// province two policies, two departments a part, one of them as files, and the public site nothing
// that is a trial.
func (w *World) Targets() []TargetSpec {
	rest := func(id string) map[string]string {
		return map[string]string{"url": w.addr, "profile": "openapi", "id": receiverID, "secret": receiverSecret, "push_path": "receive/" + id, "rate": "1000"}
	}
	return []TargetSpec{
		{ID: "city-share", Kind: "restapi", Values: rest("city-share")},
		{ID: "prov-credit", Kind: "restapi", Values: rest("prov-credit"), Policies: []string{"henan-2020", "heilongjiang-2021"}},
		{ID: "transport", Kind: "restapi", Values: rest("transport"), Regions: []string{"4104"}, Industries: []string{"G"}, Fields: []string{"name", "grade", "class"}},
		{ID: "housing", Kind: "files", Values: map[string]string{"place": "folder", "root": filepath.Join(w.dir, "inbox", "housing"), "packet": "xml"}, Policies: []string{"henan-2020"}, Industries: []string{"E", "K"}},
		{ID: "credit-site", Kind: "restapi", Values: rest("credit-site"), Public: true},
	}
}
