package restapi

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the platform asks for it
	"encoding/hex"
	"encoding/json"
	"net/url"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
)

// Zhejiang's legal-person base: everything stands as one JSON object in the form field data.
var zhejiang = profile{
	about:   catalog.Text{ZH: "浙江法人库（表单 data，MD5）", EN: "legal-person base of Zhejiang (form field data, MD5)"},
	needsID: true, needsSecret: true,
	message: "{id}{secret}{time}", sum: unkeyed(md5.New), encode: hex.EncodeToString, clock: wallDigits,
	form: func(c signedCall) []byte {
		all := c.members()
		all["appKey"], all["sign"], all["requestTime"] = c.id, c.sign, c.time
		var data bytes.Buffer
		enc := json.NewEncoder(&data)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(all) // texts and JSON that was read as such always encode
		return []byte(url.Values{"data": {string(bytes.TrimSpace(data.Bytes()))}}.Encode())
	},
}

func wallDigits(t time.Time) string { return t.In(connectors.Shanghai).Format("20060102150405") }
