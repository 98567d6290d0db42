package catalog

import "fmt"

// Fault is one thing that is wrong in a catalogue file: where, and what to do about it. Faults are
// gathered, not thrown: a broken file is skipped and the others load.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // 0 where no line can be named
	Message string `json:"message"`
}

// Error writes file, line and message, as compilers do.
func (f Fault) Error() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}
