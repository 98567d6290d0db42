//go:build acceptance

package files

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/filetest"
	"xinshu/internal/ftptest"
	"xinshu/internal/sshtest"
)

// bigMB is how large the file of the issue is; XINSHU_BIG_MB makes a quicker trial.
const bigMB = 3500

// childEnv makes the test binary read a source and print how many rows it gave, so that the memory it
// took is its own.
const childEnv = "XINSHU_FILES_CHILD"

func init() {
	if text := os.Getenv(childEnv); text != "" {
		if err := readInChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

func readInChild(text string) error {
	var values map[string]string
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return err
	}
	c, err := open(context.Background(), connectors.Values(values))
	if err != nil {
		return err
	}
	rows, rejects := int64(0), 0
	job := connectors.Job{Dataset: catalog.Dataset{ID: "big"}, Values: connectors.Values{"pattern": "big.csv"}}
	for page, err := range c.Pull(context.Background(), job, "") {
		if err != nil {
			return err
		}
		rows += page.Batch.NumRows()
		rejects += len(page.Rejects)
		page.Batch.Release()
	}
	fmt.Println(rows, rejects)
	return c.Close()
}

func TestAFileOfSeveralGigabytesIsReadInConstantMemoryThroughEveryPlace(t *testing.T) {
	size := int64(bigMB)
	if text := os.Getenv("XINSHU_BIG_MB"); text != "" {
		var err error
		if size, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	server := ftptest.Start(t)
	file := filepath.Join(server.Dir, "big.csv")
	rows, err := filetest.Write(file, size<<20)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]func() connectors.Values{
		"folder": func() connectors.Values { return connectors.Values{"root": server.Dir} },
		"ftp":    func() connectors.Values { return ftpValues(server, server.Dir) },
		"sftp":   func() connectors.Values { return sftpValues(sshtest.Start(t), server.Dir) },
		"s3": func() connectors.Values {
			client, values := s3Bucket(t)
			if _, err := client.FPutObject(t.Context(), values["bucket"], "city/书/big.csv", file, minio.PutObjectOptions{PartSize: 64 << 20}); err != nil {
				t.Fatal(err)
			}
			return values
		},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(map[string]string(values()))
			if err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), self)
			cmd.Env = append(os.Environ(), childEnv+"="+string(text))
			var said strings.Builder
			cmd.Stderr = &said
			out, err := cmd.Output()
			if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(rows, 0) {
				t.Fatalf("%d rows, it read %q, %v: %s", rows, out, err, said.String())
			}
			usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			if !ok {
				t.Fatal("the system tells no memory use")
			}
			t.Logf("%d MB, %d rows: %d MB of memory, %v of processor time", size, rows, usage.Maxrss>>10, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
			if usage.Maxrss>>10 > 256 {
				t.Errorf("%d MB of memory, want at most 256", usage.Maxrss>>10)
			}
		})
	}
}
