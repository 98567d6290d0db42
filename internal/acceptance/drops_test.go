//go:build acceptance

package acceptance

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"xinshu/internal/chain"
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

// spoiltOnTheWay: a packed file that does not fit its .sm3 gives no row and is named; laid anew with
// the right companion it is read whole by the next pull.
func (s *story) spoiltOnTheWay() {
	const dataset = "housing.property"
	found, err := filepath.Glob(filepath.Join(s.w.ftp.Dir, dataset+"_*.sm3"))
	s.w.must(err)
	if len(found) != 2 {
		s.Fatalf("on FTP lie %v", found)
	}
	sum := slices.Max(found) // of today's file
	right, err := os.ReadFile(sum)
	s.w.must(err)
	s.w.must(os.WriteFile(sum, companion([]byte("another file")), 0o600))
	before := s.head(dataset)
	s.h.do("pull", "--source", ftpDepartment, "--dataset", dataset)
	var listed []struct{ File, Reason string }
	s.w.must(json.Unmarshal([]byte(s.h.do("quarantine", "list", "--dataset", dataset, "--json")), &listed))
	if name := strings.TrimSuffix(filepath.Base(sum), ".sm3"); len(listed) != 1 || listed[0].Reason != "FILE_CHECKSUM" || !strings.HasSuffix(listed[0].File, name) {
		s.Errorf("a file that does not fit its .sm3 is listed as %+v", listed)
	}
	l := s.ledgers(chain.Stage(dataset), before)
	if l.Read != 1 || l.Quarantined != 1 {
		s.Errorf("a file that does not fit its .sm3 is booked as %+v", l)
	}
	s.account.total = s.account.total.Add(l)
	s.Logf("a file on FTP that does not fit its .sm3: named, booked as 1 refused, no row taken")
	s.w.must(os.WriteFile(sum, right, 0o600))
}

// checkForms: the rows of each form came out of a file of that form, all of them.
func (s *story) checkForms() {
	s.Helper()
	for dataset, end := range forms {
		var rows int64
		for _, r := range s.h.rows(s.h.head(chain.Stage(dataset)), "rows", "select origin_file, count(*) from held group by 1") {
			if !strings.Contains(r[0], end) {
				s.Errorf("rows of %s came from %s, want a file that ends in %s", dataset, r[0], end)
			}
			rows += s.number(r[1])
		}
		if want := s.account.rows[dataset].Accepted; rows != want || rows == 0 {
			s.Errorf("%d rows of %s are staged, want %d", rows, dataset, want)
		}
	}
}
