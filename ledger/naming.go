package ledger

import (
	"bytes"
	"context"
	"maps"
	"os"
	"slices"
	"sort"

	"bongsu/chain"
	"bongsu/errs"
)

// naming gives references to the accounts and assets of an import's runs. That
// takes long, so the dictionary is written while commits go on, which name
// accounts too: references are provisional until naming.commit, which holds
// commits up for a moment. It moves the new references behind those given
// meanwhile, and makes a manifest that names the dictionary, so that every
// process goes on behind it. Accounts that no row has yet do no harm.
//
// An account that was named meanwhile and by the import has two references, of
// which the lower counts everywhere: no row gets the other.
type naming struct {
	l      *Ledger
	names  *names // as they were; nobody adds to them
	dict   *dictionaryWriter
	assets []chain.Asset
	first  uint64 // reference given here, provisionally
	shift  uint64 // which the final ones are above that
	twice  map[AccountRef]AccountRef
	count  uint64 // accounts that are new
	ended  bool   // dict's file is closed
}

// nameRuns names what runs name, provisionally; nil when there are none.
// mergeLock is held.
func (l *Ledger) nameRuns(ctx context.Context, runs []*importRun) (n *naming, err error) {
	defer func() { caught(recover(), &err) }()
	if len(runs) == 0 {
		return nil, nil
	}
	n = &naming{l: l, twice: map[AccountRef]AccountRef{}}
	var m *manifest
	if err := l.write(ctx, func() error {
		n.names, m = l.names.snapshot(), l.manifest
		return nil
	}); err != nil {
		return nil, err
	}
	if err := l.sweep(m); err != nil {
		return nil, err
	}
	n.first = n.names.count() + 1
	if n.dict, err = newDictionaryWriter(l.opt.disk, l.dir, m.NextFile, n.first); err != nil {
		return nil, err
	}
	byChain := map[chain.ID][]*epoch{}
	for _, e := range epochs(runs) {
		e.named = n
		byChain[e.chain] = append(byChain[e.chain], e)
	}
	for _, id := range slices.Sorted(maps.Keys(byChain)) {
		if err = n.nameAccounts(id, byChain[id]); err != nil {
			break
		}
	}
	if err == nil {
		err = n.dict.sync()
	}
	if err != nil {
		n.drop()
		return nil, err
	}
	sortedRuns(runs)
	for _, r := range runs {
		n.assets = append(n.assets, r.info.Assets...)
	}
	return n, nil
}

// final is the reference that a provisional one became.
func (n *naming) final(ref uint64) AccountRef {
	if ref < n.first {
		return AccountRef(ref)
	}
	if other, ok := n.twice[AccountRef(ref+n.shift)]; ok {
		return other
	}
	return AccountRef(ref + n.shift)
}

// commit makes the references final and durable. mu and the folder's lock are
// held.
func (n *naming) commit() error {
	l, next := n.l, *n.l.manifest
	next.AssetNames = slices.Clip(l.names.assetList())
	known := map[chain.Asset]bool{}
	for _, a := range next.AssetNames {
		known[a] = true
	}
	for _, a := range n.assets {
		if !known[a] {
			known[a] = true
			next.AssetNames = append(next.AssetNames, a)
		}
	}
	base := l.names.base
	if n.dict.next > n.first {
		var err error
		if base, err = n.dictionaries(&next); err != nil {
			return err
		}
	} else if err := n.discard(); err != nil {
		return err
	}
	if base == l.names.base && len(next.AssetNames) == len(l.manifest.AssetNames) {
		return nil
	}
	next.Generation++
	info, err := l.commitManifest(&next)
	if err != nil {
		return err
	}
	l.rename(&next, info, base)
	return nil
}

// drop closes a dictionary that did not come to be.
func (n *naming) drop() {
	if n != nil && !n.ended {
		n.ended = true
		n.dict.w.abandon()
	}
}

// discard removes a dictionary without accounts.
func (n *naming) discard() error {
	n.drop()
	return n.l.opt.disk.remove(n.l.path(dictionaryName(n.dict.info.Number)))
}

