package simulate

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the platform's key derivation is built on SHA-1; it protects nothing of ours
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// gateway plays the national exchange platform's front door: a secret that expires and must be
// refreshed, and a signature over sid, rid and rtime on each call (facts.md 4.1).
type gateway struct {
	appKey   string
	rid      string
	lifetime time.Duration
	now      func() time.Time

	mu     sync.Mutex
	serial int
	valid  []issued
}

type issued struct {
	secret string
	until  time.Time
}

// refresh answers …/sysapi/auth/refreshappsecret: a new working secret, AES-encrypted under the application key.
func (g *gateway) refresh(w http.ResponseWriter, r *http.Request) {
	if !g.signed(r, []string{g.appKey}) {
		answer(w, "E-106", "请求不在授权列表内", nil)
		return
	}
	g.mu.Lock()
	g.serial++
	mac := hmac.New(sha256.New, []byte(g.appKey))
	fmt.Fprintf(mac, "working secret %d", g.serial)
	fresh := issued{secret: fmt.Sprintf("%x", mac.Sum(nil))[:32], until: g.now().Add(g.lifetime)}
	g.valid = append(g.valid, fresh)
	if len(g.valid) > 2 { // the one before stays good until it ends by itself
		g.valid = g.valid[1:]
	}
	g.mu.Unlock()
	answer(w, "0", "", map[string]any{
		"secret":        encryptSecret(g.appKey, fresh.secret),
		"secretEndTime": strconv.FormatInt(fresh.until.UnixMilli(), 10),
	})
}

// guard lets a call through when it is signed with a secret that still holds.
func (g *gateway) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		var secrets []string
		for _, v := range g.valid {
			if g.now().Before(v.until) {
				secrets = append(secrets, v.secret)
			}
		}
		g.mu.Unlock()
		if !g.signed(r, secrets) {
			answer(w, "E-106", "签名无效或密钥已过期", nil)
			return
		}
		next(w, r)
	}
}

func (g *gateway) signed(r *http.Request, secrets []string) bool {
	sid, rid, rtime := r.Header.Get("gjgxjhpt_sid"), r.Header.Get("gjgxjhpt_rid"), r.Header.Get("gjgxjhpt_rtime")
	if rid != g.rid || sid == "" {
		return false
	}
	for _, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write([]byte(sid + rid + rtime))
		want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if subtle.ConstantTimeCompare([]byte(want), []byte(r.Header.Get("gjgxjhpt_sign"))) == 1 {
			return true
		}
	}
	return false
}

// encryptSecret is AES-128-ECB-PKCS5 in Base64, with the key that Java's SHA1PRNG derives from seed:
// SHA1(SHA1(seed)) cut to 16 bytes (facts.md 4.1, vectors there).
func encryptSecret(seed, plain string) string {
	first := sha1.Sum([]byte(seed)) //nolint:gosec // see above
	second := sha1.Sum(first[:])    //nolint:gosec // see above
	block, err := aes.NewCipher(second[:16])
	if err != nil {
		panic(err) // 16 bytes are always a valid key
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	text := []byte(plain)
	for range pad {
		text = append(text, byte(pad))
	}
	for i := 0; i < len(text); i += aes.BlockSize {
		block.Encrypt(text[i:i+aes.BlockSize], text[i:i+aes.BlockSize])
	}
	return base64.StdEncoding.EncodeToString(text)
}

// answer writes the platforms' usual envelope.
func answer(w http.ResponseWriter, code, message string, data any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": message, "data": data})
}
