package pipelines

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used; the clock on the wall tells more of the neighbours.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
