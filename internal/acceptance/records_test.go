//go:build acceptance

package acceptance

import (
	"fmt"
	"time"
)

// subject is an entity that records are made about.
type subject struct{ code, name string }

// stockDay is the day by which the platforms had collected what they hand over at first: before both
// yearly cut-offs, so that it counts on 31 October and on 31 December 2025.
var stockDay = time.Date(2025, 9, 30, 0, 0, 0, 0, time.UTC)

// authority is the body that punishes, and the one that rows come from.
var authority = makeCode("11", "640000", 10_000_001)

// ratingWords are the eleven datasets of industry grades: their own word for the grade that makes a
// mean of 109/11 (two best, three good, three medium, three poor), and the column that says of what.
var ratingWords = []struct{ dataset, column, grade, about, value string }{
	{"cult.rating", "grade", "A", "rating_year", "2024"},
	{"housing.property", "grade", "优秀", "period", "2024"},
	{"transport.assess", "grade", "AA", "assess_year", "2024"},
	{"tobacco.grade", "grade", "AA", "period", "2024"},
	{"justice.assess", "result", "合格", "assess_year", "2024"},
	{"finance.rating", "grade", "C", "rating_year", "2024"},
	{"commerce.expo", "grade", "C", "event", "第五届商品展"},
	{"ecology.rating", "grade", "黄", "eval_year", "2024"},
	{"water.rating", "grade", "C", "", ""},
	{"medins.rating", "grade", "D", "eval_year", "2024"},
	{"post.rating", "grade", "不合格", "eval_year", "2024"},
}

// made is a row on its way to the feed of its dataset.
type made struct {
	dataset string
	row     row
}

// recordOf writes a fact as its department or platform does. n numbers the rows of the whole test;
// day is the day by which the fact is known, and every date follows from it.
func recordOf(s subject, f fact, n int, day time.Time) []made {
	on := func(days int) string { return day.AddDate(0, 0, days).Format(time.DateOnly) }
	year := fmt.Sprint(day.Year() - 1)
	one := func(dataset string, r row) []made {
		r["uscc"], r["entity_name"], r["source_record_id"] = s.code, s.name, fmt.Sprintf("%s-%06d", dataset, n)
		return []made{{dataset, r}}
	}
	honour := func(level string) []made {
		return one("prov-credit.honour", row{"title": "诚信经营示范", "level": level, "award_date": on(-60), "awarded_by": "评选委员会"})
	}
	commitment := func(outcome string) []made {
		return one("prov-credit.commitment", row{"kind": "审批替代型", "matter": "许可事项告知承诺", "commit_date": on(-120), "due_date": on(-10),
			"outcome": outcome, "outcome_date": on(-9), "accepted_by": "政务服务中心"})
	}
	tax := func(grade string) []made {
		return one("tax.grade", row{"eval_year": year, "grade": grade, "eval_date": on(-100)})
	}
	switch f {
	case minor, general, serious:
		return []made{{[]string{"cult.penalty", "ecology.penalty"}[n%2], penaltyRow(s, f, n, day)}}
	case abnormal:
		return []made{{"amr.abnormal", row{"uni_social_crd_cd": s.code, "inclu_dt": on(-35), "inclu_reason": "通过登记的住所或者经营场所无法联系。", "decorg_cn": "金凤区"}}}
	case severe:
		return one("nat-credit.severe", row{"list_name": "重大税收违法失信主体", "list_date": on(-45), "doc_no": fmt.Sprintf("税失信〔%s〕%d号", year, n), "list_authority": "税务局"})
	case debtor:
		return one("court.debtor", row{"case_no": fmt.Sprintf("（%s）宁01执%d号", year, n), "court": "中级人民法院", "publish_date": on(-40), "performance": "全部未履行"})
	case arrears:
		return one("tax.arrears", row{"tax_kind": "增值税", "balance": "12345.67", "announce_date": on(-80)})
	case failed:
		return one("emergency.inspect", row{"inspect_date": on(-25), "hazards": "3", "major_hazard_flag": "是", "rectified_flag": "否"})
	case taxA:
		return tax("A")
	case taxC:
		return tax("C")
	case taxD:
		return tax("D")
	case labourC:
		return one("hrss.labour", row{"eval_year": year, "grade": "C", "rated_on": on(-70)})
	case customs:
		return one("customs.grade", row{"grade": "高级认证", "valid_from": on(-100)})
	case national:
		return honour("国家级")
	case provincial:
		return honour("省级")
	case county:
		return honour("县级")
	case fulfilled:
		return commitment("已履行")
	case broken:
		return commitment("未履行")
	case donation:
		return one("civil.donate", row{"donate_date": on(-50), "amount": "50000.37", "project": school, "recipient": "慈善总会"})
	case honoured:
		return one("prov-credit.list", row{"list_kind": "红名单", "list_date": on(-55), "reason": "连续三年守信", "list_authority": "信用办"})
	case best:
		return one("cult.rating", row{"rating_year": year, "grade": "A", "rated_on": on(-90), "valid_to": on(300)})
	case mixed:
		var all []made
		for _, w := range ratingWords {
			r := row{w.column: w.grade, "rated_on": on(-90), "valid_to": on(300)}
			if w.about != "" {
				r[w.about] = w.value
			}
			all = append(all, one(w.dataset, r)...)
		}
		return all
	}
	panic("there is no record for " + string(f))
}

// penaltyRow is a penalty in the field names of 2018, with the severity its department gives.
func penaltyRow(s subject, f fact, n int, day time.Time) row {
	on := func(days int) string { return day.AddDate(0, 0, days).Format(time.DateOnly) }
	r := row{"CF_XDR_MC": s.name, "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": s.code, "CF_WSH": fmt.Sprintf("宁罚决〔%d〕%d号", day.Year(), n),
		"CF_WFXW": "违反行业管理规定", "CF_SY": "检查中发现违法行为，责令改正", "CF_YJ": "依据有关条例第十条", "CF_CFLB": "警告", "CF_NR": "给予警告",
		"CF_JDRQ": on(-30), "CF_YXQ": on(335), "CF_GSJZQ": on(335), "CF_CFJG": "综合执法局", "CF_CFJGDM": authority, "CF_SJLY": "综合执法局", "CF_SJLYDM": authority,
		"severity": map[fact]string{minor: "轻微", general: "一般", serious: "严重"}[f]}
	if f != minor {
		r["CF_CFLB"], r["CF_NR"], r["CF_NR_FK"] = "罚款", "罚款15000元", "1.5"
	}
	return r
}
