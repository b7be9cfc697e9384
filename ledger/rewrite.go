package ledger

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// rewriteJob moves placed facts into segments: those of an import's runs and
// those that the head log has gathered, merged with the segments whose ranges
// they touch. The folder's lock is held throughout; nobody else commits, and
// readers go on with what there was.
type rewriteJob struct {
	l      *Ledger
	disk   disk
	old    *manifest
	head   *head
	log    headLog // as it was
	names  *names
	next   manifest
	assets map[chain.Asset]AssetRef
	cuts   map[ChainRef]uint64 // blocks from here stay in the head
	stats  Stats
}

// rewrite commits the runs, and rest into the head. mu is not held.
func (l *Ledger) rewrite(ctx context.Context, runs []*importRun, rest *Facts) (Stats, error) {
	j := &rewriteJob{l: l, disk: l.opt.disk, assets: map[chain.Asset]AssetRef{}, cuts: map[ChainRef]uint64{}}
	if err := l.locked(ctx, func() error {
		j.old, j.head, j.names, j.log = l.manifest, l.head, l.names, *l.log
		return l.sweep()
	}); err != nil {
		return j.stats, err
	}
	j.next = *j.old
	j.next.Generation++
	j.next.AssetNames = slices.Clip(j.names.assetList())
	for i, a := range j.next.AssetNames {
		j.assets[a] = AssetRef(i + 1)
	}
	for id, live := range j.head.live {
		j.cuts[id] = live.cut()
	}
	if err := j.accounts(runs); err != nil {
		return j.stats, err
	}
	if err := j.segments(ctx, runs); err != nil {
		return j.stats, err
	}
	records, err := j.leftovers(rest)
	if err != nil {
		return j.stats, err
	}
	j.describe(rest)
	if err := l.commitManifest(&j.next, j.log.seq, records...); err != nil {
		return j.stats, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return j.stats, err
	}
	return j.stats, l.sweep()
}

// cut is the first block that is not final.
func (c *liveChain) cut() uint64 {
	for i := range c.blocks {
		if !c.known || c.blocks[i].Number > c.final {
			return c.blocks[i].Number
		}
	}
	return math.MaxUint64
}

func (j *rewriteJob) cutOf(id ChainRef) uint64 {
	if c, ok := j.cuts[id]; ok {
		return c
	}
	return math.MaxUint64
}

func (j *rewriteJob) asset(a chain.Asset) AssetRef {
	if r, ok := j.assets[a]; ok {
		return r
	}
	j.next.AssetNames = append(j.next.AssetNames, a)
	r := AssetRef(len(j.next.AssetNames))
	j.assets[a] = r
	return r
}

func (j *rewriteJob) number() uint64 {
	j.next.NextFile++
	return j.next.NextFile - 1
}

// accounts writes a dictionary of what the head named and what is new.
func (j *rewriteJob) accounts(runs []*importRun) error {
	listed := j.names.accountList()
	first := j.names.base.len() + 1
	number := j.number()
	d, err := newDictionaryWriter(j.disk, j.l.dir, number, first)
	if err != nil {
		return err
	}
	d.listed(listed)
	before := d.next
	for id, of := range runsByChain(runs) {
		if err := j.nameAccounts(id, of, d); err != nil {
			d.w.abandon()
			return err
		}
	}
	j.stats.Accounts = d.next - before
	info, err := d.close()
	if err != nil {
		return err
	}
	if info.Count == 0 {
		j.next.NextFile--
		return j.disk.remove(j.l.path(dictionaryName(number)))
	}
	f, err := openDictionary(j.l.dir, number)
	if err != nil {
		return err
	}
	base := &dictionary{}
	if j.names.base != nil {
		*base = *j.names.base
	}
	base.files = append(slices.Clip(base.files), f)
	base.count += f.Count
	nm := newNames()
	nm.base = base
	j.next.Dictionaries = append(slices.Clip(j.next.Dictionaries), number)
	j.names = nm
	return nil
}

func runsByChain(runs []*importRun) map[chain.ID][]*importRun {
	out := map[chain.ID][]*importRun{}
	for _, r := range runs {
		out[r.info.Chain] = append(out[r.info.Chain], r)
	}
	return out
}

// segments merges, chain by chain.
func (j *rewriteJob) segments(ctx context.Context, runs []*importRun) error {
	byChain := runsByChain(runs)
	seen := map[ChainRef]bool{}
	for id := range byChain {
		seen[RefOfChain(id)] = true
	}
	for _, l := range j.head.layers {
		for id := range l.blocks {
			seen[id] = true
		}
	}
	j.next.Segments = nil
	for _, info := range j.old.Segments {
		if !seen[RefOfChain(info.Chain)] {
			j.next.Segments = append(j.next.Segments, info)
		}
	}
	for id := range seen {
		if err := j.chain(ctx, id, byChain[chainOfRef(id)]); err != nil {
			return err
		}
	}
	return nil
}

