package restapi

import (
	"crypto/sha256"
	"encoding/base64"

	"xinshu/catalog"
)

// The national data sharing and exchange platform (facts.md 4.1): sid, rid and rtime are signed in
// this order, with a working secret that is fetched with the application key.
var national = profile{
	about:   catalog.Text{ZH: "国家数据共享交换平台", EN: "national data sharing and exchange platform"},
	needsID: true, needsSecret: true,
	headers: [][2]string{{"gjgxjhpt_rid", "{id}"}, {"gjgxjhpt_sid", "{sid}"}, {"gjgxjhpt_rtime", "{time}"}, {"gjgxjhpt_sign", "{sign}"}},
	message: "{sid}{id}{time}", sum: keyed(sha256.New), encode: base64.StdEncoding.EncodeToString, clock: millis,
	working: newWorkingSecret,
}
