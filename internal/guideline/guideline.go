// Package guideline owns the catalogue in the form of the government's guideline for resource
// catalogues (政务信息资源目录编制指南（试行）, 2017): one row per information item, beside the metadata
// of its resource. It refuses to invent: what a contract does not say is left for the department to
// fill in. Contracts come from the catalogue; the table goes out as CSV or as a workbook.
package guideline

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"xinshu/catalog"
)

// Header are the table's columns in the guideline's order and words.
var Header = []string{"信息资源分类-类", "信息资源分类-项", "信息资源分类-目", "信息资源代码", "信息资源名称", "信息资源提供方", "信息资源提供方代码", "信息资源摘要",
	"信息资源格式", "信息项序号", "信息项名称", "信息项标识", "数据类型", "数据长度", "是否必填", "共享类型", "共享条件", "共享方式", "是否向社会开放", "开放条件", "更新周期", "发布日期", "关联资源代码"}

// toFill stands where the guideline wants what no contract says.
const toFill = "待提供方填写"

var (
	shares  = map[string]string{"unconditional": "无条件共享", "conditional": "有条件共享", "none": "不予共享"}
	ways    = map[string]string{"restapi": "共享平台方式-接口", "dbtable": "共享平台方式-数据库", "files": "共享平台方式-文件"}
	formats = map[string]string{"restapi": "自描述格式", "dbtable": "数据库", "files": "电子文件"}
	cycles  = map[string]string{"realtime": "实时", "daily": "每日", "weekly": "每周", "monthly": "每月", "quarterly": "每季度", "half-yearly": "每半年", "yearly": "每年", "as-it-happens": "不定期"}
	types   = map[string]string{"text": "字符型C", "uscc": "字符型C", "boolean": "字符型C", "integer": "数值型N", "decimal": "数值型N", "wan": "数值型N", "yuan": "数值型N", "date": "日期型D", "datetime": "日期时间型T"}
	lengths = map[string]string{"uscc": "18", "date": "8", "datetime": "14", "boolean": "1"}
)

// Rows gives the table of the datasets, without its header.
func Rows(cat *catalog.Catalog, datasets []catalog.Dataset) [][]string {
	var rows [][]string
	for _, ds := range datasets {
		class, item := sorted(cat, ds)
		provider, summary := ownerOf(cat, ds), ds.Title.ZH
		if f, ok := cat.Family(ds.Family); ok {
			summary = fmt.Sprintf("%s提供的%s（%s）", provider, ds.Title.ZH, f.Title.ZH)
		}
		condition := ""
		if ds.Share != "unconditional" {
			condition = toFill
		}
		for i, f := range ds.Fields {
			required := "否"
			if f.Required {
				required = "是"
			}
			length := lengths[f.Type]
			if f.Max > 0 {
				length = strconv.Itoa(f.Max)
			}
			rows = append(rows, []string{class, item, classTitle(cat, ds.Class), code(cat, ds), ds.Title.ZH, provider, toFill, summary,
				formats[ds.Way], strconv.Itoa(i + 1), f.Title.ZH, f.Name, types[f.Type], length, required,
				shares[ds.Share], condition, ways[ds.Way], toFill, toFill, cycles[ds.Cycle], toFill, ""})
		}
	}
	return rows
}

// sorted gives 类 and 项. What a department supplies is a resource of that department; what a platform
// supplies is the basic resource 社会信用.
func sorted(cat *catalog.Catalog, ds catalog.Dataset) (class, item string) {
	if d, ok := cat.Department(ds.Owner); ok {
		return "部门信息资源", d.Title.ZH
	}
	return "基础信息资源", "社会信用"
}

// code is the resource's code: digits of its classification and its number within, our draft until the
// catalogue's office gives one.
func code(cat *catalog.Catalog, ds catalog.Dataset) string {
	n := 1
	for _, other := range cat.Datasets {
		if other.Owner == ds.Owner && other.ID < ds.ID {
			n++
		}
	}
	if d, ok := cat.Department(ds.Owner); ok {
		return fmt.Sprintf("3%02d/%03d", d.Order, n)
	}
	place := slices.IndexFunc(cat.Platforms, func(p catalog.Platform) bool { return p.ID == ds.Owner })
	return fmt.Sprintf("104%02d/%03d", place+1, n)
}

func ownerOf(cat *catalog.Catalog, ds catalog.Dataset) string {
	if d, ok := cat.Department(ds.Owner); ok {
		return d.Title.ZH
	}
	p, _ := cat.Platform(ds.Owner)
	return cmp.Or(p.Title.ZH, ds.Owner)
}

func classTitle(cat *catalog.Catalog, class string) string {
	list, _ := cat.CodeList("catalogue-class")
	for _, v := range list.Values {
		if v.Code == class {
			return v.ZH
		}
	}
	return class
}
