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
	x := newRowText(rows[0].Chain.ID())
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
		b = x.money(b, nil, &rows[i])
	}
	return b, nil
}

// rowText writes the fields of canonical rows of one chain. Neighbouring rows
// often share their block, whose text is kept.
type rowText struct {
	chain   chain.ID
	account string                   // before an address of an EVM chain
	tx      string                   // before an id
	assets  map[AssetRef]chain.Asset // learned
	recent  [recentAssets]namedAsset
	prefix  []byte // chain,time,block,
	block   uint64
	time    chain.Time
	flags   uint8

	touched byte // so that reads ahead are not left out
}

// namedAsset is an asset with its name; the zero is no asset, which has none.
type namedAsset struct {
	ref  AssetRef
	name chain.Asset
}

const recentAssets = 16

func newRowText(id chain.ID) rowText {
	x := rowText{chain: id, account: string(id) + ":0x"}
	if id.EVM() {
		x.tx = "0x"
	}
	return x
}

// learn looks up the assets of rows.
func (x *rowText) learn(ctx context.Context, r Reader, rows []Row) error {
	var refs []AssetRef
	x.assets = map[AssetRef]chain.Asset{}
	for i := range rows {
		if a := rows[i].Asset; x.assets[a] == "" {
			x.assets[a] = "?"
			refs = append(refs, a)
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

// asset is the name of an asset, from v or, without one, as it was learned.
func (x *rowText) asset(v *view, ref AssetRef) chain.Asset {
	n := &x.recent[ref%recentAssets]
	if n.ref != ref {
		if n.ref = ref; v != nil {
			n.name = v.names.assetNames([]AssetRef{ref})[0]
		} else {
			n.name = x.assets[ref]
		}
	}
	return n.name
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
func (x *rowText) money(b []byte, v *view, w *Row) []byte {
	b = append(append(append(b, ','), x.asset(v, w.Asset)...), ',')
	return append(w.Amount.AppendBase(b), '\n')
}

// rawRow is where in segments and dictionary the names of a row lie; nil where
// they lie elsewhere.
type rawRow struct{ tx, from, to []byte }

// raw writes a row of v whose names lie at r.
func (x *rowText) raw(b []byte, v *view, w *Row, r *rawRow) []byte {
	b = x.place(slices.Grow(b, textRow), w)
	if len(r.tx) == 32 {
		b = chain.AppendHex(append(b, x.tx...), r.tx)
	} else {
		b = v.txOf(w.Tx).ID.AppendTo(b, x.chain)
	}
	b = x.kind(b, w)
	b = append(x.side(b, v, w.From, r.from), ',')
	return x.money(x.side(b, v, w.To, r.to), v, w)
}

// side writes an account whose address lies at raw.
func (x *rowText) side(b []byte, v *view, ref AccountRef, raw []byte) []byte {
	if raw != nil {
		return chain.AppendHex(append(b, x.account...), raw)
	}
	b, _ = v.names.accountNames([]AccountRef{ref})[0].AppendText(b)
	return b
}

// AppendRows writes from mapped bytes. The names of textWave rows are touched
// before the first is written, so that the reads overlap.
func (v *view) AppendRows(ctx context.Context, rows []Row, b []byte) (_ []byte, err error) {
	defer v.guard(&err)
	if len(rows) == 0 {
		return b, nil
	}
	x := newRowText(rows[0].Chain.ID())
	var near [textWave]rawRow
	for len(rows) > 0 {
		n := min(len(rows), textWave)
		for i := range rows[:n] {
			near[i] = v.rawOf(x.chain, &rows[i])
		}
		x.touched += touchRaw(near[:n])
		for i := range rows[:n] {
			b = x.raw(b, v, &rows[i], &near[i])
		}
		rows = rows[n:]
	}
	return b, nil
}

// rawOf is where the names of a row lie.
func (v *view) rawOf(id chain.ID, w *Row) rawRow {
	r := rawRow{from: v.names.base.evm(id, w.From), to: v.names.base.evm(id, w.To)}
	if seg, n, ok := v.below.of(w.Tx); ok && w.Tx&layerBit == 0 {
		r.tx = seg.idBytes(n)
	}
	return r
}

const (
	textWave = 64
	textRow  = 512 // bytes that a row's text takes at most, but for a long name of an asset
)

// touchRaw reads the ends of each name, which may lie in two lines: nothing else
// stands between these reads, so that many are under way at once.
func touchRaw(rows []rawRow) (sum byte) {
	for i := range rows {
		r := &rows[i]
		if n := len(r.from); n > 0 {
			sum += r.from[0] + r.from[n-1]
		}
		if n := len(r.to); n > 0 {
			sum += r.to[0] + r.to[n-1]
		}
		if n := len(r.tx); n > 0 {
			sum += r.tx[0] + r.tx[n-1]
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
