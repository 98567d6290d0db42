package settle

import (
	"testing"

	"xinshu/internal/duck"
	"xinshu/sql"
)

func TestMacros(t *testing.T) {
	db, err := duck.Open(duck.Options{Threads: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Scripts(t.Context(), sql.Files, "macros/*.sql"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ expression, want string }{
		"a month after the end of January is the end of February":    {"add_months(date '2025-01-31', 1)", "2025-02-28"},
		"twelve months before a leap day is the day before":          {"add_months(date '2024-02-29', -12)", "2023-02-28"},
		"a day after the last of the year is in the next":            {"add_days(date '2025-12-31', 1)", "2026-01-01"},
		"31 January to 1 February is no whole month":                 {"whole_months(date '2025-01-31', date '2025-02-01')", "0"},
		"28 February to 28 March is one":                             {"whole_months(date '2025-02-28', date '2025-03-28')", "1"},
		"an inclusive end becomes the next day":                      {"day_after(date '2025-06-30')", "2025-07-01"},
		"the day before the last day there is still ends":            {"day_after(date '2099-12-30')", "2099-12-31"},
		"2099-12-31 never ends":                                      {"day_after(date '2099-12-31')", "null"},
		"an exit on 2099-12-31 is no exit":                           {"open_end(date '2099-12-31')", "null"},
		"an exit on another day stays":                               {"open_end(date '2025-10-31')", "2025-10-31"},
		"half is rounded up":                                         {"div_round(5, 2)", "3"},
		"less than half is rounded down":                             {"div_round(7, 5)", "1"},
		"nothing divided is nothing":                                 {"div_round(0, 3)", "0"},
		"a division by nothing has no answer":                        {"div_round(5, 0)", "null"},
		"a sum below its floor is the floor":                         {"clamp(-40, 0, 100)", "0"},
		"a sum above its cap is the cap":                             {"clamp(140, 0, 100)", "100"},
		"a sum between its bounds stays and a missing bound is none": {"clamp(60, 0, null)", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			if err := db.One(t.Context(), "select coalesce(cast("+c.expression+" as varchar), 'null')", nil, &got); err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("%s is %s, want %s", c.expression, got, c.want)
			}
		})
	}
}
