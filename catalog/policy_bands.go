package catalog

// limit is one end of a range in hundredths, inclusive; nil is without limit.
type limit struct{ v *int64 }

func (l limit) cell() any {
	if l.v == nil {
		return nil
	}
	return *l.v
}

type extent struct{ min, max limit }

func (s extent) holds(v int64) bool {
	return (s.min.v == nil || v >= *s.min.v) && (s.max.v == nil || v <= *s.max.v)
}

// band is a Band with inclusive whole limits: above 85 is from 85.01, that is 8501.
type band struct {
	grade                   string
	total, plus, minus, net extent
}

func (b band) holds(total, plus, minus int64) bool {
	return b.total.holds(total) && b.plus.holds(plus) && b.minus.holds(minus) && b.net.holds(plus-minus)
}

// limits turns the bands as written into inclusive ranges that do not lean on their order. A band
// of totals that follows another ends just below where that one begins.
func (p Policy) limits() []band {
	bands := make([]band, 0, len(p.Bands))
	var below limit // where the band of totals before this one begins
	for _, b := range p.Bands {
		r := band{grade: b.Grade, plus: b.Plus.limits(), minus: b.Minus.limits(), net: b.Net.limits()}
		if b.Plus == nil && b.Minus == nil && b.Net == nil {
			r.total = (&Span{From: b.From, Above: b.Above}).limits()
			if below.v != nil {
				r.total.max = upTo(*below.v - 1)
			}
			below = r.total.min
		}
		bands = append(bands, r)
	}
	return bands
}

func (s *Span) limits() extent {
	var r extent
	if s == nil {
		return r
	}
	if s.From != nil {
		r.min = upTo(int64(*s.From))
	}
	if s.Above != nil {
		r.min = upTo(int64(*s.Above) + 1)
	}
	if s.To != nil {
		r.max = upTo(int64(*s.To))
	}
	if s.Below != nil {
		r.max = upTo(int64(*s.Below) - 1)
	}
	return r
}

func upTo(v int64) limit { return limit{v: &v} }
