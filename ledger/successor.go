package ledger

import (
	"fmt"
	"io/fs"
	"math"
	"slices"

	"bongsu/errs"
)

// successor is what follows the head after a job's commit. It is made ready
// before the job takes the folder's lock, so that whoever commits waits only
// for what was committed last to be written again.
type successor struct {
	log    *headLog  // of what the old one holds that is not in a segment now; no slot says so yet
	seen   headLog   // the old log, up to what was taken over
	below  *segments // the new ones
	fresh  []*segment
	names  *names
	before *passage
	stay   stays
	layers []*layer        // what stays of those that the job began with
	apart  map[*layer]bool // the layers that were seen to have nothing in common with the new segments
	meets  bool            // one has
}

// successor writes what stays in the head, and the manifest as it will be but
// for what is committed meanwhile.
func (j *rewriteJob) successor(rest pieces) (*successor, error) {
	if err := j.describe(rest); err != nil {
		return nil, err
	}
	below, nm, err := openSegments(j.l.dir, &j.next, j.head.below, j.names.base)
	if err != nil {
		return nil, err
	}
	log, err := j.l.newHead(&j.next, j.log.seq)
	if err != nil {
		return nil, err
	}
	s := &successor{log: log, names: nm, below: below, seen: j.log, apart: map[*layer]bool{}}
	err = j.leftovers(func(r *record) error { return s.log.write(r.encode()) })
	s.before = &passage{Head: j.log.name, Kept: s.log.seq - j.log.seq, Bytes: s.log.end - j.log.end, Stays: j.staying()}
	if err = cmpErr(err, s.follow()); err != nil {
		s.drop()
		return nil, err
	}
	s.settle(j)
	return s, nil
}

// staying says what stays in the head.
func (j *rewriteJob) staying() []staying {
	by := map[ChainRef]*staying{}
	of := func(id ChainRef) *staying {
		if by[id] == nil {
			by[id] = &staying{Chain: chainOfRef(id), From: math.MaxUint64}
		}
		return by[id]
	}
	for id, live := range j.head.live {
		s := of(id)
		if s.From = j.cutOf(id); s.From == math.MaxUint64 && len(live.blocks) > 0 {
			s.From = live.blocks[len(live.blocks)-1].Number + 1 // those that came meanwhile
		}
	}
	for id, list := range j.stays {
		for _, seg := range list {
			s := of(id)
			s.Within = append(s.Within, blockRange{seg.From, seg.To})
		}
	}
	var out []staying
	for _, id := range sortedKeys(by) {
		out = append(out, *by[id])
	}
	return out
}

// settle finds what stays of the layers, and whether it has something in common
// with the new segments.
func (s *successor) settle(j *rewriteJob) {
	for _, seg := range s.below.list {
		if !j.head.below.has(seg.number) {
			s.fresh = append(s.fresh, seg)
		}
	}
	s.stay = s.before.stays()
	s.layers = s.stay.layers(j.head.layers, s.below, s.names)
	for _, l := range s.layers {
		s.meets = s.meets || !s.separate(l)
	}
	for t := range j.head.loose.all {
		s.meets = s.meets || s.inSegment(&t.name)
	}
	j.l.mu.Lock()
	above, _ := s.above(j)
	j.l.mu.Unlock()
	s.goesWith(above)
}

// above are the layers that came since the job began, unless others changed.
// mu is held.
func (s *successor) above(j *rewriteJob) ([]*layer, bool) {
	if h := j.l.head; h == j.from && h.looseTurn == j.head.looseTurn {
		return h.layers[h.fence:], true
	}
	return nil, false
}

// goesWith says whether these layers and those that stay are all that is needed
// over the new segments.
func (s *successor) goesWith(above []*layer) bool {
	for _, l := range above {
		if !s.meets && !s.apart[l] {
			s.apart[l] = true
			s.meets = !s.holds(l) || !s.separate(l)
		}
	}
	return !s.meets
}

// holds says whether all of a layer is what others take for staying.
func (s *successor) holds(l *layer) bool {
	for i := range l.txs {
		if t := &l.txs[i]; !s.stay[t.name.chain].tx(t.txState) {
			return false
		}
	}
	for id, list := range l.blocks {
		for _, b := range list {
			if !s.stay[id].block(b.number) {
				return false
			}
		}
	}
	return true
}

