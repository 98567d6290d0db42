package simulate

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// packet is what a department finds in its inbox: header and body, XML.
type packet struct {
	XMLName xml.Name `xml:"packet"`
	GUID    string   `xml:"header>guid"`
	Count   int      `xml:"header>count"`
	Rows    []struct {
		ID      string `xml:"id,attr"`
		Kind    string `xml:"kind,attr"`
		Version int64  `xml:"version,attr"`
		USCC    string `xml:"uscc,attr"`
		Items   []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:",chardata"`
		} `xml:"item"`
	} `xml:"body>row"`
}

// AnswerPackets plays the departments that take results as files: each whole packet in an inbox is
// kept, and answered by a file that names the rows refused. It gives how many it answered.
func (w *World) AnswerPackets() (int, error) {
	ready, err := filepath.Glob(filepath.Join(w.dir, "inbox", "*", "*.xml.ok"))
	if err != nil {
		return 0, err
	}
	answered := 0
	for _, ok := range ready {
		path := strings.TrimSuffix(ok, ".ok")
		marker := filepath.Join(filepath.Dir(path), ".answered", filepath.Base(path))
		if _, err := os.Stat(marker); err == nil {
			continue
		}
		if err := w.answerPacket(path); err != nil {
			return answered, fmt.Errorf("answer packet %s: %w", filepath.Base(path), err)
		}
		if err := layFile(marker, nil); err != nil {
			return answered, err
		}
		answered++
	}
	return answered, nil
}

func (w *World) answerPacket(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var p packet
	if err := xml.Unmarshal(text, &p); err != nil {
		return err
	}
	if p.Count != len(p.Rows) {
		return fmt.Errorf("the header counts %d rows, the body holds %d", p.Count, len(p.Rows))
	}
	rows := make([]json.RawMessage, len(p.Rows))
	for i, r := range p.Rows {
		members := map[string]any{}
		for _, item := range r.Items {
			members[item.Name] = item.Value
		}
		members["id"], members["kind"], members["version"], members["uscc"] = r.ID, r.Kind, r.Version, r.USCC
		if rows[i], err = json.Marshal(members); err != nil {
			return err
		}
	}
	refused, err := w.Receiver.keep(filepath.Base(filepath.Dir(path)), rows)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(map[string]any{"guid": p.GUID, "code": "0", "message": "", "accepted": len(rows) - len(refused), "rejected": len(refused), "rows": refused})
	if err != nil {
		return err
	}
	return layFile(path+".fb", answer)
}
