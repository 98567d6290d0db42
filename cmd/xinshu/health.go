package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"xinshu/internal/api"
	"xinshu/internal/auth"
	"xinshu/internal/console"
)

// health answers whether this process is alive and whether it can work. Strangers learn yes or no.
type health struct {
	insider func(*http.Request) bool // who may know why
	inner   map[string]func(context.Context) error

	mu   sync.Mutex
	at   time.Time
	last map[string]string // by check: "" or what is wrong
}

// askAgain is how long an answer serves further questions: a flood of them asks the database no more often.
const askAgain = 2 * time.Second

func (a *app) health(insider func(*http.Request) bool) *health {
	return &health{insider: insider, inner: map[string]func(context.Context) error{"state": a.state.Ping, "store": a.lake.Reach}}
}

// alive answers /healthz: a process that answers is alive, whatever else is away.
func (h *health) alive(w http.ResponseWriter, _ *http.Request) {
	tell(w, http.StatusOK, map[string]any{"status": "alive"})
}

// ready answers /readyz: state and store answer, and the hub is not about to stop. Tables are brought
// up to date before a hub begins to listen.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	checks, wrong := h.checks(r.Context()), false
	for _, why := range checks {
		wrong = wrong || why != ""
	}
	answer, status := map[string]any{"status": "ready"}, http.StatusOK
	if wrong || r.Context().Err() != nil { // the service is about to stop
		answer["status"], status = "not ready", http.StatusServiceUnavailable
	}
	if h.insider(r) {
		answer["checks"] = checks
	}
	tell(w, status, answer)
}

func (h *health) checks(ctx context.Context) map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); h.last == nil || now.Sub(h.at) >= askAgain {
		h.at, h.last = now, map[string]string{}
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second) // the answer is others' too
		defer cancel()
		for name, check := range h.inner {
			h.last[name] = ""
			if err := check(asking); err != nil {
				h.last[name] = err.Error()
			}
		}
	}
	return h.last
}

func tell(w http.ResponseWriter, status int, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // who asked may be gone
}

// insider says whether somebody may see how the hub stands: from a network that the config names, from
// this machine itself, or with the right to.
func insider(r *http.Request, networks []string, who func(*http.Request) (auth.Actor, error)) bool {
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && !proxied(r) {
		if len(networks) == 0 && address.Addr().IsLoopback() {
			return true
		}
		for _, text := range networks {
			if n, err := netip.ParsePrefix(text); err == nil && n.Contains(address.Addr().Unmap()) {
				return true
			}
		}
	}
	actor, err := who(r)
	return err == nil && actor.May(auth.MetricsSee)
}

// proxied says that the address is a proxy's, which may stand on this machine and speak for anybody.
func proxied(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// careOver answers for those who look after the hub. Each of the three says for itself who may know what.
func (a *app) careOver(mux *http.ServeMux, who func(*http.Request) (auth.Actor, error)) {
	may := func(r *http.Request) bool { return insider(r, a.config.Metrics.Networks, who) }
	h := a.health(may)
	mux.HandleFunc("GET /healthz", h.alive)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !may(r) {
			tell(w, http.StatusForbidden, map[string]any{"status": "forbidden"})
			return
		}
		a.care.metrics.Handler().ServeHTTP(w, r)
	})
}

// routes gives the pattern that answers a request, as the API's and the console's own tables name it.
func routes(outer *http.ServeMux, rest *api.API, pages *console.Console) func(*http.Request) string {
	none := http.NotFoundHandler()
	inner := map[string]*http.ServeMux{"/v1/": http.NewServeMux(), "/": http.NewServeMux()}
	for _, o := range rest.Operations() {
		inner["/v1/"].Handle(o.Method+" "+o.Path, none)
	}
	for _, p := range pages.Pages() {
		inner["/"].Handle(p.Pattern, none)
	}
	return func(r *http.Request) string {
		_, pattern := outer.Handler(r)
		if own := inner[pattern]; own != nil {
			if _, found := own.Handler(r); found != "" {
				pattern = found
			}
		}
		if _, path, found := strings.Cut(pattern, " "); found {
			return path
		}
		return pattern
	}
}
