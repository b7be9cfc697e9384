package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/ledger"
)

// A UTXO chain's outputs name no asset: theirs is the chain's own, and a ledger
// that holds nothing else of the chain has no reference for it. The simulation
// gives it one of its own, above all that a ledger gives.
const firstCoinAsset ledger.AssetRef = 1 << 31

// coinChains are the UTXO chains that bongsu knows.
var coinChains = [...]chain.ID{chain.Bitcoin, chain.BitcoinTest, chain.BitcoinRegtest, chain.BitcoinSimnet}

// coinAsset stands for a UTXO chain's own asset.
func coinAsset(id chain.ID) ledger.AssetRef {
	for i, c := range coinChains {
		if c == id {
			return firstCoinAsset + ledger.AssetRef(i)
		}
	}
	return 0
}

// assetRefOf is the reference under which books and outputs keep an asset; 0:
// the ledger holds none of it.
func assetRefOf(ctx context.Context, r ledger.Reader, a chain.Asset) (ledger.AssetRef, error) {
	if id := a.Chain(); id.UTXO() && a == id.Native() {
		return coinAsset(id), nil
	}
	refs, err := r.AssetRefs(ctx, []chain.Asset{a})
	if err != nil {
		return 0, err
	}
	return refs[0], nil
}

// assetNames is its inverse.
func assetNames(ctx context.Context, r ledger.Reader, refs []ledger.AssetRef) ([]chain.Asset, error) {
	ask := make([]ledger.AssetRef, len(refs))
	for i, ref := range refs {
		if ref < firstCoinAsset {
			ask[i] = ref
		}
	}
	out, err := r.Assets(ctx, ask)
	if err != nil {
		return nil, err
	}
	for i, ref := range refs {
		if ref >= firstCoinAsset {
			out[i] = coinChains[ref-firstCoinAsset].Native()
		}
	}
	return out, nil
}
