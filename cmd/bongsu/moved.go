package main

import (
	"context"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
	"bongsu/trace"
)

// moved returns what transactions of the ledger moved, fees aside: all of it
// for TX, and what was paid to one account for TX/ACCOUNT. What a transaction
// of a UTXO chain moved is its outputs.
func (n *node) moved(ctx context.Context, op string, texts []string, chainName string) ([]chain.Transfer, error) {
	r, err := n.ledger.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	ids, err := r.Chains(ctx)
	if chainName != "" {
		var id chain.ID
		id, err = chainNamed(chainName)
		ids = []chain.ID{id}
	}
	if err != nil {
		return nil, err
	}
	var out []chain.Transfer
	for _, text := range texts {
		name, to, _ := strings.Cut(text, "/")
		var txs []ledger.Tx
		for _, id := range ids {
			if tx, err := chain.ParseTxID(name, id); err == nil {
				txs = append(txs, ledger.Tx{Chain: id, ID: tx})
			}
		}
		found, err := movements(ctx, r, txs)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(t chain.Transfer) bool {
			return t.Kind == chain.KindFee || t.Amount.IsZero() || t.Chain.UTXO() && t.To.IsZero()
		})
		if len(found) == 0 {
			return nil, errs.New(op, errs.NotExist, name, "the ledger holds no movement of this transaction", "import its transfers first, with: bongsu import FILE")
		}
		if to != "" {
			if found, err = paidTo(found, to, op, name); err != nil {
				return nil, err
			}
		}
		out = append(out, found...)
	}
	return out, nil
}

// paidTo is the transfers to one account.
func paidTo(found []chain.Transfer, to, op, where string) ([]chain.Transfer, error) {
	acct, err := chain.ParseAccount(to, found[0].Chain)
	if err != nil {
		return nil, errs.Wrap(op, to, err)
	}
	found = slices.DeleteFunc(found, func(t chain.Transfer) bool { return t.To != acct })
	if len(found) == 0 {
		return nil, errs.New(op, errs.NotExist, where, "it paid nothing to "+acct.String(), "look at whom the transaction paid")
	}
	return found, nil
}

// movements is all that transactions moved: the rows of account chains, the
// outputs of UTXO chains.
func movements(ctx context.Context, r ledger.Reader, txs []ledger.Tx) ([]chain.Transfer, error) {
	refs, err := r.TxRefs(ctx, txs)
	if err != nil {
		return nil, err
	}
	refs = slices.DeleteFunc(refs, func(t ledger.TxRef) bool { return t == 0 })
	slices.Sort(refs)
	refs = slices.Compact(refs)
	var pages ledger.Pages
	if err := r.Transactions(ctx, refs, &pages); err != nil {
		return nil, err
	}
	out, err := ledger.Expand(ctx, r, pages.Rows)
	if err != nil {
		return nil, err
	}
	coins, err := r.UTXOs(ctx, refs)
	if err != nil {
		return nil, err
	}
	for i := range coins {
		u := &coins[i]
		for k, o := range u.Outputs {
			out = append(out, chain.Transfer{
				Chain: u.Chain, Time: u.Time, Block: u.Block, Index: u.Index, Tx: u.Tx, Kind: chain.KindNative, Ordinal: uint32(k),
				To: o.Account, Asset: u.Chain.Native(), Amount: o.Value,
			})
		}
	}
	return out, nil
}

// deposits makes a theft of each deposit: where did it come from.
func (n *node) deposits(ctx context.Context, c *traceCmd, req *trace.Request) (assets []chain.Asset, err error) {
	for _, text := range c.Deposit {
		found, err := n.moved(ctx, "trace", []string{text}, c.Chain)
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			if t.To != found[0].To {
				return nil, errs.New("trace", errs.Usage, text, "this transaction paid several accounts", "say which payment is the deposit: TX/ACCOUNT")
			}
			assets = append(assets, t.Asset)
		}
		id := found[0].Tx.Text(found[0].Chain) + "/" + found[0].To.Address()
		req.Thefts = append(req.Thefts, trace.Theft{ID: id, Title: "deposit of " + found[0].Time.String(), Transfers: found})
	}
	slices.Sort(assets)
	return slices.Compact(assets), nil
}
