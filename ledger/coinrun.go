package ledger

import (
	"encoding/binary"
	"io"
	"slices"

	"bongsu/chain"
)

// What a run holds of a transaction beside its movements.
const (
	runExtra = 0x80 // flag of a transaction's status: extras follow its movements

	extraCoins = 1 // inputs and outputs
	extraNote  = 2
)

// runExtras is how many bytes of them a run gathers.
const runExtras = 24 << 20

// coins adds a transaction with its inputs and outputs.
func (r *runBuffer) coins(u *UTXOTx) {
	var raw [64]byte
	r.extra(u.Tx.AppendRaw(raw[:0]), runTx{block: u.Block, time: u.Time, index: u.Index}, extraCoins, func(e *encoder) {
		coinsOf(u, r.accountRef).appendTo(e, sameRef)
	})
}

// accountRef is account for what holds references.
func (r *runBuffer) accountRef(a chain.Account) AccountRef { return AccountRef(r.account(a)) }

// extra adds one to a transaction. What is said of it once more meets the rest
// when the run is sorted.
func (r *runBuffer) extra(id []byte, t runTx, kind byte, write func(*encoder)) {
	r.tx(id, t)
	if r.txs[len(r.txs)-1].extra != 0 {
		t.first = uint32(len(r.rows))
		r.txs = append(r.txs, t)
		r.ids = append(r.ids, id...)
	}
	at := len(r.extras.b)
	r.txs[len(r.txs)-1].extra = uint32(at) + 1
	r.extras.b = append(r.extras.b, 0, 0, 0, 0, kind)
	write(&r.extras)
	binary.LittleEndian.PutUint32(r.extras.b[at:], uint32(len(r.extras.b)-at-4))
}

// extraAt is what stands at a place: kind and contents.
func (r *runBuffer) extraAt(place uint32) []byte {
	b := r.extras.b[place-1:]
	return b[: 4+binary.LittleEndian.Uint32(b) : 4+binary.LittleEndian.Uint32(b)]
}

// extrasOf counts the bytes of a transaction's extras.
func (r *runBuffer) extrasOf(t *sortedTx) (n int) {
	for _, e := range r.sorter.ids[t.from:t.to] {
		if at := r.txs[e.tx].extra; at != 0 {
			n += len(r.extraAt(at))
		}
	}
	return n
}

// extras writes them after their length.
func (w *runWriter) extras(r *runBuffer, t *sortedTx, n int) {
	w.spill()
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(n))
	for _, e := range r.sorter.ids[t.from:t.to] {
		if at := r.txs[e.tx].extra; at != 0 {
			b := r.extraAt(at)
			if len(w.b)+len(b) > cap(w.b) {
				w.flush()
			}
			w.b = append(w.b, b...)
			w.counts.extra(b[4], &decoder{b: b[5:]})
		}
	}
	if len(w.b) >= runBuf {
		w.flush()
	}
}

// eachExtra reads what extras wrote.
func (w *window) eachExtra(use func(kind byte, d *decoder)) {
	w.fill()
	d := &decoder{b: w.long(uint64(w.uint32()))}
	for len(d.b) > 0 && d.err == nil && w.err == nil {
		item := &decoder{b: d.take(uint64(d.uint32()))}
		use(item.byte(), item)
		d.err = cmpErr(d.err, item.err)
	}
	if d.err != nil {
		w.fail(d.err)
	}
}

func (d *decoder) uint32() uint32 {
	b := d.take(4)
	if len(b) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}

// long is the next n bytes, however many, in memory of their own.
func (w *window) long(n uint64) []byte {
	var out []byte
	for uint64(len(out)) < n && w.err == nil {
		w.fill()
		part := min(n-uint64(len(out)), uint64(len(w.buf)-w.at))
		if part == 0 {
			w.fail(io.ErrUnexpectedEOF)
		}
		out = append(out, w.take(int(part))...)
	}
	w.fill()
	return out
}

// extras reads a transaction's extras and merges them.
func (r *runReader) extras(t *mergedTx) {
	r.eachExtra(func(kind byte, d *decoder) {
		switch kind {
		case extraCoins:
			c := &coinTx{}
			c.read(d, func(n uint64) AccountRef { return r.account(uint32(n)) })
			t.coins = mergeCoins(t.coins, c, r.names)
		case extraNote:
			t.notes = append(t.notes, decodeNote(d))
		default:
			d.fail("a run holds something unknown")
		}
	})
	if len(t.notes) > 1 {
		slices.SortFunc(t.notes, compareNotes)
		t.notes = slices.CompactFunc(t.notes, func(a, b NoteFact) bool { return compareNotes(a, b) == 0 })
	}
}

// countExtras is count for the accounts of inputs and outputs.
func (r *runReader) countExtras(counts *occurrences) {
	r.eachExtra(func(kind byte, d *decoder) { counts.extra(kind, d) })
}

// extra counts the accounts of an extra, when it has any.
func (o *occurrences) extra(kind byte, d *decoder) {
	if kind != extraCoins {
		return
	}
	var c coinTx
	c.read(d, func(n uint64) AccountRef {
		o.add(uint32(n))
		return 0
	})
}
