// Package s3test owns the S3 server that tests run against: it starts a real one as a child process
// on loopback. It refuses to play a server itself. Which server it is, deploy/dev/s3server.sh decides
// and prints; the tests get an address and keys.
package s3test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"xinshu/internal/lake"
)

// Keys of every server started here. They guard nothing but a loopback port of a test.
const (
	AccessKey = "xinshu-test"
	SecretKey = "xinshu-test-secret"
)

// startLimit covers a slow machine, not the installation of the server, which comes before it.
const startLimit = 90 * time.Second

// Server is a running S3 server.
type Server struct {
	Endpoint string // host:port
	Kind     string // which server it is, in words

	cmd  *exec.Cmd
	dir  string
	gone chan struct{}
	out  output
}

// Start installs a server if need be, starts it with an empty store and waits until it answers.
func Start() (*Server, error) {
	_, file, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(file), "..", "..", "..", "deploy", "dev", "s3server.sh")
	install := exec.Command("bash", script, "install")
	if said, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install the S3 server: %w\n%s", err, said)
	}
	dir, err := os.MkdirTemp("", "xinshu-s3-")
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		s, err := start(script, dir)
		if err == nil {
			return s, nil
		}
		if attempt == 2 { // the free port may have been taken in between, hardly three times
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
}

func start(script, dir string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Endpoint: l.Addr().String(), dir: dir, gone: make(chan struct{})}
	if err := l.Close(); err != nil {
		return nil, err
	}
	s.cmd = exec.Command("bash", script, "run", s.Endpoint, dir)
	s.cmd.Env = append(os.Environ(), "S3_ACCESS_KEY="+AccessKey, "S3_SECRET_KEY="+SecretKey)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is in its output
		close(s.gone)
	}()
	if err := s.wait(); err != nil {
		s.kill()
		return nil, fmt.Errorf("start the S3 server: %w\n%s", err, s.out.String())
	}
	first, _ := bufio.NewReader(strings.NewReader(s.out.String())).ReadString('\n')
	s.Kind = strings.TrimPrefix(strings.TrimSpace(first), "S3 server: ")
	return s, nil
}

// wait asks until the server answers, be it with a refusal; a 5xx is MinIO still waking up.
func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Endpoint+"/", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(req); err == nil {
			if err := answer.Body.Close(); err != nil || answer.StatusCode < http.StatusInternalServerError {
				return err
			}
		}
		select {
		case <-s.gone:
			return errors.New("it ended by itself")
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// Config gives access to a bucket of the server.
func (s *Server) Config(bucket string) lake.S3Config {
	return lake.S3Config{Endpoint: s.Endpoint, Bucket: bucket, AccessKey: AccessKey, SecretKey: SecretKey}
}

// Stop ends the server and removes its store.
func (s *Server) Stop() error {
	s.kill()
	return os.RemoveAll(s.dir)
}

func (s *Server) kill() {
	_ = s.cmd.Process.Kill() // an error says that it is gone already
	<-s.gone
}

// output collects what the server prints while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
