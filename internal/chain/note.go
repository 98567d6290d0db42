package chain

import "fmt"

// Notef writes what a step came to, in English, as it is kept and as the command line shows it. The
// console has words for every format in each of its languages; its test finds a format without them, so
// notes are written here and nowhere else.
func Notef(format string, args ...any) string { return fmt.Sprintf(format, args...) }
