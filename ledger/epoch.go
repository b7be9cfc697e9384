package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// epoch is the accounts that one accountTable of an import numbered, and the
// runs that name them so. Its files lie beside the runs: the accounts sorted
// by their bytes, and what references they got.
type epoch struct {
	chain   chain.ID
	base    string // of its files' names
	runs    []*importRun
	count   int               // accounts
	assets  []chain.Asset     // by number, less one
	refsOf  []AssetRef        // of assets, when a run was opened
	inUse   int               // runs that were opened and not yet read to their end, or will be
	numbers table[AccountRef] // by number, while a run is open
	named   *naming           // which gave them
	counts  *occurrences      // nil: an earlier process wrote the runs
}

// epochs groups runs, in the order in which they were written, by the tables
// that numbered their accounts and assets.
func epochs(runs []*importRun) []*epoch {
	var out []*epoch
	by := map[int]*epoch{}
	for _, r := range runs {
		e := by[r.info.Epoch]
		if e == nil {
			e = &epoch{chain: r.info.Chain, base: strings.TrimSuffix(r.info.Name, filepath.Ext(r.info.Name)), counts: r.counts}
			by[r.info.Epoch] = e
			out = append(out, e)
		}
		e.runs = append(e.runs, r)
		e.assets = append(e.assets, r.info.Assets...)
		e.count = max(e.count, int(r.info.First)+r.info.New)
		e.inUse++
		r.epoch = e
	}
	return out
}

func (e *epoch) listName() string { return e.base + ".list" }

func (e *epoch) refsName() string { return e.base + ".refs" }

// release is called after the last block of each run.
func (e *epoch) release() {
	if e.inUse--; e.inUse == 0 {
		e.numbers.free()
	}
}

// assetRefs are the references of the assets by number, less one.
func (e *epoch) assetRefs(j *rewriteJob) []AssetRef {
	if e.refsOf == nil {
		e.refsOf = make([]AssetRef, len(e.assets))
		for i, a := range e.assets {
			e.refsOf[i] = j.asset(a)
		}
	}
	return e.refsOf
}

