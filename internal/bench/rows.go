package bench

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"xinshu/catalog"
)

// benchDataset is the dataset of the bench: its contract has twelve fields, which are the columns.
const benchDataset = "amr.abnormal"

var benchColumns = []string{"source_record_id", "uscc", "entity_name", "src_dept_code", "op", "op_time",
	"list_reason", "list_date", "list_authority", "authority_code", "remove_reason", "remove_date"}

// What the rows are made of, as such lists have it.
var (
	towns = []string{"院岭街道", "垭口街道", "朱兰街道", "寺坡街道", "尚店镇", "八台镇", "尹集镇", "枣林镇", "庙街乡", "铁山乡", "武功乡", "杨庄乡", "红山街道", "矿建街道"}
	words = []string{"恒", "信", "达", "源", "盛", "鑫", "丰", "华", "瑞", "祥", "泰", "和", "兴", "隆", "诚", "美", "佳", "宏", "博", "远", "天", "地", "金", "玉", "春", "秋", "东", "方", "新", "嘉"}
	lines = []string{"商贸", "建材", "餐饮管理", "农业科技", "汽车服务", "建筑工程", "物流运输", "电子商务", "医药", "机械设备", "食品", "服饰", "文化传媒", "房地产经纪"}
	forms = []string{"有限公司", "有限责任公司", "股份有限公司", "合伙企业（有限合伙）", "个人独资企业", "农民专业合作社"}
	whyIn = []string{"未依照《企业信息公示暂行条例》第八条规定的期限公示年度报告的", "通过登记的住所或者经营场所无法联系的", "公示企业信息隐瞒真实情况、弄虚作假的",
		"未在企业登记机关依照《企业信息公示暂行条例》第十条规定责令的期限内公示有关企业信息的", "未依照《个体工商户年度报告暂行办法》规定报送年度报告的"}
	whyOut  = []string{"已补报未报年份的年度报告并公示，申请移出", "依法办理住所变更登记，申请移出", "已更正其公示的信息，申请移出", "通过登记的住所可以重新取得联系，申请移出"}
	offices = []string{"舞钢市市场监督管理局", "平顶山市市场监督管理局", "舞钢市市场监督管理局院岭市场监督管理所", "舞钢市市场监督管理局尚店市场监督管理所", "平顶山市市场监督管理局高新区分局"}
)

// maker makes the rows: the same number gives the same row, and no two rows have one number at the source.
type maker struct {
	row   [12]string
	codes []string // of the offices
}

func newMaker() *maker {
	m := &maker{}
	for i := range offices {
		m.codes = append(m.codes, codeOf("11", uint64(i)*7919+104810))
	}
	return m
}

func (m *maker) make(i int64) *[12]string {
	n := mix(uint64(i))
	register := n % 2_000_000 // the entity, as a list in order of date names them
	pick := func(list []string) string {
		n = mix(n)
		return list[n%uint64(len(list))]
	}
	entity := mix(register)
	name := "舞钢市" + towns[entity%14] + words[entity>>8%30] + words[entity>>16%30] + words[entity>>24%30] + lines[entity>>32%14] + forms[entity>>40%6]
	listed := catalog.Date(16436 + n%3900) // 2015 to 2025
	m.row = [12]string{
		"AMR-410481-" + strconv.FormatInt(100_000_000+i, 10), codeOf("91", register), name, "410481-amr", "I", "",
		whyIn[uint64(i)%3+n>>20%3], listed.AddDays(int(i % 3)).String(), "", "", "", "",
	}
	office := mix(n) % uint64(len(offices))
	m.row[8], m.row[9] = offices[office], m.codes[office]
	until := listed
	if n>>30%3 == 0 {
		until = listed.AddDays(int(20 + n>>40%700))
		m.row[4], m.row[10], m.row[11] = "U", pick(whyOut), until.String()
	}
	second := n >> 12 % 86400
	m.row[5] = fmt.Sprintf("%s %02d:%02d:%02d", until.String(), second/3600, second/60%60, second%60)
	return &m.row
}

// mix spreads a number over 64 bits (the finishing steps of splitmix64).
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// alphabet is that of GB 32100: no I, O, S, V, Z.
const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// codeOf makes a valid unified social credit code of a number: both its check characters are right.
func codeOf(kind string, n uint64) string {
	b := append(make([]byte, 0, 18), kind...)
	b = append(b, "410481MA"...)
	for range 6 {
		b = append(b, alphabet[n%31])
		n = mix(n) % 900_000_000 // spread, so that neighbours share no long beginning
	}
	for i := range len(alphabet) {
		org := append(slices.Clone(b[:16]), alphabet[i])
		if !catalog.OrgCodeValid(string(org[8:17])) {
			continue
		}
		for k := range len(alphabet) {
			code := string(append(org[:17:17], alphabet[k]))
			if v := catalog.CheckUSCC(code); v.Valid {
				return code
			}
		}
	}
	return codeOf(kind, n+1) // digits alone may look like a resident id
}

// The files of one measurement.
const (
	utf8File  = "rows.csv"
	gbFile    = "rows-gb18030.csv"
	pageRows  = 1000
	pagesHere = "pages"
)

// writeFiles writes the rows as a CSV file, as its GB18030 twin, and as JSON pages of 1,000 objects.
func writeFiles(dir string, rows int64) error {
	if err := os.MkdirAll(filepath.Join(dir, pagesHere), 0o750); err != nil {
		return err
	}
	plain, err := os.Create(filepath.Join(dir, utf8File))
	if err != nil {
		return err
	}
	defer func() { _ = plain.Close() }() // closed below; here only on an error
	twin, err := os.Create(filepath.Join(dir, gbFile))
	if err != nil {
		return err
	}
	defer func() { _ = twin.Close() }() // closed below; here only on an error
	a := bufio.NewWriterSize(plain, 1<<20)
	gb := transform.NewWriter(twin, simplifiedchinese.GB18030.NewEncoder())
	b := bufio.NewWriterSize(gb, 1<<20)
	line := appendCSV(nil, benchColumns)
	m, page := newMaker(), []byte(nil)
	for i := int64(0); ; i++ {
		if _, err := a.Write(line); err != nil {
			return err
		}
		if _, err := b.Write(line); err != nil {
			return err
		}
		if len(page) > 0 && (i == rows || i%pageRows == 0) {
			if err := os.WriteFile(pageFile(dir, (i+pageRows-1)/pageRows), append(page, ']'), 0o600); err != nil {
				return err
			}
			page = page[:0]
		}
		if i == rows {
			break
		}
		row := m.make(i)
		line = appendCSV(line[:0], row[:])
		page = appendObject(page, row)
	}
	for _, end := range []func() error{a.Flush, plain.Close, b.Flush, gb.Close, twin.Close} {
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

func pageFile(dir string, n int64) string {
	return filepath.Join(dir, pagesHere, fmt.Sprintf("%07d.json", n))
}

func appendCSV(b []byte, row []string) []byte {
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return append(b, '\n')
}

func appendObject(b []byte, row *[12]string) []byte {
	b = append(b, "[,"[min(len(b), 1)])
	for i, v := range row {
		b = append(b, "{,"[min(i, 1)], '"')
		b = append(b, benchColumns[i]...)
		b = append(append(append(b, '"', ':', '"'), v...), '"')
	}
	return append(b, '}')
}
