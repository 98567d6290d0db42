package stage

import (
	"math/big"
	"testing"
)

func TestAmountsAreReadExactly(t *testing.T) {
	for _, c := range []struct {
		written string
		scale   int
		want    int64
		ok      bool
	}{
		{"0.07", yuanToFen, 7, true},
		{"0.29", yuanToFen, 29, true},
		{"4.35", wanToFen, 4350000, true},
		{"0.000001", wanToFen, 1, true},
		{"99999999.999999", wanToFen, 99999999999999, true},
		{"-12.3", yuanToFen, -1230, true},
		{"+5", yuanToFen, 500, true},
		{"1,234,567.80", yuanToFen, 123456780, true},
		{"1.5e3", yuanToFen, 150000, true},
		{"150e-2", yuanToFen, 150, true},
		{"2.5000", yuanToFen, 250, true},
		{".5", yuanToFen, 50, true},
		{"3亿元", yuanToFen, 30000000000, true},
		{"人民币12万元", yuanToFen, 12000000, true},
		{"1e-3", yuanToFen, 0, false},
		{"0.005", yuanToFen, 0, false},
		{"12,34", yuanToFen, 0, false},
		{",123", yuanToFen, 0, false},
		{"1.2.3", yuanToFen, 0, false},
		{"--1", yuanToFen, 0, false},
		{".", yuanToFen, 0, false},
		{"", yuanToFen, 0, false},
		{"e5", yuanToFen, 0, false},
		{"1e99", yuanToFen, 0, false},
		{"1e999", yuanToFen, 0, false},
		{"1e1.0", yuanToFen, 0, false},
		{"92233720368547759", yuanToFen, 0, false},
		{"100万美元", yuanToFen, 0, false},
	} {
		if n, ok := money(c.written, c.scale); ok != c.ok || ok && n != c.want {
			t.Errorf("money(%q, %d) = %d %v, want %d %v", c.written, c.scale, n, ok, c.want, c.ok)
		}
	}
}

// FuzzScaled holds the digit reader against rational arithmetic.
func FuzzScaled(f *testing.F) {
	for _, s := range []string{"0.07", "1e3", "-12.50", "1,234.5", "150e-2", "9223372036854775807", ".", "1e", "00.10", "0e0.0", "1e--2"} {
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, s string, scale int) {
		if scale < 0 || scale > 10 {
			return
		}
		n, ok := scaled(s, scale)
		if !ok {
			return
		}
		plain := make([]byte, 0, len(s))
		for i := range len(s) {
			if s[i] != ',' {
				plain = append(plain, s[i])
			}
		}
		want, valid := new(big.Rat).SetString(string(plain))
		if !valid {
			t.Fatalf("scaled(%q) = %d, which no number is", s, n)
		}
		unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
		if got := new(big.Rat).Quo(new(big.Rat).SetInt64(n), unit); got.Cmp(want) != 0 {
			t.Fatalf("scaled(%q, %d) = %d, which is %s and not %s", s, scale, n, got, want)
		}
	})
}
