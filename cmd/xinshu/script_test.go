package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// TestTheCommandLine runs the scripts of testdata/script. Each is a small installation with its
// files; `exec xinshu` runs this test binary as the command, in a process of its own.
func TestTheCommandLine(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "xinshu")); err != nil {
		t.Fatal(err)
	}
	catalogue, err := filepath.Abs("../../catalog")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv(asCommand, "1")
			env.Setenv("CATALOG", catalogue)
			env.Values[testing.TB(nil)] = env.T()
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "interrupt": interrupt, "flip": flip, "answer": answer, "packets": packets, "holdings": writeHoldings, "encode": encode, "recast": recast, "repeat": repeat, "edit": edit, "onepenalty": onePenalty, "exchange": exchange,
		},
	})
}

func arguments(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

// exits runs a command line and holds its exit code against the one that is documented.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "exits CODE PROGRAM [ARGUMENT...]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with exit code %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

// interrupt runs a command line, sends it SIGINT, as Ctrl-C does, once its messages hold TEXT, and
// holds its exit code against CODE. Its messages are kept in the file interrupted.txt.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "interrupt CODE TEXT xinshu [ARGUMENT...]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	self, err := os.Executable()
	ts.Check(err)
	cmd := exec.Command(self, args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), asCommand+"=1")
	messages, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { _ = cmd.Process.Kill() }) // harmless once it ended
	var said bytes.Buffer
	sent := false
	for lines := bufio.NewScanner(messages); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if !sent && strings.Contains(lines.Text(), args[1]) {
			ts.Check(cmd.Process.Signal(syscall.SIGINT))
			sent = true
		}
	}
	_ = cmd.Wait() // the code tells
	ts.Check(os.WriteFile(ts.MkAbs("interrupted.txt"), said.Bytes(), 0o600))
	if code := cmd.ProcessState.ExitCode(); !sent || code != want {
		ts.Fatalf("interrupted: %t, exit code %d, not %d; it said:\n%s", sent, code, want, lastLines(said.String()))
	}
}

// flip changes one bit in the middle of the one file that matches.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "flip PATTERN")
	file := only(ts, args[0])
	body, err := os.ReadFile(file)
	ts.Check(err)
	body[len(body)/2] ^= 1
	ts.Check(os.Chmod(file, 0o600))
	ts.Check(os.WriteFile(file, body, 0o600))
}

func only(ts *testscript.TestScript, pattern string) string {
	found, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%d files match %s", len(found), pattern)
	}
	return found[0]
}

// packet is what a receiver reads of a packet in JSON.
type packet struct {
	Header struct{ GUID string }
	Body   struct {
		Rows []struct {
			ID, USCC, Policy, Kind, Grade, Status string
			Version                               int64
		}
	}
}

func readPacket(ts *testscript.TestScript, file string) (p packet) {
	text, err := os.ReadFile(file)
	ts.Check(err)
	ts.Check(json.Unmarshal(text, &p))
	return p
}

// packets writes the rows of all packets in a folder, a sorted line each: policy, code, kind, grade,
// status, version.
func packets(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "packets FOLDER FILE")
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.json"))
	ts.Check(err)
	var lines []string
	for _, file := range files {
		for _, r := range readPacket(ts, file).Body.Rows {
			lines = append(lines, fmt.Sprintf("%s %s %s %s %s %d\n", r.Policy, r.USCC, r.Kind, r.Grade, r.Status, r.Version))
		}
	}
	slices.Sort(lines)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(lines, "")), 0o600))
}

// answer plays the receiver of a folder: each packet that waits gets an answer. Rows about the codes
// named are refused, the others taken.
func answer(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "answer FOLDER [CODE...]")
	ready, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.json.ok"))
	ts.Check(err)
	for _, ok := range ready {
		file := strings.TrimSuffix(ok, ".ok")
		p := readPacket(ts, file)
		refused := []map[string]string{}
		for _, r := range p.Body.Rows {
			if slices.Contains(args[1:], r.USCC) {
				refused = append(refused, map[string]string{"id": r.ID, "code": "E01", "message": "unknown entity"})
			}
		}
		body, err := json.Marshal(map[string]any{"guid": p.Header.GUID, "code": "0", "rows": refused,
			"accepted": len(p.Body.Rows) - len(refused), "rejected": len(refused)})
		ts.Check(err)
		ts.Check(os.WriteFile(file+".fb", body, 0o600))
		ts.Check(os.Rename(ok, file+".taken"))
	}
}

// writeHoldings writes what a hub came to, as sorted statements: see holdings.
func writeHoldings(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "holdings DATA FILE")
	t, ok := ts.Value(testing.TB(nil)).(testing.TB)
	if !ok {
		ts.Fatalf("the script runs without a test")
	}
	all := holdings(t, ts.MkAbs(args[0]))
	if len(all) == 0 {
		ts.Fatalf("%s holds nothing", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(all, "\n")+"\n"), 0o600))
}

// encode writes FILE again in another encoding, as departments send it.
func encode(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "encode gb18030|bom FILE NEW")
	text := []byte(ts.ReadFile(args[1]))
	switch args[0] {
	case "gb18030":
		var err error
		text, err = simplifiedchinese.GB18030.NewEncoder().Bytes(text)
		ts.Check(err)
	case "bom":
		text = append([]byte("\xef\xbb\xbf"), text...)
	default:
		ts.Fatalf("unknown encoding %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text, 0o600))
}

// repeat writes a file that holds TEXT so many times, then TAIL and a line end.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "repeat N TEXT FILE [TAIL]")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	tail := strings.Join(args[3:], "")
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Repeat(args[1], n)+tail+"\n"), 0o600))
}

// edit replaces the one place where FILE says OLD.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "edit FILE OLD NEW")
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%s says %q %d times", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}
