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
// those that the head log has gathered, merged with segments as plan says.
// Whoever does one holds mergeLock, so that no other manifest comes between; the
// folder's lock only while it looks at what there is and while it commits.
// Readers and commits go on meanwhile.
type rewriteJob struct {
	l        *Ledger
	disk     disk
	old      *manifest
	from     *head   // what it begins with
	head     *head   // a copy of it that does not change
	log      headLog // as it was
	names    *names
	accounts []chain.Account // that the head had named
	next     manifest
	assets   map[chain.Asset]AssetRef
	cuts     map[ChainRef]uint64 // blocks from here stay in the head
	stays    map[ChainRef][]*segment
	stats    Stats
}

// snapshot is what a job begins with. mu and the folder's lock are held.
func (l *Ledger) snapshot() *rewriteJob {
	j := &rewriteJob{
		l: l, disk: l.opt.disk, old: l.manifest, log: *l.log, names: l.names, accounts: l.names.accountList(),
		next: *l.manifest, assets: map[chain.Asset]AssetRef{}, cuts: map[ChainRef]uint64{},
	}
	frozen := *l.head
	frozen.loose.slots = slices.Clone(frozen.loose.slots)
	j.from, j.head = l.head, &frozen
	j.from.fence = len(j.from.layers)
	j.next.Before = nil
	j.next.Generation++
	j.next.AssetNames = slices.Clip(j.names.assetList())
	for i, a := range j.next.AssetNames {
		j.assets[a] = AssetRef(i + 1)
	}
	for id, live := range j.head.live {
		j.cuts[id] = live.cut()
	}
	return j
}

// rewrite moves what is final in the head, when that is enough, and the runs
// into segments, and rest into the head. It says whether there was something to
// do. The caller holds mergeLock and not the folder's lock.
func (l *Ledger) rewrite(ctx context.Context, runs []*importRun, rest pieces) (stats Stats, done bool, err error) {
	named, err := l.nameRuns(ctx, runs)
	if err != nil {
		return stats, false, err
	}
	defer named.drop()
	l.pause()
	var j *rewriteJob
	err = l.write(ctx, func() error {
		if named != nil {
			if err := named.commit(); err != nil {
				return err
			}
		}
		j = l.snapshot()
		return nil
	})
	if err != nil {
		return stats, false, err
	}
	defer j.end()
	p := l.opt.policy()
	if named == nil && !j.head.due(p) {
		return stats, false, nil
	}
	j.stays = j.head.staying(p)
	if err := l.sweep(j.old); err != nil {
		return stats, false, err
	}
	if named != nil {
		j.stats.Accounts = named.count
	}
	next, err := j.build(ctx, runs, rest)
	if err != nil {
		return j.stats, false, err
	}
	defer next.drop()
	l.pause()
	if err := l.write(ctx, func() error { return j.swap(next, rest) }); err != nil {
		return j.stats, false, err
	}
	return j.stats, true, l.sweep(&j.next)
}

// end lets layers be merged again where the job did not put others in place.
func (j *rewriteJob) end() {
	j.l.mu.Lock()
	defer j.l.mu.Unlock()
	j.from.fence = 0
}

// pause lets tests do something while a job is under way.
func (l *Ledger) pause() {
	if l.opt.meanwhile != nil {
		l.opt.meanwhile()
	}
}

