package findings

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
	"bongsu/trace"
)

// Said is what an author stated of the thefts of a run before.
type Said struct {
	// Statements are the newest versions of findings and movements by id.
	Statements map[string]Version
	// Get reads the newest version of a statement of the author's, of a run
	// too; errs.NotExist when there is none.
	Get func(id string) (stix.Object, error)
}

// Version is the newest version of a statement, without its words.
type Version struct {
	Says              [sha256.Size]byte // see stix.Finding.Says, stix.Movement.Says
	Created, Modified time.Time
	Revoked           bool
	Erased            bool // its payload is gone: it is not said again
}

// Telling is all that a run says, worked out once: comparing it with what was
// said is cheap. It does not change.
type Telling struct {
	run        *trace.Run
	thefts     []string
	statements []statement
}

// statement is one finding or movement of a run. An old one was there before
// anybody watched: it is said only where it was said before.
type statement struct {
	id     string
	says   [sha256.Size]byte
	old    bool
	where  string // for errors
	object func(stix.Common) (stix.Object, error)
}

// Tell works out what a run says; the parameters are those of Drafts.
func Tell(run, before *trace.Run, author identity.OrgID, final Final) *Telling {
	t := &Telling{run: run, thefts: theftsOf(run)}
	for _, f := range All(run) {
		if !slices.Contains(t.thefts, f.Theft) {
			continue // traced from an account, not from a stated theft
		}
		f.Author = author
		t.statements = append(t.statements, statement{
			stix.FindingID(f), f.Says(), false, f.Account.String(),
			func(c stix.Common) (stix.Object, error) { f.Common = c; return f.Object() },
		})
	}
	for _, m := range movements(run, before, author, final) {
		t.statements = append(t.statements, statement{
			m.ID, m.Says(), m.old, m.Tx,
			func(c stix.Common) (stix.Object, error) { m.Common = c; return m.Object() },
		})
	}
	return t
}

// Drafts is the difference between what the run says and what was said.
func (t *Telling) Drafts(c stix.Common, said Said) ([]journal.Draft, error) {
	d := drafting{c: c, run: t.run, said: said, now: make(map[string]bool, len(t.statements))}
	for i := range t.statements {
		s := &t.statements[i]
		if _, stated := said.Statements[s.id]; s.old && !stated {
			continue
		}
		if err := d.state(s); err != nil {
			return nil, errs.Wrap("findings", s.where, err)
		}
	}
	if err := d.revoke(t.run.Result.Digest); err != nil {
		return nil, err
	}
	for _, id := range t.thefts {
		if err := d.add(d.runOf(id)); err != nil {
			return nil, err
		}
	}
	return d.out, nil
}

// Withdraw takes back all that stands of said, and last the run that it rests
// on: its theft was taken back.
func Withdraw(c stix.Common, said Said, run string) ([]journal.Draft, error) {
	d := drafting{c: c, said: said}
	if err := d.revoke(""); err != nil {
		return nil, err
	}
	o, err := said.Get(run)
	if err != nil {
		return nil, errs.Wrap("findings", run, err)
	}
	r, err := stix.ReadRun(o)
	if err != nil {
		return nil, err
	}
	r.Modified, r.Revoked = later(c.Modified, r.Modified), true
	err = d.add(r.Object())
	return d.out, err
}

// drafting gathers the statements of one run.
type drafting struct {
	c    stix.Common
	run  *trace.Run
	said Said
	now  map[string]bool
	out  []journal.Draft
}

// state adds what is new or changed, as a new version of what stands.
func (d *drafting) state(s *statement) error {
	d.now[s.id] = true
	c := d.c
	c.ID = s.id
	if old, ok := d.said.Statements[s.id]; ok {
		if old.Erased || !old.Revoked && old.Says == s.says {
			return nil
		}
		c.Created, c.Modified = old.Created, later(c.Modified, old.Modified)
	}
	return d.add(s.object(c))
}

func (d *drafting) add(o stix.Object, err error) error {
	if err != nil {
		return err
	}
	d.out = append(d.out, journal.Draft{Object: o, Marking: d.c.Marking})
	return nil
}

// revoke takes back what stands and the run of this digest no longer says; ""
// is no run.
func (d *drafting) revoke(digest string) error {
	var gone []string
	for id, v := range d.said.Statements {
		if !d.now[id] && !v.Revoked && !v.Erased {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	for _, id := range gone {
		o, err := d.said.Get(id)
		if err != nil {
			return errs.Wrap("findings", id, err)
		}
		if err := d.add(revocation(o, later(d.c.Modified, o.Modified), digest)); err != nil {
			return errs.Wrap("findings", id, err)
		}
	}
	return nil
}

// revocation is the version of a finding or movement that takes it back, by a
// run where one did.
func revocation(o stix.Object, at time.Time, digest string) (stix.Object, error) {
	if f, err := stix.ReadFinding(o); err == nil {
		f.Modified, f.Revoked, f.Trace = at, true, cmp.Or(digest, f.Trace)
		return f.Object()
	}
	m, err := stix.ReadMovement(o)
	if err != nil {
		return stix.Object{}, err
	}
	m.Modified, m.Revoked, m.Trace = at, true, cmp.Or(digest, m.Trace)
	return m.Object()
}

// later is the time of a new version: now, but always after the old version.
func later(now, old time.Time) time.Time {
	if now.After(old) {
		return now
	}
	return old.Add(time.Millisecond)
}
