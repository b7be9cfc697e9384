package ledger

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"bongsu/chain"
)

// postingWriter writes lists of rows, one account's after the other, into a
// stretch of the index. Several may work at once, each on a stretch of its own.
type postingWriter struct {
	s      *segment
	out    *postingStretch
	deltas bitWriter
	spare  []uint64 // memory of sortByAsset

	// Of one account with a long list:
	rows         []uint32
	sides        []uint8         // by place in rows: entryOut, entrySelf
	blocks       [bigBook]uint64 // of a chunk of a big book: where its rows' blocks begin
	bits         [bigBook]int    // from there to their amounts
	amounts      [bigBook]chain.Amount
	body, places bitWriter // runs and big books; small books
	bigs, smalls []bookEntry
	outs, selfs  uint64
}

// bookEntry is what the table of an account's books says of one.
type bookEntry struct {
	asset, count uint64
	k            uint   // Rice parameter; this and what follows only of a big one
	skip, at     uint64 // the first skip; where it begins, in bits
}

// account writes one account's list: all its rows together when they are few,
// else a book for each asset.
func (p *postingWriter) account(entries []uint64) {
	w := &p.deltas
	w.reset()
	far := len(entries) > bigBook
	if far {
		p.long(entries)
	} else {
		p.short(entries)
	}
	w.align()
	p.out.lists = append(p.out.lists, writtenList{uint32(len(p.out.b)), far})
	p.out.b = append(p.out.b, w.b...)
}

// long writes a list of all rows in runs, and a book for each asset.
func (p *postingWriter) long(entries []uint64) {
	n := uint64(len(entries))
	w, width := &p.deltas, uint(bits.Len64(n))
	o, start := p.out, len(p.out.b)*8
	mark := len(o.marks) / markEntry
	p.list(entries)
	for i := range entries { // from rows to places
		entries[i] = entries[i]&^(1<<32-1) | uint64(i)
	}
	p.sortByAsset(entries)
	p.books(entries, width)
	w.gamma(n)
	o.markAt = append(o.markAt, start+w.bitLen())
	w.put(uint64(mark), 32)
	w.gamma(p.outs + 1)
	w.gamma(p.selfs + 1)
	w.gamma(uint64(len(p.bigs)) + 1)
	w.gamma(uint64(len(p.smalls)) + 1)
	offset := uint(bits.Len(uint(p.body.bitLen())))
	w.put(uint64(width), 6)
	w.put(uint64(offset), 6)
	for _, b := range p.bigs {
		w.put(b.asset, p.s.AssetBits)
		w.put(b.count, width)
		w.put(uint64(b.k), 5)
		o.skipAt = append(o.skipAt, start+w.bitLen())
		w.put(b.skip, 32)
		w.put(b.at, offset)
	}
	end := uint64(0)
	for _, b := range p.smalls {
		end += b.count
		w.put(b.asset, p.s.AssetBits)
		w.put(end, width)
	}
	w.putBits(&p.places)
	w.putBits(&p.body)
}

// list writes the runs of a long list into body, and their marks; it counts
// the rows that the account spends.
func (p *postingWriter) list(entries []uint64) {
	w := &p.body
	w.reset()
	p.rows, p.sides, p.outs, p.selfs = p.rows[:0], p.sides[:0], 0, 0
	for _, e := range entries {
		side := uint8(uint32(e) >> entryRowBits)
		p.rows, p.sides = append(p.rows, entryRow(e)), append(p.sides, side)
		p.outs += uint64(side & 1)
		p.selfs += uint64(side >> 1)
	}
	for i := 0; i < len(p.rows); i += stretchRows {
		base := int64(-1)
		if i > 0 {
			base = int64(p.rows[i-1])
			p.out.marks = binary.LittleEndian.AppendUint32(p.out.marks, p.rows[i-1])
			p.out.marks = binary.LittleEndian.AppendUint32(p.out.marks, uint32(w.bitLen()))
		}
		w.putStretch(p.rows[i:min(i+stretchRows, len(p.rows))], base)
	}
}

