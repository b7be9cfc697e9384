package ledger

import (
	"context"
	"encoding/binary"
	"slices"
)

// txWave is how many transactions are looked up together: what each step reads
// is touched for all of them before it is read for one.
const txWave = 64

// txLookup is the memory of a wave.
type txLookup struct {
	names   [txWave]txName
	raw     [txWave][64]byte // ids
	left    []int            // places of those that are not found yet
	touched byte             // so that reads ahead are not left out
}

func (v *view) TxRefs(ctx context.Context, txs []Tx) (_ []TxRef, err error) {
	defer v.guard(&err)
	out := make([]TxRef, len(txs))
	w := txLookup{left: make([]int, 0, txWave)}
	for at := 0; at < len(txs); at += txWave {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(at+txWave, len(txs))
		w.find(v, txs[at:end], out[at:end])
	}
	return out, nil
}

// layerRef looks a transaction up in memory; 0 when no layer holds it.
func (v *view) layerRef(name *txName) TxRef {
	for i := len(v.layers) - 1; i >= 0; i-- {
		if n, ok := v.layers[i].named(name); ok {
			return layerTxRef(i, int(n))
		}
	}
	return 0
}

// find looks transactions up in the layers, and those that are not there in one
// segment after the other.
func (w *txLookup) find(v *view, txs []Tx, out []TxRef) {
	w.left = w.left[:0]
	for i := range txs {
		if txs[i].ID.IsZero() {
			continue
		}
		name := &w.names[i]
		*name = txName{id: txs[i].ID}
		if i > 0 && txs[i].Chain == txs[i-1].Chain {
			name.chain = w.names[i-1].chain
		} else {
			name.chain = RefOfChain(txs[i].Chain)
		}
		if out[i] = v.layerRef(name); out[i] == 0 {
			txs[i].ID.AppendRaw(w.raw[i][:0])
			w.left = append(w.left, i)
		}
	}
	for _, list := range v.below.chains() {
		for _, s := range list {
			if len(w.left) == 0 {
				return
			}
			w.touch(s)
			w.left = slices.DeleteFunc(w.left, func(i int) bool {
				if w.names[i].chain != s.chain {
					return false
				}
				n, ok := s.findID(w.names[i].id)
				if ok {
					out[i] = v.below.ref(s, n)
				}
				return ok
			})
		}
	}
}

// touch touches what findID reads of a segment.
func (w *txLookup) touch(s *segment) {
	if s.Txs == 0 {
		return
	}
	prefix := func(i int) uint64 { return binary.BigEndian.Uint64(w.raw[i][:]) }
	sum := byte(0)
	for _, i := range w.left {
		sum += s.txBuckets[prefix(i)>>s.TxShift*4]
	}
	for _, i := range w.left {
		from, _ := s.bucket(prefix(i))
		sum += s.txOrder[from*4]
	}
	for _, i := range w.left {
		at, to := s.bucket(prefix(i))
		for to = min(to, at+bigBucket); at < to; at++ {
			if n, ok := s.maybe(at, prefix(i)); ok {
				sum += s.idBytes(n)[0]
				break
			}
		}
	}
	w.touched += sum
}

func (v *view) Transactions(ctx context.Context, refs []TxRef, into *Pages) (err error) {
	defer v.guard(&err)
	into.Reset()
	g := v.gatherer(into.memory)
	into.memory = g
	defer g.release()
	for len(refs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 0
		for n < min(len(refs), txWave) && refs[n]&layerBit == 0 {
			n++
		}
		if n > 0 {
			g.transactions(refs[:n], into)
			refs = refs[n:]
			continue
		}
		if layer, n, ok := v.state(refs[0]); ok {
			for _, r := range v.layers[layer].rowsOf(n) {
				into.Rows = append(into.Rows, Row{})
				v.fill(layer, r, &into.Rows[len(into.Rows)-1])
			}
		}
		into.EndPage(false)
		refs = refs[1:]
	}
	return nil
}

// transactions fills pages with all rows of a wave of transactions of segments.
func (g *gatherer) transactions(refs []TxRef, into *Pages) {
	g.begin(len(refs))
	for i, ref := range refs {
		s, n, ok := g.v.below.of(ref)
		if !ok {
			continue
		}
		if _, ok := g.v.masked[segmentTx{s.number, n}]; ok {
			continue
		}
		b, _, _ := s.txBlock(n)
		prefetch(&b[0], txHeader)
		g.probes = append(g.probes, probe{s: s, query: int32(i), n: n})
	}
	for i := range g.probes {
		p := &g.probes[i]
		place := p.s.placeOf(p.n)
		_, p.from = p.s.firsts(int(place))
		_, p.to = p.s.firsts(int(place) + 1)
		for at := p.from / blockRows; at < min(p.from/blockRows+txTouch, (p.to+blockRows-1)/blockRows); at++ {
			prefetch(&p.s.rowData[p.s.rowAt.of(at)], rowHeader-1)
		}
	}
	var b rowBlock
	for i := range g.probes {
		p := &g.probes[i]
		list := &g.lists[p.query]
		list.from = len(g.rows)
		for row := p.s.rowOf(p.n, p.from, p.to); row < p.to; row++ {
			if p.s.rowBlock(row, &b); b.tx(int(row%blockRows)) != p.n {
				break
			}
			g.rows = append(g.rows, gathered{s: p.s, row: row})
		}
		list.to = len(g.rows)
	}
	m := g.march(g.rows)
	for _, list := range g.lists {
		m.to(list.to - 1)
		g.write(g.rows[list.from:list.to], false, into)
	}
}

// txTouch is how many row blocks are fetched where a transaction is looked for:
// most blocks of a chain have fewer.
const txTouch = 4

func (v *view) Txs(_ context.Context, refs []TxRef) (_ []Tx, err error) {
	defer v.guard(&err)
	out := make([]Tx, len(refs))
	for at := 0; at < len(refs); at += txWave {
		end := min(at+txWave, len(refs))
		v.touchTxs(refs[at:end])
		for i := at; i < end; i++ {
			out[i] = v.txOf(refs[i])
		}
	}
	return out, nil
}

// touchTxs touches the ids of transactions. Put in place of its call, a sum that
// nobody asks for would be left out.
//
//go:noinline
func (v *view) touchTxs(refs []TxRef) (sum byte) {
	for _, ref := range refs {
		if s, n, ok := v.below.of(ref); ok {
			sum += s.idBytes(n)[0]
		}
	}
	return sum
}

func (v *view) txOf(ref TxRef) Tx {
	if layer, n, ok := v.state(ref); ok {
		s := v.layers[layer].txs[n]
		return Tx{chainOfRef(s.name.chain), s.name.id}
	}
	if ref&layerBit == 0 && ref != 0 {
		return v.below.tx(ref)
	}
	return Tx{}
}
