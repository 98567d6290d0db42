package simulate

import (
	"strings"

	"xinshu/catalog"
)

// Entity is one party of the province. It and everything about it is made up.
type Entity struct {
	USCC        string
	Name        string
	Category    string // first two characters of the code: 91 enterprise, 92 individual business, 93 cooperative, 51, 52 social organisation, 12 institution, 11 organ, 31 law firm
	Division    string
	Industry    byte // section of GB/T 4754
	Established catalog.Date
	Status      string       // registration at the end of the province's life: active, suspended, revoked, cancelled
	StatusOn    catalog.Date // NoDate while active
	Nature      Nature
}

// Nature is how an entity behaves; it decides what is recorded about it, and so its grades.
type Nature int

// The natures, from the best to the worst.
const (
	Exemplary Nature = iota
	Good
	Ordinary
	Careless
	Dishonest
	natures
)

// Shares per mille. Most entities have no adverse record at all (facts.md 5.2: 2.3 % excellent,
// 76.4 % good, 20 % medium, 1.3 % poor in a published result).
var (
	natureShare = [natures]int{Exemplary: 60, Good: 240, Ordinary: 560, Careless: 110, Dishonest: 30}

	categoryShare = []weighed{{"91", 520}, {"92", 350}, {"93", 40}, {"51", 25}, {"52", 30}, {"12", 20}, {"11", 10}, {"31", 5}}

	divisionShare = []weighed{
		{"410481", 420}, {"410402", 60}, {"410403", 60}, {"410411", 50}, {"410422", 50}, // Wugang and its prefecture
		{"211382", 120}, {"320281", 120}, {"230102", 80}, {"230500", 40}, // Lingyuan, Jiangyin, two of Heilongjiang
	}

	industryShare = []weighed{
		{"A", 60}, {"B", 10}, {"C", 150}, {"D", 12}, {"E", 90}, {"F", 260}, {"G", 70}, {"H", 80}, {"I", 40}, {"J", 12},
		{"K", 30}, {"L", 70}, {"M", 30}, {"N", 12}, {"O", 40}, {"P", 14}, {"Q", 20}, {"R", 16},
	}

	places = map[string]string{
		"410481": "舞钢市", "410402": "平顶山市新华区", "410403": "平顶山市卫东区", "410411": "平顶山市湛河区", "410422": "叶县",
		"211382": "凌源市", "320281": "江阴市", "230102": "哈尔滨市道里区", "230500": "双鸭山市",
	}
)

// entity makes the ith entity of the province.
func (p *Province) entity(c *chance, i int) Entity {
	c.begin(p.seed, 1, uint64(i))
	e := Entity{Nature: natureOf(i, p.seed), StatusOn: catalog.NoDate}
	e.Category = c.draw(categoryShare)
	e.Division = c.draw(divisionShare)
	e.Industry = industryFor(e.Category, c)
	e.USCC = makeCode(e.Category, e.Division, i+1)
	e.Name = nameFor(e, c)
	e.Established = lastDay.AddDays(-c.between(200, 20*365))
	e.Status = "active"
	if e.Nature >= Ordinary {
		e.Status = c.draw([]weighed{{"active", 930}, {"suspended", 25}, {"revoked", 20}, {"cancelled", 25}})
	}
	if e.Status != "active" {
		e.StatusOn = lastDay.AddDays(-c.between(2, 190))
	}
	return e
}

// natureOf deals the natures out so that any thousand neighbours have them in the stated shares.
func natureOf(i int, seed uint64) Nature {
	place := int((uint64(i)*619 + seed%1000) % 1000) // 619 and 1000 have no common divisor
	for n, share := range natureShare {
		if place -= share; place < 0 {
			return Nature(n)
		}
	}
	return Ordinary
}

func industryFor(category string, c *chance) byte {
	switch category {
	case "93":
		return 'A'
	case "11", "51":
		return 'S'
	case "31":
		return 'L'
	case "52", "12":
		return c.draw([]weighed{{"P", 55}, {"Q", 35}, {"R", 10}})[0]
	}
	return c.draw(industryShare)[0]
}

var (
	wordsOne = strings.Split("恒 瑞 鑫 宏 泰 盛 华 安 正 德 信 诚 广 达 远 丰 润 嘉 兴 隆 永 康 和 福 祥 金 银 龙 腾 云 海 天 东 方 北 辰 中 豫 新 锦", " ")
	wordsTwo = strings.Split("源 达 通 顺 发 茂 益 博 雅 佳 运 科 立 创 邦 景 程 洋 卓 越 林 禾 田 山 川 诺 凯 旺 富 强 明 亮 辉 耀 飞 翔 驰 骏 昌 裕", " ")
	trades   = map[byte][]string{
		'A': {"种植", "养殖", "农业开发", "林业"}, 'B': {"矿业", "石料"}, 'C': {"机械制造", "钢材加工", "食品", "纺织", "建材"},
		'D': {"热力", "燃气", "供水"}, 'E': {"建筑工程", "市政工程", "装饰工程"}, 'F': {"商贸", "百货", "烟酒", "医药销售"},
		'G': {"运输", "物流", "快递"}, 'H': {"餐饮", "宾馆", "食府"}, 'I': {"信息技术", "网络科技"}, 'J': {"小额贷款", "融资担保", "典当"},
		'K': {"置业", "物业服务"}, 'L': {"人力资源", "会展服务", "保安服务"}, 'M': {"测绘", "检测", "工程咨询"}, 'N': {"环保", "水利工程"},
		'O': {"美容美发", "汽车维修"}, 'P': {"学校", "培训"}, 'Q': {"医院", "诊所"}, 'R': {"文化传媒", "旅游"}, 'S': {"协会", "管理"},
	}
)

func nameFor(e Entity, c *chance) string {
	place, word, trade := places[e.Division], c.one(wordsOne)+c.one(wordsTwo), c.one(trades[e.Industry])
	switch e.Category {
	case "92":
		return place + word + trade + c.one([]string{"店", "部", "行", "经营部"})
	case "93":
		return place + word + trade + "农民专业合作社"
	case "51":
		return place + word + "行业协会"
	case "52":
		return place + word + trade + "服务中心"
	case "12":
		return place + word + trade + "事务中心"
	case "11":
		return place + word + "管理局"
	case "31":
		return "河南" + word + "律师事务所"
	}
	return place + word + trade + c.one([]string{"有限公司", "有限责任公司", "股份有限公司"})
}

// market says whether the entity is a market entity: an enterprise, individual business or cooperative.
func (e Entity) market() bool { return e.Category[0] == '9' }
