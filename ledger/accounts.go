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

// Accounts that occur often get the low references of an import's new ones:
// they stand in most rows, where a low number takes fewer bits.
const oftenSeen = 64

// epoch is the accounts that one accountTable of an import numbered, and the
// runs that name them so. Its files lie beside the runs: the accounts sorted
// by their bytes, and what references they got.
type epoch struct {
	chain   chain.ID
	base    string // of its files' names
	runs    []*importRun
	count   int          // accounts
	inUse   int          // runs that were opened and not yet read to their end, or will be
	numbers []AccountRef // by number, while a run is open
}

// epochs groups runs by the table that numbered their accounts.
func epochs(runs []*importRun) []*epoch {
	var out []*epoch
	by := map[int]*epoch{}
	for _, r := range runs {
		e := by[r.info.Epoch]
		if e == nil {
			e = &epoch{chain: r.info.Chain, base: strings.TrimSuffix(r.info.Name, filepath.Ext(r.info.Name))}
			by[r.info.Epoch] = e
			out = append(out, e)
		}
		e.runs = append(e.runs, r)
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
		e.numbers = nil
	}
}

// refs loads the references by number.
func (e *epoch) refs(j *rewriteJob) ([]AccountRef, error) {
	if e.numbers != nil {
		return e.numbers, nil
	}
	f, err := j.disk.open(j.l.path(e.refsName()), false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w := newWindow(f, e.refsName(), 0, int64(e.count)*refEntry)
	numbers := make([]AccountRef, e.count)
	for range numbers {
		w.fill()
		n, ref := w.uint32(), w.uint64()
		if uint64(n) >= uint64(len(numbers)) {
			return nil, errs.New("import", errs.Corrupt, e.refsName(), "it numbers an account that no run has", "import again")
		}
		numbers[n] = AccountRef(ref)
	}
	e.numbers = numbers
	return numbers, w.err
}

// refEntry is the bytes of a number and its reference.
const refEntry = 4 + 8

// list writes the epoch's accounts sorted by their bytes, each with how often
// it occurs, up to oftenSeen.
func (e *epoch) list(j *rewriteJob) error {
	counts, err := e.counts()
	if err != nil {
		return err
	}
	keys := make([][20]byte, e.count)
	var others []numberedAccount
	for _, r := range e.runs {
		if others, err = r.accounts(keys, others); err != nil {
			return err
		}
	}
	f, err := j.disk.create(j.l.path(e.listName()))
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
	for _, n := range sortKeys(keys) { // FormEVM is the lowest form
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

// counts reads all rows of the epoch's runs.
func (e *epoch) counts() ([]uint8, error) {
	counts := make([]uint8, e.count)
	for _, run := range e.runs {
		info := &run.info
		r := runReader{window: newWindow(run.f, info.Name, info.AtBlocks, info.Bytes), idLen: idLen(info.Chain)}
		if err := r.count(counts); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// accounts puts the accounts that a run lists into keys, by number, or into
// others.
func (r *importRun) accounts(keys [][20]byte, others []numberedAccount) ([]numberedAccount, error) {
	w := newWindow(r.f, r.info.Name, 0, r.info.AtBlocks)
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

// sortKeys orders addresses: by their first two bytes in one pass, then each
// of those few by the rest.
func sortKeys(keys [][20]byte) []uint32 {
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
	parts := make([]part, len(keys))
	next := starts
	for i := range keys {
		b := int(keys[i][0])<<8 | int(keys[i][1])
		parts[next[b]] = part{binary.BigEndian.Uint64(keys[i][2:]), uint32(i)}
		next[b]++
	}
	order := make([]uint32, len(keys))
	for b := range 1 << 16 {
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
	return order
}

// accountList reads an epoch's sorted accounts.
type accountList struct {
	window
	left   int
	form   byte
	raw    []byte
	buf    [64]byte
	count  uint8
	number uint32
}

func (l *accountList) next() bool {
	if l.left == 0 || l.err != nil {
		return false
	}
	l.left--
	l.fill()
	l.form = l.byte()
	n := min(l.byte(), 64)
	l.raw = append(l.buf[:0], l.take(int(n))...)
	l.count, l.number = l.byte(), l.uint32()
	return l.err == nil
}

// listed is an account in the list of an epoch, there under a number.
type listed struct {
	epoch  int
	number uint32
}

// eachAccount merges the epochs' lists: use gets every account once with how
// often it occurs, and its numbers.
func eachAccount(lists []*accountList, use func(form byte, raw []byte, count int, in []listed) error) error {
	h := make([]int, 0, len(lists)) // a heap by account
	less := func(a, b int) bool {
		x, y := lists[a], lists[b]
		return cmp.Or(compareRaw(x.form, y.form, x.raw, y.raw), cmp.Compare(a, b)) < 0
	}
	down := func(i int) {
		for {
			k := 2*i + 1
			if k >= len(h) {
				return
			}
			if k+1 < len(h) && less(h[k+1], h[k]) {
				k++
			}
			if !less(h[k], h[i]) {
				return
			}
			h[i], h[k] = h[k], h[i]
			i = k
		}
	}
	for i, l := range lists {
		if l.next() {
			h = append(h, i)
		} else if l.err != nil {
			return l.err
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		down(i)
	}
	var raw [64]byte
	var in []listed
	for len(h) > 0 {
		first := lists[h[0]]
		form, same := first.form, raw[:copy(raw[:], first.raw)]
		count := 0
		in = in[:0]
		for len(h) > 0 && lists[h[0]].form == form && bytes.Equal(lists[h[0]].raw, same) {
			l := lists[h[0]]
			count += int(l.count)
			in = append(in, listed{h[0], l.number})
			if !l.next() {
				if l.err != nil {
					return l.err
				}
				h[0] = h[len(h)-1]
				h = h[:len(h)-1]
			}
			down(0)
		}
		if err := use(form, same, count, in); err != nil {
			return err
		}
	}
	return nil
}

// openLists opens the lists of epochs; close ends them.
func (j *rewriteJob) openLists(of []*epoch) (lists []*accountList, close func(), err error) {
	var files []file
	close = func() {
		for _, f := range files {
			f.Close()
		}
	}
	for _, e := range of {
		f, err := j.disk.open(j.l.path(e.listName()), false)
		if err != nil {
			close()
			return nil, nil, err
		}
		files = append(files, f)
		info, err := f.Stat()
		if err != nil {
			close()
			return nil, nil, errs.Wrap("import", e.listName(), err)
		}
		lists = append(lists, &accountList{window: newWindow(f, e.listName(), 0, info.Size()), left: e.count})
	}
	return lists, close, nil
}

// nameAccounts gives references to the accounts of one chain's runs: those
// they have, or new ones written to d. Each epoch's go into a file of its own.
func (j *rewriteJob) nameAccounts(id chain.ID, of []*epoch, d *dictionaryWriter) error {
	for _, e := range of {
		if err := e.list(j); err != nil {
			return err
		}
	}
	n := &namer{job: j, chain: id, refs: map[string]uint64{}}
	lists, done, err := j.openLists(of)
	if err != nil {
		return err
	}
	err = eachAccount(lists, n.look)
	done()
	if err != nil {
		return err
	}
	n.isKnown.align()
	for _, f := range n.frequent {
		n.group(d, f[0], len(f)-1)
		n.refs[string(f)] = d.add(f[1:])
	}
	n.last = 0
	return j.writeRefs(of, n, d)
}

// namer goes over the accounts of one chain twice: once to find the new ones
// that occur often, which come first, and once to name them all.
type namer struct {
	job      *rewriteJob
	chain    chain.ID
	isKnown  bitWriter // what the first pass found in the dictionary
	frequent [][]byte  // form and bytes
	refs     map[string]uint64
	last     uint16 // form and length of the group begun
	at       int
	key      []byte
}

func (n *namer) group(d *dictionaryWriter, form byte, width int) {
	if g := uint16(form)<<8 | uint16(width); g != n.last {
		n.last = g
		d.group(n.chain, chain.Form(form), width)
	}
}

func (n *namer) known(form byte, raw []byte) (AccountRef, bool, error) {
	a, ok := chain.NewAccount(n.chain, chain.Form(form), raw)
	if !ok {
		return 0, false, errs.New("import", errs.Corrupt, string(n.chain), "a run holds an account of no known form", "import again")
	}
	ref, found := n.job.names.find(a)
	return ref, found, nil
}

func (n *namer) look(form byte, raw []byte, count int, _ []listed) error {
	_, ok, err := n.known(form, raw)
	bit := uint64(0)
	if ok {
		bit = 1
	} else if count >= oftenSeen {
		n.frequent = append(n.frequent, append([]byte{form}, raw...))
	}
	n.isKnown.put(bit, 1)
	return err
}

// name is the reference of the next account.
func (n *namer) name(d *dictionaryWriter, form byte, raw []byte, count int) (uint64, error) {
	was := n.isKnown.b[n.at/8]>>(n.at%8)&1 == 1
	n.at++
	switch {
	case was:
		ref, _, err := n.known(form, raw)
		return uint64(ref), err
	case count >= oftenSeen:
		n.key = append(append(n.key[:0], form), raw...)
		return n.refs[string(n.key)], nil
	}
	n.group(d, form, len(raw))
	return d.add(raw), nil
}

func (j *rewriteJob) writeRefs(of []*epoch, n *namer, d *dictionaryWriter) error {
	lists, done, err := j.openLists(of)
	if err != nil {
		return err
	}
	defer done()
	outs := make([]*runWriter, len(of))
	for i, e := range of {
		f, err := j.disk.create(j.l.path(e.refsName()))
		if err != nil {
			return err
		}
		defer f.Close()
		outs[i] = &runWriter{f: f, b: make([]byte, 0, runBuf)}
	}
	err = eachAccount(lists, func(form byte, raw []byte, count int, in []listed) error {
		ref, err := n.name(d, form, raw, count)
		for _, l := range in {
			w := outs[l.epoch]
			w.spill()
			w.b = binary.LittleEndian.AppendUint32(w.b, l.number)
			w.b = binary.LittleEndian.AppendUint64(w.b, ref)
		}
		return err
	})
	for _, w := range outs {
		w.flush()
		err = cmpErr(err, w.err)
	}
	return err
}
