// Package results owns what people ask of finished results: who an entity is and which there are of
// a name, what was published of it since when, how grades are distributed, who moved between two
// releases. It refuses to score, to publish and to know who asks: what somebody may see is the
// caller's business. Settled and published files come in from the lake; answers go to the desk.
package results

import (
	"context"
	"strconv"
	"strings"

	"xinshu/internal/chain"
)

// Lake is the part of the lake that results are read from.
type Lake interface {
	Head(ctx context.Context, chainName string) (chain.Entry, error)
	Local(ctx context.Context, f chain.File) (string, error)
}

// limits writes what a query limits beside its text, with the values as parameters.
func limits(q Query) (where string, args []any) {
	for _, l := range []struct {
		column, form string
		values       []string
	}{{"division", "starts_with(%, @)", q.Areas}, {"industry", "starts_with(%, @)", q.Industries}, {"uscc", "% = @", q.Entities}} {
		var forms []string
		for _, v := range l.values {
			forms = append(forms, strings.NewReplacer("%", l.column, "@", param(&args, v)).Replace(l.form))
		}
		if len(forms) > 0 {
			where += " and (" + strings.Join(forms, " or ") + ")"
		}
	}
	if q.After != "" {
		where += " and uscc > " + param(&args, q.After)
	}
	return where, args
}

// param adds a value and gives its place.
func param(args *[]any, v any) string {
	*args = append(*args, v)
	return "$" + strconv.Itoa(len(*args))
}

func locals(ctx context.Context, lake Lake, files []chain.File) ([]string, error) {
	paths := make([]string, 0, len(files))
	for _, f := range files {
		path, err := lake.Local(ctx, f)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
