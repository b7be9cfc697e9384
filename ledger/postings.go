package ledger

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// postingWriter writes the accounts' part of the index: which rows touch whom.
type postingWriter struct {
	s *segment
	x *sheetWriter

	entries  *entrySorter
	skips    []byte
	balances []byte
	deltas   bitWriter
	body     bitWriter   // the books of a big account
	table    []bookEntry // where each begins in it
	block    rowBlock
	blockOf  uint32 // the block that is parsed, plus one
}

// bookEntry says where a book begins, in bits.
type bookEntry struct{ asset, at uint64 }

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
	body := &p.body
	body.b, body.word, body.n = body.b[:0], 0, 0
	p.table = p.table[:0]
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n]>>32 == entries[0]>>32 {
			n++
		}
		p.table = append(p.table, bookEntry{entries[0] >> 32, uint64(body.bitLen())})
		p.book(a, entries[:n])
		entries = entries[n:]
	}
	w.put(1, 1)
	w.gamma(uint64(len(p.table)))
	width := uint(bits.Len64(p.table[len(p.table)-1].at))
	w.put(uint64(width), 6)
	for _, e := range p.table {
		w.put(e.asset, p.s.AssetBits)
		w.put(e.at, width)
	}
	n := body.bitLen()
	body.align()
	for at := 0; at < n; at += 8 {
		w.put(uint64(body.b[at/8]), min(8, uint(n-at)))
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

// book writes a book into body: count, the deltas' parameter, for a big one
// where its skips are, the deltas.
func (p *postingWriter) book(a AccountRef, entries []uint64) {
	w, big := &p.body, len(entries) > bigBook
	w.gamma(uint64(len(entries)))
	last := uint64(uint32(entries[len(entries)-1]))
	k := riceParameter(uint64(len(entries)), last)
	w.put(uint64(k), 5)
	if big {
		w.put(uint64(len(p.skips)/skipEntry), 32)
	}
	start, prev := w.bitLen(), int64(-1)
	var run running
	for i, e := range entries {
		row := uint32(e)
		if big && i > 0 && i%bigBook == 0 {
			p.skip(uint32(prev), w.bitLen()-start, run)
		}
		w.rice(uint64(int64(row)-prev-1), k)
		prev = int64(row)
		if big {
			p.run(a, row, &run)
		}
	}
	if big {
		p.skip(uint32(prev), w.bitLen()-start, run)
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
