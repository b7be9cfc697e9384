package ledger

import (
	"fmt"
	"os"

	"bongsu/errs"
)

// successor is the head that follows a job's commit. It is made ready before
// the job takes the folder's lock, so that whoever commits waits only for what
// was committed meanwhile to be written and applied again.
type successor struct {
	log   *headLog // of what the old one holds that is not in a segment now; no slot says so yet
	names *names
	head  *head
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
	s := &successor{log: log, names: nm, head: newHead(nm, below)}
	for _, r := range records {
		err := log.write(r.encode())
		if err == nil {
			_, err = s.head.apply(r, false)
		}
		if err != nil {
			s.drop()
			return nil, err
		}
	}
	return s, nil
}

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
	var later []*record
	again := false // whether to apply everything anew
	if err := l.log.read(j.log.end, j.log.seq, func(r *record) error {
		again = again || r.kind == recordRollback
		later = append(later, r)
		return nil
	}); err != nil {
		return err
	}
	unnamed := *rest
	unnamed.Claims, unnamed.Assets = nil, nil // the manifest has them
	if !unnamed.empty() {
		later = append(later, &record{kind: recordFacts, facts: &unnamed})
	}
	for _, r := range later {
		if err := s.log.write(r.encode()); err != nil {
			return err
		}
	}
	if err := s.log.finish(); err != nil {
		return err
	}
	if err := l.commitManifest(&j.next); err != nil {
		return err
	}
	if again {
		if err := l.refresh(); err != nil {
			return err
		}
		return l.sweep()
	}
	for _, r := range later {
		if _, err := s.head.apply(r, false); err != nil {
			return err
		}
	}
	if err := l.succeed(&j.next, s); err != nil {
		return err
	}
	return l.sweep()
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
