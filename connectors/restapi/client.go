package restapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
	"golang.org/x/time/rate"

	"xinshu/internal/fault"
)

// clock is how this package learns the time and waits; tests put their own in.
type clock struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// bounds keep a platform that behaves badly from taking the hub's time, memory or disk.
type bounds struct {
	tries          int
	timeout, total time.Duration
	rate           float64
	body           int64  // of an answer, unpacked
	least          int64  // bytes in every stretch of timeout
	tempDir        string // of answers too large for memory; empty: the system's
}

// client is the one way to the platform. What resty does by itself is switched off and done here,
// because it was seen to go wrong (stack.md, pitfall 3): its retry leaves out 503 and Retry-After,
// sends a stream body again empty, and its limiter answers with an error instead of waiting.
type client struct {
	http     *resty.Client
	signer   *signer
	sealer   *sealer // nil: messages travel open
	envelope envelope
	bounds   bounds
	limit    *rate.Limiter
	clock    clock
}

// request is one call before it is signed.
type request struct {
	op, method, url, sid string
	params               url.Values
	body                 []byte // JSON, sent whole on every try; nil: POST sends the parameters as JSON
	kind                 string // of the body, where it is no JSON
	headers              map[string]string
	unsigned             bool     // it carries its own proof in headers or body
	rows                 string   // where the rows lie in the answer
	keep                 []string // members of the answer that are looked at beside the rows
}

func newClient(tls tlsFiles, s *signer, e envelope, b bounds, c clock) (*client, error) {
	config, err := tls.config()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSClientConfig:        config,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  b.timeout,
		MaxResponseHeaderBytes: 1 << 20,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        time.Minute,
	}
	r := resty.New().SetTransport(transport).SetDoNotParseResponse(true).
		SetRedirectPolicy(resty.RedirectPolicyFunc(sameHost)).SetDisableWarn(true).SetLogger(silent{}).SetRetryCount(0)
	return &client{http: r, signer: s, envelope: e, bounds: b, limit: rate.NewLimiter(rate.Limit(b.rate), 1), clock: c}, nil
}

// silent drops resty's log: it may show headers.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

var errRedirect = errors.New("the platform redirects to another host or protocol")

// sameHost follows up to five redirects that stay where they are: another host would be handed the signature.
func sameHost(r *http.Request, via []*http.Request) error {
	if first := via[0].URL; len(via) > 5 || r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
		return errRedirect
	}
	return nil
}

// call sends a signed request until the platform gives an answer that stands, and returns it; the
// caller closes it. A secret that is refused is renewed once.
func (c *client) call(ctx context.Context, req request) (*content, error) {
	ctx, cancel := context.WithTimeout(ctx, c.bounds.total)
	defer cancel()
	answer, err := c.retry(ctx, req)
	if fault.Is(err, fault.Unauthorized) && c.signer.refused() {
		answer, err = c.retry(ctx, req)
	}
	return answer, err
}

// retry tries a request as often as the bounds allow.
func (c *client) retry(ctx context.Context, req request) (*content, error) {
	for try := 1; ; try++ {
		message, err := c.message(ctx, req)
		if err != nil {
			return nil, err
		}
		answer, after, err := c.try(ctx, req, message)
		if err == nil {
			return c.judge(req, answer)
		}
		if ctx.Err() != nil {
			return nil, c.stopped(ctx, req, err)
		}
		if !fault.Is(err, fault.Unavailable) || try >= c.bounds.tries {
			return nil, err
		}
		wait := max(after, backoff(try))
		if end, ok := ctx.Deadline(); ok && wait > time.Until(end) {
			return nil, err
		}
		if err := c.clock.sleep(ctx, wait); err != nil {
			return nil, c.stopped(ctx, req, err)
		}
	}
}

// judge opens a sealed answer and looks whether the platform says that the call succeeded.
func (c *client) judge(req request, answer *content) (*content, error) {
	err := c.envelope.whole(req, answer)
	if err == nil && c.sealer != nil && !req.unsigned {
		err = c.sealer.open(req.op, answer, c.envelope)
	}
	if err == nil {
		err = c.envelope.check(req.op, answer)
	}
	if err != nil {
		answer.close()
		return nil, err
	}
	return answer, nil
}

// backoff doubles from half a second to half a minute, with up to a quarter taken off at random so
// that sources that failed together do not come back together.
func backoff(try int) time.Duration {
	d := min(500*time.Millisecond<<min(try-1, 6), 30*time.Second)
	return d - rand.N(d/4) //nolint:gosec // spreads calls, hides nothing
}

func (c *client) stopped(ctx context.Context, req request, last error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", req.op, ctx.Err())
	}
	return &fault.Error{Op: req.op, Code: fault.Unavailable, Hint: "no answer within total_timeout", Err: last}
}

