package ledger

import (
	"slices"

	"bongsu/chain"
)

// leftovers calls use with the records of the new head log: what the old one holds
// that is not in a segment now.
func (j *rewriteJob) leftovers(use func(*record) error) error {
	facts := &Facts{}
	flush := func() error {
		if facts.empty() {
			return nil
		}
		r := &record{kind: recordFacts, facts: facts}
		facts = &Facts{}
		return use(r)
	}
	err := j.log.readLiving(j.old.HeadSeq, func(r *record, dead bool) error {
		switch {
		case dead || r.facts == nil:
			return nil
		case r.kind == recordLive && r.block.Number >= j.cutOf(RefOfChain(r.block.Chain)):
			return cmpErr(flush(), use(r))
		case r.kind == recordLive && !j.moves(RefOfChain(r.block.Chain), r.block.Number):
			facts.Blocks = append(facts.Blocks, r.block)
		}
		j.keep(facts, r.facts)
		if j.l.opt.fills(facts) {
			return flush()
		}
		return nil
	})
	return cmpErr(err, flush())
}

func (f *Facts) empty() bool {
	return len(f.Transfers)+len(f.Txs)+len(f.Blocks)+len(f.Notes)+len(f.UTXOs)+len(f.Assets)+len(f.Claims) == 0
}

// keep copies what did not go into a segment.
func (j *rewriteJob) keep(to, f *Facts) {
	for i := range f.Transfers {
		t := &f.Transfers[i]
		if t.Tx.IsZero() || !j.moved(t.Chain, t.Tx, t.Block) {
			to.Transfers = append(to.Transfers, *t)
		}
	}
	for _, t := range f.Txs {
		if !j.moved(t.Chain, t.Tx, t.Block) {
			to.Txs = append(to.Txs, t)
		}
	}
	for _, n := range f.Notes {
		if !j.moved(n.Chain, n.Tx, n.place()) {
			to.Notes = append(to.Notes, n)
		}
	}
	for _, b := range f.Blocks {
		if !j.moves(RefOfChain(b.Chain), b.Number) {
			to.Blocks = append(to.Blocks, b)
		}
	}
	for i := range f.UTXOs {
		if u := &f.UTXOs[i]; !j.moved(u.Chain, u.Tx, u.Block) {
			to.UTXOs = append(to.UTXOs, *u)
		}
	}
	for _, c := range f.Claims {
		if cut := j.cutOf(RefOfChain(c.Chain)); c.To >= cut {
			c.From = max(c.From, cut)
			to.Claims = append(to.Claims, c)
		}
	}
}

// moved says whether a transaction of the head is in a segment now, and the
// block that a fact names for it too, which may be another than where it is.
func (j *rewriteJob) moved(id chain.ID, tx chain.TxID, named uint64) bool {
	ref := RefOfChain(id)
	s := j.head.find(txName{chain: ref, id: tx})
	return s != nil && s.block != chain.NoBlock && j.movesTx(s) && (named == chain.NoBlock || j.moves(ref, named))
}

// describe writes what else the head said into the manifest.
func (j *rewriteJob) describe(rest pieces) error {
	m := &j.next
	m.Claims, m.Assets, m.Live = nil, nil, nil
	for _, id := range sortedKeys(j.head.claims) {
		for _, c := range j.head.claims[id] {
			if cut := j.cutOf(id); c.From < cut {
				c.To = min(c.To, cut-1)
				m.Claims = append(m.Claims, c)
			}
		}
	}
	known := j.head.registry.All()
	if err := rest(func(f *Facts) error {
		m.Claims, known = append(m.Claims, f.Claims...), append(known, f.Assets...)
		return nil
	}); err != nil {
		return err
	}
	registry := &chain.Registry{}
	for _, a := range known {
		if registry.Add(a) == nil {
			continue // checked against what was known before
		}
	}
	for _, a := range registry.All() {
		m.Assets = append(m.Assets, assetRecord(a))
	}
	for _, id := range sortedKeys(j.head.live) {
		live := j.head.live[id]
		r := liveRecord{Chain: chainOfRef(id), Final: live.final, Known: live.known}
		for _, b := range live.blocks {
			if b.Number < j.cutOf(id) {
				r.Blocks = append(r.Blocks, b)
			}
		}
		m.Live = append(m.Live, r)
	}
	return nil
}

func sortedKeys[V any](m map[ChainRef]V) []ChainRef {
	var out []ChainRef
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
