package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"xinshu/catalog"
)

func usccCommand(t *terminal, o *options) *cobra.Command {
	cmd := group(&cobra.Command{Use: "uscc", Short: "unified social credit codes"})
	cmd.AddCommand(&cobra.Command{
		Use:   "check [CODE...]",
		Short: "judge codes: arguments, or one code (or JSON string) a line on standard input; JSON lines out (overrides stated in a hub are in uscc override list)",
		RunE: t.withCatalog(o, func(cat *catalog.Catalog, args []string) error {
			w := bufio.NewWriter(t.out)
			in := t.in
			if len(args) > 0 {
				in = strings.NewReader(strings.Join(args, "\n"))
			}
			return errors.Join(checkCodes(cat, in, w), w.Flush())
		}),
	})
	cmd.AddCommand(overrideCommand(t, o))
	return cmd
}

// mostLine bounds one line of input: a code is 18 characters, a line far above that is no code.
const mostLine = 64 << 10

func checkCodes(cat *catalog.Catalog, in io.Reader, out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	lines := bufio.NewReaderSize(in, mostLine)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("read line %d: %w", n, err)
		}
		if last && line == "" {
			return nil
		}
		code := line
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, `"`) {
			var s string
			if json.Unmarshal([]byte(trimmed), &s) == nil {
				code = s
			}
		}
		if err := enc.Encode(cat.CheckUSCC(code)); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

// readLine gives the next line without its end. Of a line longer than the reader's buffer it gives
// the beginning and passes over the rest, so that no line can fill the memory; an ellipsis shows the
// cut, and keeps a code with blanks and rubbish behind it from passing for a code.
func readLine(r *bufio.Reader) (string, error) {
	part, err := r.ReadSlice('\n')
	line := strings.TrimRight(string(part), "\r\n")
	if errors.Is(err, bufio.ErrBufferFull) {
		line = strings.ToValidUTF8(line, "") + "…" // the cut may lie within a character
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	return line, err
}
