package trace

import (
	"slices"

	"bongsu/chain"
)

// span is a stretch of the units of an output, or of the stream that a
// transaction pours: from from on, before to.
type span struct{ from, to chain.Amount }

// spans are disjoint and ascending.
type spans []span

// add unites s with one more span and says whether that changed it.
func (s *spans) add(x span) bool {
	if !x.from.Less(x.to) {
		return false
	}
	for _, y := range *s {
		if !x.from.Less(y.from) && !y.to.Less(x.to) {
			return false
		}
	}
	out := spans{}
	for _, y := range *s {
		if y.to.Less(x.from) || x.to.Less(y.from) {
			out = append(out, y)
			continue
		}
		x = span{x.from.Min(y.from), highest(x.to, y.to)}
	}
	out = append(out, x)
	slices.SortFunc(out, func(a, b span) int { return a.from.Cmp(b.from) })
	*s = out
	return true
}

func highest(a, b chain.Amount) chain.Amount {
	if a.Less(b) {
		return b
	}
	return a
}

// behind says which units of the inputs (of these values, in input order) are
// poured into wanted units of the outputs and the fee: what pouring does, read
// the other way. wanted has one more element than outs, the fee's. With the
// methods that share by amount every input is behind every output.
func behind(m Method, ins, outs []chain.Amount, wanted []spans) []spans {
	got := make([]spans, len(ins))
	if m != FIFO && m != LIFO {
		for i, v := range ins {
			got[i].add(span{to: v})
		}
		return got
	}
	starts, total := starts(m, outs)
	in := sumAmounts(ins)
	for i, want := range wanted {
		at := total // the fee's
		if i < len(outs) {
			at = starts[i]
		}
		for _, x := range want {
			streamed(m, ins, in, span{at.MustAdd(x.from), at.MustAdd(x.to)}, got)
		}
	}
	return got
}

// starts is where each output begins in the stream, and the outputs' sum.
func starts(m Method, outs []chain.Amount) (at []chain.Amount, sum chain.Amount) {
	at = make([]chain.Amount, len(outs))
	for n := range outs {
		i := n
		if m == LIFO {
			i = len(outs) - 1 - n
		}
		at[i] = sum
		sum = sum.MustAdd(outs[i])
	}
	return at, sum
}

// streamed adds a span of the stream to the inputs that it was poured from.
// What lies beyond all known inputs, in, came from nowhere that is known.
func streamed(m Method, ins []chain.Amount, in chain.Amount, x span, got []spans) {
	x = span{x.from.Min(in), x.to.Min(in)}
	if m == LIFO {
		x = span{in.MustSub(x.to), in.MustSub(x.from)}
	}
	var at chain.Amount
	for i, v := range ins {
		end := at.MustAdd(v)
		if x.from.Less(end) && at.Less(x.to) {
			from := highest(x.from, at).MustSub(at)
			got[i].add(span{from, x.to.Min(end).MustSub(at)})
		}
		at = end
	}
}

func sumAmounts(as []chain.Amount) (sum chain.Amount) {
	for _, a := range as {
		sum = sum.MustAdd(a)
	}
	return sum
}
