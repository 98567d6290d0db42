package alerts

import (
	"fmt"
	"time"
)

// The names of the rules.
const (
	Late       = "late"       // a source gave nothing for longer than its department promised
	Hold       = "hold"       // a feed came empty, with far too little or not at all, and is not believed
	Quarantine = "quarantine" // suddenly far more rows are refused
	Target     = "target"     // a receiver does not take what it is sent
	Task       = "task"       // a task failed and waits for a person
	Disk       = "disk"       // a disk fills
	Expiry     = "expiry"     // a certificate or a key comes to its end
	Audit      = "audit"      // the audit trail does not match
	Node       = "node"       // a node is gone without having said so
	Clock      = "clock"      // a node's clock is wrong against the database's
	Case       = "case"       // a case comes to the end of its time, or is past it
	Proposal   = "proposal"   // a change waits too long for its second person
	Catalogue  = "catalogue"  // a file of the catalogue is broken: left out, or not taken
)

// Names lists the rules.
var Names = []string{Late, Hold, Quarantine, Target, Task, Disk, Expiry, Audit, Node, Clock, Case, Proposal, Catalogue}

// Feed is one source's delivery of one dataset.
type Feed struct {
	Source, Dataset  string
	TitleZH, TitleEN string
	Late             bool   // the day on which new rows were due is over, by the calendar of working days
	RowsOn, DueOn    string // days
	Alarm            string // empty, few, late, few_new: why it is on hold; empty: it is not
	Since            string // day
	Rows, Usual      int64
}

// LateFeeds finds feeds that did not keep their promise. One that is on hold for it is told once, as that.
func LateFeeds(feeds []Feed) []Finding {
	var found []Finding
	for _, f := range feeds {
		if f.Late && f.Alarm == "" {
			found = append(found, Finding{Rule: Late, Subject: f.Source + "/" + f.Dataset, Level: Warning,
				ZH: fmt.Sprintf("%s（%s，来源 %s）自 %s 起没有新数据，按约定应在 %s 前更新；请联系供数部门或检查连接。", f.TitleZH, f.Dataset, f.Source, f.RowsOn, f.DueOn),
				EN: fmt.Sprintf("%s (%s, source %s) has brought nothing since %s and was due by %s; ask the department or test the connection.", f.TitleEN, f.Dataset, f.Source, f.RowsOn, f.DueOn)})
		}
	}
	return found
}

// HeldFeeds finds feeds whose absences are not believed.
func HeldFeeds(feeds []Feed) []Finding {
	why := map[string][2]string{
		"empty": {"一行数据也没有", "came without a row"}, "few": {"数据明显偏少", "came with far fewer rows than usual"},
		"late": {"长时间没有数据", "brought nothing for too long"}, "few_new": {"新增数据明显偏少", "brought far fewer new rows than usual"},
	}
	var found []Finding
	for _, f := range feeds {
		if f.Alarm != "" {
			found = append(found, Finding{Rule: Hold, Subject: f.Source + "/" + f.Dataset, Level: Critical,
				ZH: fmt.Sprintf("%s（%s，来源 %s）自 %s 起%s（%d，通常 %d），已暂停采信其缺失；请核实后放行。", f.TitleZH, f.Dataset, f.Source, f.Since, why[f.Alarm][0], f.Rows, f.Usual),
				EN: fmt.Sprintf("%s (%s, source %s) %s on %s (%d, usually %d): what it leaves out is not believed until somebody has looked and released it.", f.TitleEN, f.Dataset, f.Source, why[f.Alarm][1], f.Since, f.Rows, f.Usual)})
		}
	}
	return found
}

// Ledger is what became of the rows of one pull.
type Ledger struct{ Read, Quarantined int64 }

// A share of refused rows jumps when it is at least jumpShare, jumpTimes the share of the runs before,
// and stands on enough rows to mean something. Shares are in hundredths.
const (
	jumpShare = 5
	jumpTimes = 3
	jumpRows  = 20
	jumpRuns  = 10 // compared with so many runs before
)

// Jumped finds datasets whose newest pull had far more refused rows than those before. Pulls come with
// the newest first; those without rows are left out by the caller.
func Jumped(dataset string, pulls []Ledger) []Finding {
	if len(pulls) < 2 || pulls[0].Read < jumpRows {
		return nil
	}
	var before Ledger
	for _, l := range pulls[1:min(len(pulls), jumpRuns+1)] {
		before.Read += l.Read
		before.Quarantined += l.Quarantined
	}
	now := pulls[0]
	// now/read >= times * before/read, in whole numbers
	if before.Read == 0 || now.Quarantined*100 < jumpShare*now.Read || now.Quarantined*before.Read < jumpTimes*before.Quarantined*now.Read {
		return nil
	}
	return []Finding{{Rule: Quarantine, Subject: dataset, Level: Warning,
		ZH: fmt.Sprintf("%s 最近一次接收 %d 行，其中 %d 行进入隔离区（此前 %d 行中有 %d 行）；请查看隔离原因，格式可能已变。", dataset, now.Read, now.Quarantined, before.Read, before.Quarantined),
		EN: fmt.Sprintf("of the %d rows of the newest pull of %s %d were refused (before: %d of %d); look at the reasons, the source may have changed its form.", now.Read, dataset, now.Quarantined, before.Quarantined, before.Read)}}
}

