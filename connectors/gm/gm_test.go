package gm

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tjfoc/gmsm/sm2"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	out, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSM3OfTheStandard(t *testing.T) { // GB/T 32905-2016, annex A
	for in, want := range map[string]string{
		"abc":                      "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
		strings.Repeat("abcd", 16): "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
	} {
		if got := hex.EncodeToString(SM3([]byte(in))); got != want {
			t.Errorf("SM3 of %.8q is %s, want %s", in, got, want)
		}
		h := NewSM3()
		for _, c := range []byte(in) {
			h.Write([]byte{c})
		}
		if got := hex.EncodeToString(h.Sum([]byte{0xff})); got != "ff"+want {
			t.Errorf("Sum behind a prefix is %s", got)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("the second Sum is %s: the first one changed the state", got)
		}
	}
}

func TestSM3GoesOnAfterSum(t *testing.T) {
	h := NewSM3()
	h.Write([]byte("a"))
	h.Sum(nil)
	h.Write([]byte("bc"))
	if !bytes.Equal(h.Sum(nil), SM3([]byte("abc"))) {
		t.Error("asking for the sum of a part changes the sum of the whole")
	}
}

func TestHMACSM3AsOpenSSLMakesIt(t *testing.T) {
	want := "9c4222880c1ffab14633249f4b17b0c52fdb370208fff7e23316940fdd58f2f9"
	if got := hex.EncodeToString(HMACSM3([]byte("key123"), []byte("abc"))); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSM4OfTheStandard(t *testing.T) { // GB/T 32907-2016, annex A
	key := unhex(t, "0123456789abcdeffedcba9876543210")
	block, err := newSM4(key)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.Clone(key)
	block.Encrypt(text, text)
	if got := hex.EncodeToString(text); got != "681edf34d206965e86b3e94f536e4246" {
		t.Errorf("one block is %s", got)
	}
	text = bytes.Clone(key)
	for range 1_000_000 {
		block.Encrypt(text, text)
	}
	if got := hex.EncodeToString(text); got != "595298c7c6fd271f0402f804c33d3f66" {
		t.Errorf("a million rounds give %s", got)
	}
}

func TestSM4ModesAsOpenSSLMakesThem(t *testing.T) {
	key, iv := unhex(t, "0123456789abcdeffedcba9876543210"), unhex(t, "000102030405060708090a0b0c0d0e0f")
	text := []byte("hello, 世界")
	cbc, err := SealCBC(key, iv, text)
	if err != nil || hex.EncodeToString(cbc) != "fcd2157b50e5846aed06e2af3925ec2f" {
		t.Errorf("CBC: %x, %v", cbc, err)
	}
	ecb, err := SealECB(key, text)
	if err != nil || hex.EncodeToString(ecb) != "c8a3ee9039bd07c820259750b8ec3e21" {
		t.Errorf("ECB: %x, %v", ecb, err)
	}
	for n := range 50 {
		long := bytes.Repeat([]byte{'x'}, n)
		a, _ := SealCBC(key, iv, long)
		b, _ := SealECB(key, long)
		gotA, errA := OpenCBC(key, iv, a)
		gotB, errB := OpenECB(key, b)
		if errA != nil || errB != nil || !bytes.Equal(gotA, long) || !bytes.Equal(gotB, long) {
			t.Fatalf("%d bytes do not come back: %v %v", n, errA, errB)
		}
	}
	for name, open := range map[string]func() ([]byte, error){
		"cut":       func() ([]byte, error) { return OpenCBC(key, iv, cbc[:7]) },
		"empty":     func() ([]byte, error) { return OpenECB(key, nil) },
		"wrong key": func() ([]byte, error) { return OpenCBC(iv, iv, cbc) },
	} {
		if _, err := open(); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := SealECB(key[:15], text); err == nil {
		t.Error("a short key is taken")
	}
}

type vector struct {
	Key, Nonce, Plaintext, AD string
	Sealed                    string `json:"ciphertext_and_tag"`
}

// RFC 8998, appendix A.1.
var rfc8998 = vector{Key: "0123456789abcdeffedcba9876543210", Nonce: "00001234567800000000abcd",
	Plaintext: strings.Repeat("a", 16) + strings.Repeat("b", 16) + strings.Repeat("c", 16) + strings.Repeat("d", 16) + strings.Repeat("e", 16) + strings.Repeat("f", 16) + strings.Repeat("e", 16) + strings.Repeat("a", 16),
	AD:        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	Sealed:    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec"}

func TestSM4GCM(t *testing.T) {
	vectors := []vector{rfc8998}
	if text, err := os.ReadFile("../../../shared/samples/crypto/gm_vectors.json"); err == nil {
		var file struct {
			SM3 []struct{ In, Out string } `json:"sm3"`
			GCM []vector                   `json:"sm4_gcm"`
		}
		if err := json.Unmarshal(text, &file); err != nil || len(file.GCM) == 0 || len(file.SM3) == 0 {
			t.Fatalf("the sample holds no vectors: %v", err)
		}
		vectors = append(vectors, file.GCM...)
		for _, v := range file.SM3 {
			if got := hex.EncodeToString(SM3([]byte(v.In))); got != v.Out {
				t.Errorf("SM3 of the sample's %.8q is %s", v.In, got)
			}
		}
	}
	for i, v := range vectors {
		key, nonce, text, also, want := unhex(t, v.Key), unhex(t, v.Nonce), unhex(t, v.Plaintext), unhex(t, v.AD), unhex(t, v.Sealed)
		got, err := SealGCM(key, nonce, text, also)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("vector %d seals to %x (%v)", i, got, err)
		}
		back, err := OpenGCM(key, nonce, want, also)
		if err != nil || !bytes.Equal(back, text) {
			t.Errorf("vector %d does not open: %v", i, err)
		}
		want[len(want)-1] ^= 1
		if _, err := OpenGCM(key, nonce, want, also); !errors.Is(err, ErrSealed) {
			t.Errorf("vector %d opens with a wrong tag: %v", i, err)
		}
	}
}

// The key and texts of GB/T 32918.5-2017, annex A.
const (
	standardKey   = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
	standardPoint = "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
	standardR     = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
	standardS     = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
	standardC1    = "0404EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0"
	standardC2    = "21886CA989CA9C7D58087307CA93092D651EFA"
	standardC3    = "59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766"
)

func standardPair(t *testing.T) (*PrivateKey, *PublicKey) {
	t.Helper()
	private, err := ParsePrivateKey(standardKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicKey(standardPoint)
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

func TestSM2OfTheStandard(t *testing.T) {
	private, public := standardPair(t)
	if got := private.Public().Hex(); !strings.EqualFold(got, standardPoint) {
		t.Errorf("the public key comes out as %s", got)
	}
	message, sig := []byte("message digest"), unhex(t, standardR+standardS)
	if !public.Verify(message, "", sig) || !public.Verify(message, UserID, sig) {
		t.Error("the standard's signature is refused")
	}
	for what, ok := range map[string]bool{
		"another message": public.Verify([]byte("message digesT"), "", sig),
		"another user":    public.Verify(message, "ALICE123@YAHOO.COM", sig),
		"zeros":           public.Verify(message, "", make([]byte, 64)),
		"cut":             public.Verify(message, "", sig[:63]),
		"nothing":         public.Verify(message, "", nil),
		"order of n":      public.Verify(message, "", append(sm2.P256Sm2().Params().N.Bytes(), sig[32:]...)),
	} {
		if ok {
			t.Errorf("%s: verified", what)
		}
	}
	for order, sealed := range map[Order]string{C1C3C2: standardC1 + standardC3 + standardC2, C1C2C3: standardC1 + standardC2 + standardC3} {
		for _, text := range []string{sealed, sealed[2:]} { // with 04 and without
			got, err := private.Open(unhex(t, text), order)
			if err != nil || string(got) != "encryption standard" {
				t.Errorf("order %d opens to %q (%v)", order, got, err)
			}
		}
	}
}

// A key, a signature and a sealed text that openssl 3.0 made.
const (
	opensslKey = `-----BEGIN SM2 PARAMETERS-----
BggqgRzPVQGCLQ==
-----END SM2 PARAMETERS-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQg00JXH+jyzcp+QlEH
AWN2IqWsGm3ngkho1DEEtRdyoXChRANCAAQvx394HHAyEfAEcBanR6danZd0E5Zg
XZ5eN1ZLmVmDbdOuw8XuCMlVW1sOJd5Yv3EKalw4wDH9W9CEfsa5Ddb8
-----END PRIVATE KEY-----`
	opensslPublic = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEL8d/eBxwMhHwBHAWp0enWp2XdBOW
YF2eXjdWS5lZg23TrsPF7gjJVVtbDiXeWL9xCmpcOMAx/VvQhH7GuQ3W/A==
-----END PUBLIC KEY-----`
	opensslSignature = "MEUCIQDn+331MInbKkj/1Cs/6RRZ/vtLFRvVtkgP+Gk02z0E2gIgAn/i5k7oqPi797sC+FHGSL7mmoAxR21IYpUW0umeKC8="
	opensslSealed    = "307802210096e2ad07b8dc4bdd54e9f24deae1d6e0732652785a097ef318062acf56e12696022100b2b57d4d07954efa0cc2b4c102634032aabda93d1e70c0ebe7d7bbbb03980432042037ecd458e38843330d89ae508d389b0a1e70518d924cd4187e0957fb6dbeab75040ee1dc196f8b782268cfa2d1185129"
)

func TestSM2FromOpenSSL(t *testing.T) {
	private, err := ParsePrivateKey(opensslKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicKey(opensslPublic)
	if err != nil {
		t.Fatal(err)
	}
	if private.Public().Hex() != public.Hex() {
		t.Error("the two halves do not belong together")
	}
	sig, _ := base64.StdEncoding.DecodeString(opensslSignature)
	if !public.Verify([]byte("message digest"), "", sig) {
		t.Error("the signature is refused")
	}
	if public.Verify([]byte("message digest"), "", append(sig, 0)) {
		t.Error("a signature with something behind it is taken")
	}
	text, err := private.Open(unhex(t, opensslSealed), ASN1)
	if err != nil || string(text) != "message digest" {
		t.Errorf("opens to %q (%v)", text, err)
	}
	bare := strings.Join(strings.Split(opensslPublic, "\n")[1:3], "")
	if again, err := ParsePublicKey(bare); err != nil || again.Hex() != public.Hex() {
		t.Errorf("Base64 without the PEM lines: %v", err)
	}
}

func TestSM2ThereAndBack(t *testing.T) {
	private, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			message := bytes.Repeat([]byte{byte(i + 1)}, i*20+1)
			for _, form := range []Form{DER, Raw} {
				sig, err := private.Sign(message, "部门", form)
				if err != nil || !private.Public().Verify(message, "部门", sig) {
					t.Errorf("form %d: %v", form, err)
				}
			}
			for _, order := range []Order{C1C3C2, C1C2C3, ASN1} {
				sealed, err := private.Public().Seal(message, order)
				if err != nil {
					t.Error(err)
					continue
				}
				back, err := private.Open(sealed, order)
				if err != nil || !bytes.Equal(back, message) {
					t.Errorf("order %d: %v", order, err)
				}
				sealed[len(sealed)-1] ^= 1
				if _, err := private.Open(sealed, order); !errors.Is(err, ErrSealed) {
					t.Errorf("order %d: a changed text opens: %v", order, err)
				}
			}
		})
	}
	group.Wait()
	if _, err := private.Public().Seal(nil, C1C3C2); err == nil {
		t.Error("an empty text is sealed")
	}
}

func TestSM2RefusesWhatStrangersSend(t *testing.T) {
	private, _ := standardPair(t)
	off := unhex(t, standardC1+standardC3+standardC2)
	off[40] ^= 1 // no longer on the curve
	for _, order := range []Order{C1C3C2, C1C2C3, ASN1} {
		for _, sealed := range [][]byte{nil, {4}, {0x30}, make([]byte, 97), make([]byte, 98), bytes.Repeat([]byte{0xff}, 200), off, unhex(t, "3006020101020101")} {
			if _, err := private.Open(sealed, order); !errors.Is(err, ErrSealed) {
				t.Errorf("order %d, %d bytes: %v", order, len(sealed), err)
			}
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	n := sm2.P256Sm2().Params().N
	p256 := "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G"
	for what, text := range map[string]string{"empty": "", "zero": strings.Repeat("0", 64), "n-1": fmt.Sprintf("%064x", new(big.Int).Sub(n, big.NewInt(1))),
		"text": "not a key at all", "long": strings.Repeat("ab", 40), "P-256": p256} {
		if _, err := ParsePrivateKey(text); err == nil {
			t.Errorf("%s is taken for a private key", what)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error shows the key", what)
		}
	}
	for what, text := range map[string]string{"empty": "", "off the curve": "04" + strings.Repeat("11", 64), "short": "0411", "text": "公钥", "private": opensslKey} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("%s is taken for a public key", what)
		}
	}
	private, _ := standardPair(t)
	for _, verb := range []string{"%v", "%s", "%#v", "%+v"} {
		if got := fmt.Sprintf(verb, private); got != "***" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add(opensslKey)
	f.Add(opensslPublic)
	f.Add(standardKey)
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = ParsePrivateKey(text)
		_, _ = ParsePublicKey(text)
	})
}
