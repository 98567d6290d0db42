package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// A cursor is a place in a list, with the name of the list and a check, so that one that was cut,
// changed or taken from another list is refused and not read as some other place. It grants nothing.

const cursorCheck = 6 // bytes

// cursorOf writes a place in the list of a name.
func cursorOf(list string, place any) string {
	text, err := json.Marshal(place)
	if err != nil {
		panic("write a cursor: " + err.Error()) // places are plain structs of this house
	}
	return base64.RawURLEncoding.EncodeToString(append(check(list, text), text...))
}

// readCursor reads a place in the list of a name; an empty cursor is the beginning.
func readCursor(list, cursor, parameter string, place any) error {
	if cursor == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil && len(raw) > cursorCheck && string(raw[:cursorCheck]) == string(check(list, raw[cursorCheck:])) {
		if err = json.Unmarshal(raw[cursorCheck:], place); err == nil {
			return nil
		}
	}
	p := newProblem("invalid", "the cursor is not one that this list gave")
	p.Errors = []ProblemPlace{{Location: "query." + parameter, Message: "take it unchanged from the answer before, or leave it out to begin anew"}}
	return p
}

func check(list string, text []byte) []byte {
	h := sha256.New()
	h.Write([]byte(list + "\n"))
	h.Write(text)
	return h.Sum(nil)[:cursorCheck]
}
