package files

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"xinshu/connectors"
	"xinshu/internal/ftptest"
	"xinshu/internal/lake/s3test"
	"xinshu/internal/sshtest"
)

var placesUnderTest = []string{"folder", "sftp", "ftp", "s3"}

func credentialsOf() *credentials.Credentials {
	return credentials.NewStaticV4(s3test.AccessKey, s3test.SecretKey, "")
}

// placeUnderTest gives a connection to an empty place of a kind, and a way to lay files there.
func placeUnderTest(t *testing.T, kind string, more ...connectors.Values) (c *conn, put func(name, body string)) {
	t.Helper()
	dir := t.TempDir()
	put = func(name, body string) { write(t, dir, name, body) }
	open := func(values connectors.Values) *conn {
		for _, m := range more {
			maps.Copy(values, m)
		}
		return openSFTP(t, values).(*conn)
	}
	switch kind {
	case "sftp":
		return open(sftpValues(sshtest.Start(t), dir)), put
	case "ftp":
		server := ftptest.Start(t)
		dir = server.Dir
		return open(ftpValues(server, dir)), put
	case "s3":
		client, values := s3Bucket(t)
		return open(values), func(name, body string) { lay(t, client, values["bucket"], "city/书/"+name, body) }
	}
	return open(connectors.Values{"root": dir}), put
}

// replace writes a file anew under its name, whole at once.
func replace(t *testing.T, dir, name, body string) {
	t.Helper()
	write(t, dir, "."+name+".tmp", body)
	if err := os.Rename(filepath.Join(dir, "."+name+".tmp"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func startSSH(t *testing.T) *sshtest.Server { t.Helper(); return sshtest.Start(t) }

// ftpOver reaches a folder that another server may reach as well.
func ftpOver(t *testing.T, dir string) connectors.Values {
	t.Helper()
	return ftpValues(ftptest.Start(t), dir)
}
