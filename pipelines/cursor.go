package pipelines

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"

	"xinshu/connectors"
	"xinshu/internal/chain"
)

// cursors are the places of all sources of one dataset: a department may hand over the same dataset
// that a platform also carries, and each of them goes on from its own place. The chain's cursor is
// their JSON, with sorted names; what stands behind a name only that source's connector can read.
type cursors map[string]connectors.Cursor

// readCursors reads the cursor of a chain's head; an empty chain has none.
func readCursors(head chain.Entry) (cursors, error) {
	all := cursors{}
	if head.Cursor == nil || head.Cursor.After == "" {
		return all, nil
	}
	if err := json.Unmarshal([]byte(head.Cursor.After), &all); err != nil {
		return nil, fmt.Errorf("read the cursor of %s, entry %d: %w", head.Chain, head.N, err)
	}
	return all, nil
}

// moved is the chain's cursor once one source stands at next.
func (c cursors) moved(source string, next connectors.Cursor) connectors.Cursor {
	all := cursors{}
	maps.Copy(all, c)
	all[source] = next
	text, _ := json.Marshal(all) // names and texts always marshal
	return connectors.Cursor(text)
}

// pages gives one source's pages with the chain's cursor behind each. A source whose place is long
// tells the same for many pages.
func (c cursors) pages(source string, pages iter.Seq2[connectors.Page, error]) iter.Seq2[connectors.Page, error] {
	return func(yield func(connectors.Page, error) bool) {
		var told, moved connectors.Cursor
		for page, err := range pages {
			if err == nil {
				if moved == "" || page.Next != told {
					told, moved = page.Next, c.moved(source, page.Next)
				}
				page.Next = moved
			}
			if !yield(page, err) {
				return
			}
		}
	}
}
