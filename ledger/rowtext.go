package ledger

import (
	"context"
	"slices"
	"strconv"

	"bongsu/chain"
)

// ID is the chain that a reference stands for; "" for what RefOfChain never
// gave.
func (r ChainRef) ID() chain.ID { return chainOfRef(r) }

// RowAppender is a Reader that has the names of rows at hand.
type RowAppender interface {
	// AppendRows appends rows of one chain as the canonical text that Digest
	// is over.
	AppendRows(ctx context.Context, rows []Row, b []byte) ([]byte, error)
}

// AppendRows appends rows of one chain as the canonical text that Digest is
// over. A Reader that is no RowAppender is asked for the names of all of them
// at once.
func AppendRows(ctx context.Context, r Reader, rows []Row, b []byte) ([]byte, error) {
	if a, ok := r.(RowAppender); ok {
		return a.AppendRows(ctx, rows, b)
	}
	if len(rows) == 0 {
		return b, nil
	}
	x := rowText{chain: rows[0].Chain.ID(), assets: map[AssetRef]chain.Asset{}}
	if err := x.learn(ctx, r, rows); err != nil {
		return b, err
	}
	accounts, txs := make([]AccountRef, 0, 2*len(rows)), make([]TxRef, len(rows))
	for i := range rows {
		accounts, txs[i] = append(accounts, rows[i].From, rows[i].To), rows[i].Tx
	}
	who, err := r.Accounts(ctx, accounts)
	if err != nil {
		return b, err
	}
	in, err := r.Txs(ctx, txs)
	if err != nil {
		return b, err
	}
	for i := range rows {
		b = in[i].ID.AppendTo(x.place(b, &rows[i]), x.chain)
		b = x.kind(b, &rows[i])
		b, _ = who[2*i].AppendText(b)
		b = append(b, ',')
		b, _ = who[2*i+1].AppendText(b)
		b = x.money(b, &rows[i])
	}
	return b, nil
}

// rowText writes the fields of canonical rows of one chain. Neighbouring rows
// often share their block, whose text is kept.
type rowText struct {
	chain  chain.ID
	assets map[AssetRef]chain.Asset
	asset  AssetRef    // of the last row
	name   chain.Asset // of that asset
	prefix []byte      // chain,time,block,
	block  uint64
	time   chain.Time
	flags  uint8

	touched byte // so that reads ahead are not left out
}

// learn looks up the assets of rows.
func (x *rowText) learn(ctx context.Context, r Reader, rows []Row) error {
	var refs []AssetRef
	last := AssetRef(0)
	for i := range rows {
		if a := rows[i].Asset; a != last {
			last = a
			if _, ok := x.assets[a]; !ok {
				x.assets[a] = ""
				refs = append(refs, a)
			}
		}
	}
	names, err := r.Assets(ctx, refs)
	if err != nil {
		return err
	}
	for i, ref := range refs {
		x.assets[ref] = names[i]
	}
	return nil
}

// place writes chain,time,block, of a row: an unknown time is empty, an
// inferred block has a "~".
func (x *rowText) place(b []byte, w *Row) []byte {
	flags := uint8(1)
	if w.TimeUnknown {
		flags |= 2
	}
	if w.BlockInferred {
		flags |= 4
	}
	if x.block != w.Block || x.time != w.Stated || x.flags != flags {
		p := append(append(x.prefix[:0], x.chain...), ',')
		if !w.TimeUnknown {
			p, _ = w.Stated.AppendText(p)
		}
		p = append(p, ',')
		if w.BlockInferred {
			p = append(p, '~')
		}
		x.prefix = append(strconv.AppendUint(p, w.Block, 10), ',')
		x.block, x.time, x.flags = w.Block, w.Stated, flags
	}
	return append(b, x.prefix...)
}

// kind writes ,index,kind, of a row: an unknown index is empty.
func (x *rowText) kind(b []byte, w *Row) []byte {
	b = append(b, ',')
	if w.Index != chain.NoIndex {
		b = strconv.AppendUint(b, uint64(w.Index), 10)
	}
	return append(append(append(b, ','), w.Kind.String()...), ',')
}

