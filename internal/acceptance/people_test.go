//go:build acceptance

package acceptance

import (
	"fmt"
	"maps"
	"time"
)

// cast says who has which records, and since when the platforms have them: half of the entities got
// theirs before the yearly cut-offs, half get them today.
type cast struct {
	everybody []subject
	stock     map[string]recipe // by code: known by stockDay
	today     map[string]recipe // by code: known today
	dealt     int               // entities with records
}

// deal gives recipes to the entities in the order of the register until at least 30 in 100 have records.
func deal(everybody []subject) *cast {
	c := &cast{everybody: everybody, stock: map[string]recipe{}, today: map[string]recipe{}}
	for i, s := range everybody {
		if i%(2*len(recipes)) == 0 && c.dealt*10 >= len(everybody)*3 {
			break
		}
		r := recipes[i/2%len(recipes)]
		if i%2 == 0 {
			c.stock[s.code] = r
		} else {
			c.today[s.code] = r
		}
		if len(r.facts) > 0 {
			c.dealt++
		}
	}
	return c
}

// records writes the records of one half. first numbers them.
func (c *cast) records(half map[string]recipe, day time.Time, first int) []made {
	var all []made
	for _, s := range c.everybody {
		for _, f := range half[s.code].facts {
			all = append(all, recordOf(s, f, first+len(all), day)...)
		}
	}
	return all
}

// expect is what an entity must come to under a policy. Of the yearly policies only what was known
// by the stock day counts; today's policies are foretold for those whose records are all of today.
func (c *cast) expect(policy, code string) (outcome, bool) {
	half := c.stock
	if policy == lingyuan || policy == jiangyin {
		half = c.today
		if len(c.stock[code].facts) > 0 {
			return outcome{}, false // its records of the stock have aged by then
		}
	}
	if r, dealt := half[code]; dealt {
		return r.expect(policy), true
	}
	return recipes[0].expect(policy), true
}

// citizen is a made-up resident id that passes its check, to be found nowhere afterwards.
func citizen() string {
	first := "110101199003070" + "77"
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(first[i]-'0') * weight
	}
	return first + string("10X98765432"[sum%11])
}

// dirt is what departments really send among their good rows. It is about an entity without records.
func dirt(s subject, first int, today time.Time) []made {
	penalty := func(n int, change row) made {
		r := penaltyRow(s, minor, first+n, stockDay)
		maps.Copy(r, change)
		return made{"cult.penalty", r}
	}
	wrong := []byte(s.code)
	wrong[17] = usccAlphabet[(indexOf(wrong[17])+1)%31]
	future := penaltyRow(s, minor, first+10, today)
	future["CF_JDRQ"] = today.AddDate(0, 0, 10).Format(time.DateOnly)
	return []made{
		penalty(1, row{"CF_XDR_SHXYM": string(wrong)}),
		penalty(2, row{"CF_XDR_SHXYM": citizen()}),
		penalty(3, row{"CF_XDR_LB": "自然人", "CF_XDR_MC": "张某", "CF_XDR_SHXYM": "", "CF_XDR_ZJHM": citizen()}),
		penalty(4, row{"CF_WSH": ""}),
		{"ecology.penalty", future},
		{"court.debtor", row{"uscc": s.code, "entity_name": s.name, "source_record_id": "court-without-court", "case_no": fmt.Sprintf("（2025）宁01执%d号", first),
			"publish_date": "2025-08-01", "performance": "全部未履行"}},
	}
}

func indexOf(c byte) int {
	for i := range usccAlphabet {
		if usccAlphabet[i] == c {
			return i
		}
	}
	return 0
}
