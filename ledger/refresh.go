package ledger

import (
	"os"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// refresh takes over what was committed, by whom ever. mu is held.
func (l *Ledger) refresh() error {
	if l.closed {
		return errs.New("read ledger", errs.Usage, l.dir, "the ledger is closed", "open it again")
	}
	for {
		if err := l.newManifest(); err != nil {
			return err
		}
		moved, err := l.log.refresh()
		if err != nil || !moved && l.read == l.log.end {
			return err
		}
		// A manifest that gives references may have come before these records.
		if info, err := os.Stat(l.path(manifestName)); err == nil && sameFile(info, l.info) {
			_, err = l.catchUp(l.seq)
			return err
		}
	}
}

// newManifest takes over a manifest that replaced the one that was read.
func (l *Ledger) newManifest() error {
	for {
		info, err := os.Stat(l.path(manifestName))
		if err != nil {
			return errs.Wrap("read ledger", l.dir, err)
		}
		if sameFile(info, l.info) {
			return nil
		}
		err = l.reopen()
		if err == nil {
			return nil
		}
		if again, e := os.Stat(l.path(manifestName)); e != nil || sameFile(again, info) {
			return err // not because the manifest changed under us
		}
	}
}

// reopen loads the manifest and what it names.
func (l *Ledger) reopen() error {
	m, info, err := readManifest(l.dir)
	if err != nil {
		return err
	}
	if l.head != nil && m.namesOnly(l.manifest) {
		base, err := openDictionaries(l.dir, m.Dictionaries, l.names.base, m.larger(l.dir))
		if err != nil {
			return err
		}
		l.rename(m, info, base)
		return nil
	}
	f, err := l.opt.disk.open(l.path(m.Head), !l.opt.ReadOnly)
	if err != nil {
		return err
	}
	log, err := openHead(f, m.Head, m.HeadGen)
	if err != nil {
		f.Close()
		return err
	}
	var old *segments
	var base *dictionary
	if l.head != nil {
		old, base = l.head.below, l.names.base
	}
	below, nm, err := openSegments(l.dir, m, old, base)
	if err != nil {
		f.Close()
		return err
	}
	if l.head != nil && m.follows(l.log, l.seq) {
		nm.goOn(l.names)
		stay := m.Before.stays()
		l.goOn(m, info, log, l.head.carry(stay, stay.layers(l.head.layers, below, nm), below, nm))
		return nil
	}
	l.read, l.seq = headData, m.HeadSeq
	l.put(m, info, log, newHead(nm, below))
	return nil
}

// put puts in place what a manifest names; read and seq say how much of the log
// is in the head. mu is held.
func (l *Ledger) put(m *manifest, info os.FileInfo, log *headLog, h *head) {
	if l.log != nil {
		l.log.f.Close()
	}
	l.manifest, l.info, l.log, l.names, l.head = m, info, log, h.names, h
	l.head.beside, l.lookAt = l.settler != nil, 0
	l.announce()
}

// goOn does so where the head goes on from the one before. mu is held.
func (l *Ledger) goOn(m *manifest, info os.FileInfo, log *headLog, h *head) {
	l.read, l.seq = l.read+m.Before.Bytes, l.seq+m.Before.Kept
	l.put(m, info, log, h)
}

// openSegments opens what the manifest names and is not open in old and base,
// which may be nil.
func openSegments(dir string, m *manifest, old *segments, base *dictionary) (*segments, *names, error) {
	s, nm := noSegments(), newNames()
	open := map[uint64]*segment{}
	if old != nil {
		for _, seg := range old.list {
			open[seg.number] = seg
		}
	}
	larger := m.larger(dir)
	var err error
	for i := range m.Segments {
		seg := open[m.Segments[i].Number]
		if seg == nil {
			if seg, err = openSegment(dir, m.Segments[i].Number); err != nil {
				return nil, nil, err
			}
			for _, sh := range seg.sheets() {
				sh.readAnywhere(larger)
			}
		}
		s.add(seg)
	}
	if nm.base, err = openDictionaries(dir, m.Dictionaries, base, larger); err != nil {
		return nil, nil, err
	}
	for _, a := range m.AssetNames {
		nm.asset(a)
	}
	for _, c := range m.Claims {
		id := RefOfChain(c.Chain)
		s.claims[id] = append(s.claims[id], c)
	}
	for _, a := range m.Assets {
		if err := s.registry.Add(chain.AssetInfo(a)); err != nil {
			return nil, nil, err
		}
	}
	for _, r := range m.Live {
		s.live[RefOfChain(r.Chain)] = &liveChain{blocks: r.Blocks, final: r.Final, known: r.Known}
	}
	return s, nm, nil
}

// openDictionaries opens the files of these numbers that are not open in old,
// which may be nil; it is old when that has the same.
func openDictionaries(dir string, numbers []uint64, old *dictionary, larger bool) (*dictionary, error) {
	open := map[uint64]*dictionaryFile{}
	if old != nil {
		for _, f := range old.files {
			open[f.Number] = f
		}
		if slices.EqualFunc(old.files, numbers, func(f *dictionaryFile, n uint64) bool { return f.Number == n }) {
			return old, nil
		}
	}
	d := &dictionary{}
	for _, n := range numbers {
		f := open[n]
		if f == nil {
			var err error
			if f, err = openDictionary(dir, n); err != nil {
				return nil, err
			}
			f.sheet.readAnywhere(larger)
		}
		d = d.with(f)
	}
	return d, nil
}

// catchUp applies the records that were committed since, one after the other, and
// says what those behind record after changed. A head that holds what the log does
// not is read anew before anybody sees it.
func (l *Ledger) catchUp(after uint64) (stats Stats, err error) {
	defer func() {
		if caught(recover(), &err); err != nil {
			l.info = nil
		}
	}()
	seq := l.seq
	apply := func(r *record, dead bool) error {
		s, err := l.head.apply(r, dead)
		if seq++; seq > after {
			stats.add(s)
		}
		return err
	}
	again := false // what a rollback takes back is left out from the start
	err = l.log.read(l.read, l.seq, func(r *record) error {
		if again = again || r.kind == recordRollback; again {
			return nil
		}
		return apply(r, false)
	})
	if err == nil && again {
		l.head = newHead(l.names, l.head.below)
		l.head.beside = l.settler != nil
		stats, seq = Stats{}, l.manifest.HeadSeq
		err = l.log.readLiving(l.manifest.HeadSeq, apply)
	}
	if err != nil {
		return stats, err
	}
	l.read, l.seq = l.log.end, l.log.seq
	l.announce()
	return stats, nil
}

func (s *Stats) add(t Stats) {
	s.Added += t.Added
	s.AlreadyThere += t.AlreadyThere
	s.Improved += t.Improved
	s.Txs += t.Txs
	s.Blocks += t.Blocks
	s.Accounts += t.Accounts
}

// readLiving decodes the committed records, the first after record seq, and calls
// use with each and whether a later one takes it back.
func (h *headLog) readLiving(seq uint64, use func(r *record, dead bool) error) error {
	var brief []record
	if err := h.scan(headData, seq, func(rec []byte) error {
		r, err := decodeBrief(rec[recordHeader:])
		brief = append(brief, r)
		return err
	}); err != nil {
		return err
	}
	dead, i := rolledBack(brief), 0
	return h.read(headData, seq, func(r *record) error {
		i++
		return use(r, dead[i-1])
	})
}

// rolledBack marks the live records that a later record takes back.
func rolledBack(records []record) []bool {
	dead := make([]bool, len(records))
	for i, r := range records {
		if r.kind != recordRollback {
			continue
		}
		for j, earlier := range records[:i] {
			if earlier.kind == recordLive && earlier.block.Chain == r.chain && earlier.block.Number > r.number {
				dead[j] = true
			}
		}
	}
	return dead
}
