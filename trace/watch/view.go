package watch

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
	"bongsu/trace/findings"
)

// View is the journal's view of what its own organisation said of thefts: the
// newest version of every finding and movement, the latest run of every theft,
// and when labels last changed. Hand it to journal.Open in every process that
// appends. It holds no words of a statement, so that erasing one leaves nothing
// behind. It is safe for use by many goroutines.
type View struct{ self identity.OrgID }

var _ journal.View = (*View)(nil)

// NewView makes the view of an organisation.
func NewView(self identity.OrgID) *View { return &View{self} }

// Name is the prefix of the view's tables.
func (v *View) Name() string { return "watch" }

// Version is the version of the view's tables.
func (v *View) Version() int { return 2 }

// tables are drawn in FORMAT.md. Times are milliseconds since 1970, UTC.
var tables = []string{
	`DROP TABLE IF EXISTS watch_said`,
	`CREATE TABLE watch_said (
		id TEXT PRIMARY KEY, theft TEXT NOT NULL, says BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
		revoked INTEGER NOT NULL, erased INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
	`CREATE INDEX watch_said_theft ON watch_said (theft)`,
	`DROP TABLE IF EXISTS watch_run`,
	`CREATE TABLE watch_run (
		theft TEXT PRIMARY KEY, id TEXT NOT NULL, digest TEXT NOT NULL, marking INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
	`CREATE INDEX watch_run_id ON watch_run (id)`,
	`DROP TABLE IF EXISTS watch_labels`,
	`CREATE TABLE watch_labels (one INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT`,
}

// Create makes the view's tables, empty.
func (v *View) Create(ctx context.Context, tx *journal.Tx) error {
	for _, q := range tables {
		if err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// Apply takes statements of the journal in order.
func (v *View) Apply(ctx context.Context, tx *journal.Tx, statements []journal.Statement) error {
	for i := range statements {
		st := &statements[i]
		if st.Author != v.self || st.From != nil {
			continue
		}
		if err := v.take(ctx, tx, st); err != nil {
			return errs.Wrap("watch", st.ID, err)
		}
	}
	return nil
}

func (v *View) take(ctx context.Context, tx *journal.Tx, st *journal.Statement) error {
	switch {
	case st.Act == journal.Erase:
		return v.forget(ctx, tx, st)
	case st.Type == stix.TypeLabelList:
		return tx.Exec(ctx, `INSERT INTO watch_labels (one, seq) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET seq=excluded.seq`, int64(st.Seq))
	case st.Erased:
		return nil // its tombstone follows
	case st.Type == stix.TypeRun:
		return v.takeRun(ctx, tx, st)
	case st.Type == "indicator":
		return v.takeSaid(ctx, tx, st)
	case st.Type == "incident" && st.Revoked:
		return tx.Exec(ctx, `UPDATE watch_run SET digest='' WHERE theft=?`, st.ID)
	}
	return nil
}

func (v *View) takeRun(ctx context.Context, tx *journal.Tx, st *journal.Statement) error {
	o, err := st.Object()
	if err != nil {
		return err
	}
	r, err := stix.ReadRun(o)
	if err != nil || r.Theft == "" {
		return err
	}
	if r.Revoked {
		return tx.Exec(ctx, `DELETE FROM watch_run WHERE id=?`, st.ID)
	}
	return tx.Exec(ctx, `INSERT INTO watch_run (theft, id, digest, marking, seq) VALUES (?,?,?,?,?)
		ON CONFLICT (theft) DO UPDATE SET id=excluded.id, digest=excluded.digest, marking=excluded.marking, seq=excluded.seq`,
		r.Theft, st.ID, r.Digest, int64(st.Marking), int64(st.Seq))
}

// takeSaid keeps the newest version of a finding or a movement; other
// indicators are no business of a watch.
func (v *View) takeSaid(ctx context.Context, tx *journal.Tx, st *journal.Statement) error {
	o, err := st.Object()
	if err != nil {
		return err
	}
	var theft string
	var says [sha256.Size]byte
	if f, err := stix.ReadFinding(o); err == nil {
		theft, says = f.Theft, f.Says()
	} else if m, err := stix.ReadMovement(o); err == nil {
		theft, says = m.Theft, m.Says()
	} else {
		return nil
	}
	revoked := 0
	if o.Revoked {
		revoked = 1
	}
	return tx.Exec(ctx, `INSERT INTO watch_said (id, theft, says, created, modified, revoked, erased) VALUES (?,?,?,?,?,?,0)
		ON CONFLICT (id) DO UPDATE SET theft=excluded.theft, says=excluded.says, created=excluded.created, modified=excluded.modified,
		revoked=excluded.revoked, erased=0`,
		o.ID, theft, says[:], o.Created.UnixMilli(), o.Modified.UnixMilli(), revoked)
}

// forget takes in a tombstone. When it is the newest version that lost its
// payload, what remains is that the statement is not to be made again: not even
// of which theft it was.
func (v *View) forget(ctx context.Context, tx *journal.Tx, st *journal.Statement) error {
	o, err := st.Object()
	if err != nil {
		return err
	}
	e, err := stix.ReadErasure(o)
	if err != nil {
		return err
	}
	newest, err := tx.GetBy(ctx, v.self, e.Statement)
	if errs.Is(err) == errs.NotExist || err == nil && !newest.Erased {
		return nil
	}
	if err != nil {
		return err
	}
	if newest.Type == "indicator" {
		return tx.Exec(ctx, `INSERT INTO watch_said (id, theft, says, created, modified, revoked, erased) VALUES (?,'',?,0,0,0,1)
			ON CONFLICT (id) DO UPDATE SET theft='', says=excluded.says, created=0, modified=0, revoked=0, erased=1`, e.Statement, []byte{})
	}
	return tx.Exec(ctx, `DELETE FROM watch_run WHERE id=?`, e.Statement)
}

// Run is the latest run that was stated of a theft.
type Run struct {
	Theft   string
	ID      string // of its statement
	Digest  string // "" when the theft was taken back, and what stands of it is to be
	Marking stix.TLP
	Seq     uint64
}

// Runs lists the latest run of every theft that has one, by theft.
func (v *View) Runs(ctx context.Context, tx *journal.Tx) ([]Run, error) {
	rows, err := tx.Query(ctx, `SELECT theft, id, digest, marking, seq FROM watch_run ORDER BY theft`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Run
	for rows.Next() {
		var r Run
		var marking, seq int64
		if err := rows.Scan(&r.Theft, &r.ID, &r.Digest, &marking, &seq); err != nil {
			return nil, err
		}
		r.Marking, r.Seq = stix.TLP(marking), uint64(seq)
		out = append(out, r)
	}
	return out, rows.Err()
}

// RunOf is the latest run of one theft; ok is false without one.
func (v *View) RunOf(ctx context.Context, tx *journal.Tx, theft string) (r Run, ok bool, err error) {
	var marking, seq int64
	err = tx.QueryRow(ctx, `SELECT theft, id, digest, marking, seq FROM watch_run WHERE theft=?`, theft).Scan(&r.Theft, &r.ID, &r.Digest, &marking, &seq)
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, false, nil
	}
	r.Marking, r.Seq = stix.TLP(marking), uint64(seq)
	return r, err == nil, err
}

// labelsAt is the sequence of the newest list of labels, 0 for none.
func (v *View) labelsAt(ctx context.Context, tx *journal.Tx) (uint64, error) {
	var seq int64
	err := tx.QueryRow(ctx, `SELECT seq FROM watch_labels WHERE one=1`).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return uint64(seq), err
}

// said is what was stated of thefts.
func (v *View) said(ctx context.Context, tx *journal.Tx, thefts []string) (findings.Said, error) {
	out := findings.Said{
		Statements: map[string]findings.Version{},
		Get: func(id string) (stix.Object, error) {
			st, err := tx.GetBy(ctx, v.self, id)
			if err != nil {
				return stix.Object{}, err
			}
			return st.Object()
		},
	}
	for _, theft := range thefts {
		if err := v.saidOf(ctx, tx, theft, out.Statements); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (v *View) saidOf(ctx context.Context, tx *journal.Tx, theft string, into map[string]findings.Version) error {
	rows, err := tx.Query(ctx, `SELECT id, says, created, modified, revoked, erased FROM watch_said WHERE theft=? OR theft=''`, theft)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var says []byte
		var created, modified int64
		var s findings.Version
		if err := rows.Scan(&id, &says, &created, &modified, &s.Revoked, &s.Erased); err != nil {
			return err
		}
		copy(s.Says[:], says)
		s.Created, s.Modified = time.UnixMilli(created).UTC(), time.UnixMilli(modified).UTC()
		into[id] = s
	}
	return rows.Err()
}
