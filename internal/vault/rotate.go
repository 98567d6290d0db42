package vault

import (
	"context"
	"iter"
)

// Item is one sealed text and where it lies.
type Item struct{ Place, Text string }

// Holder keeps sealed texts.
type Holder interface {
	// Sealed gives every sealed text that is kept.
	Sealed(ctx context.Context) iter.Seq2[Item, error]
	// Reseal puts a text in the place of another. It says no when the other is not there any more:
	// somebody has entered a newer secret meanwhile.
	Reseal(ctx context.Context, old, text Item) (bool, error)
}

// Rotate seals everything under the first key that another key sealed, and gives how many texts there
// are and how many it sealed anew. Stopped half-way it is done again; every text opens at any time.
func (v *Vault) Rotate(ctx context.Context, held Holder) (total, renewed int, err error) {
	var due []Item
	for item, err := range held.Sealed(ctx) {
		if err != nil {
			return total, 0, err
		}
		if total++; !v.Current(item.Text) {
			due = append(due, item)
		}
	}
	for _, item := range due {
		secret, err := v.Open(item.Place, item.Text)
		if err != nil {
			return total, renewed, err
		}
		text, err := v.Seal(item.Place, secret)
		clear(secret)
		if err != nil {
			return total, renewed, err
		}
		done, err := held.Reseal(ctx, item, Item{Place: item.Place, Text: text})
		if err != nil {
			return total, renewed, err
		}
		if done {
			renewed++
		}
	}
	return total, renewed, nil
}

// Check opens every sealed text and gives how many there are, by key. The error is of the first that
// does not open.
func (v *Vault) Check(ctx context.Context, held Holder) (byKey map[string]int, err error) {
	byKey = map[string]int{}
	for item, err := range held.Sealed(ctx) {
		if err != nil {
			return byKey, err
		}
		byKey[KeyOf(item.Text)]++
		secret, err := v.Open(item.Place, item.Text)
		if err != nil {
			return byKey, err
		}
		clear(secret)
	}
	return byKey, nil
}

// First gives the id of the key that seals.
func (v *Vault) First() string { return v.first().ID() }
