package stage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"xinshu/connectors"
)

// longestUnread is how much of an unreadable row a connector hands over; a longer one was cut.
const longestUnread = 500

// refusedContent names what a refused row says, wherever it stood: a full pull that brings the same
// bad row each day brings one thing to mend, not one a day. The hash is over the values as received,
// because two rows about two persons may look alike once they are masked; so it is keyed, like every
// hash of what may not be kept. Columns that the contract does not know take no part.
func (b *batch) refusedContent() string {
	var text []byte
	for i, raw := range b.raw {
		if raw = trim(raw); raw != "" {
			text = appendPart(text, b.fields[i].Name, raw)
		}
	}
	return b.masker.contentHash(text)
}

// unreadContent names an unreadable row by its text, and by its place too where the text is not whole.
func (b *batch) unreadContent(r Reject, c connectors.Reject) string {
	text := appendPart(appendPart(nil, "_reason", c.Reason), "_row", c.Value)
	if c.Value == "" || len(c.Value) >= longestUnread {
		text = appendPart(appendPart(text, "_file", r.File), "_line", strconv.FormatInt(r.Line, 10))
	}
	return b.masker.contentHash(text)
}

func (m masker) contentHash(text []byte) string {
	if len(m.key) == 0 {
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:16])
	}
	mac := hmac.New(sha256.New, m.key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
