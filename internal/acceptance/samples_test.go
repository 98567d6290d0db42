//go:build acceptance

package acceptance

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// sampleFiles is the real material, or what stands in for it, byte for byte as it will be handed over.
type sampleFiles struct {
	origin                          string // where it came from, printed at the end
	register, registerGB            []byte // companies, UTF-8 and GB18030
	abnormal                        []byte // rows of the list of abnormal operation
	penalties                       []byte // an answer in the field names of double publicity
	registerRows, registerGBRows    []row
	abnormalRows, penaltyAnswerRows []row
}

// row is one row by column name.
type row map[string]string

// loadSamples reads the files of the shared folder beside the repository. Where they are absent it
// makes files of the same form.
func loadSamples(t *testing.T) *sampleFiles {
	t.Helper()
	dir := filepath.Join(repository(), "..", "shared", "samples")
	s := &sampleFiles{origin: "the collected files of shared/samples"}
	for name, into := range map[string]*[]byte{
		"enterprises/ningxia_2019.csv":         &s.register,
		"enterprises/ningxia_2019.gb18030.csv": &s.registerGB,
		"credit/abnormal_operations.csv":       &s.abnormal,
		"credit/penalty_response.json":         &s.penalties,
	} {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			s = makeSamples(t)
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		*into = text
	}
	plain, err := simplifiedchinese.GB18030.NewDecoder().Bytes(s.registerGB)
	if err != nil {
		t.Fatal(err)
	}
	s.registerRows, s.registerGBRows, s.abnormalRows = readCSV(t, s.register), readCSV(t, plain), readCSV(t, s.abnormal)
	s.penaltyAnswerRows = readAnswer(t, s.penalties)
	t.Logf("material: %s: %d companies in UTF-8, %d in GB18030, %d abnormal listings, %d penalties",
		s.origin, len(s.registerRows), len(s.registerGBRows), len(s.abnormalRows), len(s.penaltyAnswerRows))
	return s
}

// makeSamples makes files of the form of the samples for a checkout without them.
func makeSamples(t *testing.T) *sampleFiles {
	t.Helper()
	s := &sampleFiles{origin: "files made by this test, because shared/samples is absent"}
	register := [][]string{{"企业名称", "统一社会信用代码", "注册日期", "企业类型", "注册资金", "经营范围", "所在省份", "地区"}}
	for i := range 600 {
		register = append(register, []string{fmt.Sprintf("宁夏样例%d号\"商贸\"有限公司", i), makeCode("91", "640100", 20_000_000+i*37), "2019-01-02", "有限责任公司",
			fmt.Sprintf("%d,000(万元)", 1+i%9), "预包装食品、办公用品的销售", "宁夏", "银川"})
	}
	s.register = writeCSV(t, register)
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes(writeCSV(t, register[:241]))
	if err != nil {
		t.Fatal(err)
	}
	s.registerGB = gb
	s.abnormal = writeCSV(t, [][]string{
		{"inclu_dt", "inclu_reason", "uni_social_crd_cd", "redecorg_cn", "remexcpres_cn", "remove_dt", "decorg_cn"},
		{"2021-09-18", "未按照规定的期限公示年度报告。", makeCode("91", "330201", 30_000_001), "北仑区", "补报年度报告", "2022-07-20", "北仑区"},
		{"2023-11-09", "通过登记的住所或者经营场所无法联系。", makeCode("91", "330283", 30_000_002), "", "", "", "奉化区"},
	})
	penalty := row{"ID": "sample-1"}
	maps.Copy(penalty, penaltyRow(subject{code: makeCode("91", "350100", 30_000_003), name: "样例有限公司"}, general, 1, stockDay))
	delete(penalty, "severity")
	if s.penalties, err = json.Marshal(map[string]any{"total": 1, "rows": []row{penalty}}); err != nil {
		t.Fatal(err)
	}
	return s
}

func readCSV(t *testing.T, text []byte) []row {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))).ReadAll()
	if err != nil || len(records) == 0 {
		t.Fatalf("the file is no CSV with a header: %v", err)
	}
	rows := make([]row, 0, len(records)-1)
	for _, record := range records[1:] {
		r := row{}
		for i, value := range record {
			r[records[0][i]] = value
		}
		rows = append(rows, r)
	}
	return rows
}

// readTable reads a CSV as it stands, the header first.
func readTable(t *testing.T, text []byte) [][]string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func headerOf(t *testing.T, text []byte) []string {
	t.Helper()
	header, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))).Read()
	if err != nil {
		t.Fatal(err)
	}
	return header
}

func writeCSV(t *testing.T, records [][]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(records); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readAnswer reads the rows of {total, rows}; a member that is no text is kept as its JSON.
func readAnswer(t *testing.T, text []byte) []row {
	t.Helper()
	var answer struct {
		Total int                          `json:"total"`
		Rows  []map[string]json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Total != len(answer.Rows) {
		t.Fatalf("the answer says %d rows and holds %d", answer.Total, len(answer.Rows))
	}
	rows := make([]row, len(answer.Rows))
	for i, members := range answer.Rows {
		rows[i] = row{}
		for name, raw := range members {
			value := string(raw)
			if raw[0] == '"' {
				if err := json.Unmarshal(raw, &value); err != nil {
					t.Fatal(err)
				}
			}
			if value != "null" {
				rows[i][name] = value
			}
		}
	}
	return rows
}
