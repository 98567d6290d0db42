package api

import "time"

// Bounds keep a request, and all of them together, within what the hub can bear.
type Bounds struct {
	Requests int           // under way at once; more are told to come back
	Parsing  int           // bodies taken apart at once; further ones wait their turn
	Exports  int           // exports under way at once
	Body     int64         // bytes of a JSON body, where the operation does not say more
	Upload   int64         // bytes of a workbook
	BodyWait time.Duration // in which a body must begin to come; then it must come at BodyRate
	BodyRate int64         // bytes a second
	Write    time.Duration // in which a reader must take a piece of a streamed answer
}

func (b Bounds) orDefault() Bounds {
	if b.Requests == 0 {
		b.Requests = 256
	}
	if b.Parsing == 0 {
		b.Parsing = 32
	}
	if b.Exports == 0 {
		b.Exports = 2
	}
	if b.Body == 0 {
		b.Body = 64 << 10
	}
	if b.Upload == 0 {
		b.Upload = 64 << 20
	}
	if b.BodyWait == 0 {
		b.BodyWait = 10 * time.Second
	}
	if b.BodyRate == 0 {
		b.BodyRate = 16 << 10
	}
	if b.Write == 0 {
		b.Write = 30 * time.Second
	}
	return b
}
