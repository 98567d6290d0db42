package restapi

import (
	"crypto/sha1" //nolint:gosec // the platform asks for it
	"encoding/hex"

	"xinshu/catalog"
)

// A city's reporting API. The platform takes timestamps within an hour.
var city = profile{
	about:   catalog.Text{ZH: "城市上报接口", EN: "city reporting API"},
	needsID: true, needsSecret: true,
	headers: [][2]string{{"appKey", "{id}"}, {"timestamp", "{time}"}, {"signature", "{sign}"}},
	message: "{id}{secret}{time}", sum: unkeyed(sha1.New), encode: hex.EncodeToString, clock: millis,
}
