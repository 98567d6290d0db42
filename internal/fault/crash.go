package fault

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// CrashEnv names the environment variable that arms one crash point: "c2:3" kills the process
// with SIGKILL the third time it passes c2. Unset, every point costs one map look-up.
const CrashEnv = "XINSHU_CRASH_AT"

// The crash points of the commit protocol: the places where a kill must lose and double nothing.
const (
	BeforeObjects = "c0"  // intent checked, nothing written
	MidObject     = "c1"  // a data object half written
	AfterObjects  = "c2"  // all data objects put, no log entry
	AfterLog      = "c3"  // log entry put, run state not yet written
	AfterState    = "c4"  // run state written, source not acknowledged
	AfterAck      = "c5"  // source acknowledged
	BeforeSend    = "c6"  // delivery due, not sent
	AfterSend     = "c7"  // delivery sent, answer not read
	BeforeReceipt = "c8"  // answer read, receipt not stored
	MidAck        = "c9"  // some of the source's items acknowledged, the others not
	BeforeReady   = "c10" // a packet's file laid down, the companions that make it whole not
	BeforeConfig  = "c11" // a secret of a new source written, the config that names it not
	MidBackup     = "b1"  // some objects or tables of a backup written, the document that makes it whole not
	BeforeBackup  = "b2"  // all of a backup written but that document
	MidRestore    = "b3"  // some objects, tables or rows of a backup brought back
	BeforeWhole   = "b4"  // all of a backup brought back, the mark of the unfinished restore still there
	MidTick       = "t1"  // the tick's task stored and the schedule moved on, the transaction not committed
	AfterTick     = "t2"  // the tick taken, its task not begun
	AfterTake     = "t3"  // a task leased, no step begun
	BeforeStep    = "t4"  // a step's locks held, nothing of it done
	AfterStep     = "t5"  // a step done, and not yet noted as done
	BeforeAnswer  = "a1"  // a named request done, its answer not kept
	BeforeFinish  = "t6"  // every step noted as done, the task still running
)

var armed struct {
	once  sync.Once
	mu    sync.Mutex
	point string
	left  int
}

// At is passed by the code at a crash point. It returns unless the point is armed and its count is used up.
func At(point string) {
	armed.once.Do(func() {
		name, count, _ := strings.Cut(os.Getenv(CrashEnv), ":")
		armed.point = name
		armed.left, _ = strconv.Atoi(count)
		armed.left = max(armed.left, 1)
	})
	if armed.point != point {
		return
	}
	armed.mu.Lock()
	defer armed.mu.Unlock()
	if armed.left--; armed.left == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the kill is on its way; do nothing more
	}
}
