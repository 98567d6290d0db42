//go:build acceptance

package acceptance

import "fmt"

// The policies under test and the days they are scored for. A yearly policy takes what was received
// by its cut-off; a dynamic one is scored for today.
const (
	heilongjiang = "heilongjiang-2021"
	henan        = "henan-2020"
	lingyuan     = "lingyuan-2021"
	jiangyin     = "jiangyin-2020"
)

// outcome is what an entity comes to under one policy: points in hundredths, and the grade.
type outcome struct {
	score int64
	grade string
}

func (o outcome) String() string {
	return fmt.Sprintf("%d.%02d %s", o.score/100, max(o.score, -o.score)%100, o.grade)
}

// recipe is what is known about some entities, and what that is worth under each policy. The worth
// was worked out by hand from the policies' points; nothing of the product's SQL went into it.
// Jiangyin counts as Heilongjiang does and draws other limits, so it needs a grade only.
type recipe struct {
	name                          string
	facts                         []fact
	heilongjiang, henan, lingyuan outcome
	jiangyinClass                 string
	lingyuanPlus, lingyuanMinus   int64 // the two sums of Lingyuan, in hundredths
}

func (r recipe) expect(policy string) outcome {
	switch policy {
	case heilongjiang:
		return r.heilongjiang
	case henan:
		return r.henan
	case lingyuan:
		return r.lingyuan
	default:
		return outcome{r.heilongjiang.score, r.jiangyinClass}
	}
}

// fact is a kind of record an entity can have, in one word.
type fact string

const (
	minor      fact = "minor penalty"
	general    fact = "general penalty"
	serious    fact = "serious penalty"
	abnormal   fact = "abnormal list"
	severe     fact = "severe list"
	debtor     fact = "judgment debtor"
	arrears    fact = "tax arrears"
	failed     fact = "failed inspection"
	taxA       fact = "tax grade A"
	taxC       fact = "tax grade C"
	taxD       fact = "tax grade D"
	labourC    fact = "labour grade C"
	customs    fact = "customs advanced"
	national   fact = "national honour"
	provincial fact = "provincial honour"
	county     fact = "county honour"
	fulfilled  fact = "commitment fulfilled"
	broken     fact = "commitment broken"
	donation   fact = "donation"
	honoured   fact = "honour list"
	best       fact = "best industry grade"
	// mixed is eleven industry grades whose mean, 109/11 = 9.91, lies 0.09 below the neutral 10: the
	// least by which records can miss a limit of Heilongjiang and Jiangyin.
	mixed fact = "eleven industry grades"
)

// of builds the recipe of some facts. Lingyuan's score is plus less minus.
func of(facts []fact, hlj int64, hljGrade, jyClass string, hn int64, hnGrade string, plus, minus int64, lyGrade string) recipe {
	name := "nothing"
	for i, f := range facts {
		if i == 0 {
			name = string(f)
			continue
		}
		name += ", " + string(f)
	}
	return recipe{name: name, facts: facts, heilongjiang: outcome{hlj, hljGrade}, jiangyinClass: jyClass, henan: outcome{hn * 100, hnGrade},
		lingyuan: outcome{(plus - minus) * 100, lyGrade}, lingyuanPlus: plus * 100, lingyuanMinus: minus * 100}
}

// The classes of Jiangyin, from best to worst.
const (
	honest = "诚信守法"
	slight = "轻微失信"
	common = "一般失信"
	grave  = "严重失信"
)

