package api

import "cmp"

// Purpose is how a caller names what it asks for.
type Purpose struct {
	Query  string `query:"purpose" maxLength:"100" doc:"查询用途。Purpose of the query; required unless the account was approved for one." example:"approval"`
	Header string `header:"Xinshu-Purpose" maxLength:"100" doc:"The same, as a header."`
}

func (p Purpose) named() string { return cmp.Or(p.Query, p.Header) }
