package ledger

import (
	"slices"

	"bongsu/chain"
)

// When a job has moved a part of the head into segments, what stays need not be
// read and applied again: layers do not change, and references stay what they
// are. The job says in the manifest what stayed, and how the new log goes on
// from the old one, so that whoever has read that one goes on, too. It does not
// say so where what stays meets what the job wrote; then all read the log anew.

// passage is how a head log goes on from the one before it.
type passage struct {
	Head  string    `json:"head"`  // the log before
	Kept  uint64    `json:"kept"`  // the first records: what stayed of the log before up to head_sequence, written anew
	Bytes int64     `json:"bytes"` // by how much what followed in the log before lies further back
	Stays []staying `json:"stays,omitempty"`
}

// staying is the blocks of a chain that stay in the head, with the transactions
// in them or named by a live one of them; of a chain that is not listed none.
type staying struct {
	Chain  chain.ID     `json:"chain"`
	From   uint64       `json:"from"` // this one and all above
	Within []blockRange `json:"within,omitempty"`
}

// blockRange is blocks of a segment that was left as it is.
type blockRange struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// stays is the same by chain.
type stays map[ChainRef]*staying

func (p *passage) stays() stays {
	s := stays{}
	for i := range p.Stays {
		s[RefOfChain(p.Stays[i].Chain)] = &p.Stays[i]
	}
	return s
}

func (s *staying) block(number uint64) bool {
	return s != nil && (number >= s.From || slices.ContainsFunc(s.Within, func(r blockRange) bool { return r.From <= number && number <= r.To }))
}

func (s *staying) tx(t *txState) bool { return s != nil && (t.live >= s.From || s.block(t.block)) }

// of says what stays of a layer: the layer itself, a smaller one, or nil. above
// are the layers that may hide something of it.
func (s stays) of(l *layer, above []*layer, below *segments, nm *names) *layer {
	masks := slices.DeleteFunc(slices.Clone(l.masks), func(m segmentTx) bool { return !below.has(m.segment) })
	var txs []layerTx
	of, last := (*staying)(nil), ChainRef(0)
	for i := range l.txs {
		t := &l.txs[i]
		if t.name.chain != last { // they lie by chain
			of, last = s[t.name.chain], t.name.chain
		}
		if of.tx(t.txState) && !slices.ContainsFunc(above, func(u *layer) bool { return u.holds(&t.name) }) {
			txs = append(txs, *t)
		}
	}
	var blocks []chainBlock
	all := 0
	for id, list := range l.blocks {
		all += len(list)
		for _, b := range list {
			if s[id].block(b.number) && !slices.ContainsFunc(above, func(u *layer) bool { return u.block(id, b.number) != nil }) {
				blocks = append(blocks, chainBlock{id, b})
			}
		}
	}
	switch {
	case len(txs)+len(blocks)+len(masks) == 0:
		return nil
	case len(txs) < len(l.txs) || len(blocks) < all:
		next := buildLayer(txs, blocks, masks, nm)
		next.hides = l.hides
		return next
	case len(masks) < len(l.masks):
		next := *l
		next.masks = masks
		return &next
	}
	return l
}

// layers is what stays of layers, lowest first.
func (s stays) layers(list []*layer, below *segments, nm *names) (out []*layer) {
	hides := slices.ContainsFunc(list, func(l *layer) bool { return l.hides })
	for i, l := range list {
		var above []*layer
		if hides {
			above = list[i+1:]
		}
		if l := s.of(l, above, below, nm); l != nil {
			out = append(out, l)
		}
	}
	return out
}

// carry is the head that goes on from h over other segments, with what stays of
// its layers.
func (h *head) carry(s stays, layers []*layer, below *segments, nm *names) *head {
	next := newHead(nm, below)
	next.layers, next.loose, next.looseTop, next.looseTurn = layers, h.loose, h.looseTop, h.looseTurn
	next.lastTime, next.stale = h.lastTime, h.stale || h.loose.len() > 0 // blocks may have come below
	for id, claims := range h.claims {
		for _, c := range claims {
			if of := s[id]; of != nil && c.From < of.From && c.To >= of.From { // the manifest has the first part
				next.claim(Claim{c.Chain, c.From, of.From - 1, c.What})
				c.From = of.From
			}
			next.claim(c)
		}
	}
	b := &batch{h: next}
	b.assets(h.registry.All())
	next.live = h.live
	return next
}

// claim adds what no claim says yet.
func (h *head) claim(c Claim) {
	id := RefOfChain(c.Chain)
	if !slices.ContainsFunc(h.claims[id], func(o Claim) bool { return o.What == c.What && o.From <= c.From && c.To <= o.To }) {
		h.claims[id] = addClaim(h.claims[id], c)
	}
}

// has says whether a segment is among them.
func (s *segments) has(number uint64) bool {
	return slices.ContainsFunc(s.list, func(seg *segment) bool { return seg.number == number })
}

// goOn adds what old has given out since the dictionary and the assets of n
// were written.
func (n *names) goOn(old *names) {
	n.mu.Lock()
	accounts := old.accountList()
	for _, a := range accounts[min(n.base.len()-old.base.len(), uint64(len(accounts))):] {
		n.accounts = append(n.accounts, a)
		n.refs[a] = AccountRef(n.base.len() + uint64(len(n.accounts)))
	}
	n.mu.Unlock()
	for _, a := range old.assetList() { // the first are the same
		n.asset(a)
	}
}

// follows says whether a process that has read the log l up to record seq can go
// on in the head log of m.
func (m *manifest) follows(l *headLog, seq uint64) bool {
	return m.Before != nil && m.Before.Head == l.name && seq >= m.HeadSeq
}
