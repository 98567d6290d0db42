package files

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// peakOf runs work and gives by how much the heap grew at most, looked at a hundred times a second.
func peakOf(t *testing.T, work func()) uint64 {
	t.Helper()
	runtime.GC()
	var start, now runtime.MemStats
	runtime.ReadMemStats(&start)
	var peak atomic.Uint64
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				runtime.ReadMemStats(&now)
				if grown := now.HeapAlloc - min(now.HeapAlloc, start.HeapAlloc); grown > peak.Load() {
					peak.Store(grown)
				}
			}
		}
	}()
	work()
	close(done)
	<-watched
	return peak.Load()
}
