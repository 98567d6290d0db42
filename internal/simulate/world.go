package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"xinshu/catalog"
)

// Supply is what the servers need of the generated province.
type Supply interface {
	Columns(dataset string) []string
	// DayRows gives one day's rows of a dataset in the order the department sends them.
	DayRows(dataset string, day int) [][]string
}

// World is the province as the hub sees it: platforms and departments that answer on loopback, and
// receivers that take results. What departments lay down survives in its folder, so that a killed hub
// finds the same world again.
type World struct {
	dir      string
	catalog  *catalog.Catalog
	supply   Supply
	day      int
	datasets []catalog.Dataset
	ways     map[string]way

	gatewayed, tokened, open *restPlatform
	http                     *http.Server
	addr                     string
	sftp                     *sftpServer
	frontends                map[string]*frontend
	Receiver                 *Receiver
	serving                  chan error
}

// way is how one dataset is handed over.
type way struct {
	kind string // restapi, dbtable, files
	door string // gateway, token, open; flag, watermark, full; sftp, folder
	form string // of a file
}

// The platforms behind the national gateway, and those that hand out tokens; the rest answer openly.
var (
	gatewayOwners = map[string]bool{"nat-share": true, "nat-credit": true, "court": true, "customs": true}
	tokenOwners   = map[string]bool{"tax": true, "hrss": true, "ecology": true, "medins": true, "prov-credit": true}
	folderOwners  = map[string]bool{"city-gov": true, "post": true, "cad": true, "city-share": true}
	forms         = []string{formGB18030, formCSV, formBOM, formJSON, formLines}
	modes         = []string{"watermark", "flag"}
)

// The world's fixed keys: they protect nothing, the world lives on loopback and holds made-up data.
const (
	appKey       = "0123456789abcdef0123456789abcdef"
	requester    = "hub-demo-0001"
	bearerToken  = "province-demo-token"
	sftpUser     = "exchange"
	sftpPassword = "exchange-demo"
	one503In     = 17
)

// Open starts the world's servers in dir, the HTTP one at addr, the others on free ports of loopback.
// Nothing is to be had before the first Advance.
func Open(dir, addr string, cat *catalog.Catalog, supply Supply, now func() time.Time) (*World, error) {
	dir, err := filepath.Abs(dir) // the SFTP server has a working directory of its own
	if err != nil {
		return nil, fmt.Errorf("open simulated province: %w", err)
	}
	w := &World{dir: dir, catalog: cat, supply: supply, ways: map[string]way{}, frontends: map[string]*frontend{}, serving: make(chan error, 1)}
	w.datasets = append(w.datasets, cat.Datasets...)
	sort.Slice(w.datasets, func(i, j int) bool { return w.datasets[i].ID < w.datasets[j].ID })
	for i, ds := range w.datasets {
		w.ways[ds.ID] = wayOf(ds, i)
	}
	for _, sub := range []string{"exports", "folders", "frontend", "inbox/housing"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o750); err != nil {
			return nil, fmt.Errorf("open simulated province: %w", err)
		}
	}
	w.gatewayed = &restPlatform{every: one503In, tables: map[string]*table{}, gateway: &gateway{appKey: appKey, rid: requester, lifetime: 20 * time.Minute, now: now}}
	w.tokened = &restPlatform{every: one503In, tables: map[string]*table{}, token: bearerToken}
	w.open = &restPlatform{every: one503In, tables: map[string]*table{}}
	if w.Receiver, err = openReceiver(filepath.Join(dir, "received.db")); err != nil {
		return nil, err
	}
	if w.sftp, err = startSFTP(filepath.Join(dir, "exports"), sftpUser, sftpPassword); err != nil {
		return nil, errors.Join(err, w.Receiver.Close())
	}
	if err := w.listen(addr); err != nil {
		w.sftp.close()
		return nil, errors.Join(err, w.Receiver.Close())
	}
	return w, nil
}

