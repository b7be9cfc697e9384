package ledger

import "bongsu/chain"

// dictionary names the accounts of the segments. A nil one is empty.
type dictionary struct{ count uint64 }

func (d *dictionary) len() uint64 {
	if d == nil {
		return 0
	}
	return d.count
}

func (d *dictionary) find(chain.Account) (AccountRef, bool) { return 0, false }

func (d *dictionary) name(uint64) chain.Account { return chain.Account{} }
