//go:build acceptance

package acceptance

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"xinshu/internal/lake/s3test"
)

// A bucket that departments write to, apart from the lake's, and the prefix that one of them may use.
const (
	dropBucket = "handover"
	dropPrefix = "tobacco"
)

// makeBucket makes the bucket that departments write to.
func (w *world) makeBucket() {
	w.t.Helper()
	client, err := minio.New(w.s3.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(s3test.AccessKey, s3test.SecretKey, ""), BucketLookup: minio.BucketLookupPath, Region: "us-east-1"})
	w.must(err)
	w.must(client.MakeBucket(w.t.Context(), dropBucket, minio.MakeBucketOptions{}))
	w.drop = client
}

// hand lays a file with rows where the department of a feed lays its files.
func (w *world) hand(f *feed, rows []row, written time.Time) {
	w.t.Helper()
	end, body := handedOver(w.t, f.dataset, rows)
	name := f.dataset + "_" + written.Format("20060102150405") + end
	switch f.source {
	case ftpDepartment:
		// The companion first: a file that has none is left for later, as the setting asks.
		w.must(os.WriteFile(filepath.Join(w.ftp.Dir, name+".sm3"), companion(body), 0o600))
		w.must(os.WriteFile(filepath.Join(w.ftp.Dir, name), body, 0o600))
	case bucketDepartment:
		_, err := w.drop.PutObject(w.t.Context(), dropBucket, dropPrefix+"/"+name, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
		w.must(err)
	default:
		folder := filepath.Join(w.dir, "departments")
		w.must(os.MkdirAll(folder, 0o750))
		w.must(os.WriteFile(filepath.Join(folder, name), body, 0o600))
	}
}