func (w *World) listen(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for the simulated platforms: %w", err)
	}
	w.addr = "http://" + listener.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("/sysapi/", w.gatewayed.handler())
	mux.Handle("/gateway/", w.gatewayed.handler())
	mux.Handle("/token/", w.tokened.handler())
	mux.Handle("/open/", w.open.handler())
	mux.Handle("/receive/", w.Receiver.handler())
	w.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { w.serving <- w.http.Serve(listener) }()
	return nil
}

// wayOf spreads the datasets over the ways their contracts name; i varies form and mode.
func wayOf(ds catalog.Dataset, i int) way {
	switch ds.Way {
	case "dbtable":
		return way{kind: "dbtable", door: modes[i%len(modes)]}
	case "files":
		door := "sftp"
		if folderOwners[ds.Owner] {
			door = "folder"
		}
		return way{kind: "files", door: door, form: forms[i%len(forms)]}
	}
	door := "open"
	if gatewayOwners[ds.Owner] {
		door = "gateway"
	} else if tokenOwners[ds.Owner] {
		door = "token"
	}
	return way{kind: "restapi", door: door}
}

// Advance lets the province live up to day (1 is the first): each department lays down what it has
// to say on that day. Repeating a day changes nothing.
func (w *World) Advance(ctx context.Context, day int) error {
	for d := w.day + 1; d <= day; d++ {
		for _, ds := range w.datasets {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.handOver(ds, d); err != nil {
				return fmt.Errorf("day %d of %s: %w", d, ds.ID, err)
			}
		}
		w.day = d
	}
	return nil
}

func (w *World) handOver(ds catalog.Dataset, day int) error {
	columns, rows := w.supply.Columns(ds.ID), w.supply.DayRows(ds.ID, day)
	if len(rows) == 0 && day > 1 {
		return nil
	}
	switch how := w.ways[ds.ID]; how.kind {
	case "dbtable":
		db, ok := w.frontends[ds.Owner]
		if !ok {
			var err error
			if db, err = openFrontend(filepath.Join(w.dir, "frontend"), ds.Owner); err != nil {
				return err
			}
			w.frontends[ds.Owner] = db
		}
		return db.add(ds.ID, day, columns, rows)
	case "files":
		if len(rows) == 0 {
			return os.MkdirAll(w.exportDir(ds), 0o750)
		}
		name := fmt.Sprintf("%s_%s_%s_1", frontendTable(ds.ID), ds.Owner, Days[day-1].Format("20060102150405"))
		return exportFile(w.exportDir(ds), name, how.form, columns, rows)
	default:
		p := w.platform(how.door)
		p.mu.Lock()
		defer p.mu.Unlock()
		t, ok := p.tables[ds.ID]
		if !ok {
			t = newTable(columns)
			p.tables[ds.ID] = t
		}
		t.add(rows)
		return nil
	}
}

func (w *World) platform(door string) *restPlatform {
	switch door {
	case "gateway":
		return w.gatewayed
	case "token":
		return w.tokened
	}
	return w.open
}

func (w *World) exportDir(ds catalog.Dataset) string {
	top := "exports"
	if w.ways[ds.ID].door == "folder" {
		top = "folders"
	}
	return filepath.Join(w.dir, top, ds.Owner, strings.TrimPrefix(ds.ID, ds.Owner+"."))
}

// Refused counts the requests that were answered 503.
func (w *World) Refused() int64 {
	return w.gatewayed.refused.Load() + w.tokened.refused.Load() + w.open.refused.Load()
}

// Repeated counts the pages that were answered with the page before.
func (w *World) Repeated() int64 {
	return w.gatewayed.repeated.Load() + w.tokened.repeated.Load() + w.open.repeated.Load()
}

// Close stops the servers.
func (w *World) Close() error {
	errs := []error{w.http.Close(), w.Receiver.Close()}
	if err := <-w.serving; !errors.Is(err, http.ErrServerClosed) {
		errs = append(errs, err)
	}
	w.sftp.close()
	for _, f := range w.frontends {
		errs = append(errs, f.db.Close())
	}
	return errors.Join(errs...)
}
