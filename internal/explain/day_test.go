package explain

import (
	"fmt"
	"slices"
	"testing"

	"xinshu/catalog"
	"xinshu/internal/grading"
)

// told gives every row of every model as text.
func (x *Explainer) told(t *testing.T) (all []string) {
	t.Helper()
	for _, m := range x.models.Models {
		rows, err := x.db.Query(t.Context(), "select cast(r as varchar) from "+m.Name+" as r order by 1")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }() // the error that counts is rows.Err
		for rows.Next() {
			var row string
			if err := rows.Scan(&row); err != nil {
				t.Fatal(err)
			}
			all = append(all, m.Name+" "+row)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestAnotherDayIsWorkedOutAsIfFromTheStart(t *testing.T) {
	for _, id := range []string{"heilongjiang-2021", "henan-2020", "lingyuan-2021"} {
		x := open(t, policy(t, id), settled(t,
			[5]string{"penalty", "minor", "2020-03-05", "", ""}, [5]string{"penalty", "serious", "2021-06-30", "", ""},
			[5]string{"tax_grade", "A", "2019-04-01", "", ""}, [5]string{"tax_grade", "D", "2021-04-01", "", "2022-04-01"},
			[5]string{"severe_list", "-", "2021-01-01", "2021-01-01", "2022-05-01"}, [5]string{"licence", "active", "2020-01-01", "2020-01-01", "2022-07-01"}))
		if _, err := x.Entity(t.Context(), subject, grading.Clocks{AsOf: on(t, "2021-12-31").AsOf, CorrectedTo: catalog.NoDate}); err != nil {
			t.Fatal(err)
		}
		before := x.told(t)
		moved := false
		for _, day := range []string{"2022-01-15", "2022-04-01", "2022-05-01", "2023-03-06", "2030-01-01", "2021-12-31"} {
			if err := x.db.Exec(t.Context(), "update run set as_of = cast($1 as date)", day); err != nil {
				t.Fatal(err)
			}
			if err := x.models.RepeatDay(t.Context(), x.db); err != nil {
				t.Fatal(err)
			}
			short := x.told(t)
			if err := x.models.Repeat(t.Context(), x.db); err != nil {
				t.Fatal(err)
			}
			if whole := x.told(t); !slices.Equal(short, whole) {
				t.Errorf("%s on %s: %s", id, day, fmt.Sprint(short, "\nwhole:\n", whole))
			}
			moved = moved || !slices.Equal(short, before)
		}
		if !moved {
			t.Errorf("%s: no day is different, so nothing was shown", id)
		}
	}
}
