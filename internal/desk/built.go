package desk

import (
	"cmp"
	"runtime/debug"
	"slices"

	"xinshu/internal/fault"
)

// Built is with what this program was built: its modules by path.
func (d *Desk) Built() (debug.BuildInfo, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return debug.BuildInfo{}, fault.Newf(fault.Internal, "say what is built in", "the binary does not know")
	}
	built := *info
	built.Deps = slices.SortedFunc(slices.Values(info.Deps), func(a, b *debug.Module) int { return cmp.Compare(a.Path, b.Path) })
	return built, nil
}
