package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"xinshu/pipelines"
)

// progress shows how far a run is: one line that is written over on a terminal, plain lines
// elsewhere, so that a log file stays readable.
type progress struct {
	out  *os.File
	live bool

	mu    sync.Mutex
	began time.Time
	shown bool
}

func newProgress(out *os.File) *progress {
	return &progress{out: out, live: term.IsTerminal(int(out.Fd())), began: time.Now()}
}

func (p *progress) event(e pipelines.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what := e.Step
	if e.Subject != "" {
		what += " " + e.Subject
	}
	switch {
	case e.Status == "running":
		if p.live {
			p.line(what)
		}
	case e.Err != nil:
		p.clear()
		fmt.Fprintf(p.out, "%6.1fs  %s %s: %v\n", time.Since(p.began).Seconds(), what, e.Status, e.Err)
	case p.live:
		p.line(what + ": " + e.Note)
	default:
		fmt.Fprintf(p.out, "%6.1fs  %-34s %s\n", time.Since(p.began).Seconds(), what, e.Note)
	}
}

// say prints a line that stays.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, "%6.1fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// widest keeps a line from wrapping on a terminal of usual width.
const widest = 110

func (p *progress) line(text string) {
	if runes := []rune(text); len(runes) > widest {
		text = string(runes[:widest])
	}
	fmt.Fprintf(p.out, "\r\x1b[K%6.1fs  %s", time.Since(p.began).Seconds(), text)
	p.shown = true
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}

// close ends a line that was being written over.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}
