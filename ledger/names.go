package ledger

import (
	"maps"
	"slices"
	"sync"

	"bongsu/chain"
)

// names gives references to accounts and assets in the order in which commits
// name them first, so that every process that reads the same commits gives the
// same ones. References are never taken back. mu guards the maps and slices;
// entries below a length that was read under mu never change.
type names struct {
	mu       sync.RWMutex
	base     *dictionary // the accounts that segments name: 1..base.count
	accounts []chain.Account
	refs     map[chain.Account]AccountRef
	assets   []chain.Asset
	assetOf  map[chain.Asset]AssetRef
}

func newNames() *names {
	return &names{refs: map[chain.Account]AccountRef{}, assetOf: map[chain.Asset]AssetRef{}}
}

// account is the reference of a, given now if it has none.
func (n *names) account(a chain.Account) AccountRef {
	if a.IsZero() {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if ref, ok := n.find(a); ok {
		return ref
	}
	n.accounts = append(n.accounts, a)
	ref := AccountRef(n.base.len() + uint64(len(n.accounts)))
	n.refs[a] = ref
	return ref
}

func (n *names) find(a chain.Account) (AccountRef, bool) {
	if ref, ok := n.refs[a]; ok {
		return ref, true
	}
	return n.base.find(a)
}

func (n *names) asset(a chain.Asset) AssetRef {
	if a == "" {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if ref, ok := n.assetOf[a]; ok {
		return ref
	}
	n.assets = append(n.assets, a)
	ref := AssetRef(len(n.assets))
	n.assetOf[a] = ref
	return ref
}

// accountRefs looks accounts up; those without a reference are 0.
func (n *names) accountRefs(accounts []chain.Account) []AccountRef {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make([]AccountRef, len(accounts))
	for i, a := range accounts {
		if !a.IsZero() {
			out[i], _ = n.find(a)
		}
	}
	return out
}

func (n *names) accountNames(refs []AccountRef) []chain.Account {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make([]chain.Account, len(refs))
	for at := 0; at < len(refs); at += nameWave {
		end := min(at+nameWave, len(refs))
		n.base.touch(refs[at:end])
		for i := at; i < end; i++ {
			out[i] = n.nameOf(refs[i])
		}
	}
	return out
}

// nameWave is how many names are touched before the first is read.
const nameWave = 64

func (n *names) nameOf(ref AccountRef) chain.Account {
	base := n.base.len()
	switch {
	case ref == 0 || uint64(ref) > base+uint64(len(n.accounts)):
		return chain.Account{}
	case uint64(ref) <= base:
		return n.base.name(uint64(ref))
	}
	return n.accounts[uint64(ref)-base-1]
}

func (n *names) assetRefs(assets []chain.Asset) []AssetRef {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make([]AssetRef, len(assets))
	for i, a := range assets {
		out[i] = n.assetOf[a]
	}
	return out
}

func (n *names) assetNames(refs []AssetRef) []chain.Asset {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make([]chain.Asset, len(refs))
	for i, ref := range refs {
		if ref > 0 && int(ref) <= len(n.assets) {
			out[i] = n.assets[ref-1]
		}
	}
	return out
}

// count is how many accounts have a reference.
func (n *names) count() uint64 {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.base.len() + uint64(len(n.accounts))
}

// snapshot is the same names, to which nobody adds.
func (n *names) snapshot() *names {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return &names{base: n.base, accounts: slices.Clip(n.accounts), refs: maps.Clone(n.refs), assets: slices.Clip(n.assets), assetOf: maps.Clone(n.assetOf)}
}

// accountList is the accounts that the head named, by reference.
func (n *names) accountList() []chain.Account {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.accounts[:len(n.accounts):len(n.accounts)]
}

// assetList is every asset, by reference from 1.
func (n *names) assetList() []chain.Asset {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.assets[:len(n.assets):len(n.assets)]
}