// money writes ,asset,amount and the end of a row.
func (x *rowText) money(b []byte, w *Row) []byte {
	if x.asset != w.Asset {
		x.asset, x.name = w.Asset, x.assets[w.Asset]
	}
	b = append(append(append(b, ','), x.name...), ',')
	return append(w.Amount.AppendBase(b), '\n')
}

// rawRow is where in segments and dictionary the names of a row lie; nil where
// they lie elsewhere.
type rawRow struct{ tx, from, to []byte }

// AppendRows writes from mapped bytes. The names of textWave rows are touched
// before the first is written, so that the reads overlap.
func (v *view) AppendRows(ctx context.Context, rows []Row, b []byte) (_ []byte, err error) {
	defer v.guard(&err)
	if len(rows) == 0 {
		return b, nil
	}
	x := rowText{chain: rows[0].Chain.ID(), assets: map[AssetRef]chain.Asset{}}
	if err := x.learn(ctx, v, rows); err != nil {
		return b, err
	}
	v.names.mu.RLock()
	defer v.names.mu.RUnlock()
	b = slices.Grow(b, len(rows)*textRow)
	var raw [textWave]rawRow
	accountPrefix := string(x.chain) + ":0x"
	txPrefix := ""
	if x.chain.EVM() {
		txPrefix = "0x"
	}
	account := func(b []byte, ref AccountRef, raw []byte) []byte {
		if raw != nil {
			return chain.AppendHex(append(b, accountPrefix...), raw)
		}
		b, _ = v.names.nameOf(ref).AppendText(b)
		return b
	}
	for len(rows) > 0 {
		n := min(len(rows), textWave)
		x.touched += v.locateNames(x.chain, rows[:n], raw[:n])
		for i := range rows[:n] {
			w := &rows[i]
			b = x.place(b, w)
			if r := raw[i].tx; len(r) == 32 {
				b = chain.AppendHex(append(b, txPrefix...), r)
			} else {
				b = v.txOf(w.Tx).ID.AppendTo(b, x.chain)
			}
			b = x.kind(b, w)
			b = append(account(b, w.From, raw[i].from), ',')
			b = x.money(account(b, w.To, raw[i].to), w)
		}
		rows = rows[n:]
	}
	return b, nil
}

const (
	textWave = 64
	textRow  = 320 // bytes of a row's text, about
)

// locateNames finds the bytes of rows' names, and then touches them: nothing
// else stands between these reads, so that many are under way at once.
func (v *view) locateNames(id chain.ID, rows []Row, raw []rawRow) (sum byte) {
	base := v.names.base
	for i := range rows {
		w := &rows[i]
		raw[i] = rawRow{from: base.evm(id, w.From), to: base.evm(id, w.To)}
		if seg, n, ok := v.below.of(w.Tx); ok && w.Tx&layerBit == 0 {
			raw[i].tx = seg.idBytes(n)
		}
	}
	for i := range raw {
		r := &raw[i]
		if len(r.from) > 0 {
			sum += r.from[0]
		}
		if len(r.to) > 0 {
			sum += r.to[0]
		}
		if len(r.tx) > 0 {
			sum += r.tx[0]
		}
	}
	return sum
}

// evm is the address of an account of an EVM chain, where it lies in a file;
// nil when the reference is another's, or is in a file's list.
func (d *dictionary) evm(id chain.ID, ref AccountRef) []byte {
	if d == nil || ref == 0 {
		return nil
	}
	for _, f := range d.files {
		if uint64(ref)-f.First >= f.Count {
			continue
		}
		for k := range f.Groups {
			g := &f.Groups[k]
			if i := uint64(ref) - g.First; !g.Listed && i < uint64(g.Count) && g.Form == chain.FormEVM && g.Chain == id {
				return f.key(g, int(i))
			}
		}
	}
	return nil
}
