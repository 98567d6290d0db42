// Package sql carries the models that settle and score: macros, staging, settled, intermediate,
// marts, checks, lists that people ask for, their tests and the yardstick. It holds no run state's tables, and it runs nothing:
// steps get Files from cmd and hand the text to internal/duck.
package sql

import "embed"

// Files holds every model, as a folder of the same form on disk would.
//
//go:embed macros staging settled intermediate marts checks lists bench
var Files embed.FS
