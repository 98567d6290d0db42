package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xinshu/connectors/dbtable"
	"xinshu/internal/fault"
)

// otherWrites are the writes of judgement, of delivery and of the config.
var otherWrites = []durable{
	{name: "code overridden", points: commitPoints, open: func(t *testing.T, _ int) place {
		b := place{data: filepath.Join(t.TempDir(), "data")}
		b.do = command(t, func(i int) []string {
			return []string{"uscc", "override", wrongCode(i), "--by", "李四", "--reason", "公示", "--data", b.data}
		})
		b.holds = func() []string {
			out, _ := xinshu(t, "", "uscc", "override", "list", "--data", b.data)
			return strings.Split(string(out), "\n")
		}
		return b
	}},
	{name: "codes merged", points: commitPoints, open: func(t *testing.T, pieces int) place {
		b := place{data: registered(t, 2*pieces)}
		b.do = command(t, func(i int) []string { return merge(b.data, i) })
		b.holds = func() []string { return judgements(t, b.data) }
		return b
	}},
	{name: "merge undone", points: commitPoints, open: func(t *testing.T, pieces int) place {
		b := place{data: registered(t, 2*pieces)}
		names := make([]string, pieces)
		for i := range pieces {
			out, _ := xinshu(t, "", merge(b.data, i)...)
			names[i] = regexp.MustCompile(`J\d+`).FindString(string(out))
		}
		b.do = command(t, func(i int) []string {
			return []string{"identity", "undo", names[i], "--by", "王五", "--reason", "查明为两家", "--data", b.data}
		})
		b.holds = func() []string { return judgements(t, b.data) }
		return b
	}},
	{name: "objection accepted", points: commitPoints, open: func(t *testing.T, pieces int) place {
		b := place{data: registered(t, pieces)}
		numbers := opened(t, b.data, pieces, "objection")
		b.do = command(t, func(i int) []string {
			return []string{"case", "accept", numbers[i], "--by", "李四", "--data", b.data}
		})
		b.holds = func() []string { return casesOf(t, b.data) }
		return b
	}},
	{name: "case decided", points: commitPoints, open: func(t *testing.T, pieces int) place {
		b := place{data: registered(t, pieces)}
		numbers := opened(t, b.data, pieces, "completion")
		for _, no := range numbers {
			xinshu(t, "", "case", "accept", no, "--by", "李四", "--data", b.data)
		}
		b.do = command(t, func(i int) []string {
			return []string{"case", "decide", numbers[i], "--upheld", "--reason", "属实", "--by", "王五", "--data", b.data}
		})
		b.holds = func() []string { return casesOf(t, b.data) }
		return b
	}},
	{name: "packet laid down", points: append([]string{fault.BeforeReady}, pushPoints...), passes: map[string]int{fault.BeforeReady: 2}, open: func(t *testing.T, pieces int) place {
		return pushing(t, pieces, func(dir string, i int) string {
			lay(t, fmt.Sprintf("%s/out/%d/README", dir, i), "the receiver's folder")
			return fmt.Sprintf("{id: t%d, kind: files, values: {root: %s/out/%d, packet: json}}", i, dir, i)
		}, packetsIn)
	}},
	{name: "rows pushed to a database", points: pushPoints, open: func(t *testing.T, pieces int) place {
		return pushing(t, pieces, func(dir string, i int) string {
			db := frontDB(t, dir, dbtable.DDL("sqlite", "", fmt.Sprint("push", i), "")[0])
			_ = db.Close()
			return fmt.Sprintf("{id: t%d, kind: dbtable, values: {engine: sqlite, path: %s/front.db, push_table: push%d}}", i, dir, i)
		}, func(t *testing.T, dir string, i int) []string {
			return asked(t, frontDB(t, dir), fmt.Sprintf("select 'push%d ' || rec_id || ' ' || op || ' ' || uscc || ' ' || version from push%d", i, i))
		})
	}},
	{name: "source added", points: []string{fault.BeforeConfig}, open: func(t *testing.T, pieces int) place {
		dir := t.TempDir()
		conf := filepath.Join(dir, "xinshu.yaml")
		lay(t, conf, fmt.Sprintf("data: %s/data\nsources: # kept\n  - {name: first, kind: files, values: {root: %s/in}, datasets: {amr.severe: {pattern: \"*.csv\"}}}\n", dir, dir))
		listings(t, filepath.Join(dir, "in", "a.csv"), 1, 3)
		xinshu(t, "", "pull", "-c", conf)
		b := place{data: filepath.Join(dir, "data")}
		b.before = func(i int) {
			lay(t, filepath.Join(dir, "new.yaml"), fmt.Sprintf("name: s%d\nkind: files\nvalues: {root: %s/in, password: secret%d}\ndatasets: {amr.severe: {pattern: \"*.csv\"}}\n", i, dir, i))
		}
		b.do = command(t, func(int) []string {
			return []string{"source", "add", "-c", conf, "--from", filepath.Join(dir, "new.yaml"), "--yes"}
		})
		b.holds = func() (all []string) {
			for _, name := range append([]string{"/xinshu.yaml"}, found(t, dir, "secrets/*")...) {
				text, err := os.ReadFile(dir + name)
				if err != nil {
					t.Fatal(err)
				}
				for line := range strings.SplitSeq(string(text), "\n") {
					all = append(all, name+" "+strings.ReplaceAll(line, dir, "HERE"))
				}
			}
			return all
		}
		return b
	}},
}