// separate says that no transaction and no block of a layer is in a new segment.
func (s *successor) separate(l *layer) bool {
	for i := range l.txs {
		if s.inSegment(&l.txs[i].name) {
			return false
		}
	}
	for id, list := range l.blocks {
		for _, b := range list {
			for _, seg := range s.fresh {
				if seg.chain == id && seg.hasBlock(b.number) {
					return false
				}
			}
		}
	}
	return true
}

func (s *successor) inSegment(name *txName) bool {
	return !name.id.IsZero() && slices.ContainsFunc(s.fresh, func(seg *segment) bool {
		if seg.chain != name.chain {
			return false
		}
		_, ok := seg.findID(name.id)
		return ok
	})
}

// hasBlock says whether a segment holds a block.
func (s *segment) hasBlock(number uint64) bool {
	i := s.findBlock(number)
	return i < s.blockCount && s.blockNumber(i) == number
}

// takeOver writes again what was committed up to a place in the old log.
func (s *successor) takeOver(log *headLog) error {
	err := log.scan(s.seen.end, s.seen.seq, s.log.write)
	s.seen = *log
	return err
}

// follow takes over what others commit meanwhile, until it keeps up with them.
func (s *successor) follow() error {
	for range followRounds {
		now := s.seen
		moved, err := now.refresh()
		if err != nil {
			return err
		}
		if !moved {
			break
		}
		if err := s.takeOver(&now); err != nil {
			return err
		}
	}
	// As far as the old one came, so that no commit need make any.
	if err := s.log.makeRoom(s.log.end, max(s.log.end/2, s.seen.end-s.log.end)); err != nil {
		return err
	}
	return errs.Wrap("commit", s.log.name, s.log.f.Sync())
}

// followRounds is how often one looks for what was committed while one took
// over what was committed before: each time it is less.
const followRounds = 4

// drop closes the log of a successor that did not come to be.
func (s *successor) drop() {
	if s.log != nil {
		s.log.f.Close()
	}
}

// newHead makes the file of the manifest's next head log, which goes on after
// record seq.
func (l *Ledger) newHead(m *manifest, seq uint64) (*headLog, error) {
	m.HeadGen, m.HeadSeq = m.Generation, seq
	m.Head = fmt.Sprintf("head-%08d.log", m.HeadGen)
	f, err := l.opt.disk.create(l.path(m.Head))
	if err != nil {
		return nil, err
	}
	return &headLog{f: f, name: m.Head, gen: m.HeadGen, seq: seq, end: headData}, nil
}

// swap commits a job: what it moved leaves the head, what was committed
// meanwhile stays in it, and rest comes to that. mu and the folder's lock are
// held.
func (j *rewriteJob) swap(s *successor, rest pieces) error {
	l := j.l
	if l.manifest.Generation != j.old.Generation {
		return errs.New("commit", errs.Conflict, l.dir, "another process wrote segments meanwhile", "let one version of bongsu at a time write, then try again")
	}
	known, err := l.checkNews(rest)
	if err != nil {
		return err
	}
	if err := s.takeOver(l.log); err != nil {
		return err
	}
	above, ok := s.above(j)
	if ok = ok && s.goesWith(above); ok {
		j.next.Before = s.before
	}
	before := s.log.seq
	if err := l.head.newsOf(rest)(func(f *Facts) error {
		unnamed := *f
		unnamed.Claims, unnamed.Assets = nil, nil // the manifest has them
		if unnamed.empty() {
			return nil
		}
		return s.log.write((&record{kind: recordFacts, facts: &unnamed}).encode())
	}); err != nil {
		return err
	}
	if err := s.log.finish(); err != nil {
		return err
	}
	info, err := l.commitManifest(&j.next)
	if err != nil {
		return err
	}
	if ok {
		l.succeed(j, s, info, append(s.layers, above...))
	} else if err := l.newManifest(); err != nil {
		return err
	}
	stats, err := l.catchUp(before)
	j.stats.add(stats)
	j.stats.AlreadyThere += known
	return err
}

// succeed puts a successor in place whose manifest is committed. mu is held.
func (l *Ledger) succeed(j *rewriteJob, s *successor, info fs.FileInfo, layers []*layer) {
	s.names.goOn(l.names)
	l.goOn(&j.next, info, s.log, l.head.carry(s.stay, layers, s.below, s.names))
	s.log = nil
}
