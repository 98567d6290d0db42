// Package s3test owns the S3 server that tests run against: it starts a real one as a child process
// on loopback. It refuses to play a server itself. Which server it is, deploy/dev/s3server.sh decides
// and prints; the tests get an address and keys.
package s3test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"xinshu/internal/lake"
	"xinshu/internal/supervised"
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

	dir  string
	runs *supervised.Server
}

// Start installs a server if need be, starts it with an empty store and waits until it answers.
func Start() (*Server, error) {
	_, file, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(file), "..", "..", "..", "deploy", "dev", "s3server.sh")
	install := exec.Command("bash", script, "install")
	if said, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install the S3 server: %w\n%s", err, said)
	}
	for attempt := 0; ; attempt++ {
		s, err := start(script)
		if err == nil || attempt == 2 { // the free port may have been taken in between, hardly three times
			return s, err
		}
	}
}

func start(script string) (*Server, error) {
	port, err := supervised.FreePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "xinshu-s3-")
	if err != nil {
		return nil, err
	}
	s := &Server{Endpoint: "127.0.0.1:" + port, dir: dir}
	log := filepath.Join(dir, "log")
	s.runs, err = supervised.Start(supervised.Program{Path: "bash", Args: []string{script, "run", s.Endpoint, dir}, Signal: "KILL", Log: log, Remove: dir,
		Env: []string{"S3_ACCESS_KEY=" + AccessKey, "S3_SECRET_KEY=" + SecretKey}, Ready: s.answers, Within: startLimit})
	if err != nil {
		return nil, fmt.Errorf("start the S3 server: %w", err)
	}
	said, err := os.ReadFile(log)
	first, _, _ := strings.Cut(string(said), "\n")
	s.Kind = strings.TrimPrefix(strings.TrimSpace(first), "S3 server: ")
	return s, err
}

// answers says that the server is up, be it with a refusal; a 5xx is MinIO still waking up.
func (s *Server) answers() error {
	answer, err := http.Get("http://" + s.Endpoint + "/") //nolint:noctx // bounded by the wait around it
	if err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusInternalServerError {
		err = errors.New(answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}

// Config gives access to a bucket of the server.
func (s *Server) Config(bucket string) lake.S3Config {
	return lake.S3Config{Endpoint: s.Endpoint, Bucket: bucket, AccessKey: AccessKey, SecretKey: SecretKey}
}

// Stop ends the server and removes its store.
func (s *Server) Stop() error {
	s.runs.Stop()
	return os.RemoveAll(s.dir)
}
