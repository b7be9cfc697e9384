package tables

import (
	"context"
	"strconv"

	"bongsu/chain"
	"bongsu/ingest"
)

// OwnHeader is the header of our own CSV. Further columns may follow: ordinal
// (or log_index), the place of the movement in its transaction; base, the amount
// in base units where amount is empty; decimals and symbol, what is known of a
// token that bongsu does not know yet.
const OwnHeader = "chain,time,block,tx,index,kind,from,to,asset,amount"

var ownCSV = ingest.Format{
	Name:      "bongsu-csv",
	Title:     "transfers as our own CSV: " + OwnHeader,
	Recognise: withHeader(columns("time", "tx", "kind", "from", "to", "asset", "amount")),
	Read:      readOwn,
}

// ownColumns are the places of our columns; -1 where one is missing.
type ownColumns struct {
	chain, time, block, tx, index, kind, from, to, asset, amount, base, ordinal, symbol, decimals int
}

func readOwn(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	t, err := openTable(in, out)
	if err != nil {
		return err
	}
	h := &t.head
	c := ownColumns{
		h.find("chain"), h.find("time"), h.find("block"), h.find("tx"), h.find("index"), h.find("kind"), h.find("from"),
		h.find("to"), h.find("asset"), h.find("amount"), h.find("base"), h.find("ordinal", "log_index"), h.find("symbol"), h.find("decimals"),
	}
	var tr chain.Transfer
	return t.each(ctx, func() error {
		if err := t.own(&c, &tr); err != nil {
			return err
		}
		return out.Transfer(&tr)
	})
}

// own reads one row.
func (t *table) own(c *ownColumns, tr *chain.Transfer) error {
	*tr = chain.Transfer{}
	var err error
	if tr.Chain, err = t.chainOf(c); err != nil {
		return err
	}
	if err = t.parties(c, tr); err != nil {
		return err
	}
	if base := t.cell(c.base); base != "" && t.cell(c.amount) == "" {
		if tr.Asset, err = t.readAsset(t.cell(c.asset), tr); err != nil {
			return err
		}
		if tr.Amount, err = chain.ParseBase(base); err != nil {
			return wrong("base", err)
		}
		return t.fits(tr)
	}
	info, err := t.assetOf(c, tr)
	if err != nil {
		return err
	}
	tr.Asset = info.Asset
	if tr.Amount, err = chain.ParseDecimal(t.cell(c.amount), info.Decimals); err != nil {
		return wrong("amount", err)
	}
	return t.fits(tr)
}

func (t *table) chainOf(c *ownColumns) (chain.ID, error) {
	s := t.cell(c.chain)
	if s == "" {
		if t.in.Chain != "" {
			return t.in.Chain, nil
		}
		if a, err := chain.ParseAsset(t.cell(c.asset)); err == nil {
			return a.Chain(), nil
		}
		return "", wrongf("chain", "", "the row names no chain", "fill the column, or name the chain with --chain")
	}
	id, err := chain.ParseID(s)
	if err != nil {
		return "", wrong("chain", err)
	}
	return id, nil
}

// parties reads a row's place, what kind of movement it is, and between whom.
func (t *table) parties(c *ownColumns, tr *chain.Transfer) (err error) {
	if err = t.place(c, tr); err != nil {
		return err
	}
	if tr.Kind, err = chain.ParseKind(t.cell(c.kind)); err != nil {
		return wrong("kind", err)
	}
	if tr.From, err = t.account(c.from, "from", tr.Chain); err != nil {
		return err
	}
	tr.To, err = t.account(c.to, "to", tr.Chain)
	return err
}

// place reads time, block, transaction, index and ordinal.
func (t *table) place(c *ownColumns, tr *chain.Transfer) error {
	block, err := t.number(c.block, "block", 64, chain.NoBlock)
	if err != nil {
		return err
	}
	index, err := t.number(c.index, "index", 32, uint64(chain.NoIndex))
	if err != nil {
		return err
	}
	ordinal, err := t.number(c.ordinal, "ordinal", 32, uint64(chain.NoOrdinal))
	if err != nil {
		return err
	}
	tr.Block, tr.Index, tr.Ordinal = block, uint32(index), uint32(ordinal)
	if s := t.cell(c.time); s != "" {
		if tr.Time, err = chain.ParseTime(s); err != nil {
			return wrong("time", err)
		}
	} else if block == chain.NoBlock {
		return wrongf("time", "", "the row has neither time nor block", "give one of the two: a transfer needs a place")
	}
	if s := t.cell(c.tx); s != "" {
		if tr.Tx, err = chain.ParseTxID(s, tr.Chain); err != nil {
			return wrong("tx", err)
		}
	} else if tr.Time == 0 {
		return wrongf("tx", "", "the row has neither transaction nor time", "give one of the two: they identify the transfer")
	}
	return nil
}

// assetOf reads the asset: CAIP-19, a contract, or the symbol of exactly one
// asset. Its decimals must be known, or stated by the row.
func (t *table) assetOf(c *ownColumns, tr *chain.Transfer) (chain.AssetInfo, error) {
	s := t.cell(c.asset)
	asset, err := t.readAsset(s, tr)
	if err != nil {
		return chain.AssetInfo{}, err
	}
	info, known := t.out.Asset(asset)
	stated := t.cell(c.decimals)
	if stated == "" {
		if !known {
			return info, unknownDecimals("asset", asset)
		}
		return info, nil
	}
	return t.stated(stated, t.cell(c.symbol), asset)
}