// dictionaries ends the new file, behind one of the accounts that the head has
// named up to now.
func (n *naming) dictionaries(next *manifest) (*dictionary, error) {
	l := n.l
	head := l.names.accountList()
	base, err := l.writeListed(l.names.base, n.dict.info.Number+1, head)
	if err != nil {
		return nil, err
	}
	n.shift = base.len() + 1 - n.first
	n.count = n.dict.next - n.first
	for i, a := range head[uint64(len(head))-n.shift:] {
		ref, ok, err := n.dict.find(a)
		if err != nil {
			return nil, err
		}
		if ok {
			n.twice[AccountRef(ref+n.shift)] = AccountRef(n.first + uint64(i))
			n.count--
		}
	}
	n.dict.move(n.shift)
	n.ended = true
	if _, err := n.dict.close(); err != nil {
		return nil, err
	}
	f, err := openDictionary(l.dir, n.dict.info.Number)
	if err != nil {
		return nil, err
	}
	base = base.with(f)
	next.Dictionaries = slices.Clone(next.Dictionaries)
	for _, f := range base.files[len(next.Dictionaries):] {
		next.Dictionaries = append(next.Dictionaries, f.Number)
	}
	next.NextFile = n.dict.info.Number + 2
	return base, nil
}

// writeListed writes a dictionary file of accounts that the head has named, and
// gives base with it; base itself when there are none.
func (l *Ledger) writeListed(base *dictionary, number uint64, accounts []chain.Account) (*dictionary, error) {
	if len(accounts) == 0 {
		return base, nil
	}
	d, err := newDictionaryWriter(l.opt.disk, l.dir, number, base.len()+1)
	if err != nil {
		return nil, err
	}
	d.listed(accounts)
	if _, err := d.close(); err != nil {
		return nil, err
	}
	f, err := openDictionary(l.dir, number)
	if err != nil {
		return nil, err
	}
	return base.with(f), nil
}

// namesOnly says that a manifest differs from the one before it only in names
// that were given: the head log and the segments are the same.
func (m *manifest) namesOnly(before *manifest) bool {
	return m.Head == before.Head && m.Generation == before.Generation+1
}

// rename puts such a manifest in place: the head goes on, and every reference
// stays. No record behind the manifest was applied yet. mu is held.
func (l *Ledger) rename(m *manifest, info os.FileInfo, base *dictionary) {
	nm := newNames()
	nm.base = base
	for _, a := range m.AssetNames {
		nm.asset(a)
	}
	if base == l.names.base { // nothing was taken over
		old := l.names.snapshot()
		nm.accounts, nm.refs = old.accounts, old.refs
	}
	l.manifest, l.info, l.names, l.head.names = m, info, nm, nm
	l.announce()
}

// sync writes out what was added, so that close need not.
func (d *dictionaryWriter) sync() error {
	d.w.flush()
	if d.w.err != nil {
		return d.w.err
	}
	return errs.Wrap("write", d.w.name, d.w.f.Sync())
}

// find looks an account up among those added, after sync.
func (d *dictionaryWriter) find(a chain.Account) (ref uint64, ok bool, err error) {
	raw := a.Raw()
	key := make([]byte, len(raw))
	for i := range d.info.Groups {
		g := &d.info.Groups[i]
		if g.Form != a.Form() || g.Len != len(raw) || g.Chain != a.Chain() {
			continue
		}
		read := func(i int) {
			if _, rerr := d.w.f.ReadAt(key, d.start+g.Raw+int64(i*g.Len)); rerr != nil && err == nil {
				err = errs.Wrap("read", d.w.name, rerr)
			}
		}
		n := sort.Search(g.Count, func(i int) bool {
			read(i)
			return bytes.Compare(key, raw) >= 0
		})
		if n < g.Count && err == nil {
			if read(n); bytes.Equal(key, raw) {
				return g.First + uint64(n), true, err
			}
		}
	}
	return 0, false, err
}

// move makes all references larger, before close.
func (d *dictionaryWriter) move(by uint64) {
	d.info.First, d.next = d.info.First+by, d.next+by
	for i := range d.info.Groups {
		d.info.Groups[i].First += by
	}
}
