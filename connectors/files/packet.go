package files

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"time"

	"xinshu/connectors"
)

// packetHeader is what the receiver needs before it opens the body (facts.md 4.3: header and body,
// GUID, timestamp, UTF-8).
type packetHeader struct {
	GUID    string `json:"guid" xml:"guid"` // the delivery id: the same packet twice is one
	Kind    string `json:"kind" xml:"kind"`
	Sender  string `json:"sender" xml:"sender"`
	Target  string `json:"target" xml:"target"`
	Made    string `json:"made" xml:"made"` // RFC 3339
	Count   int    `json:"count" xml:"count"`
	Wording string `json:"wording" xml:"wording"`
}

type jsonPacket struct {
	Header packetHeader `json:"header"`
	Body   struct {
		Rows []json.RawMessage `json:"rows"`
	} `json:"body"`
}

type xmlPacket struct {
	XMLName xml.Name     `xml:"packet"`
	Header  packetHeader `xml:"header"`
	Rows    []xmlRow     `xml:"body>row"`
}

type xmlRow struct {
	ID      string    `xml:"id,attr"`
	Kind    string    `xml:"kind,attr"`
	Version int64     `xml:"version,attr"`
	USCC    string    `xml:"uscc,attr"`
	Items   []xmlItem `xml:"item"`
}

type xmlItem struct {
	Name  string `xml:"name,attr"`
	Value string `xml:",chardata"`
}

func encodePacket(form, sender string, d connectors.Delivery) ([]byte, error) {
	head := packetHeader{GUID: d.ID, Kind: d.Kind, Sender: sender, Target: d.Target, Made: d.Made.In(connectors.Shanghai).Format(time.RFC3339), Count: len(d.Rows), Wording: d.Wording}
	var buf bytes.Buffer
	if form == "json" {
		p := jsonPacket{Header: head}
		p.Body.Rows = make([]json.RawMessage, len(d.Rows))
		for i, row := range d.Rows {
			p.Body.Rows[i] = row.Body
		}
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		err := enc.Encode(p)
		return buf.Bytes(), err
	}
	p := xmlPacket{Header: head, Rows: make([]xmlRow, len(d.Rows))}
	for i, row := range d.Rows {
		items, err := items(row.Body)
		if err != nil {
			return nil, fmt.Errorf("row %s: %w", row.ID, err)
		}
		p.Rows[i] = xmlRow{ID: row.ID, Kind: row.Kind, Version: row.Version, USCC: row.USCC, Items: items}
	}
	buf.WriteString(xml.Header)
	enc := xml.NewEncoder(&buf)
	enc.Indent("", " ")
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	buf.WriteByte('\n')
	return buf.Bytes(), nil
}

// items gives the members of a row in their order: texts as they are, numbers by their digits,
// anything nested as JSON. What the row's attributes say already is left out.
func items(body []byte) ([]xmlItem, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("the body is no JSON object")
	}
	var items []xmlItem
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		key, _ := name.(string) // More inside an object promises a name
		switch key {
		case "id", "kind", "version", "uscc":
			continue
		}
		value := string(raw)
		switch {
		case value == "null":
			continue
		case raw[0] == '"':
			if err := json.Unmarshal(raw, &value); err != nil {
				return nil, err
			}
		}
		items = append(items, xmlItem{key, value})
	}
	return items, nil
}
