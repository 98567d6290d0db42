package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"xinshu/internal/fault"
)

// readyWithin is how long a hub may take to say whether it is ready; it asks state and store in turn.
const readyWithin = 10 * time.Second

// askReady asks a hub that serves whether it can work, for those who watch containers and know exit
// codes alone. It opens neither state nor store, which asking often would burden.
func (t *terminal) askReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || r.URL.Host == "" {
		return usageError{fmt.Errorf("--ready is no address such as http://127.0.0.1:8088/readyz")}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return &fault.Error{Op: "ask whether the hub is ready", Code: fault.Unavailable, Err: err, Hint: "look whether xinshu serve runs and at which address"}
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	var said struct {
		Status string            `json:"status"`
		Checks map[string]string `json:"checks"`
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&said)
	switch {
	case err != nil || said.Status == "":
		return &fault.Error{Op: "ask whether the hub is ready", Code: fault.Unavailable, Err: fmt.Errorf("no hub answers there (%s)", answer.Status), Hint: "the path is /readyz"}
	case answer.StatusCode != http.StatusOK:
		return &fault.Error{Op: "ask whether the hub is ready", Code: fault.Unavailable, Err: fmt.Errorf("it is %s %v", said.Status, said.Checks), Hint: "run xinshu doctor where the hub runs"}
	}
	if t.json {
		return t.printJSON(said)
	}
	t.printf("%s\n", said.Status)
	return nil
}
