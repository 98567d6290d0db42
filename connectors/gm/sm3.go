// Package gm owns the commercial cryptography of China that platforms ask for: SM2 (GB/T 32918),
// SM3 (GB/T 32905), SM4 (GB/T 32907). It refuses to know what is signed or sealed with them. Keys
// come from settings, bytes from connectors/restapi, connectors/files and internal/receive.
//
// It is the only importer of tjfoc/gmsm, and guards it where it was found wanting (decision 0021).
package gm

import (
	"crypto/hmac"
	"hash"

	"github.com/tjfoc/gmsm/sm3"
)

// sum keeps the promise of hash.Hash, which the library breaks: its Sum hashes the prefix it is
// given and leaves it out of the answer.
type sum struct{ hash.Hash }

func (s *sum) Sum(prefix []byte) []byte { return append(prefix, s.Hash.Sum(nil)...) }

// NewSM3 gives an empty SM3 hash.
func NewSM3() hash.Hash { return &sum{sm3.New()} }

// SM3 is the hash of data, 32 bytes.
func SM3(data []byte) []byte { return sm3.Sm3Sum(data) }

// HMACSM3 is the keyed SM3 of a message, 32 bytes. Compare it with hmac.Equal.
func HMACSM3(key, message []byte) []byte {
	mac := hmac.New(NewSM3, key)
	mac.Write(message)
	return mac.Sum(nil)
}
