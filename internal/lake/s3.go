package lake

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"xinshu/internal/fault"
)

// Secret prints as *** in every way a value can be printed.
type Secret string

// String serves %s and %v.
func (Secret) String() string { return "***" }

// GoString serves %#v.
func (Secret) GoString() string { return "***" }

// MarshalText serves JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// S3Config says where a bucket is and who may use it.
type S3Config struct {
	Endpoint  string // host:port
	Bucket    string // made if absent
	Region    string // empty: us-east-1, which MinIO and most others use
	AccessKey string
	SecretKey Secret
	TLS       bool
	CAFile    string // certificate of the authority that signed the server's; empty: those of the system

	AnswerWithin time.Duration // how long the server may think about one request; 0: a minute
}

// putTries bounds minio-go's own retries: a 503 or a broken connection is tried again, by itself.
const putTries = 4

// S3 is a store in a bucket of any S3-compatible server that keeps If-None-Match on PUT.
type S3 struct {
	client *minio.Client
	bucket string
	name   string
}

// OpenS3 opens the store in a bucket.
func OpenS3(ctx context.Context, c S3Config) (*S3, error) {
	op := fmt.Sprintf("open bucket %s at %s", c.Bucket, c.Endpoint)
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	transport, err := s3Transport(c)
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	client, err := minio.New(c.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(c.AccessKey, string(c.SecretKey), ""),
		Secure: c.TLS, Region: c.Region, Transport: transport, MaxRetries: putTries,
	})
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	s := &S3{client: client, bucket: c.Bucket, name: "s3 " + c.Endpoint + "/" + c.Bucket}
	there, err := client.BucketExists(ctx, c.Bucket)
	if err == nil && !there {
		err = client.MakeBucket(ctx, c.Bucket, minio.MakeBucketOptions{Region: c.Region})
		switch minio.ToErrorResponse(err).Code {
		case minio.BucketAlreadyOwnedByYou, minio.BucketAlreadyExists:
			err = nil // another node made it meanwhile
		}
	}
	if err != nil {
		return nil, failed(op, s.answer("", err, false))
	}
	return s, nil
}

// s3Transport is minio-go's own with the installation's certificate authority.
func s3Transport(c S3Config) (http.RoundTripper, error) {
	transport, err := minio.DefaultTransport(c.TLS)
	if err != nil {
		return nil, err
	}
	if c.AnswerWithin > 0 {
		transport.ResponseHeaderTimeout = c.AnswerWithin
	}
	if c.CAFile == "" || !c.TLS {
		return transport, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	authorities, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", c.CAFile)
	}
	transport.TLSClientConfig.RootCAs = authorities
	return transport, nil
}

func (s *S3) String() string { return s.name }

// Path never answers: DuckDB reads local files, so an object has to come through the cache.
func (s *S3) Path(string) (string, bool) { return "", false }

// Put sends the body with If-None-Match: *.
func (s *S3) Put(ctx context.Context, key string, body []byte) error {
	return s.put(ctx, key, bytes.NewReader(body), int64(len(body)))
}

// PutFile sends the file in one PUT: the parts of a multipart upload carry no condition.
func (s *S3) PutFile(ctx context.Context, key, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return s.put(ctx, key, &crashReader{ReadSeeker: f, half: info.Size() / 2}, info.Size())
}

func (s *S3) put(ctx context.Context, key string, body io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	o := minio.PutObjectOptions{DisableMultipart: true, ContentType: "application/octet-stream"}
	o.SetMatchETagExcept("*")
	_, err := s.client.PutObject(ctx, s.bucket, key, body, size, o)
	return s.answer(key, err, true)
}

// crashReader passes c1 when half the file went out. It can seek, so that minio-go may send it again.
type crashReader struct {
	io.ReadSeeker
	half, read int64
}

func (r *crashReader) Read(p []byte) (int, error) {
	n, err := r.ReadSeeker.Read(p)
	before := r.read
	r.read += int64(n)
	if before <= r.half && r.half < r.read {
		fault.At(fault.MidObject)
	}
	return n, err
}

func (r *crashReader) Seek(offset int64, whence int) (int64, error) {
	r.read = 0
	return r.ReadSeeker.Seek(offset, whence)
}

// Get opens the object.
func (s *S3) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	object, _, _, err := minio.Core{Client: s.client}.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, s.answer(key, err, false)
	}
	return s3Body{object, key, s}, nil
}

// s3Body gives the errors of a broken download the store's own words.
type s3Body struct {
	io.ReadCloser
	key string
	s   *S3
}

func (b s3Body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.s.answer(b.key, err, false)
	}
	return n, err
}

// Stat asks for the object's head.
func (s *S3) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	o, err := s.client.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.answer(key, err, false)
	}
	return Info{Key: key, Size: o.Size, Modified: o.LastModified}, nil
}

// List asks page by page with start-after.
func (s *S3) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		o := minio.ListObjectsOptions{Prefix: prefix, StartAfter: after, Recursive: true}
		for object := range s.client.ListObjectsIter(ctx, s.bucket, o) {
			if object.Err != nil {
				yield(Info{}, s.answer(prefix, object.Err, false))
				return
			}
			if !yield(Info{Key: object.Key, Size: object.Size, Modified: object.LastModified}, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(Info{}, ctx.Err())
		}
	}
}

// Delete removes the object.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	err := s.answer(key, s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{}), false)
	if errors.Is(err, ErrAbsent) {
		return nil
	}
	return err
}

// Sweep finds nothing: a PUT that broke off leaves no object.
func (s *S3) Sweep(context.Context, time.Time) error { return nil }

// answer turns what the server or the network said into the store's words. After a write anything
// but a clear refusal leaves it open whether the object is there.
func (s *S3) answer(key string, err error, write bool) error {
	if err == nil {
		return nil
	}
	said := minio.ToErrorResponse(err)
	switch {
	case said.StatusCode == http.StatusPreconditionFailed, said.Code == minio.PreconditionFailed:
		return fmt.Errorf("%s: %w", key, ErrExists)
	case said.Code == minio.NoSuchKey:
		return fmt.Errorf("%s: %w", key, ErrAbsent)
	case said.StatusCode == http.StatusUnauthorized, said.StatusCode == http.StatusForbidden:
		return &fault.Error{Op: s.name, Code: fault.Unauthorized, Hint: "check the access key and its rights on the bucket", Err: err}
	case said.Code == minio.NoSuchBucket:
		return &fault.Error{Op: s.name, Code: fault.NotFound, Hint: "the bucket is gone", Err: err}
	// 409 is S3's answer when two conditional writes overlap: neither side knows yet who won.
	case write && (said.StatusCode == 0 || said.StatusCode >= 500 || said.StatusCode == http.StatusConflict ||
		said.StatusCode == http.StatusRequestTimeout):
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	case errors.Is(err, context.Canceled):
		return err
	case said.StatusCode == 0 || said.StatusCode >= 500 || said.StatusCode == http.StatusTooManyRequests:
		return &fault.Error{Op: s.name, Code: fault.Unavailable, Hint: "the object store does not answer", Err: err}
	}
	return err
}
