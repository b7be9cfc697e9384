package ledger

import (
	"encoding/binary"
	"slices"
)

// postingWriter writes the accounts' part of the index: which rows touch whom.
type postingWriter struct {
	s *segment
	x *sheetWriter

	counts   []uint32 // by local account; then where its entries begin
	entries  []uint64 // asset << 32 | row, by account
	skips    []byte
	balances []byte
	deltas   bitWriter
	scratch  bitWriter
	block    rowBlock
	blockOf  uint32 // the block that is parsed, plus one
}

// account writes one account's list: all its rows together when they are few,
// else a book for each asset.
func (p *postingWriter) account(a AccountRef, entries []uint64) {
	w := &p.deltas
	w.b, w.word, w.n = w.b[:0], 0, 0
	if len(entries) <= bigBook {
		p.plain(entries)
		p.x.write(w.b)
		return
	}
	slices.Sort(entries)
	books := uint64(0)
	for i := range entries {
		if i == 0 || entries[i]>>32 != entries[i-1]>>32 {
			books++
		}
	}
	w.put(1, 1)
	w.gamma(books)
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n]>>32 == entries[0]>>32 {
			n++
		}
		p.book(a, entries[:n])
		entries = entries[n:]
	}
	w.align()
	p.x.write(w.b)
}

// plain writes a short list, whose rows are in order as they were gathered.
func (p *postingWriter) plain(entries []uint64) {
	w := &p.deltas
	w.put(0, 1)
	w.gamma(uint64(len(entries)))
	k := riceParameter(uint64(len(entries)), uint64(uint32(entries[len(entries)-1])))
	w.put(uint64(k), 5)
	prev := int64(-1)
	for _, e := range entries {
		row := int64(uint32(e))
		w.rice(uint64(row-prev-1), k)
		prev = row
	}
	w.align()
}

// book writes asset, count, the deltas' parameter and the deltas; for a big
// one, where its skips and the next book are.
func (p *postingWriter) book(a AccountRef, entries []uint64) {
	w := &p.deltas
	w.put(entries[0]>>32, p.s.AssetBits)
	w.gamma(uint64(len(entries)))
	last := uint64(uint32(entries[len(entries)-1]))
	k := riceParameter(uint64(len(entries)), last)
	w.put(uint64(k), 5)
	to := w
	if len(entries) > bigBook {
		w.put(uint64(len(p.skips)/skipEntry), 32)
		to = &p.scratch
		to.b, to.word, to.n = to.b[:0], 0, 0
	}
	prev := int64(-1)
	var run running
	for i, e := range entries {
		row := uint32(e)
		if len(entries) > bigBook && i > 0 && i%bigBook == 0 {
			p.skip(uint32(prev), to.bitLen(), run)
		}
		to.rice(uint64(int64(row)-prev-1), k)
		prev = int64(row)
		if len(entries) > bigBook {
			p.run(a, row, &run)
		}
	}
	if len(entries) > bigBook {
		n := to.bitLen()
		p.skip(uint32(prev), n, run)
		w.put(uint64(n), 40)
		to.align()
		for at := 0; at < n; at += 8 {
			w.put(uint64(to.b[at/8]), min(8, uint(n-at)))
		}
	}
}

func (p *postingWriter) skip(row uint32, bit int, run running) {
	p.skips = binary.LittleEndian.AppendUint32(p.skips, row)
	p.skips = binary.LittleEndian.AppendUint32(p.skips, uint32(bit))
	p.skips = binary.LittleEndian.AppendUint32(p.skips, uint32(len(p.balances)))
	p.balances = appendRunning(p.balances, run)
}

// run books one row into a running balance.
func (p *postingWriter) run(a AccountRef, row uint32, run *running) {
	if at := row/blockRows + 1; at != p.blockOf {
		p.s.rowBlock(row, &p.block)
		p.blockOf = at
	}
	run.row(&p.block, int(row%blockRows), a, 0, p.s.common)
}

// row books row i of a block, if it is of the asset (0: any); a transfer to
// oneself changes nothing.
func (r *running) row(b *rowBlock, i int, a AccountRef, asset AssetRef, common []byte) {
	if asset != 0 && AssetRef(b.get(colAsset, i)) != asset {
		return
	}
	from, to := AccountRef(b.get(colFrom, i)), AccountRef(b.get(colTo, i))
	switch {
	case from == to:
	case to == a:
		r.in(b.amount(i, common))
	default:
		r.out(b.amount(i, common))
	}
}
