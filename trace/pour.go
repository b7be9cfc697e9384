package trace

import (
	"slices"

	"bongsu/chain"
)

// pouring is how one transaction of a UTXO chain shares out what came in: the
// inputs' money as lots in order, clean and tainted, the outputs' values, and
// the fee. What goes in comes out: inputs and what is missing sum to outputs
// and fee.
type pouring struct {
	in      [][]lot
	missing chain.Amount // what inputs that the ledger lacks must have held: clean, and last whatever the method (definition 4)
	outs    []chain.Amount
	fee     chain.Amount

	grouping grouping // of a haircut
}

// unknown is what is missing, as the clean lot that it goes on as.
func (p *pouring) unknown() lot { return lot{amount: p.missing, flow: -1} }

// poured is the lots of each output, in order, and of the fee.
type poured struct {
	outs [][]lot
	fee  []lot
}

// pour shares out a transaction's money by a method.
func (p *pouring) pour(m Method) poured {
	switch m {
	case LIFO:
		return p.lifo()
	case Haircut:
		return p.haircut()
	case TIHO:
		return p.tiho()
	}
	// With Poison all lots are tainted by now, so that order decides nothing.
	return p.fifo()
}

// stream is lots laid end to end.
type stream []lot

// take pours a off the front of the stream.
func (s *stream) take(a chain.Amount, out []lot) []lot {
	for !a.IsZero() && len(*s) > 0 {
		l := &(*s)[0]
		t := a.Min(l.amount)
		if t == l.amount {
			if !t.IsZero() {
				out = append(out, *l)
			}
			*s = (*s)[1:]
		} else {
			out = append(out, l.split(t))
		}
		a = a.MustSub(t)
	}
	return out
}

// fifo lays the inputs end to end in order and pours them into the outputs in
// order, the fee last.
func (p *pouring) fifo() poured {
	s := append(stream(slices.Concat(p.in...)), p.unknown())
	r := poured{outs: make([][]lot, len(p.outs))}
	for i, a := range p.outs {
		r.outs[i] = s.take(a, nil)
	}
	r.fee = s.take(p.fee, nil)
	return r
}

// lifo takes inputs and outputs last first, the fee still last.
func (p *pouring) lifo() poured {
	s := stream(slices.Concat(p.in...))
	slices.Reverse(s)
	s = append(s, p.unknown())
	r := poured{outs: make([][]lot, len(p.outs))}
	for i := len(p.outs) - 1; i >= 0; i-- {
		r.outs[i] = s.take(p.outs[i], nil)
	}
	r.fee = s.take(p.fee, nil)
	return r
}

// haircut gives output i floor(C_i*T/S) - floor(C_(i-1)*T/S) tainted units, C
// the running sum of the outputs, S the inputs, T their taint, the fee last.
// Of several lots each gives its part of these by amount, by running sums.
func (p *pouring) haircut() poured {
	taint, clean := p.parted()
	p.grouping.group(taint)
	whole := sumOf(taint)
	all := whole.MustAdd(sumOf(clean))
	r := poured{outs: make([][]lot, len(p.outs))}
	var running, before chain.Amount
	share := func(a chain.Amount) []lot {
		running = running.MustAdd(a)
		upTo := before
		if !all.IsZero() {
			upTo, _ = running.MulDiv(whole, all) // fits: running <= all
		}
		t := upTo.MustSub(before)
		before = upTo
		out := taint.takeEvenly(t)
		return clean.take(a.MustSub(t), out)
	}
	for i, a := range p.outs {
		r.outs[i] = share(a)
	}
	r.fee = share(p.fee)
	return r
}

// takeEvenly takes t, at most the stream's sum, from all its lots by amount.
func (s *stream) takeEvenly(t chain.Amount) (out []lot) {
	if t.IsZero() {
		return nil
	}
	total := sumOf(*s)
	var running, before chain.Amount
	keep := (*s)[:0:0]
	for _, l := range *s {
		running = running.MustAdd(l.amount)
		upTo, _ := t.MulDiv(running, total) // fits: running <= total
		if x := upTo.MustSub(before); !x.IsZero() {
			out = append(out, l.split(x))
		}
		before = upTo
		if !l.amount.IsZero() {
			keep = append(keep, l)
		}
	}
	*s = keep
	return out
}

// tiho pours the tainted money first: the fee takes floor(fee*T/S) of it, then
// the largest outputs, ties by position. Clean money fills the rest.
func (p *pouring) tiho() poured {
	taint, clean := p.parted()
	whole := sumOf(taint)
	all := whole.MustAdd(sumOf(clean))
	r := poured{outs: make([][]lot, len(p.outs))}
	t := chain.Amount{}
	if !all.IsZero() {
		t, _ = p.fee.MulDiv(whole, all) // fits: the fee is part of all
	}
	r.fee = taint.take(t, nil)
	order := make([]int, len(p.outs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return p.outs[j].Cmp(p.outs[i]) })
	for _, i := range order {
		r.outs[i] = taint.take(p.outs[i], nil)
	}
	for _, i := range order {
		r.outs[i] = clean.take(p.outs[i].MustSub(sumOf(r.outs[i])), r.outs[i])
	}
	rest := p.fee.MustSub(sumOf(r.fee))
	// What taint the outputs could not hold pays the fee too.
	r.fee = taint.take(rest, r.fee)
	r.fee = clean.take(p.fee.MustSub(sumOf(r.fee)), r.fee)
	return r
}

// parted is the tainted lots in input order, and the clean ones.
func (p *pouring) parted() (taint, clean stream) {
	for _, lots := range p.in {
		for _, l := range lots {
			switch {
			case l.amount.IsZero():
			case l.tainted():
				taint = append(taint, l)
			default:
				clean = append(clean, l)
			}
		}
	}
	if !p.missing.IsZero() {
		clean = append(clean, p.unknown())
	}
	return taint, clean
}

func sumOf(lots []lot) (sum chain.Amount) {
	for i := range lots {
		sum = sum.MustAdd(lots[i].amount)
	}
	return sum
}
