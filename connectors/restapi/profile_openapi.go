package restapi

import (
	"crypto/sha256"
	"encoding/base64"

	"xinshu/catalog"
	"xinshu/connectors/gm"
)

var openapiHeaders = [][2]string{{"X-Client-Id", "{id}"}, {"X-Timestamp", "{time}"}, {"X-Nonce", "{nonce}"}, {"X-Signature", "{sign}"}}

// The open-data gateways of Shandong and Liaoning.
var openapi = profile{
	about:   catalog.Text{ZH: "山东、辽宁开放网关", EN: "gateways of Shandong and Liaoning"},
	needsID: true, needsSecret: true,
	headers: openapiHeaders,
	message: "{id}{time}{nonce}", sum: keyed(sha256.New), encode: base64.StdEncoding.EncodeToString, clock: millis,
}

// The same with SM3 in place of SHA-256, as gateways ask for after an assessment of their cryptography.
var openapiSM3 = profile{
	about:   catalog.Text{ZH: "同 openapi，用 HMAC-SM3", EN: "like openapi, with HMAC-SM3"},
	needsID: true, needsSecret: true,
	headers: openapiHeaders,
	message: "{id}{time}{nonce}", sum: keyed(gm.NewSM3), encode: base64.StdEncoding.EncodeToString, clock: millis,
}
