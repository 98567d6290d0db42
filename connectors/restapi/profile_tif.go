package restapi

import (
	"crypto/sha256"
	"encoding/hex"

	"xinshu/catalog"
)

// Guangdong's TIF gateway, also the front of the national medical insurance.
var tif = profile{
	about:   catalog.Text{ZH: "广东 TIF 网关", EN: "Guangdong TIF gateway"},
	needsID: true, needsSecret: true,
	headers: [][2]string{{"x-tif-paasid", "{id}"}, {"x-tif-timestamp", "{time}"}, {"x-tif-nonce", "{nonce}"}, {"x-tif-signature", "{sign}"}, {"x-tif-serviceId", "{sid}"}},
	message: "{time}{secret}{nonce}{time}", sum: unkeyed(sha256.New), encode: hex.EncodeToString, clock: seconds,
}
