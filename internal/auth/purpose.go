package auth

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"xinshu/catalog"
	"xinshu/internal/fault"
)

// Purpose is what an entity's data is looked at for; it is kept with every view.
type Purpose struct {
	Code  string
	Title catalog.Text
}

// Other is the purpose that wants words: "other: ...".
const Other = "other"

// Purposes lists every purpose, in the order in which screens offer them.
var Purposes = []Purpose{
	{"approval", catalog.Text{ZH: "行政审批", EN: "administrative approval"}},
	{"tender", catalog.Text{ZH: "公共资源交易", EN: "tenders and public resource trading"}},
	{"supervision", catalog.Text{ZH: "监管", EN: "supervision and inspection"}},
	{"service", catalog.Text{ZH: "公共服务", EN: "public service"}},
	{"objection", catalog.Text{ZH: "异议处理", EN: "handling an objection"}},
	{"repair", catalog.Text{ZH: "信用修复", EN: "credit repair"}},
	{"audit", catalog.Text{ZH: "审计", EN: "audit"}},
	{"own", catalog.Text{ZH: "本主体查询", EN: "the entity's own query"}},
	{Other, catalog.Text{ZH: "其他（须说明）", EN: "other (say which)"}},
}

// KnownPurpose says why a text is no purpose: a code of the list, or "other: " and what it is.
func KnownPurpose(text string) error {
	code, words, _ := strings.Cut(text, ":")
	words = strings.TrimSpace(words)
	known := slices.ContainsFunc(Purposes, func(p Purpose) bool { return p.Code == code })
	switch {
	case text == "":
		return errors.New("no purpose is named")
	case !known:
		return errors.New("the purpose is none of " + purposeCodes())
	case code != Other && words != "":
		return errors.New("only the purpose other has words behind it")
	case code == Other && (utf8.RuneCountInString(words) < 4 || utf8.RuneCountInString(words) > 200 || strings.ContainsFunc(words, isControl)):
		return errors.New(`the purpose other says in 4 to 200 characters which: "other: ..."`)
	}
	return nil
}

func purposeCodes() string {
	codes := make([]string, len(Purposes))
	for i, p := range Purposes {
		codes[i] = p.Code
	}
	return strings.Join(codes, ", ")
}

// MayFor says why the actor may not look at an entity's data for a purpose; nil where they may. Access
// that was approved for one purpose is for no other.
func (a Actor) MayFor(purpose string) error {
	const op = "look at an entity's data"
	if err := KnownPurpose(purpose); err != nil {
		return &fault.Error{Op: op, Code: fault.Invalid, Err: err, Hint: "every query names its purpose: one of " + purposeCodes()}
	}
	if a.Scope.Purpose != "" && a.Scope.Purpose != purpose {
		return &fault.Error{Op: op, Code: fault.Forbidden, Err: errors.New("this access was approved for another purpose"), Hint: "name the purpose " + a.Scope.Purpose + ", or apply for another access"}
	}
	return nil
}

// SeesEntity says whether an entity lies in the actor's scope: every member that is given narrows.
func (s Scope) SeesEntity(uscc, division, industry string) bool {
	return (len(s.Entities) == 0 || slices.Contains(s.Entities, uscc)) && s.InArea(division) && s.InIndustry(industry)
}
