package simulate

import (
	"fmt"
	"strconv"
	"strings"
)

// commonFields are those every dataset carries.
var commonFields = map[string]func(*row) string{
	"src_dept_code":    func(r *row) string { return r.d.owner },
	"source_record_id": func(r *row) string { return r.p.recordID(r.d, r.i, r.f.n) + r.suffix },
	"op":               func(r *row) string { return r.f.op },
	"op_time":          (*row).opTime,
}

// ownFields are fields whose name says enough, whatever dataset they stand in.
var ownFields = map[string]func(*row) string{
	"reg_no":         func(r *row) string { return regNo(r.e.Division, r.i) },
	"legal_rep":      (*row).person,
	"XK_FRDB":        (*row).person,
	"CF_FRDB":        (*row).person,
	"XK_FR_ZJLX":     (*row).idDocument,
	"CF_FR_ZJLX":     (*row).idDocument,
	"XK_FR_ZJHM":     (*row).idNumber,
	"CF_FR_ZJHM":     (*row).idNumber,
	"XK_XDR_ZJLX":    blank,
	"CF_XDR_ZJLX":    blank,
	"entity_type":    entityType,
	"industry_code":  func(r *row) string { return string(r.e.Industry) },
	"address":        func(r *row) string { return places[r.e.Division] + "建设路" + strconv.Itoa(1+r.number(400)) + "号" },
	"reg_authority":  func(r *row) string { return places[r.e.Division] + "市场监管局" },
	"remove_reason":  func(r *row) string { return unlessOpen(r, "已按规定改正，恢复正常") },
	"performance":    func(r *row) string { return onceEnded(r, "全部履行", "全部未履行") },
	"breach_desc":    func(r *row) string { return onLevel(r, "breached", "逾期完成约定工程量") },
	"org_kind":       orgKind,
	"report_year":    lastYear,
	"inspect_year":   sameYear,
	"eval_year":      lastYear,
	"rating_year":    lastYear,
	"assess_year":    lastYear,
	"period":         func(r *row) string { y, m, _ := r.f.on.Civil(); return fmt.Sprintf("%d-%02d", y, m) },
	"payable":        func(r *row) string { return yuan(r.payable()) },
	"paid":           func(r *row) string { return yuan(r.payable() - r.arrears()) },
	"arrears_amount": func(r *row) string { return yuan(r.arrears()) },
	"score":          score,
	"points":         score,
	"confirmed_by":   func(r *row) string { return unlessOpen(r, places[r.e.Division]+"信用办") },
	"target_dataset": func(r *row) string { return r.targeted(r.f.about.dataset.id) },
	"target_key": func(r *row) string {
		return r.targeted(strings.Join(r.p.keyOf(r.f.about.dataset, r.i, r.f.about.first), "|"))
	},
	"received_on":    func(r *row) string { return writeDate(r.f.on, "2006-01-02") },
	"decided_on":     decidedOn,
	"authority_code": func(r *row) string { return r.p.authorityCode(r.d, r.e, r.f) },
	"plate_no":       func(r *row) string { return "豫D·" + strconv.Itoa(1+r.number(9)) + "****" },

	"XK_LYDW":   func(r *row) string { return unitNames[r.d.owner] },
	"CF_SJLY":   func(r *row) string { return unitNames[r.d.owner] },
	"XK_LYDWDM": func(r *row) string { return r.p.authorities[r.d.owner+"410481"] },
	"CF_SJLYDM": func(r *row) string { return r.p.authorities[r.d.owner+"410481"] },
	"XK_XKBH":   func(r *row) string { return r.d.letters + strconv.Itoa(100_000+r.i) },
	"XK_XKWS":   func(*row) string { return "准予行政许可决定书" },
	"XK_NR":     func(r *row) string { return "准予从事" + r.d.contract.Title.ZH + "所列活动" },

	"CF_CFLB":    func(r *row) string { return punishments[r.f.level].category },
	"CF_NR":      func(r *row) string { return punishments[r.f.level].content },
	"CF_NR_FK":   fine,
	"CF_NR_WFFF": func(r *row) string { return onLevel(r, "serious", strconv.Itoa(1+r.number(30))) },
	"CF_NR_ZKDX": func(r *row) string { return onLevel(r, "serious", "经营许可证"+strconv.Itoa(10_000+r.i)) },
}

// punishments follow from the severity, so that the dated rules that derive it (facts.md 5.7) find it again.
var punishments = map[string]struct{ category, content string }{
	"minor":   {"警告", "责令改正，给予警告"},
	"general": {"罚款", "责令改正，处以罚款"},
	"serious": {"罚款;没收违法所得;吊销许可证件", "处以罚款，没收违法所得，吊销许可证件"},
}