// stated is an asset with the decimals that a row states; others than those
// known are a conflict.
func (t *table) stated(decimals, symbol string, asset chain.Asset) (chain.AssetInfo, error) {
	d, err := strconv.ParseUint(decimals, 10, 8)
	if err != nil || d > 77 {
		return chain.AssetInfo{}, wrongf("decimals", clip(decimals), "not a number of decimals", "write what the token contract's decimals() answers")
	}
	if info, known := t.out.Asset(asset); known && info.Decimals == uint8(d) {
		return info, nil
	}
	info := chain.AssetInfo{Asset: asset, Symbol: clip(symbol), Decimals: uint8(d), Source: t.in.Name}
	if err := t.out.Register(info); err != nil {
		return info, wrong("decimals", err)
	}
	return info, nil
}

func (t *table) readAsset(s string, tr *chain.Transfer) (chain.Asset, error) {
	if s == "" {
		if tr.Kind == chain.KindToken || tr.Kind == chain.KindAdjustment {
			return "", wrongf("asset", "", "the row names no asset", "write its CAIP-19 name, its contract or its symbol")
		}
		return tr.Chain.Native(), nil
	}
	coin := tr.Chain.Native()
	if info, ok := t.out.Asset(coin); ok && s == info.Symbol && tr.Kind != chain.KindToken && tr.Kind != chain.KindAdjustment {
		return coin, nil // the kind says so, whatever tokens bear its symbol
	}
	if a, err := chain.ParseAsset(s); err == nil {
		if a.Chain() != tr.Chain {
			return "", wrongf("asset", string(a), "is on chain %s, the row on %s", "mend one of the two", a.Chain(), tr.Chain)
		}
		return a, nil
	} else if info, ok := t.out.AssetBySymbol(tr.Chain, s); ok {
		return info.Asset, nil
	} else if contract, cerr := chain.ParseAccount(s, tr.Chain); cerr == nil && contract.Chain() == tr.Chain {
		if a := chain.Token(contract); a != "" {
			return a, nil
		}
	} else if len(s) > 12 {
		return "", wrong("asset", err)
	}
	return "", wrongf("asset", clip(s), "is the symbol of no asset, or of more than one, on %s",
		"write the asset's CAIP-19 name or its contract: a symbol alone does not tell a look-alike apart", tr.Chain)
}

// unknownDecimals refuses an amount in whole units of an asset whose decimals
// nobody stated: a guess would move the point.
func unknownDecimals(column string, asset chain.Asset) error {
	return wrongf(column, string(asset), "its decimals are not known, so an amount in whole units cannot be read exactly",
		"add a column decimals with what the token contract's decimals() answers, or import a list of tokens first (columns address,symbol,name,decimals), or write base units in our own CSV (column base)")
}

// fits holds a row's kind against its ends and its asset.
func (t *table) fits(tr *chain.Transfer) error {
	native := tr.Asset == tr.Chain.Native()
	switch tr.Kind {
	case chain.KindFee:
		if !tr.To.IsZero() {
			return wrongf("to", tr.To.Address(), "a fee has no receiver here", "leave the column empty; what a miner earns is a transfer of its own")
		}
	case chain.KindAdjustment:
		if tr.From.IsZero() == tr.To.IsZero() {
			return wrongf("to", "", "an adjustment has exactly one account", "leave from empty when the balance grew, to when it shrank")
		}
	}
	switch {
	case tr.From.IsZero() && tr.To.IsZero():
		return wrongf("from", "", "the row names no account", "fill from, to or both")
	case tr.Kind == chain.KindToken && native:
		return wrongf("asset", string(tr.Asset), "a token transfer cannot move the chain's own asset", "write the token's contract, or another kind")
	case !native && (tr.Kind == chain.KindNative || tr.Kind == chain.KindInternal || tr.Kind == chain.KindFee):
		return wrongf("asset", string(tr.Asset), "a transfer of kind %s moves %s", "write kind token, or the chain's own asset", tr.Kind, tr.Chain.Native())
	}
	return nil
}

// ExportHeader is the header of the rows that AppendOwn writes.
const ExportHeader = OwnHeader + ",ordinal,base"

// AppendOwn appends one transfer as a row of our own CSV, under ExportHeader,
// with its line end. info is what is known of its asset; with known false the
// amount stands in base units alone. A place that the ledger inferred is left
// out. Reading the row back gives the same transfer.
func AppendOwn(b []byte, t *chain.Transfer, info chain.AssetInfo, known bool) []byte {
	text := func(s string) { b = append(append(b, s...), ',') }
	number := func(n uint64, there bool) {
		if there {
			b = strconv.AppendUint(b, n, 10)
		}
		b = append(b, ',')
	}
	text(string(t.Chain))
	if t.Time != 0 {
		b = append(b, t.Time.String()...)
	}
	b = append(b, ',')
	number(t.Block, t.Block != chain.NoBlock && !t.BlockInferred)
	text(t.Tx.Text(t.Chain))
	number(uint64(t.Index), t.Index != chain.NoIndex)
	text(t.Kind.String())
	text(address(t.From))
	text(address(t.To))
	text(string(t.Asset))
	if known {
		b = append(b, t.Amount.Decimal(info.Decimals)...)
	}
	b = append(b, ',')
	number(uint64(t.Ordinal), t.Ordinal != chain.NoOrdinal)
	if !known {
		b = append(b, t.Amount.Base()...)
	}
	return append(b, '\n')
}

func address(a chain.Account) string {
	if a.IsZero() {
		return ""
	}
	return a.Address()
}
