//go:build acceptance

package pipelines

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"xinshu/internal/filetest"
)

// bigEnv is the file that the test binary ingests as a child, so that the memory it takes is its own.
const bigEnv = "XINSHU_BIG_FILE"

// The large file: 3.5 GB of GB18030 in under 512 MB, every row of it accepted.
func TestAFileOfSeveralGigabytesIsStagedInBoundedMemory(t *testing.T) {
	if file := os.Getenv(bigEnv); file != "" {
		h, _ := folderHub(t, nil)
		ds, _ := h.Catalog.Dataset(h.ds)
		result, err := h.Ingest(t.Context(), Hand{File: file, Dataset: ds})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("ledger %d %d\n", result.Ledger.Read, result.Ledger.Accepted)
		return
	}
	size := int64(3500)
	if text := os.Getenv("XINSHU_BIG_MB"); text != "" {
		var err error
		if size, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "big.csv")
	rows, err := filetest.Write(file, size<<20)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), bigEnv+"="+file)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("ledger %d %d\n", rows, rows)) {
		t.Fatalf("%d rows, %v: %s", rows, err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("the system tells no memory use")
	}
	t.Logf("%d MB, %d rows: %d MB of memory, %v of processor time", size, rows, usage.Maxrss>>10, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	if usage.Maxrss>>10 > 512 {
		t.Errorf("%d MB of memory, want less than 512", usage.Maxrss>>10)
	}
}
