package gm

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/tjfoc/gmsm/sm4"
)

// Block is the size of an SM4 block, and of its key, in bytes.
const Block = sm4.BlockSize

// ErrSealed says that a text does not open: wrong key, or changed on the way. It never says which
// byte, because that would help to guess.
var ErrSealed = errors.New("the sealed text does not open with this key")

// newSM4 gives a block of its own to each use: the library's keeps scratch space, so one block cannot
// serve two callers at once.
func newSM4(key []byte) (cipher.Block, error) {
	if len(key) != Block {
		return nil, fmt.Errorf("an SM4 key has %d bytes, not %d", Block, len(key))
	}
	return sm4.NewCipher(key)
}

// SealCBC encrypts with PKCS7 padding. The iv has 16 bytes and is not repeated in the answer.
func SealCBC(key, iv, text []byte) ([]byte, error) {
	block, err := newSM4(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != Block {
		return nil, fmt.Errorf("an SM4 iv has %d bytes, not %d", Block, len(iv))
	}
	out := pad(text)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out, nil
}

// OpenCBC undoes SealCBC.
func OpenCBC(key, iv, sealed []byte) ([]byte, error) {
	block, err := newSM4(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != Block {
		return nil, fmt.Errorf("an SM4 iv has %d bytes, not %d", Block, len(iv))
	}
	if len(sealed) == 0 || len(sealed)%Block != 0 {
		return nil, ErrSealed
	}
	out := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, sealed)
	return unpad(out)
}

// SealECB encrypts each block by itself, with PKCS7 padding. It shows which blocks are equal: only
// for platforms that ask for it.
func SealECB(key, text []byte) ([]byte, error) {
	block, err := newSM4(key)
	if err != nil {
		return nil, err
	}
	out := pad(text)
	for i := 0; i < len(out); i += Block {
		block.Encrypt(out[i:i+Block], out[i:i+Block])
	}
	return out, nil
}

// OpenECB undoes SealECB.
func OpenECB(key, sealed []byte) ([]byte, error) {
	block, err := newSM4(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) == 0 || len(sealed)%Block != 0 {
		return nil, ErrSealed
	}
	out := make([]byte, len(sealed))
	for i := 0; i < len(out); i += Block {
		block.Decrypt(out[i:i+Block], sealed[i:i+Block])
	}
	return unpad(out)
}

// SealGCM encrypts and authenticates; the tag of 16 bytes stands at the end. A nonce, usually 12
// bytes, is used once under a key.
func SealGCM(key, nonce, text, also []byte) ([]byte, error) {
	mode, err := gcm(key, nonce)
	if err != nil {
		return nil, err
	}
	return mode.Seal(nil, nonce, text, also), nil
}

// OpenGCM undoes SealGCM.
func OpenGCM(key, nonce, sealed, also []byte) ([]byte, error) {
	mode, err := gcm(key, nonce)
	if err != nil {
		return nil, err
	}
	text, err := mode.Open(nil, nonce, sealed, also)
	if err != nil {
		return nil, ErrSealed
	}
	return text, nil
}

// gcm is the standard library's mode over the SM4 block.
func gcm(key, nonce []byte) (cipher.AEAD, error) {
	block, err := newSM4(key)
	if err != nil {
		return nil, err
	}
	if len(nonce) == 0 {
		return nil, errors.New("an SM4 nonce may not be empty")
	}
	return cipher.NewGCMWithNonceSize(block, len(nonce))
}

// Random gives n bytes fit for keys, ivs and nonces.
func Random(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.Read(out) // never fails: crypto/rand ends the process instead
	return out
}

func pad(text []byte) []byte {
	n := Block - len(text)%Block
	out := make([]byte, len(text)+n)
	for i := range out[copy(out, text):] {
		out[len(text)+i] = byte(n)
	}
	return out
}

// unpad looks at every byte of the last block whatever it holds, so that time tells nothing.
func unpad(text []byte) ([]byte, error) {
	last := text[len(text)-Block:]
	n := int(last[Block-1])
	good := subtle.ConstantTimeLessOrEq(1, n) & subtle.ConstantTimeLessOrEq(n, Block)
	for i, c := range last {
		inside := subtle.ConstantTimeLessOrEq(Block-i, n)
		good &= subtle.ConstantTimeSelect(inside, subtle.ConstantTimeByteEq(c, byte(n)), 1)
	}
	if good != 1 {
		return nil, ErrSealed
	}
	return text[:len(text)-n], nil
}
