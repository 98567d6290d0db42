package files

import (
	"context"
	"crypto/md5" //nolint:gosec // the companion that receivers check
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"xinshu/connectors"
	"xinshu/internal/fault"
)

// Push lays a packet down: under a temporary name, brought to the disk, renamed into place, then its
// .md5, and the .ok last of all. The receipt is pending; the receiver's answer file brings the rest.
// A packet that lies there whole is left as it is.
func (c *conn) Push(ctx context.Context, d connectors.Delivery) (connectors.Receipt, error) {
	op := "push to " + d.Target
	if d.ID == "" {
		return connectors.Receipt{}, fault.Newf(fault.Internal, op, "the delivery has no id")
	}
	if err := ctx.Err(); err != nil {
		return connectors.Receipt{}, failed(ctx, op, err)
	}
	name := packetName(d, c.packet)
	body, err := encodePacket(c.packet, c.sender, d)
	if err != nil {
		return connectors.Receipt{}, &fault.Error{Op: op, Code: fault.Internal, Err: err}
	}
	receipt := connectors.Receipt{Pending: true, Message: "laid down as " + c.place.name(path.Join(c.outbox, name))}
	if _, err := c.place.stat(ctx, path.Join(c.outbox, name+".ok")); err == nil {
		return c.answered(ctx, name, receipt)
	}
	sum := md5.Sum(body) //nolint:gosec // see the import
	for _, f := range []struct {
		name string
		body []byte
	}{
		{name, body},
		{name + ".md5", []byte(hex.EncodeToString(sum[:]) + "  " + name + "\n")},
		{name + ".ok", nil},
	} {
		if f.name != name {
			fault.At(fault.BeforeReady)
		}
		if err := c.lay(ctx, path.Join(c.outbox, f.name), f.body); err != nil {
			return connectors.Receipt{}, failed(ctx, op, err)
		}
	}
	return receipt, nil
}

// answered looks for the answer to a packet that lies there already: it may have been put away by a
// hub that has since lost its database, and will not be found among the new ones again.
func (c *conn) answered(ctx context.Context, name string, pending connectors.Receipt) (connectors.Receipt, error) {
	before := path.Join(c.answer, "done", name+".fb")
	is, err := c.place.stat(ctx, before)
	if err != nil {
		if err = failed(ctx, "look for an answer", err); fault.Is(err, fault.NotFound) {
			return pending, nil
		}
		return connectors.Receipt{}, err
	}
	is.name = path.Join("done", name+".fb")
	a, err := c.readAnswer(ctx, is)
	return a.Receipt, err
}

func (c *conn) lay(ctx context.Context, file string, body []byte) error {
	temporary := path.Join(path.Dir(file), "."+path.Base(file)+".tmp")
	out, err := c.place.create(ctx, temporary)
	if err != nil {
		return err
	}
	if _, err := out.Write(body); err != nil {
		_ = out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return c.place.rename(ctx, temporary, file)
}

// packetName depends on the delivery's id alone, so that every attempt lays down the same file. An
// id that is no file name is shown as far as it goes, and told apart by a hash.
func packetName(d connectors.Delivery, form string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, d.ID)
	if safe != d.ID || len(safe) > 100 {
		sum := sha256.Sum256([]byte(d.ID))
		safe = safe[:min(len(safe), 60)] + "-" + hex.EncodeToString(sum[:8])
	}
	return safe + "." + form
}