// chain merges the sources of one chain with the segments they touch.
func (j *rewriteJob) chain(ctx context.Context, id ChainRef, runs []*importRun) error {
	for _, a := range j.next.AssetNames {
		j.names.asset(a) // the same numbers in the same order
	}
	sorter := placeSorter{j.names}
	fromHead := headBlocks(j.head.layers, id, j.cutOf(id), sorter)
	sources := []blockSource{fromHead}
	from, to, rows := uint64(math.MaxUint64), uint64(0), uint64(0)
	if n := len(fromHead.blocks); n > 0 {
		from, to = fromHead.blocks[0].state.number, fromHead.blocks[n-1].state.number
		for i := range fromHead.blocks {
			for k := range fromHead.blocks[i].txs {
				rows += uint64(len(fromHead.blocks[i].txs[k].moves))
			}
		}
	}
	headRows := rows
	sortedRuns(runs)
	var runRowsIn uint64
	for _, r := range runs {
		sources = append(sources, &lazyRun{job: j, run: r})
		from, to, rows = min(from, r.info.From), max(to, r.info.To), rows+r.info.Rows
		runRowsIn += r.info.Rows
		for _, a := range r.info.Assets {
			j.names.asset(a)
			j.asset(a)
		}
	}
	kept, merged := j.plan(id, from, to, rows)
	j.next.Segments = append(j.next.Segments, kept...)
	if len(merged) == 0 && len(runs) == 0 && len(fromHead.blocks) == 0 {
		return nil
	}
	var segmentRows, segmentTxs uint64
	for _, seg := range merged {
		sources = append(sources, &segmentSource{s: seg})
		segmentRows += seg.Rows
		segmentTxs += seg.Txs
	}
	out := &segmentOutput{job: j, id: chainOfRef(id)}
	err := mergeBlocks(sources, sorter, func(b *mergedBlock) error {
		if out.blocks++; out.blocks&0xff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return out.add(b)
	})
	infos, ferr := out.finish()
	if err = cmpErr(err, ferr); err != nil {
		return err
	}
	var total, txs uint64
	for _, info := range infos {
		total += info.Rows
		txs += info.Txs
	}
	j.next.Segments = append(j.next.Segments, infos...)
	added := total - min(total, segmentRows+headRows)
	j.stats.Added += added
	j.stats.AlreadyThere += runRowsIn - min(runRowsIn, added)
	j.stats.Txs += txs - min(txs, segmentTxs)
	return nil
}

// plan says which segments stay as they are and which are merged: those that
// share the range, and neighbours that are not much larger than what comes.
func (j *rewriteJob) plan(id ChainRef, from, to, rows uint64) (kept []segmentInfo, merged []*segment) {
	list := j.head.below.byChain[id]
	take := make([]bool, len(list))
	for i, seg := range list {
		if from <= to && seg.From <= to && seg.To >= from {
			take[i] = true
			rows += seg.Rows
		}
	}
	for again := true; again; { // what lies between two that are merged is too
		again = false
		for i, seg := range list {
			near := i > 0 && take[i-1] || i+1 < len(list) && take[i+1] || i == len(list)-1 && seg.To < from || i == 0 && seg.From > to
			if !take[i] && near && from <= to && seg.Rows < maxSegmentRows/2 && seg.Rows <= 4*rows && seg.Rows+rows <= maxSegmentRows {
				take[i], again = true, true
				rows += seg.Rows
			}
		}
	}
	for i, seg := range list {
		if take[i] {
			merged = append(merged, seg)
		} else {
			kept = append(kept, seg.segmentInfo)
		}
	}
	return kept, merged
}

// segmentOutput cuts merged blocks into segments. An index is built while the
// next segment is written.
type segmentOutput struct {
	job    *rewriteJob
	id     chain.ID
	w      *segmentWriter
	infos  []segmentInfo
	done   chan indexed // of the one index being built
	busy   bool
	blocks int
	err    error
}

type indexed struct {
	info segmentInfo
	err  error
}

func (o *segmentOutput) add(b *mergedBlock) error {
	if o.w == nil {
		w, err := newSegmentWriter(o.job.disk, o.job.l.dir, o.job.number(), o.id)
		if err != nil {
			return err
		}
		o.w = w
	}
	if err := o.w.add(b); err != nil {
		return err
	}
	if o.w.full() {
		o.cut()
	}
	return o.err
}

// cut ends the segment being written.
func (o *segmentOutput) cut() {
	o.wait()
	w := o.w
	o.w, o.busy = nil, true
	o.done = make(chan indexed, 1)
	go func(done chan<- indexed) {
		info, err := w.finish()
		done <- indexed{info, err}
	}(o.done)
}

func (o *segmentOutput) wait() {
	if !o.busy {
		return
	}
	r := <-o.done
	o.busy = false
	o.infos = append(o.infos, r.info)
	o.err = cmpErr(o.err, r.err)
}

func (o *segmentOutput) finish() ([]segmentInfo, error) {
	if o.w != nil {
		o.cut()
	}
	o.wait()
	return o.infos, o.err
}