// recipes reach every grade of every policy and stand on both sides of every limit. The columns are
// Heilongjiang (hundredths, grade), Jiangyin's class, Henan (points, grade), Lingyuan (plus, minus, grade).
var recipes = []recipe{
	of(nil, 800_00, "B", honest, 80, "良", 0, 0, "B"),

	// 850, 790, 730, 670 and a hair below each.
	of([]fact{provincial, donation}, 850_00, "A", honest, 84, "良", 20, 0, "A-"),
	of([]fact{provincial, donation, mixed}, 849_91, "B", honest, 81, "良", 35, 30, "B"),
	of([]fact{minor}, 790_00, "B", honest, 78, "良", 0, 10, "B"),
	of([]fact{minor, mixed}, 789_91, "C", slight, 75, "良", 15, 40, "C"),
	of([]fact{general, taxC}, 730_00, "C", slight, 72, "良", 0, 40, "C"),
	of([]fact{general, taxC, mixed}, 729_91, "D", common, 69, "中", 15, 70, "C"),
	of([]fact{serious, abnormal}, 670_00, "D", common, 50, "差", 0, 150, "D"),
	of([]fact{serious, abnormal, mixed}, 669_91, "E", grave, 47, "差", 15, 180, "D"),

	// Listed: Heilongjiang and Jiangyin cap the total at 669.99, Henan and Lingyuan force the worst grade.
	of([]fact{severe}, 650_00, "E", grave, 80, "差", 0, 0, "D"),
	of([]fact{debtor}, 669_99, "E", grave, 80, "差", 0, 0, "D"),
	of([]fact{severe, national, taxA, donation}, 669_99, "E", grave, 91, "差", 55, 0, "D"),

	// 85, 70 and 50 belong to the lower grade; the next whole point above does not.
	of([]fact{customs, donation}, 810_00, "B", honest, 86, "优", 30, 0, "A"),
	of([]fact{taxA}, 820_00, "B", honest, 85, "良", 25, 0, "A-"),
	of([]fact{abnormal}, 780_00, "C", slight, 70, "中", 0, 50, "C"),
	of([]fact{abnormal, donation}, 790_00, "B", honest, 71, "良", 5, 50, "C"),
	of([]fact{serious, abnormal, donation}, 680_00, "D", common, 51, "中", 5, 150, "D"),

	// Lingyuan: plus 10, 30, 60; minus 20, 40, 100; net 0. Its points come in fives.
	of([]fact{donation}, 810_00, "B", honest, 81, "良", 5, 0, "B"),
	of([]fact{county}, 820_00, "B", honest, 82, "良", 10, 0, "A-"),
	of([]fact{taxA, customs, donation}, 830_00, "B", honest, 91, "优", 55, 0, "A"),
	of([]fact{taxA, customs, county}, 840_00, "B", honest, 92, "优", 60, 0, "A+"),
	of([]fact{failed}, 785_00, "C", slight, 77, "良", 0, 15, "B"),
	of([]fact{minor, minor}, 780_00, "C", slight, 76, "良", 0, 20, "C"),
	of([]fact{minor, minor, honoured}, 780_00, "C", slight, 80, "良", 20, 20, "B"),
	of([]fact{minor, failed, honoured}, 775_00, "C", slight, 79, "良", 20, 25, "C"),
	of([]fact{minor, minor, failed, taxA, provincial}, 825_00, "B", honest, 81, "良", 40, 35, "B"),
	of([]fact{general, taxA, provincial}, 820_00, "B", honest, 80, "良", 40, 40, "C"),
	of([]fact{general, general, failed}, 705_00, "D", common, 61, "中", 0, 95, "C"),
	of([]fact{serious}, 690_00, "D", common, 60, "中", 0, 100, "D"),

	// Caps of a rule, of an indicator, of the good records as a whole and of the total.
	of([]fact{minor, minor, minor, minor, minor}, 760_00, "C", slight, 74, "良", 0, 30, "C"),
	of([]fact{taxA, customs, national, county, fulfilled, honoured, donation, best}, 920_00, "A", honest, 100, "优", 100, 0, "A+"),

	// What else counts.
	of([]fact{broken}, 780_00, "C", slight, 74, "良", 0, 30, "C"),
	of([]fact{arrears}, 770_00, "C", slight, 72, "良", 0, 40, "C"),
	of([]fact{taxD}, 740_00, "C", slight, 65, "中", 0, 75, "C"),
	of([]fact{labourC}, 760_00, "C", slight, 80, "良", 0, 0, "B"),
}