// build writes the new files, and makes ready what follows the head.
func (j *rewriteJob) build(ctx context.Context, runs []*importRun, rest pieces) (next *successor, err error) {
	defer func() { caught(recover(), &err) }()
	if err := j.dictionary(); err != nil {
		return nil, err
	}
	if err := j.segments(ctx, runs); err != nil {
		return nil, err
	}
	return j.successor(rest)
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

// moves says whether a block of the head goes into a segment.
func (j *rewriteJob) moves(id ChainRef, block uint64) bool {
	return block < j.cutOf(id) && !slices.ContainsFunc(j.stays[id], func(s *segment) bool { return s.From <= block && block <= s.To })
}

// movesTx says the same of a transaction. What a block that is not final says
// of one in a final block can still be taken back, and keeps it in the head.
func (j *rewriteJob) movesTx(s *txState) bool {
	return s.live < j.cutOf(s.name.chain) && j.moves(s.name.chain, s.block)
}

// dictionary takes over what the head named, under the same references.
func (j *rewriteJob) dictionary() error {
	base, err := j.l.writeListed(j.names.base, j.number(), j.accounts)
	if err != nil {
		return err
	}
	if base.len() > j.names.base.len() {
		j.next.Dictionaries = append(slices.Clip(j.next.Dictionaries), base.files[len(base.files)-1].Number)
		nm := newNames()
		nm.base = base
		j.names = nm
	}
	return j.mergeDictionary()
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
	sortedRuns(runs)
	for _, r := range runs { // what is rewritten anyway takes the head's rows along
		j.stays[id] = slices.DeleteFunc(j.stays[id], func(s *segment) bool { return r.info.From <= s.To && r.info.To >= s.From })
	}
	fromHead := headBlocks(j.head.layers, id, func(block uint64) bool { return j.moves(id, block) }, j.movesTx)
	sources := []blockSource{fromHead}
	p := newPlan(j.head.below.byChain[id], j.l.opt.policy())
	var headRows, runRowsIn uint64
	for i := range fromHead.blocks {
		headRows += p.block(&fromHead.blocks[i])
	}
	defer func() {
		for _, r := range runs {
			r.epoch.numbers.free() // of an epoch that was not read to its end
		}
	}()
	for _, r := range runs {
		sources = append(sources, newLazyRun(j, r, len(runs)))
		p.run(&r.info)
		runRowsIn += r.info.Rows
		for _, a := range r.info.Assets {
			j.names.asset(a)
			j.asset(a)
		}
	}
	kept, merged := p.decide()
	if len(merged) == 0 && len(runs) == 0 && len(fromHead.blocks) == 0 {
		for _, s := range kept {
			j.next.Segments = append(j.next.Segments, s.segmentInfo)
		}
		return nil
	}
	var before, beforeTxs uint64
	for _, seg := range p.list {
		before += seg.Rows
		beforeTxs += seg.Txs
	}
	for _, seg := range merged {
		sources = append(sources, &segmentSource{s: seg})
	}
	out := &segmentOutput{job: j, id: chainOfRef(id), kept: kept}
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
	if infos, err = j.unite(ctx, kept, infos); err != nil {
		return err
	}
	var total, txs uint64
	for _, info := range infos {
		total += info.Rows
		txs += info.Txs
	}
	j.next.Segments = append(j.next.Segments, infos...)
	added := total - min(total, before+headRows)
	j.stats.Added += added
	j.stats.AlreadyThere += runRowsIn - min(runRowsIn, added)
	j.stats.Txs += txs - min(txs, beforeTxs)
	return nil
}

// sweep removes files that no manifest names: what a crash left, and what a
// rewrite replaced. mergeLock is held since the manifest was read: nobody else
// makes such files. What belongs to imports under way stays.
func (l *Ledger) sweep(m *manifest) error {
	keep := map[string]bool{m.Head: true}
	for _, s := range m.Segments {
		for _, part := range s.parts() {
			keep[segmentFile(s.Number, part)] = true
		}
	}
	for _, n := range m.Dictionaries {
		keep[dictionaryName(n)] = true
	}
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return errs.Wrap("open ledger", l.dir, err)
	}
	for _, e := range entries {
		name := e.Name()
		ours := strings.HasPrefix(name, "segment-") || strings.HasPrefix(name, "accounts-") || strings.HasPrefix(name, "head-") ||
			name == manifestName+".new"
		if ours && !keep[name] {
			if err := l.opt.disk.remove(filepath.Join(l.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
