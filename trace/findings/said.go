package findings

import (
	"crypto/sha256"
	"slices"
	"time"

	"bongsu/errs"
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

// drafting gathers the statements of one run.
type drafting struct {
	c    stix.Common
	run  *trace.Run
	said Said
	now  map[string]bool
	out  []journal.Draft
}

// state adds what is new or changed, as a new version of what stands.
func (d *drafting) state(id string, says [sha256.Size]byte, object func(stix.Common) (stix.Object, error)) error {
	d.now[id] = true
	c := d.c
	c.ID = id
	if old, ok := d.said.Statements[id]; ok {
		if old.Erased || !old.Revoked && old.Says == says {
			return nil
		}
		c.Created, c.Modified = old.Created, later(c.Modified, old.Modified)
	}
	return d.add(object(c))
}

func (d *drafting) add(o stix.Object, err error) error {
	if err != nil {
		return err
	}
	d.out = append(d.out, journal.Draft{Object: o, Marking: d.c.Marking})
	return nil
}

// revoke takes back what stands and the run no longer says.
func (d *drafting) revoke() error {
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
		if err := d.add(revocation(o, later(d.c.Modified, o.Modified), d.run.Result.Digest)); err != nil {
			return errs.Wrap("findings", id, err)
		}
	}
	return nil
}

// revocation is the version of a finding or movement that takes it back, by a
// run.
func revocation(o stix.Object, at time.Time, digest string) (stix.Object, error) {
	if f, err := stix.ReadFinding(o); err == nil {
		f.Modified, f.Revoked, f.Trace = at, true, digest
		return f.Object()
	}
	m, err := stix.ReadMovement(o)
	if err != nil {
		return stix.Object{}, err
	}
	m.Modified, m.Revoked, m.Trace = at, true, digest
	return m.Object()
}

// later is the time of a new version: now, but always after the old version.
func later(now, old time.Time) time.Time {
	if now.After(old) {
		return now
	}
	return old.Add(time.Millisecond)
}
