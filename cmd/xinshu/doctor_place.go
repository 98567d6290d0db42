package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"xinshu/catalog"
	"xinshu/internal/alerts"
)

// folder looks at the data folder: whether it can be written, who may read it, what room is left.
func (d *doctor) folder() {
	dir := d.config.Data
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		d.warn("data", "nothing, if this hub is new; else check data", "%s is not there yet; it is made at the first start", dir)
		parent := filepath.Dir(dir)
		if _, err := os.Stat(parent); err == nil {
			d.writable(parent)
		}
		return
	}
	if err != nil || !info.IsDir() {
		d.bad("data", "give a folder with data or --data", "%s is no folder that can be read", dir)
		return
	}
	d.writable(dir)
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		d.warn("data", "chmod o-rwx "+dir, "everybody on this machine may look into %s (%04o)", dir, mode)
	}
	disks, err := (&app{config: d.config}).disks()
	if err != nil {
		d.fault("disk", err, "")
		return
	}
	percent := uint64(10)
	if p := d.config.Alerts.DiskPercent; p > 0 {
		percent = uint64(p)
	}
	for _, disk := range disks {
		if found := alerts.FullDisks([]alerts.Space{disk}, percent); len(found) > 0 {
			d.add("disk", found[0], "make room, or move the folder to a larger disk")
			continue
		}
		d.ok("disk", "%s has %d MB (%d%%) left", disk.Path, disk.Free>>20, disk.Free*100/max(disk.Total, 1))
	}
}

// add tells what a rule of the alerts found.
func (d *doctor) add(area string, f alerts.Finding, do string) {
	if f.Level == alerts.Critical {
		d.bad(area, do, "%s", f.EN)
		return
	}
	d.warn(area, do, "%s", f.EN)
}

func (d *doctor) writable(dir string) {
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		d.bad("data", "give the hub's user the right to write there", "%s", err)
		return
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		d.bad("data", "", "%s", err)
		return
	}
	d.ok("data", "%s can be written", dir)
}

// catalogue looks for broken files and for missing calendars.
func (d *doctor) catalogue() {
	cat, faults := loadCatalog(d.config)
	for _, f := range faults {
		d.bad("catalogue", "mend the file; a hub that serves keeps what it read before, one that starts leaves the file out", "%s", f)
	}
	if len(faults) == 0 {
		d.ok("catalogue", "%d departments, %d datasets, %d policies", len(cat.Departments), len(cat.Datasets), len(cat.Policies))
	}
	year := d.now().Year()
	have := map[int]bool{}
	for _, y := range cat.Calendars.Years() {
		have[y.Year] = true
	}
	switch {
	case !have[year]:
		d.bad("calendar", "add calendars/"+date4(year)+".yaml to the catalogue folder, from the State Council's notice of holidays", "there is no calendar of working days for %d: terms of cases and lateness cannot be counted", year)
	case !have[year+1] && d.now().Month() >= time.November:
		d.warn("calendar", "add calendars/"+date4(year+1)+".yaml to the catalogue folder as soon as the State Council's notice is out", "there is no calendar of working days for %d yet", year+1)
	default:
		d.ok("calendar", "working days of %d are known", year)
	}
}

func date4(year int) string { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006") }

// clock looks at the zone. Wall dates are Shanghai's whatever the machine's zone is.
func (d *doctor) clock() {
	if _, err := time.LoadLocation("Asia/Shanghai"); err != nil {
		d.bad("clock", "use the binary as it was delivered: it brings its zones", "the zone Asia/Shanghai is not known")
		return
	}
	_, offset := time.Now().Zone()
	if offset != 8*60*60 {
		d.ok("clock", "this machine is at UTC%+d; the hub counts days by Shanghai's clock all the same", offset/3600)
	} else {
		d.ok("clock", "this machine and the hub count days by one clock")
	}
	if year := time.Now().Year(); year < 2025 || year > catalog.DateOf(d.now()).Time().Year()+1 {
		d.bad("clock", "set the machine's clock by a time server", "this machine believes it is %s", time.Now().Format(time.RFC3339))
	}
}

// oldKey is the age at which the doctor speaks of a change of keys.
const oldKey = 2 * 365 * 24 * time.Hour

// keyFiles looks at the keys that lie in the data folder.
func (d *doctor) keyFiles() {
	for _, k := range []struct{ file, what, rotate string }{
		{vaultFile(d.config), "vault key", "xinshu vault rotate makes a new key and seals everything anew; keep the old one for older backups"},
		{filepath.Join(d.config.Data, "mask.key"), "mask key", ""}, // a change would part old hashes of persons from new ones
	} {
		info, err := os.Stat(k.file)
		if errors.Is(err, fs.ErrNotExist) {
			if k.what == "vault key" && d.config.Vault.Key != "" {
				d.ok("keys", "the vault key comes from the config; to change it: make one with xinshu vault key, put it first and the old one into vault.old_keys, then xinshu vault rotate")
			}
			continue
		}
		if err != nil {
			d.bad("keys", "give the hub's user the right to read it", "%s", err)
			continue
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			d.bad("keys", "chmod 600 "+k.file+", and change the key if anybody else was on this machine", "others than the hub may read the %s %s (%04o)", k.what, k.file, mode)
			continue
		}
		age := time.Since(info.ModTime())
		if age > oldKey && k.rotate != "" {
			d.warn("keys", k.rotate, "the %s is %d days old", k.what, int(age.Hours()/24))
			continue
		}
		d.ok("keys", "the %s lies in %s, %d days old, for the hub alone; keep a copy apart from the backups. %s", k.what, k.file, int(age.Hours()/24), k.rotate)
	}
}

// alerting says whether anybody would hear of trouble.
func (d *doctor) alerting() {
	if c := d.config.Alerts; c.Mail.Server == "" && len(c.Webhooks) == 0 {
		d.warn("alerts", "set alerts.mail or alerts.webhooks", "trouble is told in the console alone")
		return
	}
	d.ok("alerts", "trouble is told by mail or webhook too")
}

// logs looks at the file of lineage events, where there is one.
func (d *doctor) logs() {
	if file := d.config.Lineage.File; file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640) //nolint:gosec // agents that send logs on read it
		if err != nil {
			d.warn("lineage", "make the folder, and give the hub's user the right to write there", "%s", err)
			return
		}
		_ = f.Close() // nothing was written
		d.ok("lineage", "%s can be written", file)
	}
}
