package ledger

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// Accounts that occur often get the low references of an import's new ones:
// they stand in most rows, where a low number takes fewer bits.
const oftenSeen = 64

// accountList reads the sorted accounts at the head of a run.
type accountList struct {
	r     *bufio.Reader
	left  int
	form  byte
	raw   []byte
	buf   [64]byte
	count uint64
	err   error
}

func newAccountList(f file, info *runInfo) *accountList {
	return &accountList{r: bufio.NewReaderSize(io.NewSectionReader(f, 0, info.AtBlocks), 1<<16), left: info.Accounts}
}

func (l *accountList) next() bool {
	if l.left == 0 || l.err != nil {
		return false
	}
	l.left--
	l.form, _ = l.r.ReadByte()
	n, _ := l.r.ReadByte()
	l.raw = l.buf[:min(n, 64)]
	if _, l.err = io.ReadFull(l.r, l.raw); l.err == nil {
		l.count, l.err = binary.ReadUvarint(l.r)
	}
	return l.err == nil
}

// eachAccount merges the runs' lists: use gets every account once with how
// often it occurs, and where its number in each run should be put.
func eachAccount(lists []*accountList, use func(form byte, raw []byte, count uint64, in []int) error) error {
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
	var in []int
	for len(h) > 0 {
		first := lists[h[0]]
		form, same := first.form, raw[:copy(raw[:], first.raw)]
		count := uint64(0)
		in = in[:0]
		for len(h) > 0 && lists[h[0]].form == form && bytes.Equal(lists[h[0]].raw, same) {
			l := lists[h[0]]
			count += l.count
			in = append(in, h[0])
			if !l.next() {
				if l.err != nil {
					return l.err
				}
				h[0] = h[len(h)-1]
				h = h[:len(h)-1]
			}
			if len(h) > 0 {
				down(0)
			}
		}
		if err := use(form, same, count, in); err != nil {
			return err
		}
	}
	return nil
}

// importRun is a run that is open for reading.
type importRun struct {
	info runInfo
	f    file
	refs string // the file of its accounts' references
}

// nameAccounts gives references to the accounts of one chain's runs: those
// they have, or new ones written to d. Each run's go into a file of its own.
func (j *rewriteJob) nameAccounts(id chain.ID, runs []*importRun, d *dictionaryWriter) error {
	lists := func() (out []*accountList) {
		for _, r := range runs {
			out = append(out, newAccountList(r.f, &r.info))
		}
		return out
	}
	known := func(form byte, raw []byte) (AccountRef, bool, error) {
		a, ok := chain.NewAccount(id, chain.Form(form), raw)
		if !ok {
			return 0, false, errs.New("import", errs.Corrupt, string(id), "a run holds an account of no known form", "import again")
		}
		ref, found := j.names.find(a)
		return ref, found, nil
	}
	// Once to find the new ones that occur often, which come first, and once
	// to name them all; what is known already is remembered in between.
	var isKnown bitWriter
	var frequent [][]byte
	err := eachAccount(lists(), func(form byte, raw []byte, count uint64, _ []int) error {
		_, ok, err := known(form, raw)
		bit := uint64(0)
		if ok {
			bit = 1
		} else if count >= oftenSeen {
			frequent = append(frequent, append([]byte{form}, raw...))
		}
		isKnown.put(bit, 1)
		return err
	})
	if err != nil {
		return err
	}
	refOf := map[string]uint64{}
	group := uint16(0)
	for _, f := range frequent {
		if g := uint16(f[0])<<8 | uint16(len(f)-1); g != group {
			group = g
			d.group(id, chain.Form(f[0]), len(f)-1)
		}
		refOf[string(f)] = d.add(f[1:])
	}
	isKnown.align()
	return j.writeRefs(id, runs, lists(), isKnown.b, refOf, d, known)
}

func (j *rewriteJob) writeRefs(id chain.ID, runs []*importRun, lists []*accountList, isKnown []byte, frequent map[string]uint64,
	d *dictionaryWriter, known func(byte, []byte) (AccountRef, bool, error),
) error {
	outs := make([]*runWriter, len(runs))
	for i, r := range runs {
		f, err := j.disk.create(j.l.path(r.refs))
		if err != nil {
			return err
		}
		defer f.Close()
		outs[i] = &runWriter{f: f, e: encoder{b: make([]byte, 0, 1<<16)}}
	}
	n, group := 0, uint16(0)
	key := make([]byte, 0, 64)
	err := eachAccount(lists, func(form byte, raw []byte, count uint64, in []int) error {
		was := isKnown[n/8]>>(n%8)&1 == 1
		n++
		var ref uint64
		if was {
			r, _, err := known(form, raw)
			if err != nil {
				return err
			}
			ref = uint64(r)
		} else if count >= oftenSeen {
			key = append(append(key[:0], form), raw...)
			ref = frequent[string(key)]
		} else {
			if g := uint16(form)<<8 | uint16(len(raw)); g != group {
				group = g
				d.group(id, chain.Form(form), len(raw))
			}
			ref = d.add(raw)
		}
		for _, i := range in {
			w := outs[i]
			w.e.b = binary.LittleEndian.AppendUint64(w.e.b, ref)
			if len(w.e.b) >= 1<<16-8 {
				w.flush()
			}
		}
		return nil
	})
	for _, w := range outs {
		w.flush()
		err = cmpErr(err, w.err)
	}
	return err
}

// readRefs loads a run's references.
func readRefs(f file, n int) ([]uint64, error) {
	b := make([]byte, 8*n)
	if _, err := f.ReadAt(b, 0); err != nil && n > 0 {
		return nil, err
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return out, nil
}

// lazyRun opens its run's accounts only when its first block's turn comes, and
// lets go of them after its last.
type lazyRun struct {
	job  *rewriteJob
	run  *importRun
	r    *runReader
	stub mergedBlock
}

func (z *lazyRun) head() (*mergedBlock, bool) {
	if z.r == nil {
		return &z.stub, z.run.info.From != chain.NoBlock
	}
	return z.r.head()
}

func (z *lazyRun) advance() error {
	if z.r == nil {
		z.stub.state.number = z.run.info.From
		if z.stub.txs == nil { // the first call: its place is known, no more
			z.stub.txs = []mergedTx{}
			return nil
		}
	}
	if err := z.r.advance(); err != nil {
		return err
	}
	if !z.r.more {
		z.r.accounts = nil
	}
	return nil
}

// load opens the run, when its first block is to be read.
func (z *lazyRun) load() error {
	if z.r != nil {
		return nil
	}
	f, err := z.job.disk.open(z.job.l.path(z.run.refs), false)
	if err != nil {
		return err
	}
	defer f.Close()
	info := &z.run.info
	z.r = &runReader{info: *info, idLen: idLen(info.Chain), in: io.NewSectionReader(z.run.f, info.AtBlocks, info.Bytes-info.AtBlocks)}
	if z.r.accounts, err = readRefs(f, info.Accounts); err != nil {
		return errs.Wrap("import", info.Name, err)
	}
	for _, a := range info.Assets {
		z.r.assets = append(z.r.assets, z.job.asset(a))
	}
	return z.r.advance()
}

// loader is a source that must be told when it is first read.
type loader interface{ load() error }

var _ = []blockSource{&lazyRun{}, &runReader{}, &segmentSource{}, &listSource{}}

// sortedRuns puts runs in order of their first block.
func sortedRuns(runs []*importRun) {
	slices.SortFunc(runs, func(a, b *importRun) int { return cmp.Compare(a.info.From, b.info.From) })
}