// try sends once. Any error but Unavailable is final; after is how long the platform asks to wait.
func (c *client) try(ctx context.Context, req request, m message) (answer *content, after time.Duration, err error) {
	if err := c.limit.Wait(ctx); err != nil {
		return nil, 0, fault.Newf(fault.Unavailable, req.op, "no turn under the rate limit")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := c.http.R().SetContext(ctx).SetHeaders(req.headers).SetHeaders(m.headers).
		SetHeader("Accept", "application/json").SetHeader("Accept-Encoding", "gzip")
	if m.body != nil {
		r.SetHeader("Content-Type", m.kind).SetBody(m.body)
	}
	res, err := r.Execute(m.method, m.url)
	if res != nil && res.RawResponse != nil && res.RawResponse.Body != nil {
		defer func() { _ = res.RawResponse.Body.Close() }() // read, or given up
	}
	if err != nil {
		return nil, 0, c.failed(ctx, req, err)
	}
	if after, err := c.refusal(req, res.RawResponse); err != nil {
		return nil, after, err
	}
	watch := watchDrip(c.bounds.timeout, c.bounds.least, cancel)
	defer watch.end()
	answer, err = receive(res.RawResponse, c.bounds, watch.count)
	if err != nil {
		return nil, 0, c.failed(ctx, req, err)
	}
	answer.link = strings.Join(res.RawResponse.Header.Values("Link"), ", ")
	return answer, 0, nil
}

// refusal judges the status.
func (c *client) refusal(req request, res *http.Response) (after time.Duration, err error) {
	status := res.StatusCode
	hint := "the platform answered with status " + strconv.Itoa(status)
	switch {
	case status == http.StatusTooManyRequests || status >= 500:
		after = retryAfter(res.Header.Get("Retry-After"), c.clock.now())
		if after > 0 {
			hint += fmt.Sprintf(" and asks to wait %s", after)
		}
		if after > c.bounds.total {
			hint += ", longer than total_timeout allows: not waited for"
		}
		return after, &fault.Error{Op: req.op, Code: fault.Unavailable, Hint: hint}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return 0, &fault.Error{Op: req.op, Code: fault.Unauthorized, Hint: hint + "; check id, secret and the platform's permission"}
	case status < 200 || status >= 300:
		return 0, &fault.Error{Op: req.op, Code: statusCode(status), Hint: hint}
	}
	return 0, nil
}

func statusCode(status int) fault.Code {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	default:
		return fault.Invalid
	}
}

// lineFault says what stands behind an error of the line, and whether trying again may help.
type lineFault struct {
	err  error
	code fault.Code
	hint string
}

var lineFaults = []lineFault{
	{errRedirect, fault.Invalid, "it may have sent a login page; correct the address"},
	{errTooLarge, fault.Invalid, "ask for smaller pages or raise body_limit_mb"},
	{errBomb, fault.Invalid, "the platform or something before it is broken or hostile; nothing was taken"},
	{errPacked, fault.Invalid, "only gzip is read; switch the platform's compression off"},
	{errGzip, fault.Unavailable, "the answer was damaged on the way"},
	{io.ErrUnexpectedEOF, fault.Unavailable, "the answer was cut"},
}

// failed turns what went wrong on the line into an error that names no address: a query may hold
// what is not for logs.
func (c *client) failed(ctx context.Context, req request, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(context.Cause(ctx), errDrip) {
		return &fault.Error{Op: req.op, Code: fault.Unavailable, Err: errDrip,
			Hint: fmt.Sprintf("less than %d bytes came within %s; ask for smaller pages or lower min_rate_kb", c.bounds.least, c.bounds.timeout)}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", req.op, ctx.Err())
	}
	if disk, ok := errors.AsType[*spoolError](err); ok {
		return &fault.Error{Op: req.op, Code: fault.Internal, Err: disk, Hint: "make room on that disk, or name another folder with temp_dir"}
	}
	for _, f := range lineFaults {
		if errors.Is(err, f.err) {
			return &fault.Error{Op: req.op, Code: f.code, Hint: f.hint, Err: err}
		}
	}
	return &fault.Error{Op: req.op, Code: fault.Unavailable, Hint: "the platform was not reached", Err: err}
}

// retryAfter reads seconds or an HTTP date; anything else is zero.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if s, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(s, 100*365*24*3600)) * time.Second // at most a hundred years
	}
	if t, err := http.ParseTime(header); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// reach sends an unsigned GET and gives the status: any answer shows that the platform is there.
func (c *client) reach(ctx context.Context, address string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.bounds.timeout)
	defer cancel()
	res, err := c.http.R().SetContext(ctx).Execute(http.MethodGet, address)
	if res != nil && res.RawResponse != nil && res.RawResponse.Body != nil {
		defer func() { _ = res.RawResponse.Body.Close() }() // only the status is wanted
	}
	if err != nil {
		return 0, c.failed(ctx, request{op: "reach the platform"}, err)
	}
	return res.StatusCode(), nil
}
