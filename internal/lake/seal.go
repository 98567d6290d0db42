package lake

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"xinshu/internal/fault"
)

// Seal is what makes a score repeatable: its clocks and the hashes of what went in and came out.
type Seal struct {
	Policy, AsOf, SHA256 string
	Body                 []byte // canonical JSON
}

// Seal keeps a seal for ever. The document is respelled canonically first, so the hash does not
// depend on the order of its members; sealing the same again changes nothing.
func (l *Lake) Seal(ctx context.Context, policy, asOf string, seal []byte) (string, error) {
	op := fmt.Sprintf("seal %s of %s", policy, asOf)
	body, err := respell(seal)
	if err != nil {
		return "", &fault.Error{Op: op, Code: fault.Invalid, Err: err}
	}
	sha := hashOf(body)
	if err := l.putNamed(ctx, sealKey(policy, asOf, sha), body); err != nil {
		return "", failed(op, err)
	}
	return sha, nil
}

// Seals gives a policy's seals, by as_of and then by hash; of every policy when policy is empty.
func (l *Lake) Seals(ctx context.Context, policy string) ([]Seal, error) {
	prefix := "seal/"
	if policy != "" {
		prefix += policy + "/"
	}
	var seals []Seal
	for info, err := range l.store.List(ctx, prefix, "") {
		if err != nil {
			return nil, failed("list seals", err)
		}
		parts := strings.Split(info.Key, "/")
		if len(parts) != 4 || path.Ext(parts[3]) != ".json" {
			return nil, fault.Newf(fault.Invalid, "list seals", "%s is no seal", info.Key)
		}
		s := Seal{Policy: parts[1], AsOf: parts[2], SHA256: strings.TrimSuffix(parts[3], ".json")}
		if s.Body, err = readAll(ctx, l.store, info.Key); err != nil {
			return nil, failed("read "+info.Key, err)
		}
		if sha := hashOf(s.Body); sha != s.SHA256 || !json.Valid(s.Body) {
			return nil, fault.Newf(fault.Invalid, "read "+info.Key, "its bytes have the hash %s", sha)
		}
		seals = append(seals, s)
	}
	return seals, nil
}
