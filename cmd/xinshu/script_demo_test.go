package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"xinshu/catalog"
	"xinshu/internal/explain"
	"xinshu/internal/simulate"
	"xinshu/sql"
)

// onePenalty finds an entity of a demo's hub that one penalty alone brought down to a grade, an act that
// two platforms report, and names it, the penalty's document number and who made it in USCC, DOC and
// AUTHORITY.
func onePenalty(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "onepenalty DATA POLICY GRADE")
	t, ok := ts.Value(testing.TB(nil)).(testing.TB)
	if !ok {
		ts.Fatalf("the script runs without a test")
	}
	ctx, dir := t.Context(), ts.MkAbs(args[0])
	var codes []string
	for key, grade := range publishedGrades(t, dir) {
		if uscc, of := strings.CutPrefix(key, args[1]+"/"); of && grade == args[2] {
			codes = append(codes, uscc)
		}
	}
	slices.Sort(codes)
	a, err := openApp(ctx, Config{Data: dir, Store: StoreConfig{Kind: "folder"}, MaskKey: "unused", Score: ScoreConfig{MemoryMB: 384}}, hubClock)
	ts.Check(err)
	defer func() { ts.Check(a.Close()) }()
	policy, err := findPolicy(a.catalog, args[1])
	ts.Check(err)
	clocks, _, err := a.desk.Clocks(ctx, policy, catalog.NoDate)
	ts.Check(err)
	x, err := explain.Open(ctx, explain.Options{Lake: a.lake, SQL: sql.Files, Duck: a.duck, Policy: policy, Platforms: a.catalog.PlatformDatasets()})
	ts.Check(err)
	defer func() { ts.Check(x.Close()) }()
	for _, uscc := range codes {
		e, err := x.Entity(ctx, uscc, clocks)
		ts.Check(err)
		minus := slices.DeleteFunc(slices.Clone(e.Lines), func(l explain.Line) bool { return l.Points >= 0 })
		if len(minus) != 1 || !strings.HasSuffix(minus[0].Dataset, ".penalty") {
			continue
		}
		_, records, err := x.Records(ctx, uscc, catalog.DateOf(hubClock()))
		ts.Check(err)
		records = slices.DeleteFunc(records, func(r explain.Record) bool { return r.DocNo != minus[0].DocNo })
		if len(records) != 2 {
			continue
		}
		ts.Setenv("USCC", uscc)
		ts.Setenv("DOC", minus[0].DocNo)
		ts.Setenv("AUTHORITY", records[0].Authority)
		return
	}
	ts.Fatalf("of %d entities graded %s none was brought there by one penalty that two platforms report", len(codes), args[2])
}

// exchange writes what a platform of a demo's province holds of its targets: policy, code, kind, grade,
// version.
func exchange(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 5, "exchange DATA SEED ENTITIES TARGET FILE")
	seed, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	entities, err := strconv.Atoi(args[2])
	ts.Check(err)
	cat, _ := loadCatalog(Config{})
	province, err := simulate.New(seed, entities, cat)
	ts.Check(err)
	world, err := simulate.Open(filepath.Join(ts.MkAbs(args[0]), "province"), "127.0.0.1:0", cat, province, time.Now)
	ts.Check(err)
	defer func() { ts.Check(world.Close()) }()
	held, err := world.Receiver.Holdings(args[3])
	ts.Check(err)
	var b strings.Builder
	for _, h := range held {
		fmt.Fprintf(&b, "%s %s %s %s %d\n", h.Policy, h.USCC, h.Kind, h.Grade, h.Version)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[4]), []byte(b.String()), 0o600))
}
