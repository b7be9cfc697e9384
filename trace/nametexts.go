package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/ledger"
)

// nameTexts remembers the text of accounts and assets, which come by again and
// again. Accounts stand in an open-addressing table whose texts lie end to end
// in one buffer, so that a lookup touches two places and no pointer.
type nameTexts struct {
	slots  []nameSlot // a power of two; ref 0 is free
	used   int
	text   []byte
	assets map[ledger.AssetRef]chain.Asset
	ask    []ledger.AccountRef
	at     []uint32 // the slots of ask
}

type nameSlot struct {
	ref  ledger.AccountRef
	text uint32
	n    uint32
}

// maxNamed bounds the accounts kept from one batch to the next.
const maxNamed = 1 << 17

// account is the text of an account that learn saw last; "" of none.
func (t *nameTexts) account(ref ledger.AccountRef) []byte {
	if ref == 0 {
		return nil
	}
	s := &t.slots[t.find(ref)]
	return t.text[s.text : s.text+s.n]
}

// find is the slot of an account, or the free one where it belongs.
func (t *nameTexts) find(ref ledger.AccountRef) uint64 {
	mask := uint64(len(t.slots) - 1)
	i := spread(uint64(ref)) & mask
	for t.slots[i].ref != ref && t.slots[i].ref != 0 {
		i = (i + 1) & mask
	}
	return i
}

// spread mixes the bits of a number for a table (Fibonacci hashing, Knuth,
// The Art of Computer Programming, 6.4).
func spread(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>32
}

// learn takes in the names of the accounts and assets in rows.
func (t *nameTexts) learn(ctx context.Context, r ledger.Reader, rows []ledger.Row) error {
	if t.assets == nil || t.used > maxNamed {
		t.slots, t.used, t.text, t.assets = nil, 0, t.text[:0], map[ledger.AssetRef]chain.Asset{0: ""}
	}
	t.room(2 * len(rows))
	t.ask, t.at = t.ask[:0], t.at[:0]
	var assets []ledger.AssetRef
	for i := range rows {
		w := &rows[i]
		for _, ref := range [2]ledger.AccountRef{w.From, w.To} {
			if at := t.find(ref); ref != 0 && t.slots[at].ref == 0 {
				t.slots[at].ref = ref
				t.used++
				t.ask, t.at = append(t.ask, ref), append(t.at, uint32(at))
			}
		}
		if _, ok := t.assets[w.Asset]; !ok {
			t.assets[w.Asset] = ""
			assets = append(assets, w.Asset)
		}
	}
	who, err := r.Accounts(ctx, t.ask)
	if err != nil {
		return err
	}
	for i, at := range t.at {
		start := len(t.text)
		t.text, _ = who[i].AppendText(t.text)
		t.slots[at].text, t.slots[at].n = uint32(start), uint32(len(t.text)-start)
	}
	what, err := r.Assets(ctx, assets)
	if err != nil {
		return err
	}
	for i, ref := range assets {
		t.assets[ref] = what[i]
	}
	return nil
}

// room makes the table at most half full with n more.
func (t *nameTexts) room(n int) {
	size := max(len(t.slots), 1024)
	for 2*(t.used+n) > size {
		size *= 2
	}
	if size == len(t.slots) {
		return
	}
	old := t.slots
	t.slots = make([]nameSlot, size)
	for i := range old {
		if old[i].ref != 0 {
			t.slots[t.find(old[i].ref)] = old[i]
		}
	}
}
