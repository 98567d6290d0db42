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

type bounds struct {
	tries          int
	timeout, total time.Duration
	rate           float64
	body           int
}

// client is the one way to the platform. What resty does by itself is switched off and done here,
// because it was seen to go wrong (stack.md, pitfall 3): its retry leaves out 503 and Retry-After,
// sends a stream body again empty, and its limiter answers with an error instead of waiting.
type client struct {
	http     *resty.Client
	signer   *signer
	envelope envelope
	bounds   bounds
	limit    *rate.Limiter
	clock    clock
}

type request struct {
	op, method, url, sid string
	body                 []byte // sent whole on every try; nil for none
	headers              map[string]string
}

func newClient(root *url.URL, s *signer, e envelope, b bounds, c clock) *client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: b.timeout,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       time.Minute,
	}
	r := resty.New().SetTransport(transport).SetTimeout(b.timeout).SetResponseBodyLimit(b.body).
		SetRedirectPolicy(sameHost(root)).SetDisableWarn(true).SetLogger(silent{}).SetRetryCount(0)
	return &client{http: r, signer: s, envelope: e, bounds: b, limit: rate.NewLimiter(rate.Limit(b.rate), 1), clock: c}
}

// silent drops resty's log: it may show headers.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

var errRedirect = errors.New("the platform redirects to another host or protocol")

// sameHost follows up to five redirects that stay where they are: another host would be handed the signature.
func sameHost(root *url.URL) resty.RedirectPolicy {
	return resty.RedirectPolicyFunc(func(r *http.Request, via []*http.Request) error {
		if len(via) > 5 || r.URL.Host != root.Host || r.URL.Scheme != root.Scheme {
			return errRedirect
		}
		return nil
	})
}

// call sends a signed request until the platform gives an answer that stands, and returns its body.
// A secret that is refused is renewed once.
func (c *client) call(ctx context.Context, req request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.bounds.total)
	defer cancel()
	signed := func() ([]byte, error) {
		return c.retry(ctx, req, func() (map[string]string, error) { return c.signer.headers(ctx, req.sid) })
	}
	body, err := signed()
	if fault.Is(err, fault.Unauthorized) && c.signer.refused() {
		body, err = signed()
	}
	return body, err
}

// retry tries a request as often as the bounds allow.
func (c *client) retry(ctx context.Context, req request, sign func() (map[string]string, error)) ([]byte, error) {
	for try := 1; ; try++ {
		headers, err := sign()
		if err != nil {
			return nil, err
		}
		body, after, err := c.try(ctx, req, headers)
		if err == nil {
			return body, c.envelope.check(req.op, body)
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
func (c *client) try(ctx context.Context, req request, headers map[string]string) (body []byte, after time.Duration, err error) {
	if err := c.limit.Wait(ctx); err != nil {
		return nil, 0, fault.Newf(fault.Unavailable, req.op, "no turn under the rate limit")
	}
	r := c.http.R().SetContext(ctx).SetHeaders(req.headers).SetHeaders(headers).SetHeader("Accept", "application/json")
	if req.body != nil {
		r.SetHeader("Content-Type", "application/json").SetBody(req.body)
	}
	res, err := r.Execute(req.method, req.url)
	if err != nil {
		return nil, 0, c.failed(ctx, req, err)
	}
	status := res.StatusCode()
	hint := "the platform answered with status " + strconv.Itoa(status)
	switch {
	case status == http.StatusTooManyRequests || status >= 500:
		after = retryAfter(res.Header().Get("Retry-After"), c.clock.now())
		if after > 0 {
			hint += fmt.Sprintf(" and asks to wait %s", after)
		}
		return nil, after, &fault.Error{Op: req.op, Code: fault.Unavailable, Hint: hint}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return nil, 0, &fault.Error{Op: req.op, Code: fault.Unauthorized, Hint: hint + "; check id, secret and the platform's permission"}
	case status < 200 || status >= 300:
		return nil, 0, &fault.Error{Op: req.op, Code: statusCode(status), Hint: hint}
	}
	return res.Body(), 0, nil
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

// failed turns what resty says into an error that names no address: a query may hold what is not for logs.
func (c *client) failed(ctx context.Context, req request, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", req.op, ctx.Err())
	case errors.Is(err, errRedirect):
		return &fault.Error{Op: req.op, Code: fault.Invalid, Hint: "it may have sent a login page; correct the address", Err: errRedirect}
	case errors.Is(err, resty.ErrResponseBodyTooLarge):
		return &fault.Error{Op: req.op, Code: fault.Invalid, Hint: "ask for smaller pages or raise body_limit_mb", Err: err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &fault.Error{Op: req.op, Code: fault.Unavailable, Hint: "the answer was cut", Err: err}
	default:
		return &fault.Error{Op: req.op, Code: fault.Unavailable, Hint: "the platform was not reached", Err: err}
	}
}

// retryAfter reads seconds or an HTTP date; anything else is zero.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if s, err := strconv.Atoi(header); err == nil && s > 0 && s < 1<<24 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(header); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// reach sends an unsigned GET and gives the status: any answer shows that the platform is there.
func (c *client) reach(ctx context.Context, address string) (status int, err error) {
	req := request{op: "reach the platform", method: http.MethodGet, url: address}
	res, err := c.http.R().SetContext(ctx).Execute(req.method, req.url)
	if err != nil {
		return 0, c.failed(ctx, req, err)
	}
	return res.StatusCode(), nil
}