// registered is a hub that knows so many companies.
func registered(t *testing.T, n int) (data string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "data")
	text := "uscc,entity_name,est_date\n"
	for i := range n {
		text += codeOf(i) + ",样例有限公司,2019-01-02\n"
	}
	lay(t, filepath.Join(dir, "reg.csv"), text)
	xinshu(t, "", "ingest", filepath.Join(dir, "reg.csv"), "--dataset", "amr.reg", "--data", data)
	xinshu(t, "", "settle", "--data", data)
	return data
}

// opened registers applications about records that no row has brought, and gives their numbers.
func opened(t *testing.T, data string, pieces int, kind string) []string {
	t.Helper()
	numbers := make([]string, pieces)
	for i := range pieces {
		out, _ := xinshu(t, "", "case", "open", codeOf(i), "--kind", kind, "--dataset", "amr.severe", "--key", fmt.Sprint("键", i), "--claim", "有误",
			"--receive-only", "--by", "张三", "--data", data)
		numbers[i] = regexp.MustCompile(`[A-Z]{2}-\d+-\d+`).FindString(string(out))
	}
	return numbers
}

// casesOf says how each case stands; a kill may leave a line of history more, and nothing else.
func casesOf(t *testing.T, data string) []string {
	t.Helper()
	out, _ := xinshu(t, "", "case", "list", "--all", "--data", data)
	return strings.Split(string(out), "\n")
}

func merge(data string, i int) []string {
	return []string{"identity", "merge", codeOf(2 * i), codeOf(2*i + 1), "--by", "张三", "--reason", "同一企业", "--data", data}
}

func judgements(t *testing.T, data string) []string {
	t.Helper()
	out, _ := xinshu(t, "", "identity", "list", "--data", data)
	return strings.Split(string(out), "\n")
}

// pushing is a hub whose published grades are due to one target for each piece of work.
func pushing(t *testing.T, pieces int, target func(dir string, i int) string, held func(t *testing.T, dir string, i int) []string) place {
	t.Helper()
	const text = "data: %s/data\npolicies: [jiangyin-2020]\ntargets:\n"
	data := registered(t, 20)
	dir := filepath.Dir(data)
	all, conf := fmt.Sprintf(text, dir), func(i int) string { return fmt.Sprintf("%s/%d.yaml", dir, i) }
	for i := range pieces {
		line := "  - " + target(dir, i) + "\n"
		lay(t, conf(i), fmt.Sprintf(text, dir)+line)
		all += line
	}
	lay(t, filepath.Join(dir, "all.yaml"), all)
	xinshu(t, "", "run", "--no-push", "-c", filepath.Join(dir, "all.yaml"))
	return place{data: data,
		do: command(t, func(i int) []string { return []string{"push", "-c", conf(i)} }),
		holds: func() (lines []string) {
			for i := range pieces {
				lines = append(lines, held(t, dir, i)...)
				out, _ := xinshu(t, "", "push", "-c", conf(i)) // what is still open shows here
				lines = append(lines, "left "+string(out))
			}
			return lines
		}}
}

// packetsIn reads a receiver's folder as the receiver does: packets that are whole, each row a line.
func packetsIn(t *testing.T, dir string, i int) (lines []string) {
	t.Helper()
	out := fmt.Sprintf("%s/out/%d", dir, i)
	for _, ok := range found(t, out, "*.ok") {
		body, err := os.ReadFile(out + strings.TrimSuffix(ok, ".ok"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(out + strings.TrimSuffix(ok, ".ok") + ".md5"); err != nil {
			t.Errorf("a packet is ready without its sum: %v", err)
		}
		var p packet
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Body.Rows {
			lines = append(lines, fmt.Sprintf("packet %d %s %s %s %d %s", i, r.Policy, r.USCC, r.Grade, r.Version, r.Kind))
		}
	}
	return append(lines, fmt.Sprintf("packet %d has %d files", i, len(found(t, out, "*", ".*"))))
}