// books writes an account's books: entries are asset << 32 | place, ascending.
func (p *postingWriter) books(entries []uint64, width uint) {
	p.bigs, p.smalls = p.bigs[:0], p.smalls[:0]
	p.places.reset()
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n]>>32 == entries[0]>>32 {
			n++
		}
		b := bookEntry{asset: entries[0] >> 32, count: uint64(n)}
		if n > bigBook {
			p.big(entries[:n], &b)
			p.bigs = append(p.bigs, b)
		} else {
			p.smalls = append(p.smalls, b)
			for _, e := range entries[:n] {
				p.places.put(uint64(uint32(e)), width)
			}
		}
		entries = entries[n:]
	}
}

// big writes a big book's places and its skips.
func (p *postingWriter) big(entries []uint64, b *bookEntry) {
	w := &p.body
	last := uint64(uint32(entries[len(entries)-1]))
	b.k = riceParameter(uint64(len(entries)), last)
	b.skip, b.at = uint64(len(p.out.skips)/skipEntry), uint64(w.bitLen())
	prev := int64(-1)
	var run running
	for chunk := range slices.Chunk(entries, bigBook) {
		if prev >= 0 {
			p.skip(uint32(prev), w.bitLen()-int(b.at), run)
		}
		p.read(chunk)
		for i, e := range chunk {
			place := uint32(e)
			w.rice(uint64(int64(place)-prev-1), b.k)
			prev = int64(place)
			switch p.sides[place] {
			case entryOut | entrySelf: // changes nothing
			case entryOut:
				run.out(p.amounts[i])
			default:
				run.in(p.amounts[i])
			}
		}
	}
	p.skip(uint32(prev), w.bitLen()-int(b.at), run)
}

// read gets the amounts of a big book's chunk, in loops of its own, each of
// which fetches what the next one reads: the rows lie far from one another.
func (p *postingWriter) read(chunk []uint64) {
	s := p.s
	for i, e := range chunk {
		p.blocks[i] = s.rowAt.of(p.rows[uint32(e)] / blockRows)
		prefetch(&s.rowData[p.blocks[i]], rowHeader-1)
	}
	var b rowBlock
	for i, e := range chunk {
		b.parse(s.rowData[p.blocks[i]:])
		n := int(p.rows[uint32(e)] % blockRows)
		p.bits[i] = b.at(n) + b.sides(n) + b.amountOffset()
		prefetch(&s.rowData[p.blocks[i]+uint64(p.bits[i]>>3)], 0)
	}
	for i, e := range chunk {
		b.parse(s.rowData[p.blocks[i]:])
		b.amountAt(int(p.rows[uint32(e)]%blockRows), p.bits[i], s.common, &p.amounts[i])
	}
}

func (p *postingWriter) skip(place uint32, bit int, run running) {
	o := p.out
	for _, v := range [...]uint32{p.rows[place], place, uint32(bit), uint32(len(o.balances))} {
		o.skips = binary.LittleEndian.AppendUint32(o.skips, v)
	}
	o.balances = appendRunning(o.balances, run)
}

// sortByAsset sorts entries that are in order of place by asset and place.
func (p *postingWriter) sortByAsset(entries []uint64) {
	const fewAssets = 12 // bits
	if p.s.AssetBits > fewAssets || len(entries) < 1<<p.s.AssetBits {
		slices.Sort(entries)
		return
	}
	var starts [1<<fewAssets + 1]uint32
	for _, e := range entries {
		starts[e>>32+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	p.spare = append(p.spare[:0], entries...)
	for _, e := range p.spare {
		entries[starts[e>>32]] = e
		starts[e>>32]++
	}
}

// short writes a short list, whose rows are in order as they were gathered.
func (p *postingWriter) short(entries []uint64) {
	w := &p.deltas
	w.put(0, 1)
	w.gamma(uint64(len(entries)))
	k := riceParameter(uint64(len(entries)), uint64(entryRow(entries[len(entries)-1])))
	w.put(uint64(k), 5)
	prev := int64(-1)
	for _, e := range entries {
		if len(entries) > 1 {
			w.put(e>>32&(1<<classBits-1), classBits)
		}
		row := int64(entryRow(e))
		w.rice(uint64(row-prev-1), k)
		prev = row
	}
}