func fine(r *row) string {
	switch r.f.level {
	case "general":
		return fmt.Sprintf("0.%02d", 10+r.number(90))
	case "serious":
		return fmt.Sprintf("%d.%06d", 5+r.number(60), r.number(100)*100)
	}
	return ""
}

// onLevel writes a value that only rows of one level have.
func onLevel(r *row, level, value string) string {
	if r.f.level == level {
		return value
	}
	return ""
}

// unlessOpen writes a value once the fact has ended, exit or confirmation.
func unlessOpen(r *row, value string) string { return onceEnded(r, value, "") }

func onceEnded(r *row, ended, open string) string {
	if r.f.until > r.f.sent {
		return open
	}
	if r.f.until < 0 { // no day
		return open
	}
	return ended
}

func blank(*row) string { return "" }

func (r *row) person() string {
	return surnames[r.i%len(surnames)] + givenNames[int(mix(uint64(r.i))%uint64(len(givenNames)))]
}

// idNumber is given in one row of five: personal data that must not go further than the first check.
func (r *row) idNumber() string {
	if mix(r.f.salt)%5 > 0 {
		return ""
	}
	return residentID("410481", fmt.Sprintf("19%02d%02d%02d", 50+r.i%45, 1+r.i%12, 1+r.i%28), r.i)
}

func (r *row) idDocument() string {
	if r.idNumber() == "" {
		return ""
	}
	return "身份证"
}

func entityType(r *row) string {
	switch r.e.Category {
	case "92":
		return "个体工商户"
	case "93":
		return "农民专业合作社"
	}
	if r.i%9 == 0 {
		return "股份有限公司"
	}
	return "有限责任公司"
}

func orgKind(r *row) string {
	switch {
	case r.d.owner == "finance":
		return []string{"小额贷款", "融资担保", "典当"}[r.number(3)]
	case r.e.Category == "51":
		return "社会团体"
	}
	return "民办非企业单位"
}

func lastYear(r *row) string { y, _, _ := r.f.on.Civil(); return strconv.Itoa(y - 1) }
func sameYear(r *row) string { y, _, _ := r.f.on.Civil(); return strconv.Itoa(y) }

func (r *row) payable() int {
	return 2000 + int(mix(r.f.salt)%80_000)
}

func (r *row) arrears() int {
	if r.f.level == "open" {
		return r.payable() / 3
	}
	return 0
}

func yuan(n int) string { return strconv.Itoa(n) + ".00" }

// score fits the grade, where there is one.
func score(r *row) string {
	low := map[string]int{"best": 90, "good": 80, "medium": 65, "poor": 40, "优": 86, "良": 71, "中": 51, "差": 20}[r.f.level]
	return fmt.Sprintf("%d.%02d", low+r.number(10), r.number(100))
}

// targeted names the record meant in half of the cases; the others leave it to the document number.
func (r *row) targeted(value string) string {
	if mix(r.f.salt)%2 == 0 {
		return value
	}
	return ""
}

func decidedOn(r *row) string {
	switch {
	case r.f.kind == "objection_open":
		return ""
	case r.f.until >= 0:
		return writeDate(r.f.until, "2006-01-02")
	}
	return writeDate(r.f.on, "2006-01-02")
}