// refs loads the references by number.
func (e *epoch) refs(l *Ledger) ([]AccountRef, error) {
	if e.numbers.list != nil {
		return e.numbers.list, nil
	}
	f, err := l.opt.disk.open(l.path(e.refsName()), false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w := newWindow(f, e.refsName(), 0, int64(e.count)*refEntry, runWindow)
	numbers := newTable[AccountRef](e.count)
	for range numbers.list {
		w.fill()
		n, ref := w.uint32(), w.uint64()
		if uint64(n) >= uint64(len(numbers.list)) {
			numbers.free()
			return nil, errs.New("import", errs.Corrupt, e.refsName(), "it numbers an account that no run has", "import again")
		}
		numbers.list[n] = e.named.final(ref)
	}
	if w.err != nil {
		numbers.free()
		return nil, w.err
	}
	e.numbers = numbers
	return numbers.list, nil
}

// refEntry is the bytes of a number and its reference.
const refEntry = 4 + 8

// list writes the epoch's accounts sorted by their bytes, each with how often
// it occurs, up to oftenSeen.
func (e *epoch) list(l *Ledger) error {
	named, sorted := newTable[[20]byte](e.count), newTable[uint32](e.count)
	defer named.free()
	defer sorted.free()
	keys, order := named.list, sorted.list
	var others []numberedAccount
	var cerr, kerr error
	both(func() { cerr = e.occur() }, func() {
		if others, kerr = e.read(keys); kerr == nil {
			sortKeys(keys, order)
		}
	})
	if err := cmpErr(cerr, kerr); err != nil {
		return err
	}
	counts := e.counts.list
	f, err := l.opt.disk.create(l.path(e.listName()))
	if err != nil {
		return err
	}
	defer f.Close()
	w := &runWriter{f: f, b: make([]byte, 0, runBuf)}
	notEVM := map[uint32]bool{}
	for _, o := range others {
		notEVM[o.number] = true
	}
	entry := func(form chain.Form, raw []byte, n uint32) {
		w.spill()
		w.b = append(append(w.b, byte(form), byte(len(raw))), raw...)
		w.b = binary.LittleEndian.AppendUint32(append(w.b, counts[n]), n)
	}
	for _, n := range order { // FormEVM is the lowest form
		if len(notEVM) == 0 || !notEVM[n] {
			entry(chain.FormEVM, keys[n][:], n)
		}
	}
	slices.SortFunc(others, func(a, b numberedAccount) int {
		x, y := a.account, b.account
		return compareRaw(byte(x.Form()), byte(y.Form()), x.Raw(), y.Raw())
	})
	for _, o := range others {
		entry(o.account.Form(), o.account.Raw(), o.number)
	}
	w.flush()
	return w.err
}

// read puts the accounts that the epoch's runs list into keys, by number;
// others are those that are not addresses of 20 bytes.
func (e *epoch) read(keys [][20]byte) (others []numberedAccount, err error) {
	for _, r := range e.runs {
		if others, err = r.accounts(keys, others); err != nil {
			return nil, err
		}
	}
	return others, nil
}

// occur counts how often each account occurs, unless that was done while the
// runs were written.
func (e *epoch) occur() error {
	if e.counts != nil {
		e.counts.reserve(e.count)
		return nil
	}
	e.counts = &occurrences{}
	e.counts.reserve(e.count)
	for _, run := range e.runs {
		info := &run.info
		r := runReader{window: newWindow(run.f, info.Name, info.AtBlocks, info.Bytes, runWindow), idLen: idLen(info.Chain)}
		if err := r.count(e.counts); err != nil {
			return err
		}
	}
	return nil
}

// accounts puts the accounts that a run lists into keys, by number, or into
// others.
func (r *importRun) accounts(keys [][20]byte, others []numberedAccount) ([]numberedAccount, error) {
	w := newWindow(r.f, r.info.Name, 0, r.info.AtBlocks, runWindow)
	for i := range r.info.New {
		w.fill()
		n := r.info.First + uint32(i)
		form := chain.Form(w.byte())
		raw := w.take(int(w.byte()))
		if form == chain.FormEVM && len(raw) == 20 {
			keys[n] = [20]byte(raw)
			continue
		}
		a, ok := chain.NewAccount(r.info.Chain, form, raw)
		if !ok {
			return nil, errs.New("import", errs.Corrupt, r.info.Name, "a run holds an account of no known form", "import again")
		}
		others = append(others, numberedAccount{n, a})
	}
	return others, w.err
}

// sortKeys lists the numbers of addresses in their order: by their first two
// bytes in one pass, then each of those few by the rest.
func sortKeys(keys [][20]byte, order []uint32) {
	var starts [1<<16 + 1]uint32
	for i := range keys {
		starts[int(keys[i][0])<<8|int(keys[i][1])+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	type part struct {
		prefix uint64
		n      uint32
	}
	memory := newTable[part](len(keys))
	defer memory.free()
	parts := memory.list
	next := starts
	for i := range keys {
		b := int(keys[i][0])<<8 | int(keys[i][1])
		parts[next[b]] = part{binary.BigEndian.Uint64(keys[i][2:]), uint32(i)}
		next[b]++
	}
	sort := func(from, to int) {
		for b := from; b < to; b++ {
			p := parts[starts[b]:starts[b+1]]
			slices.SortFunc(p, func(x, y part) int {
				if x.prefix != y.prefix {
					return cmp.Compare(x.prefix, y.prefix)
				}
				return bytes.Compare(keys[x.n][:], keys[y.n][:])
			})
			for i := range p {
				order[int(starts[b])+i] = p[i].n
			}
		}
	}
	both(func() { sort(0, 1<<15) }, func() { sort(1<<15, 1<<16) })
}
