package ledgertest

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// outputs writes out what pays each account, and asks again in small pages,
// both ways.
func (d *dumper) outputs() {
	delete(d.paid, chain.Account{})
	var accounts []chain.Account
	for a := range d.paid {
		accounts = append(accounts, a)
	}
	slices.SortFunc(accounts, chain.Account.Compare)
	refs, err := d.r.AccountRefs(context.Background(), accounts)
	d.must(err)
	for i, a := range accounts {
		all := d.outputPages(ledger.Query{Account: refs[i], Limit: ledger.MaxLimit})
		for _, o := range all {
			if names, err := d.r.Txs(context.Background(), []ledger.TxRef{o.Tx}); err != nil || names[0].ID != o.Point.Tx {
				d.t.Fatalf("output %+v belongs to %v (%v)", o, names, err)
			}
			if held, err := d.r.UTXOs(context.Background(), []ledger.TxRef{o.Tx}); err != nil || len(held[0].Outputs) == 0 {
				d.t.Fatalf("output %+v belongs to %+v (%v)", o, held, err)
			} else if held[0].Block == chain.NoBlock {
				fmt.Fprintf(&d.out, "unplaced %+v\n", held[0])
			}
			o.Tx = 0
			fmt.Fprintf(&d.out, "output %s %+v\n", a, o)
		}
		again := d.outputPages(ledger.Query{Account: refs[i], Limit: 2})
		if !reflect.DeepEqual(again, all) {
			d.t.Fatalf("outputs of %s in pages of two:\n got %+v\nwant %+v", a, again, all)
		}
		slices.Reverse(all)
		again = d.outputPages(ledger.Query{Account: refs[i], Limit: 2, Reverse: true})
		if !reflect.DeepEqual(again, all) {
			d.t.Fatalf("outputs of %s from the latest, in pages of two:\n got %+v\nwant %+v", a, again, all)
		}
	}
}

func (d *dumper) outputPages(q ledger.Query) (out []ledger.AccountOutput) {
	for {
		pages, err := d.r.OutputsOf(context.Background(), []ledger.Query{q})
		d.must(err)
		page := pages[0]
		out = append(out, page.Outputs...)
		if !page.More {
			return out
		}
		if last := page.Outputs[len(page.Outputs)-1].Key; q.Reverse {
			q.Until = last
		} else {
			q.After = last
		}
	}
}