// phrases are what people write into free text.
var phrases = map[string][]string{
	"list_reason": {"通过登记的住所或者经营场所无法联系", "未按照规定的期限公示年度报告", "公示企业信息隐瞒真实情况、弄虚作假", "未在责令期限内公示有关企业信息"},
	"reason":      {"未依法履行法定义务", "查证属实，由主管部门认定"},
	"facts":       {"提供不真实统计资料", "拒绝提供统计资料"},
	"project":     {"厂区扩建项目", "仓储中心项目", "道路改造项目"},

	"tax.severe facts":        {"虚开发票，数额较大", "采取欺骗手段不缴税款"},
	"tax.abnormal reason":     {"查无下落且无法强制其履行纳税义务", "逾期三个月未申报"},
	"hrss.wagelist reason":    {"拖欠农民工工资数额较大", "拖欠农民工工资引发群体性事件"},
	"emergency.severe reason": {"发生较大生产安全责任事故", "拒不执行停产停业指令"},
	"civil.donate project":    {"助学项目", "乡村振兴项目", "救灾项目"},

	"business_scope": {"一般项目：日用百货销售；建筑材料销售", "许可项目：道路货物运输；建设工程施工", "农产品初加工；技术服务"},
	"CF_WFXW":        {"违反市场管理规定", "未按规定设置防治设施", "无证经营", "擅自占用道路", "销售不合格商品"},
	"CF_SY":          {"经查，当事人未按规定办理手续即从事经营活动", "经查，当事人污染防治设施未正常运行", "经查，当事人超出许可范围经营", "经查，当事人未履行安全管理责任"},
	"CF_YJ":          {"《中华人民共和国行政处罚法》第二十八条", "《中华人民共和国安全生产法》第九十七条", "《城市市容和环境卫生管理条例》第三十四条"},
	"XK_XKZS":        {"许可证", "资质证书", "备案凭证"},
	"inspect_item":   {"公共场所卫生", "传染病防治", "饮用水卫生"},
	"finding":        {"未发现问题", "贷款集中度偏高", "内控制度不健全"},
	"product":        {"黄瓜", "韭菜", "鸡蛋", "小麦"},
	"item":           {"农药残留", "兽药残留", "成果质量", "合同履约"},
	"act":            {"双随机检查", "重点检查", "书面检查"},
	"grade_used":     {"A", "B", "C", "D", "优", "良", "中", "差"},
	"result":         {"未发现问题", "责令改正", "已约谈并提出整改要求"},
	"measure":        {"优先办理", "限制参与政府采购", "容缺受理", "增加检查频次"},
	"basis":          {"《国务院办公厅关于进一步完善失信约束制度的指导意见》", "《公共信用信息管理条例》"},
	"effect":         {"缩短办理时限", "已督促整改", "贷款利率下浮"},
	"matter":         {"依法诚信经营", "按期提交材料", "提供虚假材料愿担责", "服务质量投诉"},
	"title":          {"文明诚信市场主体", "守合同重信用企业", "先进单位", "质量奖"},
	"awarded_by":     {"市人民政府", "省人民政府", "国务院有关部门"},
	"recipient":      {"市慈善总会", "县慈善协会", "市红十字会"},
	"organiser":      {"街道办事处", "志愿者协会", "社区居委会"},
	"evidence":       {"见附件扫描件", "信用修复决定书", "单位证明"},
	"conduct":        {"未按合同工期施工", "质量检测弄虚作假", "拖延验收"},
	"event":          {"春季农产品展销会", "机械装备博览会"},
	"region":         {"河南省", "平顶山市", "舞钢市"},
	"outlet_name":    {"建设路网点", "钢城路网点", "朱兰网点"},
	"shop_address":   {"垭口街道", "寺坡街道", "朱兰街道"},
	"qualification":  {"人防工程设计", "人防工程监理", "人防设备生产"},
	"departments":    {"内科;外科", "中医科", "口腔科"},
	"sponsor":        {"教育投资有限公司", "自然人举办"},
	"scope":          {"工程测量;不动产测绘", "地理信息系统工程"},
	"accepted_by":    {"市政务服务中心", "市市场监管局"},
	"batch":          {"第一批", "第二批", "第三批"},
	"rated_by":       {"省文化和旅游厅", "市文广旅局"},
}

var (
	surnames   = []string{"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙"}
	givenNames = []string{"伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明"}

	unitNames = map[string]string{
		"amr": "市市场监管局", "cult": "市文广旅局", "health": "市卫生健康委", "housing": "市住建局", "transport": "市交通运输局", "tobacco": "市烟草局",
		"hrss": "市人力资源和社会保障局", "finance": "市金融工作局", "tax": "市税务局", "police": "市公安局", "edu": "市教育局", "civil": "市民政局",
		"emergency": "市应急管理局", "agri": "市农业农村局", "natres": "市自然资源和规划局", "justice": "市司法局", "commerce": "市商务局",
		"ecology": "市生态环境局", "water": "市水利局", "urban": "市城管局", "miit": "市工业和信息化局", "forestry": "市林业局", "cad": "市人防办",
		"medins": "市医疗保障局", "stats": "市统计局", "post": "市邮政管理局", "nat-credit": "国家公共信用信息中心", "prov-credit": "省公共信用信息中心",
		"customs": "郑州海关", "prov-share": "省政务大数据中心", "city-share": "市政务大数据中心", "city-gov": "街道办事处", "court": "人民法院", "nat-share": "国家信息中心",
	}
	shortNames = map[string]string{
		"amr": "市监", "cult": "文旅", "health": "卫健", "housing": "建", "transport": "交运", "tobacco": "烟", "hrss": "人社", "finance": "金融", "tax": "税",
		"police": "公", "edu": "教", "civil": "民", "emergency": "应急", "agri": "农", "natres": "自然资", "justice": "司", "commerce": "商务", "ecology": "环",
		"water": "水", "urban": "城管", "miit": "工信", "forestry": "林", "cad": "人防", "medins": "医保", "stats": "统", "post": "邮", "court": "法",
		"nat-credit": "国信", "prov-credit": "省信", "customs": "关", "prov-share": "省数", "city-share": "市数", "city-gov": "街道", "nat-share": "国数",
	}
)
