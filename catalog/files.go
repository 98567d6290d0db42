package catalog

import (
	"embed"
	"io/fs"
)

//go:embed families/*.yaml fieldsets/*.yaml codes/*.yaml departments/*.yaml platforms/*.yaml datasets/*/*.yaml
//go:embed policies/*.yaml rules/*.yaml calendars/*.yaml
var files embed.FS

// Files is the catalogue that ships in the binary.
var Files fs.FS = files
