package tables

import (
	"context"

	"bongsu/chain"
	"bongsu/ingest"
)

// bybit are the files published about the theft of February 2025: one row a
// transfer, amounts in whole units, a symbol and, for tokens, the contract. On
// Ethereum mainnet unless the options name another chain.
var bybit = ingest.Format{
	Name:      "bybit-2025",
	Title:     "transfers with hash,timestamp_utc,from,to,amount,asset,kind,contract,block",
	Recognise: withHeader(columns("hash", "timestamp_utc", "from", "to", "amount", "asset", "kind", "contract")),
	Read:      readBybit,
}

func readBybit(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	t, err := openTable(in, out)
	if err != nil {
		return err
	}
	h := &t.head
	c := ownColumns{
		-1, h.find("timestamp_utc"), h.find("block"), h.find("hash"), -1, h.find("kind"), h.find("from"),
		h.find("to"), h.find("contract"), h.find("amount"), -1, -1, h.find("asset"), h.find("decimals"),
	}
	id := in.Chain
	if id == "" {
		id = chain.Ethereum
	}
	var tr chain.Transfer
	return t.each(ctx, func() error {
		tr = chain.Transfer{Chain: id}
		if err := t.bybit(&c, &tr); err != nil {
			return err
		}
		return out.Transfer(&tr)
	})
}

func (t *table) bybit(c *ownColumns, tr *chain.Transfer) (err error) {
	if err = t.parties(c, tr); err != nil {
		return err
	}
	info, err := t.contractOrNative(c.asset, c.symbol, c.decimals, tr)
	if err != nil {
		return err
	}
	tr.Asset = info.Asset
	if tr.Amount, err = chain.ParseDecimal(t.cell(c.amount), info.Decimals); err != nil {
		return wrong("amount", err)
	}
	return t.fits(tr)
}

// contractOrNative is the asset of a row that gives a contract for tokens and
// beside it a symbol, which is never believed over the contract.
func (t *table) contractOrNative(contract, symbol, decimals int, tr *chain.Transfer) (chain.AssetInfo, error) {
	sym := t.cell(symbol)
	if t.cell(contract) == "" {
		info, ok := t.out.Asset(tr.Chain.Native())
		switch {
		case tr.Kind == chain.KindToken:
			return info, wrongf("contract", clip(sym), "a token transfer without its contract", "fill the column: a symbol does not tell a look-alike apart")
		case !ok:
			return info, unknownDecimals("asset", tr.Chain.Native())
		case sym != "" && sym != info.Symbol:
			return info, wrongf("asset", clip(sym), "is not %s, which a row without a contract moves", "fill the contract, or mend the symbol", info.Symbol)
		}
		return info, nil
	}
	account, err := t.account(contract, "contract", tr.Chain)
	if err != nil {
		return chain.AssetInfo{}, err
	}
	asset := chain.Token(account)
	info, known := t.out.Asset(asset)
	if stated := t.cell(decimals); stated != "" {
		return t.stated(stated, sym, asset)
	} else if known {
		return info, nil
	}
	if named, ok := t.out.AssetBySymbol(tr.Chain, sym); ok && named.Asset != asset {
		return named, wrongf("contract", account.Address(), "this contract is not the known %s, which is %s; its decimals are not known",
			"check the contract: look-alike tokens bear genuine symbols", clip(sym), named.Asset.Contract().Address())
	}
	return chain.AssetInfo{}, unknownDecimals("contract", asset)
}
