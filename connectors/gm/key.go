package gm

import (
	"bytes"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"

	"github.com/tjfoc/gmsm/sm2"
)

// PrivateKey signs and opens. It prints as ***.
type PrivateKey struct{ key *sm2.PrivateKey }

// PublicKey verifies and seals.
type PublicKey struct{ key *sm2.PublicKey }

// String hides the key.
func (k *PrivateKey) String() string { return "***" }

// GoString hides the key from %#v too.
func (k *PrivateKey) GoString() string { return "***" }

// Public is the other half.
func (k *PrivateKey) Public() *PublicKey { return &PublicKey{&k.key.PublicKey} }

// GenerateKey makes a new key.
func GenerateKey() (*PrivateKey, error) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &PrivateKey{key}, nil
}

// Hex is the public key as 04, x, y.
func (k *PublicKey) Hex() string {
	point := make([]byte, 1+2*half)
	point[0] = 4
	k.key.X.FillBytes(point[1 : 1+half])
	k.key.Y.FillBytes(point[1+half:])
	return hex.EncodeToString(point)
}

var (
	oidEC      = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSM2     = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301}
	errPrivate = errors.New("no SM2 private key: give 64 hex digits, or PKCS8 or EC PRIVATE KEY as PEM, not encrypted")
	errPublic  = errors.New("no SM2 public key: give 04, x and y as 130 hex digits (128 without the 04), or PUBLIC KEY as PEM")
)

// pkcs8 and ecKey are RFC 5208 and RFC 5915. The library's own reader takes a key of any curve for one of SM2.
type pkcs8 struct {
	Version   int
	Algorithm pkix.AlgorithmIdentifier
	Key       []byte
	Rest      asn1.RawValue `asn1:"optional,tag:0"`
}

type ecKey struct {
	Version int
	Key     []byte
	Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	Public  asn1.BitString        `asn1:"optional,explicit,tag:1"`
}

type publicInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

// ParsePrivateKey reads 64 hex digits, or PEM or bare Base64 of PKCS8 or of an EC key. The error
// never shows the key.
func ParsePrivateKey(text string) (*PrivateKey, error) {
	der, scalar := unwrap(text)
	if scalar != nil {
		return newPrivateKey(scalar)
	}
	var outer pkcs8
	if _, err := asn1.Unmarshal(der, &outer); err == nil {
		if !ofSM2(outer.Algorithm) {
			return nil, errors.New("the private key is of another curve than SM2")
		}
		der = outer.Key
	}
	var inner ecKey
	if _, err := asn1.Unmarshal(der, &inner); err != nil {
		return nil, errPrivate
	}
	if outer.Key == nil && !inner.Curve.Equal(oidSM2) {
		return nil, errors.New("the private key is of another curve than SM2")
	}
	return newPrivateKey(inner.Key)
}

// newPrivateKey refuses numbers outside 1..n-2, with which no signature can be made.
func newPrivateKey(scalar []byte) (*PrivateKey, error) {
	curve := sm2.P256Sm2()
	d := new(big.Int).SetBytes(scalar)
	if d.Sign() <= 0 || d.Cmp(new(big.Int).Sub(curve.Params().N, big.NewInt(1))) >= 0 {
		return nil, errPrivate
	}
	key := &sm2.PrivateKey{D: d}
	key.Curve = curve
	key.X, key.Y = curve.ScalarBaseMult(d.Bytes()) //nolint:staticcheck // the library's curve has no other face
	return &PrivateKey{key}, nil
}

// ParsePublicKey reads 04 x y in hex, or PEM or bare Base64 of a PUBLIC KEY. A point that is not on the
// curve is refused.
func ParsePublicKey(text string) (*PublicKey, error) {
	der, point := unwrap(text)
	if point == nil {
		var info publicInfo
		if _, err := asn1.Unmarshal(der, &info); err != nil {
			return nil, errPublic
		}
		if !ofSM2(info.Algorithm) {
			return nil, errors.New("the public key is of another curve than SM2")
		}
		point = info.Key.Bytes
	}
	if len(point) == 1+2*half && point[0] == 4 {
		point = point[1:]
	}
	if len(point) != 2*half || !validPoint(point) {
		return nil, errPublic
	}
	return &PublicKey{&sm2.PublicKey{Curve: sm2.P256Sm2(),
		X: new(big.Int).SetBytes(point[:half]), Y: new(big.Int).SetBytes(point[half:])}}, nil
}

// unwrap gives the DER inside PEM or Base64, or the bytes written in hex.
func unwrap(text string) (der, plain []byte) {
	text = strings.TrimSpace(text)
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if !strings.HasSuffix(block.Type, "PARAMETERS") { // openssl writes those before the key
			return block.Bytes, nil
		}
	}
	if plain, err := hex.DecodeString(text); err == nil && len(plain) > 0 && len(plain) <= 1+2*half {
		return nil, plain
	}
	der, _ = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	return der, nil
}

// ofSM2 looks for the curve in the parameters; openssl 3 may name it in their place.
func ofSM2(a pkix.AlgorithmIdentifier) bool {
	curve, err := asn1.Marshal(oidSM2)
	if err != nil {
		return false
	}
	return a.Algorithm.Equal(oidEC) && bytes.Equal(a.Parameters.FullBytes, curve) || a.Algorithm.Equal(oidSM2)
}
