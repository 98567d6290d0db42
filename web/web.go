// Package web carries the console's templates, static files and words. It holds no logic: the folder
// is read by internal/console, and an installation may lay its own over it.
package web

import "embed"

// Files has templates/, static/ and locales/.
//
//go:embed all:templates static locales
var Files embed.FS
