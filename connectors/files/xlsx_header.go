package files

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"xinshu/catalog"
)

// headerSearch is how many rows with anything in them are looked at for the header.
const headerSearch = 50

// xlsxHeader is the row that names the columns.
type xlsxHeader struct {
	row   int            // from 1
	names map[int]string // by column
	known map[int]bool   // columns that the dataset's contract knows
}

// contractNames are the names under which a dataset's fields may come: name, title, alias.
func contractNames(ds catalog.Dataset) map[string]bool {
	names := map[string]bool{}
	for _, f := range ds.Fields {
		names[foldName(f.Name)] = true
		if f.Title.ZH != "" {
			names[foldName(f.Title.ZH)] = true
		}
		if f.Title.EN != "" {
			names[foldName(f.Title.EN)] = true
		}
	}
	for alias := range ds.Aliases {
		names[foldName(alias)] = true
	}
	return names
}

func foldName(name string) string { return strings.ToLower(trimName(name)) }

// columnName is a header's cell as the name of a column: line breaks inside it are layout, and so is
// the star of a template that marks what must be filled in.
func columnName(text string, contract map[string]bool) string {
	name := trimName(strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(text))
	if bare := trimName(strings.Trim(name, "*＊")); !contract[foldName(name)] && contract[foldName(bare)] {
		return bare
	}
	return name
}

// findHeader chooses the header among the first rows of a sheet.
//
// It is the row that names the most fields of the contract, at least two of them (one, when the
// contract has no more) and at least half of its filled cells; of equal ones the first. So a title
// above the header is passed over, and of a header of two rows the lower one is taken, into which
// merged cells reach down. Without a contract it is the first row of at least two filled cells, or
// the first row when there is none.
func findHeader(rows []xlsxRow, contract map[string]bool, fields int) (xlsxHeader, string) {
	best, most := -1, 0
	near, nearly, filledNear := -1, -1, 0
	for i, r := range rows {
		filled, named := 0, 0
		for _, text := range r.texts {
			if name := columnName(text, contract); name != "" {
				filled++
				if contract[foldName(name)] {
					named++
				}
			}
		}
		if fields == 0 {
			if filled < 2 && (i > 0 || anyWide(rows)) {
				continue
			}
			if r.numbers() {
				return xlsxHeader{row: r.number}, fmt.Sprintf("row %d holds numbers and no names", r.number)
			}
			return headerOf(r, contract)
		}
		if named > nearly {
			near, nearly, filledNear = i, named, filled
		}
		if named >= min(2, fields) && 2*named >= filled && named > most {
			best, most = i, named
		}
	}
	if best < 0 {
		if near < 0 {
			return xlsxHeader{}, "the sheet is empty"
		}
		return xlsxHeader{}, fmt.Sprintf("no row among the first %d names the dataset's columns; row %d comes nearest: %d of its %d cells. Set header_row, or add aliases to the contract",
			headerSearch, rows[near].number, nearly, filledNear)
	}
	return headerOf(rows[best], contract)
}

func (r xlsxRow) numbers() bool {
	for _, text := range r.texts {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return false
		}
	}
	return true
}

func anyWide(rows []xlsxRow) bool {
	for _, r := range rows {
		if len(r.texts) >= 2 {
			return true
		}
	}
	return false
}

func headerOf(r xlsxRow, contract map[string]bool) (xlsxHeader, string) {
	h := xlsxHeader{row: r.number, names: map[int]string{}, known: map[int]bool{}}
	seen := map[string]int{}
	for _, column := range slices.Sorted(maps.Keys(r.texts)) {
		name := columnName(r.texts[column], contract)
		if name == "" {
			continue
		}
		if first, twice := seen[name]; twice {
			return h, fmt.Sprintf("columns %d and %d of row %d have the same name", first+1, column+1, r.number)
		}
		seen[name] = column
		h.names[column] = name
		h.known[column] = len(contract) == 0 || contract[foldName(name)]
	}
	return h, ""
}

// name gives a column's name; one without a header has its number as name.
func (h xlsxHeader) name(column int) string {
	if name, ok := h.names[column]; ok {
		return name
	}
	return fmt.Sprintf("column_%d", column+1)
}

// endings begin the first cell of rows that follow the data and are none: who filled in the form, notes.
var endings = []string{"备注", "注", "说明", "填表说明", "填表人", "填报人", "填报单位", "填表单位", "填报日期", "填表日期", "制表人", "制表单位", "制表日期",
	"审核人", "负责人", "单位负责人", "联系人", "联系电话", "note", "notes", "preparedby"}

// sumWords stand in the first cell of rows that add up the others.
var sumWords = []string{"合计", "总计", "小计", "共计", "total", "sum"}

// isNote says that a row does not look like one of the data: it adds up the others, or it is begun by a
// word that notes begin with and fills fewer than half of the header's columns, or all it fills are such words.
func (h xlsxHeader) isNote(texts map[int]string) bool {
	first, notes := xlsxColumnsMax, 0
	for column, text := range texts {
		first = min(first, column)
		if isEnding(squeezed(text)) {
			notes++
		}
	}
	begin := squeezed(texts[first])
	return slices.Contains(sumWords, strings.TrimRight(begin, ":：")) || isEnding(begin) && (2*len(texts) < len(h.names) || notes == len(texts))
}

func isEnding(text string) bool {
	return slices.ContainsFunc(endings, func(word string) bool {
		rest, ok := strings.CutPrefix(text, word)
		return ok && (rest == "" || strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "："))
	})
}

// squeezed takes the blanks out, which are layout in such cells: 合　计.
func squeezed(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), "")) }
