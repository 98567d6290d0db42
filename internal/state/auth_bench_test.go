package state

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"xinshu/internal/audit"
	"xinshu/internal/auth"
	"xinshu/internal/pgtest"
)

// What every request and every look costs beside its own work.
func BenchmarkGuardAndTrail(b *testing.B) {
	for name, address := range map[string]string{"sqlite": filepath.Join(b.TempDir(), "state.db"), "postgres": pgtest.Start(b)} {
		s, err := Open(b.Context(), address, time.Now)
		if err != nil {
			b.Fatal(err)
		}
		trail := audit.New(s, nil, time.Now)
		ctx := auth.With(b.Context(), li)
		b.Run(name+"/look, 16 at once", func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := trail.Viewed(ctx, "91410481MA9G2ABC1X", "service"); err != nil {
						b.Error(err)
					}
				}
			})
		})
		b.Run(name+"/look, one after the other", func(b *testing.B) {
			for b.Loop() {
				if err := trail.Viewed(ctx, "91410481MA9G2ABC1X", "service"); err != nil {
					b.Error(err)
				}
			}
		})
		accounts := auth.NewAccounts(s, trail, auth.Rules{}, time.Now)
		if _, err := accounts.Add(ctx, auth.User{Name: "li", Roles: []auth.Role{auth.Steward}}, oak); err != nil {
			b.Fatal(err)
		}
		token, err := accounts.ChangePassword(ctx, "li", oak, birch, "", "")
		if err != nil {
			b.Fatal(err)
		}
		guard := &auth.Guard{Accounts: accounts, Limits: auth.NewLimits(1e9, 1e9, time.Now)}
		b.Run(name+"/session of a page", func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: "xinshu_session", Value: token})
			for b.Loop() {
				if a, err := guard.Page(r); err != nil || a.ID == "" {
					b.Fatal(a, err)
				}
			}
		})
		b.Run(name+"/sign-in", func(b *testing.B) {
			for b.Loop() {
				if _, err := accounts.SignIn(ctx, "li", birch, "10.0.0.1", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
		start := time.Now()
		r, err := trail.Verify(ctx)
		if err != nil {
			b.Fatal(err)
		}
		fmt.Printf("%s: a chain of %d entries is checked in %v\n", name, r.Entries, time.Since(start).Round(time.Millisecond))
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
