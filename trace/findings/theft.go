package findings

import (
	"bongsu/chain"
	"bongsu/errs"
	"bongsu/stix"
	"bongsu/trace"
)

// Theft reads an incident as what a trace follows. Its id is the incident's.
func Theft(o stix.Object) (trace.Theft, error) {
	v, err := stix.ReadTheft(o)
	if err != nil {
		return trace.Theft{}, err
	}
	t := trace.Theft{ID: v.ID, Title: v.Title}
	for _, a := range v.Amounts {
		base, err := a.Exact()
		if err != nil {
			return trace.Theft{}, errs.Wrap("theft", v.ID, err)
		}
		t.Amounts = append(t.Amounts, chain.Money{Asset: a.Asset, Amount: base})
	}
	for _, x := range v.Transfers {
		tr, err := transfer(x)
		if err != nil {
			return trace.Theft{}, errs.Wrap("theft", v.ID, err)
		}
		t.Transfers = append(t.Transfers, tr)
	}
	return t, nil
}

func transfer(x stix.TheftTransfer) (chain.Transfer, error) {
	t := chain.Transfer{
		Chain: x.Chain, Time: x.Time, Block: chain.NoBlock, Index: chain.NoIndex, Ordinal: chain.NoOrdinal,
		From: x.From, To: x.To, Asset: x.Asset,
	}
	var err error
	if x.Block != nil {
		t.Block = *x.Block
	}
	if x.Ordinal != nil {
		t.Ordinal = *x.Ordinal
	}
	if t.Kind, err = chain.ParseKind(x.Kind); err != nil {
		return t, err
	}
	if x.Tx != "" {
		if t.Tx, err = chain.ParseTxID(x.Tx, x.Chain); err != nil {
			return t, err
		}
	}
	t.Amount, err = chain.ParseBase(x.Amount)
	return t, err
}

// Incident states a theft. Its amounts are those stated, or else the sums of
// its transfers. The registry must know every asset, because an amount without
// decimals cannot be read by a person.
func Incident(c stix.Common, t trace.Theft, reg *chain.Registry) (stix.Object, error) {
	v := stix.Theft{Common: c, Title: t.Title}
	if v.ID == "" {
		v.ID = t.ID
	}
	amounts := t.Amounts
	if len(amounts) == 0 {
		var err error
		if amounts, err = Sum(t.Transfers); err != nil {
			return stix.Object{}, err
		}
	}
	for _, m := range amounts {
		info, ok := reg.Info(m.Asset)
		if !ok {
			return stix.Object{}, errs.New("theft", errs.Invalid, string(m.Asset), "the asset's decimals are not known",
				"import a row of it with the columns decimals and symbol, or a list of tokens with address,symbol,name,decimals")
		}
		v.Amounts = append(v.Amounts, stix.NewAmount(info, m.Amount))
	}
	for _, x := range t.Transfers {
		w := stix.TheftTransfer{
			Chain: x.Chain, Tx: x.Tx.Text(x.Chain), Time: x.Time, From: x.From, To: x.To, Kind: x.Kind.String(), Asset: x.Asset, Amount: x.Amount.Base(),
		}
		if b := x.Block; b != chain.NoBlock && !x.BlockInferred {
			w.Block = &b
		}
		if n := x.Ordinal; x.Chain.UTXO() && n != chain.NoOrdinal {
			w.Ordinal = &n
		}
		v.Transfers = append(v.Transfers, w)
	}
	return v.Object()
}

// Sum is what transfers move, for each asset in order of first appearance.
func Sum(transfers []chain.Transfer) ([]chain.Money, error) {
	var out []chain.Money
	at := map[chain.Asset]int{}
	for _, t := range transfers {
		i, ok := at[t.Asset]
		if !ok {
			i = len(out)
			at[t.Asset], out = i, append(out, chain.Money{Asset: t.Asset})
		}
		if out[i].Amount, ok = out[i].Amount.Add(t.Amount); !ok {
			return nil, errs.New("theft", errs.Invalid, string(t.Asset), "the transfers' amounts exceed 2^256 base units", "leave this asset out of the theft")
		}
	}
	return out, nil
}
