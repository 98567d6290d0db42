//go:build tools

// Package lint pins the linter that `make lint` builds; a module of its own keeps it out of the product.
package lint

import _ "github.com/golangci/golangci-lint/v2/cmd/golangci-lint"
