package lake_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"xinshu/internal/chain"
	"xinshu/internal/lake"
)

// A step looks for its intent, puts its objects and commits them on the head it read.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lake-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := lake.OpenFolder(dir)
	if err != nil {
		panic(err)
	}
	l, err := lake.New(store, lake.Options{Node: "hub-1"})
	if err != nil {
		panic(err)
	}

	name, run := chain.Stage("amr.severe"), "20251028-0001"
	intent := chain.Intent("pull", run, "")
	if _, done, err := l.Find(ctx, name, intent); done || err != nil {
		return
	}
	head, err := l.Head(ctx, name)
	if err != nil {
		panic(err)
	}
	path := filepath.Join(l.TempDir(), "rows.parquet")
	if err := os.WriteFile(path, []byte("two rows"), 0o600); err != nil {
		panic(err)
	}
	file, err := l.Put(ctx, chain.Object{Chain: name, Run: run, Table: "rows", Range: chain.NoRange, Path: path, Rows: 2})
	if err != nil {
		panic(err)
	}
	entry, err := l.Commit(ctx, chain.Draft{Base: head, Files: []chain.File{file}, Entry: chain.Entry{
		Chain: name, Run: run, Intent: intent, Cursor: &chain.Cursor{After: "page 1"}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(entry.N, entry.Files[0].Key, entry.Cursor.After)
	// Output: 1 data/stage/amr.severe/20251028-0001/rows/00000-5eed10e2dac80266.parquet page 1
}
