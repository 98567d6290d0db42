package auth

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Cost is how dear one guess at a password is (argon2id). The stored text carries it, so that a dearer
// one takes over at each user's next sign-in.
type Cost struct {
	Time, MemoryKB uint32
	Threads        uint8
}

// DefaultCost is about the second recommendation of RFC 9106: a tenth of a second or two on one core.
var DefaultCost = Cost{Time: 3, MemoryKB: 64 << 10, Threads: 2}

const (
	saltBytes, hashBytes = 16, 32
	maxMemoryKB          = 1 << 20 // what a stored text may make us spend
)

// Hash gives the text that is stored of a password.
func (c Cost) Hash(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails, says its documentation
	sum := argon2.IDKey([]byte(password), salt, c.Time, c.MemoryKB, c.Threads, hashBytes)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKB, c.Time, c.Threads, b64(salt), b64(sum))
}

// fits says whether a password belongs to a stored text.
func fits(stored, password string) (bool, error) {
	var version int
	parts := strings.Split(stored, "$")
	broken := errors.New("a stored password is broken")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, broken
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, broken
	}
	c := costOf(stored)
	if c.MemoryKB > maxMemoryKB || c.Time < 1 || c.Time > 20 || c.Threads < 1 {
		return false, broken
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, broken
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) != hashBytes {
		return false, broken
	}
	got := argon2.IDKey([]byte(password), salt, c.Time, c.MemoryKB, c.Threads, hashBytes)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// The rules of a new password. Length does more than a mixture of signs (NIST SP 800-63B), and what
// everybody takes is no secret whatever its signs.
const (
	MinPassword    = 12
	maxPassword    = 256 // bytes: hashing costs by length too
	passwordMemory = 5   // the last ones that may not be taken again
)

//go:embed common.txt
var commonList string

var common = func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonList) {
		if word := strings.TrimSpace(line); word != "" && word[0] != '#' {
			all[plain(word)], all[bare(word)] = true, true
		}
	}
	return all
}()

// checkPassword says why a password is not good enough for a user.
func checkPassword(name, title, password string) error {
	n := utf8.RuneCountInString(password)
	var different []rune
	for _, c := range password {
		if !strings.ContainsRune(string(different), c) {
			different = append(different, c)
		}
	}
	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return errors.New("the password has characters that cannot be typed")
	case n < MinPassword:
		return fmt.Errorf("the password has %d characters; it wants at least %d", n, MinPassword)
	case len(password) > maxPassword:
		return fmt.Errorf("the password has more than %d bytes", maxPassword)
	case len(different) < 5:
		return errors.New("the password has fewer than 5 different characters")
	case common[plain(password)], common[bare(password)]:
		return errors.New("the password is one that many take")
	case holds(password, name), utf8.RuneCountInString(title) > 1 && holds(password, title):
		return errors.New("the password holds the user's name")
	case isRow(bare(password)):
		return errors.New("the password is a row of characters that follow one another")
	}
	return nil
}

func holds(password, name string) bool {
	for _, form := range []func(string) string{plain, bare} {
		if n := form(name); len(n) > 2 && strings.Contains(form(password), n) {
			return true
		}
	}
	return false
}

// bare leaves letters and digits in small form.
func bare(s string) string {
	return strings.Map(func(c rune) rune {
		if c = unicode.ToLower(c); unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, s)
}

// plain is bare with the usual disguises of letters undone.
func plain(s string) string { return bare(strings.NewReplacer("@", "a", "$", "s").Replace(s)) }

// isRow finds 123456789012, abcdefghijkl and the like: most steps are the same.
func isRow(s string) bool {
	steps := map[rune]int{}
	var last rune
	n := 0
	for _, c := range s {
		if n > 0 {
			steps[c-last]++
		}
		last = c
		n++
	}
	return n > 3 && max(steps[1], steps[-1], steps[0]) >= (n-1)*3/4
}

// newPassword makes one for a reset, easy to read aloud: five groups of four.
func newPassword() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32, without those that look alike
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails, says its documentation
	var out strings.Builder
	for i, c := range b {
		if i > 0 && i%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(letters[c%32])
	}
	return out.String()
}

// costOf reads the cost a stored text was made at; zero when it is broken.
func costOf(stored string) (c Cost) {
	parts := strings.Split(stored, "$")
	if len(parts) == 6 {
		_, _ = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKB, &c.Time, &c.Threads) // a broken one stays zero
	}
	return c
}
