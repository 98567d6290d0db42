package main

import (
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"xinshu/internal/chain"
)

// newLog makes the log of a service.
func newLog(w io.Writer, c LogConfig, node string) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.level(), ReplaceAttr: hideSecret}
	format := c.Format
	if f, ok := w.(*os.File); ok && format == "" && term.IsTerminal(int(f.Fd())) {
		format = "text"
	}
	var h slog.Handler = slog.NewJSONHandler(w, options)
	if format == "text" {
		h = slog.NewTextHandler(w, options)
	}
	return slog.New(h).With("node", node)
}

// secretWords begin or end the names of what is never written down.
var secretWords = []string{"password", "secret", "token", "authorization", "cookie", "dsn", "_key", "apikey"}

// hideSecret is the last fence: nobody logs a secret on purpose.
func hideSecret(_ []string, a slog.Attr) slog.Attr {
	name := strings.ToLower(a.Key)
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return slog.String(a.Key, "***")
		}
	}
	return a
}

// logRun writes one line when a run begins and one when it ended.
func logRun(log *slog.Logger, r chain.Run) {
	line := log.With("run", r.ID, "step", r.Step, "subject", r.Subject)
	if r.Task != "" {
		line = line.With("task", r.Task)
	}
	if r.Source != "" {
		line = line.With("source", r.Source)
	}
	switch {
	case r.Status == "running":
		line.Debug("run began")
		return
	case r.Error != "":
		line.Error("run "+r.Status, "error", r.Error, "seconds", r.Ended.Sub(r.Started).Seconds())
		return
	}
	line = line.With("seconds", r.Ended.Sub(r.Started).Seconds(), "chain", r.Chain, "n", r.N)
	if r.Step == "pull" {
		line = line.With("read", r.Ledger.Read, "accepted", r.Ledger.Accepted, "duplicate", r.Ledger.Duplicate, "quarantined", r.Ledger.Quarantined, "skipped", r.Ledger.Skipped)
	}
	line.Info("run " + r.Status)
}
