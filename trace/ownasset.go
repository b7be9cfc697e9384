package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace/links"
)

// Books may be of assets that the ledger has no reference for. A UTXO chain's
// outputs name no asset: theirs is the chain's own, and a ledger may hold
// nothing else of the chain. A wrapped coin may have been deposited and never
// sent. The simulation gives such assets references of its own, above all that
// a ledger gives: UTXO chains' own first, then the list of wrapped coins.
const (
	firstOwnAsset     = ledger.AssetRef(1 << 31)
	firstWrappedAsset = firstOwnAsset + ledger.AssetRef(len(coinChains))
)

// coinChains are the UTXO chains that bongsu knows.
var coinChains = [...]chain.ID{chain.Bitcoin, chain.BitcoinTest, chain.BitcoinRegtest, chain.BitcoinSimnet}

// coinAsset stands for a UTXO chain's own asset.
func coinAsset(id chain.ID) ledger.AssetRef {
	for i, c := range coinChains {
		if c == id {
			return firstOwnAsset + ledger.AssetRef(i)
		}
	}
	return 0
}

// wrappedAsset stands for the token of an entry of links.AllWrapped.
func wrappedAsset(i int) ledger.AssetRef { return firstWrappedAsset + ledger.AssetRef(i) }

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
		if ref < firstOwnAsset {
			ask[i] = ref
		}
	}
	out, err := r.Assets(ctx, ask)
	if err != nil {
		return nil, err
	}
	for i, ref := range refs {
		switch {
		case ref >= firstWrappedAsset:
			out[i] = links.AllWrapped()[ref-firstWrappedAsset].Token()
		case ref >= firstOwnAsset:
			out[i] = coinChains[ref-firstOwnAsset].Native()
		}
	}
	return out, nil
}
