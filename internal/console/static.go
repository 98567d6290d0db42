package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// asset is one static file, kept in memory, also packed.
type asset struct {
	body, packed []byte
	kind, name   string // name has the hash of the content in it
}

// assets are the static files by plain name and by name with hash. The style sheets of static/css
// are one file, console.css, put together in the order of their names.
type assets map[string]*asset

func readAssets(files fs.FS) (assets, error) {
	all := assets{}
	var css bytes.Buffer
	err := fs.WalkDir(files, "static", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, p)
		if err != nil {
			return err
		}
		if path.Dir(p) == "static/css" {
			css.Write(body)
			return nil
		}
		all.add(strings.TrimPrefix(p, "static/"), body)
		return nil
	})
	all.add("console.css", css.Bytes())
	return all, err
}

func (all assets) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	a := &asset{body: body, kind: mime.TypeByExtension(ext), name: strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext}
	if ext == ".js" || ext == ".css" || ext == ".svg" {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(body) // into memory: nothing can fail
		_ = z.Close()
		a.packed = packed.Bytes()
	}
	all[name], all[a.name] = a, a
}

// address gives the path of a static file under which it may be kept for a year.
func (all assets) address(name string) string {
	if a, ok := all[name]; ok {
		return "/static/" + a.name
	}
	return "/static/" + name // a test finds it
}

// ServeHTTP answers GET /static/...
func (all assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/static/")
	a, ok := all[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	secure(h)
	h.Set("Content-Type", a.kind)
	h.Set("ETag", `"`+a.name+`"`)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if name == a.name {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.body
	if a.packed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the browser went away
}

// secure sets what every answer says to the browser: nothing from elsewhere, no script or style in
// the page itself, no frame around it, no word to others about where the reader was.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
}
