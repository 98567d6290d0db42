package files

import (
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
func placeUnderTest(t *testing.T, kind string) (c *conn, put func(name, body string)) {
	t.Helper()
	dir := t.TempDir()
	put = func(name, body string) { write(t, dir, name, body) }
	switch kind {
	case "sftp":
		return openSFTP(t, sftpValues(sshtest.Start(t), dir)).(*conn), put
	case "ftp":
		server := ftptest.Start(t)
		dir = server.Dir
		return openSFTP(t, ftpValues(server, dir)).(*conn), put
	case "s3":
		client, values := s3Bucket(t)
		return openSFTP(t, values).(*conn), func(name, body string) { lay(t, client, values["bucket"], "city/书/"+name, body) }
	}
	return openDir(t, dir, nil).(*conn), put
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
