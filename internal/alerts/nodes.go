package alerts

import (
	"fmt"
	"time"
)

// Member is one node of the hub.
type Member struct {
	Name string
	Seen time.Time     // by the clock that all nodes share
	Skew time.Duration // by how much its own clock is ahead of that one
}

// LostNodes finds nodes that were not seen for longer than a time. A node that stopped in an orderly
// way is not in the list.
func LostNodes(members []Member, now time.Time, silent time.Duration) []Finding {
	var found []Finding
	for _, m := range members {
		if now.Sub(m.Seen) > silent {
			found = append(found, Finding{Rule: Node, Subject: m.Name, Level: Critical,
				ZH: fmt.Sprintf("节点 %s 自 %s 起失联；它的任务由其他节点接管，请检查该主机。", m.Name, m.Seen.Local().Format(time.DateTime)),
				EN: fmt.Sprintf("node %s was last seen on %s; others take its tasks over, look after that host.", m.Name, m.Seen.Local().Format(time.DateTime))})
		}
	}
	return found
}

// WrongClocks finds nodes whose clock is off by more than so much. From the second time on such a node
// takes no task any more, which is critical.
func WrongClocks(members []Member, off, idle time.Duration) []Finding {
	var found []Finding
	for _, m := range members {
		by := m.Skew.Abs()
		if by <= off {
			continue
		}
		level := Warning
		if by > idle {
			level = Critical
		}
		zh, en := "快", "ahead of"
		if m.Skew < 0 {
			zh, en = "慢", "behind"
		}
		found = append(found, Finding{Rule: Clock, Subject: m.Name, Level: level,
			ZH: fmt.Sprintf("节点 %s 的时钟比数据库%s %s；请检查该主机的时间同步（NTP），相差超过 %s 的节点不再领取任务。", m.Name, zh, by.Round(time.Second), idle),
			EN: fmt.Sprintf("the clock of node %s is %s %s the database's; look at that host's time service (NTP): a node that is off by more than %s takes no tasks.", m.Name, by.Round(time.Second), en, idle)})
	}
	return found
}
