// Package restapi owns platforms that speak HTTP and JSON: signing, refreshed secrets, pages of rows
// in an envelope, deliveries and their receipts. It refuses to take anything for an answer that is
// none: a login page, a cut body or broken JSON is an error, never zero rows. Pages go up to staging,
// deliveries come from pushing, both through the words of package connectors.
package restapi

import (
	"context"
	"maps"
	"net/url"
	"strings"
	"time"

	"xinshu/catalog"
	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Driver is the kind restapi. Signatures carry the wall clock that now gives.
func Driver(now func() time.Time) connectors.Driver {
	return connectors.Driver{
		Kind: "restapi", Settings: settings, Job: jobSettings,
		Title: catalog.Text{ZH: "数据接口", EN: "REST interface"},
		About: catalog.Text{ZH: "平台以 HTTP 与 JSON 提供的数据接口：签名、分页、增量、推送与回执。", EN: "A platform that speaks HTTP and JSON: signatures, pages, increments, deliveries and receipts."},
		Open: func(_ context.Context, values connectors.Values) (connectors.Conn, error) {
			return open(values, clock{now: now, sleep: sleep})
		},
	}
}

type conn struct {
	root    *url.URL
	client  *client
	answers envelope
	push    pushing
}

type pushing struct{ path, sid, receipt string }

// opening is what a connection is made from.
type opening struct {
	*connectors.Reader
	profile profile
	clock   clock
}

func open(values connectors.Values, c clock) (*conn, error) {
	const op = "open restapi"
	given := profiles[values["profile"]].defaults
	values = maps.Clone(values)
	for name, value := range given {
		if _, ok := values[name]; !ok {
			values[name] = value
		}
	}
	o := opening{Reader: connectors.NewReader(settings, values), clock: c}
	o.profile = profiles[o.Text("profile")]
	root := o.check()
	bounds := bounds{tries: o.Int("tries", 1), timeout: o.Duration("timeout"), total: o.Duration("total_timeout"), rate: o.Float("rate"),
		body: int64(o.Int("body_limit_mb", 1)) << 20, tempDir: o.Text("temp_dir")}
	bounds.least = int64(float64(o.Int("min_rate_kb", 0)<<10) * bounds.timeout.Seconds())
	if bounds.timeout <= 0 || bounds.total <= 0 {
		o.Fault("timeout and total_timeout are above zero")
	}
	answers := envelope{code: o.Text("code_path"), message: o.Text("message_path"), ok: o.List("ok_codes"), auth: o.List("auth_codes")}
	signer := &signer{profile: o.profile, id: o.Text("id"), key: o.Text("secret"), clock: c}
	client, err := newClient(tlsFiles{ca: o.Text("ca_cert"), cert: o.Text("client_cert"), key: o.Text("client_key"), serverName: o.Text("server_name")}, signer, answers, bounds, c)
	if err != nil {
		o.Fault("%w", err)
	}
	var seal *sealer
	if o.profile.sealed {
		seal = newSealer(o)
	}
	if err := o.Err(); err != nil {
		return nil, &fault.Error{Op: op, Code: fault.Invalid, Hint: "correct the source's settings", Err: err}
	}
	client.sealer = seal
	cn := &conn{root: root, client: client, answers: answers, push: pushing{o.Text("push_path"), o.Text("push_sid"), o.Text("receipt_path")}}
	if o.profile.working != nil {
		signer.keeper = o.profile.working(cn, o)
	}
	return cn, nil
}

// check notes what is wrong with the settings beyond their types.
func (o opening) check() *url.URL {
	root, err := url.Parse(o.Text("url"))
	if err != nil || !isHTTP(root) || root.RawQuery != "" {
		o.Fault("url is no http or https address without account and parameters")
	}
	if strings.ContainsAny(o.Text("push_path")+o.Text("refresh_path"), "?#") {
		o.Fault("push_path and refresh_path take no parameters")
	}
	if o.profile.needsID && o.Text("id") == "" {
		o.Fault("id is not set, profile %s needs it", o.Text("profile"))
	}
	if o.profile.needsSecret && o.Text("secret") == "" {
		o.Fault("secret is not set, profile %s needs it", o.Text("profile"))
	}
	if o.Text("profile") == "oauth2" {
		if token, err := url.Parse(o.Text("token_url")); err != nil || !isHTTP(token) {
			o.Fault("token_url is no http or https address without account")
		}
	}
	return root
}

func isHTTP(u *url.URL) bool {
	return u != nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil
}

// at gives the address of a path below the root.
func (c *conn) at(path string) string {
	return strings.TrimRight(c.root.String(), "/") + "/" + strings.TrimLeft(path, "/")
}

// Test reaches the platform: by fetching what calls are signed with where that can be done, else by
// any answer at all.
func (c *conn) Test(ctx context.Context) (found connectors.Finding, err error) {
	if k := c.client.signer.keeper; k != nil {
		if sid, ok := k.probe(); ok {
			until, err := c.client.signer.renew(ctx, sid)
			if err != nil {
				return found, err
			}
			return connectors.Finding{Code: connectors.FoundSecret, Place: c.root.Host, Until: until}, nil
		}
	}
	status, err := c.client.reach(ctx, c.root.String())
	if err != nil {
		return found, err
	}
	return connectors.Finding{Code: connectors.FoundAnswer, Place: c.root.Host, Count: status}, nil
}

// Close lets idle connections go.
func (c *conn) Close() error {
	c.client.http.GetClient().CloseIdleConnections()
	return nil
}
