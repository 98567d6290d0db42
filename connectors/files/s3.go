package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// bucket is a prefix of an S3 bucket. A folder is what names have in common up to a slash: it is there
// while something is in it.
type bucket struct {
	core         *minio.Core
	bucket, root string // root: empty, or ending in a slash
	endpoint     string
	transport    *http.Transport
}

// largestCopy is what a server copies in one request.
const largestCopy = 5 << 30

var lookups = map[string]minio.BucketLookupType{"auto": minio.BucketLookupAuto, "on": minio.BucketLookupPath, "off": minio.BucketLookupDNS}

func openS3(ctx context.Context, r *connectors.Reader) (place, error) {
	op := fmt.Sprintf("open bucket %s at %s", r.Text("bucket"), r.Text("endpoint"))
	transport, err := minio.DefaultTransport(r.Text("tls") == "on")
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	if transport.TLSClientConfig, err = tlsConfig(r); err != nil {
		return nil, err
	}
	transport.DialContext = (&net.Dialer{Timeout: r.Duration("timeout"), KeepAlive: 30 * time.Second}).DialContext
	transport.ResponseHeaderTimeout = r.Duration("stall")
	core, err := minio.NewCore(r.Text("endpoint"), &minio.Options{
		Creds:  credentials.NewStaticV4(r.Text("access_key"), r.Text("secret_key"), ""),
		Secure: r.Text("tls") == "on", Region: r.Text("region"), Transport: transport, BucketLookup: lookups[r.Text("path_style")], MaxRetries: 3,
	})
	if err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "endpoint is host:port, without http", Err: err}
	}
	b := &bucket{core: core, bucket: r.Text("bucket"), endpoint: r.Text("endpoint"), transport: transport}
	if b.root = strings.Trim(path.Clean("/"+r.Text("root")), "/"); b.root != "" {
		b.root += "/"
	}
	there, err := core.BucketExists(ctx, b.bucket)
	switch {
	case err != nil:
		return nil, failed(ctx, op, answered(err))
	case !there:
		return nil, &fault.Error{Op: op, Code: fault.NotFound, Err: errors.New("there is no such bucket"), Hint: "check the name; the hub makes no bucket"}
	}
	return b, nil
}

// answered makes a server's answer the house's own.
func answered(err error) error {
	if err == nil {
		return nil
	}
	switch code := minio.ToErrorResponse(err); {
	case code.Code == minio.NoSuchKey, code.Code == minio.NoSuchBucket, code.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case code.StatusCode == http.StatusForbidden, code.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%w: %w", fs.ErrPermission, err)
	}
	return err
}

func (b *bucket) key(name string) string {
	if name = path.Clean(name); name == "." {
		return b.root
	}
	return b.root + name
}

// list gives the objects whose names go no deeper. The prefix must be there: as an object of its own,
// or in the names of others.
func (b *bucket) list(ctx context.Context, dir string) ([]entry, error) {
	prefix := b.key(dir)
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	var entries []entry
	there := prefix == ""
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the listing goes on until it is told to end
	for o := range b.core.Client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: prefix}) {
		if o.Err != nil {
			return nil, answered(o.Err)
		}
		there = true
		if name := strings.TrimPrefix(o.Key, prefix); name != "" && !strings.HasSuffix(name, "/") {
			entries = append(entries, entry{name: name, size: o.Size, modified: o.LastModified, tag: o.ETag})
		}
	}
	if !there {
		return nil, fmt.Errorf("%w: nothing in the bucket begins with %s", fs.ErrNotExist, prefix)
	}
	return entries, nil
}

func (b *bucket) stat(ctx context.Context, name string) (entry, error) {
	o, err := b.core.Client.StatObject(ctx, b.bucket, b.key(name), minio.StatObjectOptions{})
	if err != nil {
		return entry{}, answered(err)
	}
	return entry{name: path.Base(name), size: o.Size, modified: o.LastModified, tag: o.ETag}, nil
}

func (b *bucket) open(ctx context.Context, name string, from int64) (io.ReadCloser, error) {
	options := minio.GetObjectOptions{}
	if from > 0 {
		if err := options.SetRange(from, 0); err != nil {
			return nil, err
		}
	}
	in, _, _, err := b.core.GetObject(ctx, b.bucket, b.key(name), options)
	return in, answered(err)
}

// create sends a file when it is closed: objects appear whole or not at all.
func (b *bucket) create(ctx context.Context, name string) (io.WriteCloser, error) {
	return &object{ctx: ctx, to: b, key: b.key(name)}, nil
}

type object struct {
	bytes.Buffer
	ctx context.Context //nolint:containedctx // io.Closer has no parameter for it
	to  *bucket
	key string
}

func (o *object) Close() error {
	size := int64(o.Len())
	_, err := o.to.core.Client.PutObject(o.ctx, o.to.bucket, o.key, &o.Buffer, size, minio.PutObjectOptions{})
	return answered(err)
}

// rename copies inside the server and takes the first away. Killed in between it leaves both; said
// again it ends as it should.
func (b *bucket) rename(ctx context.Context, from, to string) error {
	is, err := b.stat(ctx, from)
	if err != nil {
		return err
	}
	target, source := minio.CopyDestOptions{Bucket: b.bucket, Object: b.key(to)}, minio.CopySrcOptions{Bucket: b.bucket, Object: b.key(from), MatchETag: is.tag}
	if is.size < largestCopy {
		_, err = b.core.Client.CopyObject(ctx, target, source)
	} else {
		_, err = b.core.Client.ComposeObject(ctx, target, source)
	}
	if err != nil {
		return answered(err)
	}
	if now, err := b.stat(ctx, from); err != nil || !now.same(is) {
		return err // replaced meanwhile: what lies there now was not copied
	}
	return answered(b.core.Client.RemoveObject(ctx, b.bucket, b.key(from), minio.RemoveObjectOptions{}))
}

func (b *bucket) name(name string) string { return "s3://" + b.bucket + "/" + b.key(name) }

func (b *bucket) close() error {
	b.transport.CloseIdleConnections()
	return nil
}
