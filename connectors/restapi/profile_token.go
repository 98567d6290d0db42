package restapi

import "xinshu/catalog"

// A token that the platform gave once.
var bearer = profile{
	about:       catalog.Text{ZH: "令牌", EN: "a token"},
	needsSecret: true,
	headers:     [][2]string{{"Authorization", "Bearer {secret}"}},
}

// Changzhou's open data: a token, and errcode 0 for success.
var changzhou = profile{
	about:       catalog.Text{ZH: "常州公共数据开放平台（令牌，errcode）", EN: "open data of Changzhou (a token, errcode)"},
	needsSecret: true,
	headers:     [][2]string{{"Authorization", "Bearer {secret}"}},
	defaults:    map[string]string{"code_path": "errcode", "message_path": "errmsg"},
}

// OAuth2 with client credentials: id and secret are those of the client, calls carry the token.
var oauth2 = profile{
	about:   catalog.Text{ZH: "OAuth2 客户端凭证", EN: "OAuth2 client credentials"},
	needsID: true, needsSecret: true,
	headers: [][2]string{{"Authorization", "Bearer {secret}"}},
	working: newTokenKeeper,
}
