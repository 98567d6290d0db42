package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestABatchUnderWayAtAStopIsTakenToItsEnd stops the hub while half of a batch has come: it takes the
// rest, stages it once, and answers with the receipt before it ends.
func TestABatchUnderWayAtAStopIsTakenToItsEnd(t *testing.T) {
	for _, command := range []string{"serve", "receive"} {
		t.Run(command, func(t *testing.T) {
			config, data := doorConfig(t)
			d := openDoorOf(t, command, config, data, "")
			p := post{no: "2025-0001", total: "30", body: registrations(30)}
			body, rest := io.Pipe()
			r := p.request(t, d, body)
			r.Header.Set("Expect", "100-continue") // the body begins to go when the hub reads it
			patient := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
			defer patient.CloseIdleConnections()
			type answer struct {
				status int
				body   []byte
				err    error
			}
			answered := make(chan answer, 1)
			go func() {
				status, body, err := sent(t, patient, r)
				answered <- answer{status, body, err}
			}()
			half := len(p.body) / 2
			if _, err := rest.Write(p.body[:half]); err != nil {
				t.Fatal(err)
			}
			if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			for { // until nobody new is let in
				c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(d.url, "http://"))
				if err != nil {
					break
				}
				_ = c.Close()
			}
			if _, err := rest.Write(p.body[half:]); err != nil {
				t.Fatal(err)
			}
			_ = rest.Close()
			a := <-answered
			if got := taken(t, a.status, a.body, a.err); got.Accepted != 27 || got.Quarantined != 3 {
				t.Errorf("the receipt is %s", a.body)
			}
			<-d.done
			// What a service writes once it is up is its log: programs read it line by line.
			_, log, _ := strings.Cut(d.said.String(), "Ctrl-C ends it\n")
			for line := range strings.Lines(log) {
				if command == "serve" && !json.Valid([]byte(line)) {
					t.Errorf("a line of the log is no JSON: %s", line)
				}
			}
			if code := d.cmd.ProcessState.ExitCode(); code != exitDone || entries(t, data) != 1 {
				t.Errorf("it ended with %d and %d commits: %s", code, entries(t, data), d.said)
			}
		})
	}
}