// leftovers are the records of the new head log: what the old one holds that
// is not in a segment now, then rest.
func (j *rewriteJob) leftovers(rest *Facts) ([]*record, error) {
	var kept []*record
	err := j.log.read(headData, j.old.HeadSeq, func(r *record) error {
		kept = append(kept, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	dead := rolledBack(kept)
	out := []*record{}
	facts := &Facts{}
	flush := func() {
		if !facts.empty() {
			out = append(out, &record{kind: recordFacts, facts: facts})
			facts = &Facts{}
		}
	}
	for i, r := range kept {
		switch {
		case dead[i] || r.facts == nil:
		case r.kind == recordLive && r.block.Number >= j.cutOf(RefOfChain(r.block.Chain)):
			flush()
			out = append(out, r)
		default:
			j.keep(facts, r.facts)
		}
	}
	unnamed := *rest
	unnamed.Claims, unnamed.Assets = nil, nil // the manifest has them
	facts.append(&unnamed)
	flush()
	return out, nil
}

func (f *Facts) empty() bool {
	return len(f.Transfers)+len(f.Txs)+len(f.Blocks)+len(f.Notes)+len(f.UTXOs)+len(f.Assets)+len(f.Claims) == 0
}

// keep copies what did not go into a segment.
func (j *rewriteJob) keep(to, f *Facts) {
	for i := range f.Transfers {
		t := &f.Transfers[i]
		if t.Tx.IsZero() || !j.moved(t.Chain, t.Tx) {
			to.Transfers = append(to.Transfers, *t)
		}
	}
	for _, t := range f.Txs {
		if !j.moved(t.Chain, t.Tx) {
			to.Txs = append(to.Txs, t)
		}
	}
	for _, n := range f.Notes {
		if !j.moved(n.Chain, n.Tx) {
			to.Notes = append(to.Notes, n)
		}
	}
	for _, b := range f.Blocks {
		if b.Number >= j.cutOf(RefOfChain(b.Chain)) {
			to.Blocks = append(to.Blocks, b)
		}
	}
	to.UTXOs = append(to.UTXOs, f.UTXOs...)
	for _, c := range f.Claims {
		if cut := j.cutOf(RefOfChain(c.Chain)); c.To >= cut {
			c.From = max(c.From, cut)
			to.Claims = append(to.Claims, c)
		}
	}
}

// moved says whether a transaction of the head is in a segment now.
func (j *rewriteJob) moved(id chain.ID, tx chain.TxID) bool {
	ref := RefOfChain(id)
	s := j.head.find(txName{chain: ref, id: tx})
	return s != nil && s.block != chain.NoBlock && s.block < j.cutOf(ref) && s.utxo == nil
}

// describe writes what else the head said into the manifest.
func (j *rewriteJob) describe(rest *Facts) {
	m := &j.next
	m.Claims, m.Assets, m.Live = nil, nil, nil
	for _, id := range sortedKeys(j.head.claims) {
		for _, c := range j.head.claims[id] {
			if cut := j.cutOf(id); c.From < cut {
				c.To = min(c.To, cut-1)
				m.Claims = append(m.Claims, c)
			}
		}
	}
	m.Claims = append(m.Claims, rest.Claims...)
	registry := &chain.Registry{}
	for _, a := range append(j.head.registry.All(), rest.Assets...) {
		if registry.Add(a) == nil {
			continue // checked against what was known before
		}
	}
	for _, a := range registry.All() {
		m.Assets = append(m.Assets, assetRecord(a))
	}
	for _, id := range sortedKeys(j.head.live) {
		live := j.head.live[id]
		r := liveRecord{Chain: chainOfRef(id), Final: live.final, Known: live.known}
		for _, b := range live.blocks {
			if b.Number < j.cutOf(id) {
				r.Blocks = append(r.Blocks, b)
			}
		}
		m.Live = append(m.Live, r)
	}
}

func sortedKeys[V any](m map[ChainRef]V) []ChainRef {
	var out []ChainRef
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// sweep removes files that no manifest names: what a crash left, and what a
// rewrite replaced. mu and the folder's lock are held. Runs and spools of an
// import that can be resumed stay.
func (l *Ledger) sweep() error {
	keep := map[string]bool{l.manifest.Head: true}
	for _, s := range l.manifest.Segments {
		for _, part := range []string{"rows", "txs", "idx"} {
			keep[segmentFile(s.Number, part)] = true
		}
	}
	for _, n := range l.manifest.Dictionaries {
		keep[dictionaryName(n)] = true
	}
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return errs.Wrap("open ledger", l.dir, err)
	}
	for _, e := range entries {
		name := e.Name()
		ours := strings.HasPrefix(name, "segment-") || strings.HasPrefix(name, "accounts-") || strings.HasPrefix(name, "head-") ||
			strings.HasSuffix(name, ".refs") || name == manifestName+".new"
		if ours && !keep[name] {
			if err := l.opt.disk.remove(filepath.Join(l.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