// Receiver is how deliveries to one target stand.
type Receiver struct {
	ID      string
	Waiting int64     // rows in deliveries that wait for a person
	Open    int64     // rows neither acknowledged nor rejected
	Since   time.Time // when the oldest open one was published; zero: nothing is open
	Message string    // of the last failure
}

// FailingTargets finds receivers that take nothing: deliveries that wait for a person, or rows that
// have been open for longer than a time.
func FailingTargets(receivers []Receiver, now time.Time, lag time.Duration) []Finding {
	var found []Finding
	for _, r := range receivers {
		age := now.Sub(r.Since)
		if r.Waiting == 0 && (r.Since.IsZero() || age <= lag) {
			continue
		}
		hours := int64(0)
		if !r.Since.IsZero() {
			hours = int64(age / time.Hour)
		}
		found = append(found, Finding{Rule: Target, Subject: r.ID, Level: Critical,
			ZH: fmt.Sprintf("接收方 %s 有 %d 行未确认，最早一行已等待 %d 小时，%d 行需人工处理；最近的错误：%s", r.ID, r.Open, hours, r.Waiting, orDash(r.Message)),
			EN: fmt.Sprintf("target %s has %d rows open, the oldest for %d hours, and %d that wait for a person; the last failure: %s", r.ID, r.Open, hours, r.Waiting, orDash(r.Message))})
	}
	return found
}

// Broken is a task that failed.
type Broken struct{ ID, What, Error string }

// FailedTasks finds tasks that wait for a person.
func FailedTasks(tasks []Broken) []Finding {
	var found []Finding
	for _, t := range tasks {
		found = append(found, Finding{Rule: Task, Subject: t.ID, Level: Warning,
			ZH: fmt.Sprintf("任务 %s（%s）失败，等待处理：%s", t.ID, t.What, orDash(t.Error)),
			EN: fmt.Sprintf("task %s (%s) failed and waits for a person: %s", t.ID, t.What, orDash(t.Error))})
	}
	return found
}

// Space is the room on a disk.
type Space struct {
	Path        string
	Free, Total uint64 // bytes
}

// FullDisks finds disks with less room than so many hundredths; below a third of that it is critical.
func FullDisks(disks []Space, percent uint64) []Finding {
	var found []Finding
	for _, d := range disks {
		if d.Total == 0 || d.Free*100 >= percent*d.Total {
			continue
		}
		level := Warning
		if d.Free*300 < percent*d.Total {
			level = Critical
		}
		found = append(found, Finding{Rule: Disk, Subject: d.Path, Level: level,
			ZH: fmt.Sprintf("%s 所在磁盘剩余 %d MB（%d%%）；请清理或扩容，写满后不再接收数据。", d.Path, d.Free>>20, d.Free*100/d.Total),
			EN: fmt.Sprintf("the disk of %s has %d MB (%d%%) left; make room: when it is full nothing is taken in any more.", d.Path, d.Free>>20, d.Free*100/d.Total)})
	}
	return found
}

// Term is something that ends on a day.
type Term struct {
	What, Subject string // certificate, key; a file or the key's name
	WhatZH        string
	Until         time.Time
}

// Expiring finds what ends within a time; within a quarter of it, or when it has ended, it is critical.
func Expiring(terms []Term, now time.Time, within time.Duration) []Finding {
	var found []Finding
	for _, t := range terms {
		left := t.Until.Sub(now)
		if t.Until.IsZero() || left > within {
			continue
		}
		level := Warning
		if left < within/4 {
			level = Critical
		}
		day := t.Until.Local().Format(time.DateOnly)
		found = append(found, Finding{Rule: Expiry, Subject: t.What + " " + t.Subject, Level: level,
			ZH: fmt.Sprintf("%s %s 有效期至 %s；请在此之前更换。", t.WhatZH, t.Subject, day),
			EN: fmt.Sprintf("the %s %s is good until %s; replace it before.", t.What, t.Subject, day)})
	}
	return found
}

// Flaw is what is wrong with a file of the catalogue.
type Flaw struct {
	File, Says string
	LeftOut    bool // since the start; else it came since and is not taken
}

// BrokenFiles finds files of the catalogue that the hub does not read by; of each the first flaw counts.
func BrokenFiles(flaws []Flaw) []Finding {
	var found []Finding
	told := map[string]bool{}
	for _, f := range flaws {
		if told[f.File] {
			continue
		}
		told[f.File] = true
		finding := Finding{Rule: Catalogue, Subject: f.File, Level: Warning,
			ZH: fmt.Sprintf("目录文件夹有改动但未采用，服务仍按改动前的目录运行：%s；请更正。", f.Says),
			EN: fmt.Sprintf("the catalogue folder changed and is not taken, the hub goes on by what it read before: %s; mend it", f.Says)}
		if f.LeftOut {
			finding.Level = Critical
			finding.ZH = fmt.Sprintf("目录文件有误，启动时已跳过：%s；其中的内容不可用，请更正。", f.Says)
			finding.EN = fmt.Sprintf("a file of the catalogue is broken and was left out at the start: %s; mend it", f.Says)
		}
		found = append(found, finding)
	}
	return found
}

// BrokenTrail finds that the audit trail does not match; nil when it does.
func BrokenTrail(fault error) []Finding {
	if fault == nil {
		return nil
	}
	return []Finding{{Rule: Audit, Subject: "trail", Level: Critical,
		ZH: "审计记录链不一致，可能被改动：" + fault.Error(), EN: "the audit trail does not match; somebody may have changed it: " + fault.Error()}}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
