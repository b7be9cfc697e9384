package ledger

import (
	"fmt"
	"os"

	"bongsu/errs"
)

// successor is the head that follows a job's commit. It is made ready before
// the job takes the folder's lock, so that whoever commits waits only for what
// was committed last to be written and applied again.
type successor struct {
	log   *headLog // of what the old one holds that is not in a segment now; no slot says so yet
	names *names
	head  *head
	seen  headLog // the old log, up to what was taken over
	again bool    // whether to apply everything anew, because something was rolled back
}

// successor writes what stays in the head, and the manifest as it will be but
// for what is committed meanwhile.
func (j *rewriteJob) successor(rest *Facts) (*successor, error) {
	records, err := j.leftovers()
	if err != nil {
		return nil, err
	}
	j.describe(rest)
	below, nm, err := openSegments(j.l.dir, &j.next, j.head.below, j.names.base)
	if err != nil {
		return nil, err
	}
	log, err := j.l.newHead(&j.next, j.log.seq)
	if err != nil {
		return nil, err
	}
	s := &successor{log: log, names: nm, head: newHead(nm, below), seen: j.log}
	for _, r := range records {
		if err = s.add(r); err != nil {
			break
		}
	}
	if err = cmpErr(err, s.follow()); err != nil {
		s.drop()
		return nil, err
	}
	return s, nil
}

// add writes and applies a record.
func (s *successor) add(r *record) error {
	s.again = s.again || r.kind == recordRollback
	if err := s.log.write(r.encode()); err != nil || s.again {
		return err
	}
	_, err := s.head.apply(r, false)
	return err
}

// takeOver adds what was committed up to a place in the old log.
func (s *successor) takeOver(log *headLog) error {
	err := log.read(s.seen.end, s.seen.seq, s.add)
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
func (j *rewriteJob) swap(s *successor, rest *Facts) error {
	l := j.l
	if l.manifest.Generation != j.old.Generation {
		return errs.New("commit", errs.Conflict, l.dir, "another process wrote segments meanwhile", "let one version of bongsu at a time write, then try again")
	}
	if err := l.checkCommit(rest); err != nil {
		return err
	}
	if err := s.takeOver(l.log); err != nil {
		return err
	}
	unnamed := *rest
	unnamed.Claims, unnamed.Assets = nil, nil // the manifest has them
	if !unnamed.empty() {
		if err := s.add(&record{kind: recordFacts, facts: &unnamed}); err != nil {
			return err
		}
	}
	if err := s.log.finish(); err != nil {
		return err
	}
	if err := l.commitManifest(&j.next); err != nil {
		return err
	}
	if s.again {
		return l.refresh()
	}
	return l.succeed(&j.next, s)
}

// succeed puts a successor in place whose manifest is committed. mu is held.
func (l *Ledger) succeed(m *manifest, s *successor) error {
	info, err := os.Stat(l.path(manifestName))
	if err != nil {
		return errs.Wrap("commit", l.dir, err)
	}
	l.log.f.Close()
	l.manifest, l.info, l.log, l.names, l.head = m, info, s.log, s.names, s.head
	s.log = nil
	l.head.beside = l.settler != nil
	l.read, l.seq, l.lookAt = l.log.end, l.log.seq, 0
	l.announce()
	return nil
}
