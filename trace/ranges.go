package trace

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// readLogs are what the simulations of a run read, one log each: with Poison,
// which follows each theft alone, several read the same chain.
type readLogs []*readLog

func readsOf(sims []*sim) (out readLogs) {
	for _, s := range sims {
		out = append(out, s.reads)
	}
	return out
}

// chains are the digests of each chain that was read, in the order of the logs.
func (l readLogs) chains() map[chain.ID][]*rowDigest {
	out := map[chain.ID][]*rowDigest{}
	for _, log := range l {
		for id, d := range log.digests {
			out[id] = append(out[id], d)
		}
	}
	return out
}

// rows is how many transfers were read; several that read the same count each.
func (l readLogs) rows() (n uint64) {
	for _, log := range l {
		for _, d := range log.digests {
			n += d.Rows()
		}
	}
	return n
}

// ranges says what of each chain was read.
func ranges(ctx context.Context, r ledger.Reader, logs readLogs, req *Request) ([]Range, error) {
	for _, log := range logs {
		if err := log.flush(ctx, r); err != nil {
			return nil, err
		}
	}
	out := []Range{}
	for id, read := range logs.chains() {
		from, last := read[0].first, read[0].last
		for _, d := range read[1:] {
			from, last = min(from, d.first), max(last, d.last)
		}
		c, err := r.Coverage(ctx, id)
		if err != nil {
			return nil, err
		}
		to := c.LastBlock
		if req.Bounds.Until != 0 {
			to = min(to, last)
		}
		if head, ok := req.Heads[id]; ok {
			to = min(to, head)
		}
		to = max(to, from)
		var gaps []ledger.Range
		for _, g := range c.Gaps {
			if g.To >= from && g.From <= to {
				gaps = append(gaps, ledger.Range{From: max(g.From, from), To: min(g.To, to)})
			}
		}
		out = append(out, Range{Chain: id, From: from, To: to, Gaps: len(gaps), Digest: sealRange(id, from, to, gaps, read)})
	}
	slices.SortFunc(out, func(a, b Range) int { return cmp.Compare(a.Chain, b.Chain) })
	return out, nil
}

// sealRange is the digest of a range: SHA-256 over the chain, the range's
// ends, its gaps, and the digest and number of the transfers that each log
// read in it.
func sealRange(id chain.ID, from, to uint64, gaps []ledger.Range, read []*rowDigest) string {
	h := sha256.New()
	fmt.Fprintf(h, "bongsu ledger range 1\n%s,%d,%d\n", id, from, to)
	for _, g := range gaps {
		fmt.Fprintf(h, "gap,%d,%d\n", g.From, g.To)
	}
	for _, d := range read {
		fmt.Fprintf(h, "rows,%d,%s\n", d.Rows(), d.sum())
	}
	return sumText(h)
}
