package lake_test

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"xinshu/internal/lake"
	"xinshu/internal/lake/laketest"
	"xinshu/internal/lake/s3test"
)

// server is started by the first test that needs it and ended by TestMain.
var server = sync.OnceValues(s3test.Start)

var buckets atomic.Int64

func newBucket() string { return fmt.Sprintf("lake-%d", buckets.Add(1)) }

func s3Server(t testing.TB) *s3test.Server {
	t.Helper()
	started.Store(true)
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var started atomic.Bool

func TestMain(m *testing.M) {
	if job := os.Getenv(childJob); job != "" {
		os.Exit(child(job))
	}
	code := m.Run()
	if started.Load() {
		if s, err := server(); err == nil {
			_ = s.Stop()
		}
	}
	os.Exit(code)
}

func openS3(t *testing.T) lake.Store {
	t.Helper()
	s, err := lake.OpenS3(t.Context(), s3Server(t).Config(newBucket()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestS3Store(t *testing.T) {
	t.Log(s3Server(t).Kind)
	laketest.Store(t, openS3)
}

func TestLakeOverS3(t *testing.T) { laketest.Lake(t, openS3) }
func TestUpkeepOfS3(t *testing.T) { laketest.Upkeep(t, openS3) }
