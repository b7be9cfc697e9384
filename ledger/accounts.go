package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"bongsu/chain"
	"bongsu/errs"
)

// Accounts that occur often get the low references of an import's new ones:
// they stand in most rows, where a low number takes fewer bits.
const oftenSeen = 64

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
	h := heap[int]{less: func(a, b *int) bool {
		x, y := lists[*a], lists[*b]
		return cmp.Or(compareRaw(x.form, y.form, x.raw, y.raw), cmp.Compare(*a, *b)) < 0
	}}
	for i, l := range lists {
		if l.next() {
			h.push(i)
		} else if l.err != nil {
			return l.err
		}
	}
	var raw [64]byte
	var in []listed
	for len(h.list) > 0 {
		first := lists[h.list[0]]
		form, same := first.form, raw[:copy(raw[:], first.raw)]
		count := 0
		in = in[:0]
		for len(h.list) > 0 {
			i := h.list[0]
			l := lists[i]
			if l.form != form || !bytes.Equal(l.raw, same) {
				break
			}
			count += int(l.count)
			in = append(in, listed{i, l.number})
			if l.next() {
				h.fix()
				continue
			}
			if l.err != nil {
				return l.err
			}
			h.pop()
		}
		if err := use(form, same, count, in); err != nil {
			return err
		}
	}
	return nil
}

// openLists opens the lists of epochs; close ends them.
func (l *Ledger) openLists(of []*epoch) (lists []*accountList, close func(), err error) {
	var files []file
	close = func() {
		for _, f := range files {
			f.Close()
		}
	}
	for _, e := range of {
		f, err := l.opt.disk.open(l.path(e.listName()), false)
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
		lists = append(lists, &accountList{window: newWindow(f, e.listName(), 0, info.Size(), runWindow), left: e.count})
	}
	return lists, close, nil
}

// nameAccounts gives references to the accounts of one chain's runs: those
// they have, or new ones. Each epoch's go into a file of its own.
func (n *naming) nameAccounts(id chain.ID, of []*epoch) error {
	for _, e := range of {
		if err := e.list(n.l); err != nil {
			return err
		}
	}
	w := &namer{chain: id, known: n.names.known(id), refs: map[string]uint64{}}
	lists, done, err := n.l.openLists(of)
	if err != nil {
		return err
	}
	err = eachAccount(lists, w.look)
	done()
	if err != nil {
		return err
	}
	w.isKnown.align()
	for _, f := range w.frequent {
		w.group(n.dict, f[0], len(f)-1)
		w.refs[string(f)] = n.dict.add(f[1:])
	}
	w.last, w.known = 0, n.names.known(id)
	return n.writeRefs(of, w)
}

// namer goes over the accounts of one chain twice: once to find the new ones
// that occur often, which come first, and once to name them all.
type namer struct {
	chain    chain.ID
	known    *knownAccounts
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

func (n *namer) look(form byte, raw []byte, count int, _ []listed) error {
	_, ok := n.known.find(form, raw)
	bit := uint64(0)
	if ok {
		bit = 1
	} else if count >= oftenSeen {
		n.frequent = append(n.frequent, append([]byte{form}, raw...))
	}
	n.isKnown.put(bit, 1)
	return nil
}

// name is the reference of the next account.
func (n *namer) name(d *dictionaryWriter, form byte, raw []byte, count int) uint64 {
	was := n.isKnown.b[n.at/8]>>(n.at%8)&1 == 1
	n.at++
	switch {
	case was:
		ref, _ := n.known.find(form, raw)
		return uint64(ref)
	case count >= oftenSeen:
		n.key = append(append(n.key[:0], form), raw...)
		return n.refs[string(n.key)]
	}
	n.group(d, form, len(raw))
	return d.add(raw)
}

func (n *naming) writeRefs(of []*epoch, by *namer) error {
	lists, done, err := n.l.openLists(of)
	if err != nil {
		return err
	}
	defer done()
	outs := make([]*runWriter, len(of))
	for i, e := range of {
		f, err := n.l.opt.disk.create(n.l.path(e.refsName()))
		if err != nil {
			return err
		}
		defer f.Close()
		outs[i] = &runWriter{f: f, b: make([]byte, 0, runBuf)}
	}
	err = eachAccount(lists, func(form byte, raw []byte, count int, in []listed) error {
		ref := by.name(n.dict, form, raw, count)
		for _, l := range in {
			w := outs[l.epoch]
			w.spill()
			w.b = binary.LittleEndian.AppendUint32(w.b, l.number)
			w.b = binary.LittleEndian.AppendUint64(w.b, ref)
		}
		return nil
	})
	for _, w := range outs {
		w.flush()
		err = cmpErr(err, w.err)
	}
	return err
}
