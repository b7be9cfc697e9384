package ledger

import (
	"encoding/binary"

	"bongsu/chain"
)

// assetTable numbers the assets of an epoch of runs from 1 in the order in
// which a large import meets them. Names below a length that was read once
// never change.
type assetTable struct {
	names   []chain.Asset
	numbers map[chain.Asset]AssetRef
	byToken map[[20]byte]AssetRef
	lately  [1 << 9]struct { // of byToken, by a byte or so of the address
		token  [20]byte
		number AssetRef
	}
}

func newAssetTable() *assetTable {
	return &assetTable{numbers: map[chain.Asset]AssetRef{}, byToken: map[[20]byte]AssetRef{}}
}

func (t *assetTable) number(a chain.Asset) AssetRef {
	n, ok := t.numbers[a]
	if !ok {
		t.names = append(t.names, a)
		n = AssetRef(len(t.names))
		t.numbers[a] = n
	}
	return n
}

// token is number of an EVM chain's token.
func (t *assetTable) token(id chain.ID, contract *[20]byte) AssetRef {
	last := &t.lately[binary.LittleEndian.Uint16(contract[8:])%uint16(len(t.lately))]
	if last.number != 0 && same20(&last.token, contract) {
		return last.number
	}
	n, ok := t.byToken[*contract]
	if !ok {
		n = t.number(chain.Token(chain.EVM(id, *contract)))
		t.byToken[*contract] = n
	}
	last.token, last.number = *contract, n
	return n
}
