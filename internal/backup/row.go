package backup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// encodeRow writes one row as a line: whole numbers, text, null, and bytes as {"base64": "..."}.
func encodeRow(row []any) ([]byte, error) {
	values := make([]any, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case []byte:
			if v != nil {
				values[i] = map[string][]byte{"base64": v}
			}
		case float64: // with a point, so that it comes back as what it was
			values[i] = json.RawMessage(floatText(v))
		default:
			values[i] = v
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(values)
	return b.Bytes(), err
}

func floatText(f float64) string {
	text := fmt.Sprint(f)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// decodeRow reads what encodeRow wrote.
func decodeRow(line []byte) ([]any, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var row []any
	if err := dec.Decode(&row); err != nil {
		return nil, err
	}
	for i, v := range row {
		var err error
		switch v := v.(type) {
		case json.Number:
			if strings.ContainsAny(v.String(), ".eE") {
				row[i], err = v.Float64()
			} else {
				row[i], err = v.Int64()
			}
		case map[string]any:
			text, _ := v["base64"].(string)
			var b []byte
			err = json.Unmarshal([]byte(`"`+text+`"`), &b)
			row[i] = b
		case nil, string:
		default:
			err = fmt.Errorf("value %d is a %T", i+1, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return row, nil
}
