package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"

	"xinshu/connectors"
	"xinshu/connectors/connectortest"
	"xinshu/internal/fault"
	"xinshu/internal/lake/s3test"
)

// s3Server is one server for all tests of the package: it takes seconds to start.
var s3Server = sync.OnceValues(s3test.Start)

func TestMain(m *testing.M) {
	code := m.Run()
	if s3Started {
		if server, err := s3Server(); err == nil {
			_ = server.Stop()
		}
	}
	os.Exit(code)
}

var s3Started bool

// s3Bucket gives an empty bucket and the settings to reach it.
func s3Bucket(t *testing.T) (*minio.Core, connectors.Values) {
	t.Helper()
	s3Started = true
	server, err := s3Server()
	if err != nil {
		t.Fatal(err)
	}
	values := connectors.Values{"place": "s3", "root": "city/书", "endpoint": server.Endpoint, "access_key": s3test.AccessKey, "secret_key": s3test.SecretKey, "tls": "off", "path_style": "on"}
	values["bucket"] = fmt.Sprintf("b%x", first8([]byte(t.Name()+t.TempDir())))
	client, err := minio.NewCore(server.Endpoint, &minio.Options{Creds: credentialsOf(), BucketLookup: minio.BucketLookupPath, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(t.Context(), values["bucket"], minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return client, values
}

// carry brings a folder's files into the bucket, in the order of their names.
func carry(t *testing.T, client *minio.Core, bucket, prefix, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		lay(t, client, bucket, prefix+filepath.ToSlash(name), string(body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func lay(t *testing.T, client *minio.Core, bucket, key, body string) {
	t.Helper()
	if _, err := client.Client.PutObject(t.Context(), bucket, key, strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, client *minio.Core, bucket, prefix string) (all []string) {
	t.Helper()
	for o := range client.Client.ListObjects(t.Context(), bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		all = append(all, strings.TrimPrefix(o.Key, prefix))
	}
	return all
}

func TestS3KeepsItsPromises(t *testing.T) {
	connectortest.Pull(t, func(t *testing.T) connectortest.Source {
		client, values := s3Bucket(t)
		dir := t.TempDir()
		ids := seed(t, dir, "csv")
		carry(t, client, values["bucket"], "city/书/in/", dir)
		s := sourceOf(openSFTP(t, values), connectors.Values{"folder": "in", "page_rows": "2", "ready": "ok"})
		s.Rows = ids
		return s
	})
	connectortest.Push(t, func(t *testing.T) connectortest.Target {
		client, values := s3Bucket(t)
		values["outbox"] = "to/city"
		dir := t.TempDir()
		target := target(openSFTP(t, values), dir)
		records := target.Records
		target.Records = func(t *testing.T) map[string]int {
			t.Helper()
			for _, key := range keys(t, client, values["bucket"], "city/书/to/city/") {
				in, _, _, err := client.GetObject(t.Context(), values["bucket"], "city/书/to/city/"+key, minio.GetObjectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(in)
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, key, string(body))
			}
			return records(t)
		}
		return target
	})
}

func TestS3FilesMoveAwayAndAKilledMoveIsRepeated(t *testing.T) {
	client, values := s3Bucket(t)
	dir := t.TempDir()
	s := sourceOf(nil, connectors.Values{"folder": "in", "done": "in/done", "page_rows": "2"})
	s.Rows = seed(t, dir, "json")
	carry(t, client, values["bucket"], "city/书/in/", dir)
	first, err := os.ReadFile(filepath.Join(dir, "annual_edu_20251028090000_1.json"))
	if err != nil {
		t.Fatal(err)
	}
	lay(t, client, values["bucket"], "city/书/in/done/annual_edu_20251028090000_1.json", string(first)) // copied, and killed before it was taken away
	s.Conn = openSFTP(t, values)
	takeAll(t, s)
	got := keys(t, client, values["bucket"], "city/书/in/")
	slices.Sort(got)
	expect(t, got, "done/annual_edu_20251028090000_1.json", "done/annual_edu_20251028090000_1.json.ok", "done/annual_edu_20251029090000_1.json", "done/annual_edu_20251029090000_1.json.ok")
}

func TestAListingGoesBeyondAThousandObjects(t *testing.T) {
	client, values := s3Bucket(t)
	const n = 1203
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := worker; i < n; i += 8 {
				lay(t, client, values["bucket"], fmt.Sprintf("city/书/f%04d.csv", i), fmt.Sprintf("id\n%d\n", i))
			}
		})
	}
	wait.Wait()
	lay(t, client, values["bucket"], "city/书/", "") // the folder itself, as consoles make it
	lay(t, client, values["bucket"], "city/书/deeper/x.csv", "id\nx\n")
	found, err := openSFTP(t, values).(*conn).place.list(t.Context(), ".")
	if err != nil || len(found) != n {
		t.Fatalf("%d objects of %d, %v", len(found), n, err)
	}
}

func TestAReplacedObjectOfTheSameSizeIsAnotherFile(t *testing.T) {
	client, values := s3Bucket(t)
	lay(t, client, values["bucket"], "city/书/a.csv", "id\n1\n")
	c := openSFTP(t, values).(*conn)
	got, next := outcome(t, c, nil, "")
	expect(t, got, "a.csv:2:1")
	lay(t, client, values["bucket"], "city/书/a.csv", "id\n2\n")
	got, next = outcome(t, c, nil, next)
	expect(t, got, "a.csv:2:2")
	if err := client.Client.RemoveObject(t.Context(), values["bucket"], "city/书/a.csv", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	got, _ = outcome(t, c, nil, next) // the prefix went with its last object
	expect(t, got)
}

func TestS3MistakesAreNamed(t *testing.T) {
	_, values := s3Bucket(t)
	for says, c := range map[string]struct {
		change connectors.Values
		code   fault.Code
	}{
		"no such bucket":          {connectors.Values{"bucket": "nowhere-to-be-found"}, fault.NotFound},
		"may not do this":         {connectors.Values{"secret_key": "wrong-secret-key"}, fault.Unauthorized},
		"endpoint is host:port":   {connectors.Values{"endpoint": "http://x/y"}, fault.Invalid},
		"secret_key is not set":   {connectors.Values{"secret_key": ""}, fault.Invalid},
		"there is no folder s3:":  {connectors.Values{"root": "misspelt"}, fault.NotFound},
		"connection refused":      {connectors.Values{"endpoint": "127.0.0.1:1"}, fault.Unavailable},
		"server gave HTTP respon": {connectors.Values{"tls": "on"}, fault.Unavailable},
	} {
		t.Run(says, func(t *testing.T) {
			changed := connectors.Values{}
			for _, from := range []connectors.Values{values, c.change} {
				maps.Copy(changed, from)
			}
			conn, err := Driver().Open(t.Context(), changed)
			if err == nil {
				defer func() { _ = conn.Close() }()
				for _, err = range conn.(connectors.Puller).Pull(t.Context(), sourceOf(conn, nil).Job, "") {
				}
			}
			if fault.CodeOf(err) != c.code || !strings.Contains(said(err), says) || strings.Contains(said(err), "wrong-secret-key") {
				t.Fatalf("got %v, want %q: %q", err, c.code, says)
			}
		})
	}
}

// cutting is a place whose lines break after some bytes.
type cutting struct {
	place
	after int64
	opens int
	cause error // nil: the line just ends, as a cut FTP transfer does
}

func (c *cutting) open(ctx context.Context, name string, from int64) (io.ReadCloser, error) {
	c.opens++
	in, err := c.place.open(ctx, name, from)
	if err != nil || c.after == 0 {
		return in, err
	}
	ends := io.LimitReader(in, c.after)
	if c.cause != nil {
		ends = io.MultiReader(ends, failing{c.cause})
	}
	return struct {
		io.Reader
		io.Closer
	}{ends, in}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestEveryPlaceResumesALineThatIsCut(t *testing.T) {
	var body bytes.Buffer
	for i := range 300_000 {
		fmt.Fprintf(&body, "row %d\n", i)
	}
	for _, name := range placesUnderTest {
		t.Run(name, func(t *testing.T) {
			c, put := placeUnderTest(t, name)
			put("a.csv", body.String())
			is, err := c.place.stat(t.Context(), "a.csv")
			if err != nil {
				t.Fatal(err)
			}
			c.pause = 0
			for what, cause := range map[string]error{"ended early": nil, "reset": errors.New("connection reset by peer")} {
				cut := &cutting{place: c.place, after: 1_500_000, cause: cause}
				in, err := (&conn{place: cut, stall: c.stall}).read(t.Context(), "a.csv", is)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(in)
				if err != nil || !bytes.Equal(got, body.Bytes()) || cut.opens != 3 {
					t.Fatalf("%s: %d bytes of %d after %d lines, %v", what, len(got), body.Len(), cut.opens, err)
				}
				cut = &cutting{place: c.place, after: 1_000, cause: cause}
				in, err = (&conn{place: cut, stall: c.stall}).read(t.Context(), "a.csv", is)
				if err != nil {
					t.Fatal(err)
				}
				if got, err = io.ReadAll(in); err == nil || cut.opens != resumes+1 || len(got) != 1000*(resumes+1) {
					t.Fatalf("%s: a line that gives next to nothing was opened %d times for %d bytes, %v", what, cut.opens, len(got), err)
				}
			}
		})
	}
}
