package ledger

import (
	"encoding/binary"
	"math/bits"
	"path/filepath"
	"slices"
)

// index writes the third sheet from the first two.
func (w *segmentWriter) index() (int64, error) {
	s := &segment{segmentInfo: w.info, number: w.info.Number}
	var err error
	var about segmentInfo
	for part, to := range map[string]**sheet{"rows": &s.rows, "txs": &s.txs} {
		name := segmentFile(w.info.Number, part)
		if *to, err = openSheet(filepath.Join(w.dir, name), name, &about); err != nil {
			return 0, err
		}
	}
	s.attachRows()
	x, err := w.sheet("idx")
	if err != nil {
		return 0, err
	}
	x.begin("blocks")
	x.write(w.blocks)
	x.begin("hashes")
	x.write(w.hashes)
	x.begin("extraat")
	x.write(w.extraAt)
	x.begin("extras")
	x.write(w.extras)
	x.begin("common")
	for _, a := range w.rowEnc.common.list {
		s.common = appendAmount(s.common, a)
	}
	x.write(s.common)
	writeTxLookup(x, s)
	(&postingWriter{s: s, x: x}).write(uint64(w.accounts[1]))
	w.info.Accounts = s.Accounts
	return x.close(&w.info)
}

// writeTxLookup sorts the transactions by id into buckets.
func writeTxLookup(x *sheetWriter, s *segment) {
	n := uint32(s.Txs)
	buckets := make([]uint32, 1<<(64-s.TxShift)+1)
	prefix := func(i uint32) uint64 { return binary.BigEndian.Uint64(s.idBytes(i)) >> s.TxShift }
	for i := range n {
		buckets[prefix(i)+1]++
	}
	for i := 1; i < len(buckets); i++ {
		buckets[i] += buckets[i-1]
	}
	order := make([]uint32, n)
	next := slices.Clone(buckets)
	for i := range n {
		p := prefix(i)
		order[next[p]] = i
		next[p]++
	}
	writeUint32s(x, "txbuckets", buckets)
	writeUint32s(x, "txorder", order)
}

// txShift makes buckets of about four transactions.
func txShift(n uint64) uint { return uint(64 - max(0, bits.Len64(n)-3)) }

func (p *postingWriter) write(last uint64) {
	p.gather(last)
	dirs := p.x // postings stream first; the directory is small
	dirs.begin("postings")
	start := uint64(dirs.at())
	offsets := make([]uint64, 0, dirAccounts)
	var dirAt []uint64
	var dir []byte
	flush := func() {
		if len(offsets) == 0 {
			return
		}
		dirAt = append(dirAt, uint64(len(dir)))
		base := offsets[0]
		for i := range offsets {
			offsets[i] -= base
		}
		t := planTier(offsets)
		dir = binary.LittleEndian.AppendUint64(dir, base)
		dir = append(dir, t.low, t.high, t.lows)
		dir = appendTier(dir, t, offsets)
		offsets = offsets[:0]
	}
	n := 0
	for i := range uint64(len(p.s.bitmap)-sheetSlack) / 8 {
		for word := binary.LittleEndian.Uint64(p.s.bitmap[i*8:]); word != 0; word &= word - 1 {
			a := AccountRef(p.s.FirstAccount + i*64 + uint64(bits.TrailingZeros64(word)))
			offsets = append(offsets, uint64(dirs.at())-start)
			p.account(a, p.entries[p.counts[n]:p.counts[n+1]])
			if n++; len(offsets) == dirAccounts {
				flush()
			}
		}
	}
	flush()
	writeUint64s(p.x, "dirat", dirAt)
	p.x.begin("dir")
	p.x.write(dir)
	p.x.begin("skips")
	p.x.write(p.skips)
	p.x.begin("balances")
	p.x.write(p.balances)
}

// gather lists the entries of each account by counting sort over the rows.
func (p *postingWriter) gather(last uint64) {
	s := p.s
	var words []uint64
	if last > 0 {
		words = make([]uint64, (last-s.FirstAccount)/64+1)
	}
	each := func(use func(a AccountRef, asset, row uint32)) {
		var from, to, asset [blockRows]uint64
		var at rowStarts
		var b rowBlock
		for n := uint32(0); uint64(n) < s.Rows; n += blockRows {
			s.rowBlock(n, &b)
			b.starts(&at)
			b.column(colFrom, &at, from[:b.rows()])
			b.column(colTo, &at, to[:b.rows()])
			b.column(colAsset, &at, asset[:b.rows()])
			for i := range b.rows() {
				if from[i] != 0 {
					use(AccountRef(from[i]), uint32(asset[i]), n+uint32(i))
				}
				if to[i] != 0 && to[i] != from[i] {
					use(AccountRef(to[i]), uint32(asset[i]), n+uint32(i))
				}
			}
		}
	}
	each(func(a AccountRef, _, _ uint32) {
		i := uint64(a) - s.FirstAccount
		words[i/64] |= 1 << (i % 64)
	})
	var ranks []uint32
	total := uint32(0)
	for i, w := range words {
		if i%8 == 0 {
			ranks = append(ranks, total)
		}
		total += uint32(bits.OnesCount64(w))
	}
	s.Accounts = uint64(total)
	writeUint64s(p.x, "bitmap", words)
	writeUint32s(p.x, "ranks", ranks)
	s.bitmap = append(uint64Bytes(words), make([]byte, sheetSlack)...)
	s.ranks = append(uint32Bytes(ranks), make([]byte, sheetSlack)...)
	p.counts = make([]uint32, total+2)
	each(func(a AccountRef, _, _ uint32) {
		n, _ := s.local(a)
		p.counts[n+2]++
	})
	for i := 2; i < len(p.counts); i++ {
		p.counts[i] += p.counts[i-1]
	}
	p.entries = make([]uint64, p.counts[len(p.counts)-1])
	each(func(a AccountRef, asset, row uint32) {
		n, _ := s.local(a)
		p.entries[p.counts[n+1]] = uint64(asset)<<32 | uint64(row)
		p.counts[n+1]++
	})
	p.counts = p.counts[:total+1]
}

func uint64Bytes(list []uint64) (b []byte) {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func uint32Bytes(list []uint32) (b []byte) {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func writeUint64s(w *sheetWriter, section string, list []uint64) {
	w.begin(section)
	var b [8]byte
	for _, v := range list {
		binary.LittleEndian.PutUint64(b[:], v)
		w.write(b[:])
	}
}

func writeUint32s(w *sheetWriter, section string, list []uint32) {
	w.begin(section)
	var b [4]byte
	for _, v := range list {
		binary.LittleEndian.PutUint32(b[:], v)
		w.write(b[:])
	}
}
