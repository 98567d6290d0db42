package lake_test

import (
	"fmt"
	"strings"
	"testing"

	"xinshu/internal/chain"
	"xinshu/internal/lake"
	"xinshu/internal/lake/laketest"
)

// A commit looks for its intent in 14 entries; this is what that costs when each lists 900 files.
func BenchmarkCommitToALongChain(b *testing.B) {
	s, err := lake.OpenFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	l, err := lake.New(s, lake.Options{})
	if err != nil {
		b.Fatal(err)
	}
	head := chain.Entry{}
	commit := func(run string, files []chain.File) {
		head, err = l.Commit(b.Context(), chain.Draft{Base: head, Files: files,
			Entry: chain.Entry{Chain: chain.Settled, Run: run, Intent: chain.Intent(run)}})
		if err != nil {
			b.Fatal(err)
		}
	}
	var files []chain.File
	for i := range 900 {
		files = append(files, chain.File{Table: "record", Key: fmt.Sprintf("data/settled/20251028T000000-abcdef/record/range=%05d/00000-0123456789abcdef.parquet", i),
			SHA256: strings.Repeat("0", 64), Range: int64(i)})
	}
	commit("first", files)
	for i := range 14 {
		commit(fmt.Sprint("fill", i), nil)
	}
	for i := 0; b.Loop(); i++ {
		commit(fmt.Sprint("timed", i), nil)
	}
}

// What a step pays for one object and one commit.
func BenchmarkObjectAndCommit(b *testing.B) {
	for _, kind := range []string{"folder", "s3"} {
		b.Run(kind, func(b *testing.B) {
			var s lake.Store
			var err error
			if kind == "folder" {
				s, err = lake.OpenFolder(b.TempDir())
			} else {
				s, err = lake.OpenS3(b.Context(), s3Server(b).Config(newBucket()))
			}
			if err != nil {
				b.Fatal(err)
			}
			l, err := lake.New(s, lake.Options{Cache: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				laketest.Commit(b, l, chain.Settled, fmt.Sprint("r", i))
			}
		})
	}
}
