package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"xinshu/catalog"
	"xinshu/internal/release"
	"xinshu/internal/state"
)

// readCatalogue reads the catalogue as it is in force today: what was released lies over the files.
func (a *app) readCatalogue(ctx context.Context) (err error) {
	if a.released, err = a.state.Released(ctx, catalog.DateOf(a.now())); err != nil {
		return err
	}
	files := catalogFiles(a.config)
	a.files = release.Over(files, a.released)
	a.catalog, _ = release.Load(files, a.released)
	return nil
}

// loadCatalog reads the catalogue for a command that needs nothing else of the hub. A state database
// that is there and cannot be read is a fault beside those of the files.
func loadCatalog(c Config) (*catalog.Catalog, []catalog.Fault) {
	released, err := releasedBy(c)
	cat, faults := release.Load(catalogFiles(c), released)
	if err != nil {
		faults = append(slices.Clone(faults), catalog.Fault{File: "the state database", Message: "what was released cannot be read: " + err.Error()})
	}
	return cat, faults
}

// releasedBy reads what is in force. An installation that never ran has no database, and none is made.
func releasedBy(c Config) (released []release.Proposal, err error) {
	address := c.stateAddress()
	if _, err := os.Stat(address); c.Data == "" || !strings.HasPrefix(address, "postgres") && err != nil {
		return nil, nil
	}
	s, err := state.Open(context.Background(), address, hubClock)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Released(context.Background(), catalog.DateOf(hubClock()))
}
