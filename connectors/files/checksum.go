package files

import (
	"context"
	"crypto/md5" //nolint:gosec // the companion that departments send
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"xinshu/connectors/gm"
)

// sumKinds are the sums that a companion may hold, by its extension.
var sumKinds = map[string]func() hash.Hash{".md5": md5.New, ".sm3": gm.NewSM3, ".sha256": sha256.New}

// sums are the companions of one file that hold its sum.
type sums struct {
	companions []sumFile
	stamp      string // another text when one of them was laid anew
}

type sumFile struct {
	entry
	kind string // extension
}

// sumsOf finds the companions that count by the setting checksum.
func (jb job) sumsOf(l listing, name string) (s sums) {
	if jb.checksum == "none" {
		return s
	}
	for _, kind := range companions {
		if sumKinds[kind] == nil {
			continue
		}
		if e, ok := l.companion(name, kind); ok {
			s.companions = append(s.companions, sumFile{e, kind})
			s.stamp += fmt.Sprintf("%s %x\n", e.name, e.stamp(""))
		}
	}
	return s
}

// missing says which companion a file must have and has not.
func (s sums) missing(checksum string) string {
	switch checksum {
	case "none", "if_present":
		return ""
	case "required":
		if len(s.companions) == 0 {
			return "no .md5, .sm3 or .sha256 beside it"
		}
		return ""
	}
	for _, f := range s.companions {
		if f.kind == "."+checksum {
			return ""
		}
	}
	return "no ." + checksum + " beside it"
}

// hashes begins the sums that will be compared.
func (s sums) hashes() map[string]hash.Hash {
	all := map[string]hash.Hash{}
	for _, f := range s.companions {
		all[f.kind] = sumKinds[f.kind]()
	}
	return all
}

// differs compares the sums of a file with its companions, and says what is wrong.
func (c *conn) differs(ctx context.Context, jb job, s sums, have map[string]hash.Hash) (what string, err error) {
	if what := s.missing(jb.checksum); what != "" {
		return what, nil
	}
	for _, f := range s.companions {
		got := hex.EncodeToString(have[f.kind].Sum(nil))
		want, err := c.readSum(ctx, path.Join(jb.folder, f.name), f.entry, len(got))
		if err != nil {
			return "", err
		}
		if !strings.EqualFold(want, got) {
			return fmt.Sprintf("%s says %.64q, the file has %s", f.name, want, got), nil
		}
	}
	return "", nil
}

// said is the stamp of companions with what they hold: a listing to the minute does not show that one
// was laid anew within that minute, at the length that every sum has.
func (c *conn) said(ctx context.Context, jb job, s sums) (stamp string, err error) {
	stamp = s.stamp
	for _, f := range s.companions {
		sum, err := c.readSum(ctx, path.Join(jb.folder, f.name), f.entry, 2*sumKinds[f.kind]().Size())
		if err != nil {
			return "", err
		}
		stamp += fmt.Sprintf("%s says %s\n", f.name, sum)
	}
	return stamp, nil
}

// readSum takes the sum out of "digest", "digest  name" or "MD5 (name) = digest".
func (c *conn) readSum(ctx context.Context, file string, is entry, digits int) (string, error) {
	in, err := c.read(ctx, file, is)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	text, err := io.ReadAll(io.LimitReader(in, 4096))
	if err != nil {
		return "", err
	}
	for word := range strings.FieldsSeq(strings.TrimPrefix(string(text), "\ufeff")) {
		if _, err := hex.DecodeString(word); err == nil && len(word) == digits {
			return word, nil
		}
	}
	return strings.TrimSpace(string(text)), nil
}
