package share

import (
	"context"
	"sync"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// fillAtOnce is how many statements one transaction puts on feeds, all feeds
// together, and looks at for one feed that is behind (one that just became
// active). What is more is left to Run, in steps of the same size, so that no
// append takes long.
const fillAtOnce = 2000

// View is the journal's view that fills the feeds: hand it to journal.Open in
// every process that appends, and to New. It is safe for use by many
// goroutines.
type View struct {
	keys  *identity.Keys
	self  identity.OrgID
	clock func() time.Time
	limit int // bytes of a statement that is shared

	mu     sync.Mutex              // owns the fields below
	parsed map[string]parsedBundle // by agreement id
	fills  map[string]uint64       // how often this process put something on a feed, by agreement id
}

// filled says how often this process put something on a feed: what changed
// since it was last asked is worth a look at once.
func (v *View) filled(id string) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.fills[id]
}

func (v *View) noteFilled(id string) {
	v.mu.Lock()
	v.fills[id]++
	v.mu.Unlock()
}

type parsedBundle struct {
	modified int64
	ag       *agreement.Agreement
}

var _ journal.View = (*View)(nil)

// NewView makes the view of the organisation whose keys these are. clock is
// time.Now when nil.
func NewView(keys *identity.Keys, clock func() time.Time) *View {
	if clock == nil {
		clock = time.Now
	}
	return &View{
		keys: keys, self: keys.ID(), clock: clock, limit: DefaultLimits().StatementBytes,
		parsed: map[string]parsedBundle{}, fills: map[string]uint64{},
	}
}

// Name is the prefix of the view's tables.
func (v *View) Name() string { return "share" }

// Version is the version of the view's tables.
func (v *View) Version() int { return 1 }

// Apply reads what statements say about partners, agreements and receipts, and
// puts on each feed what its agreement lets through.
func (v *View) Apply(ctx context.Context, tx *journal.Tx, statements []journal.Statement) error {
	for _, st := range statements {
		if err := v.note(ctx, tx, st); err != nil {
			return errs.Wrap("share", st.ID, err)
		}
	}
	_, err := v.fill(ctx, tx, statements, newBudget(statements))
	return err
}

// note keeps what one statement says about sharing itself.
func (v *View) note(ctx context.Context, tx *journal.Tx, st journal.Statement) error {
	switch {
	case st.Act != journal.State || st.Erased:
		return nil
	case st.From != nil:
		return v.noteReceived(ctx, tx, st)
	case st.Type == stix.TypePartner:
		return v.notePartner(ctx, tx, st)
	case st.Type == stix.TypeAgreement:
		return v.noteAgreement(ctx, tx, st)
	case st.Type == stix.TypeReceipt:
		return v.noteOwnReceipt(ctx, tx, st)
	}
	return nil
}

func (v *View) notePartner(ctx context.Context, tx *journal.Tx, st journal.Statement) error {
	o, err := st.Object()
	if err != nil {
		return err
	}
	p, err := stix.ReadPartner(o)
	if err != nil {
		return err
	}
	gone := 0
	if p.Revoked {
		gone = 1
	}
	return tx.Exec(ctx, `INSERT INTO share_partner (org, name, fingerprint, address, since, gone, document) VALUES (?,?,?,?,?,?,?)
		ON CONFLICT (org) DO UPDATE SET name=excluded.name, fingerprint=excluded.fingerprint, address=excluded.address,
		gone=excluded.gone, document=excluded.document`,
		string(p.Org), p.Name, p.Fingerprint, p.Address, micros(p.Created), gone, nonNil(p.Document))
}

// noteAgreement keeps the newest bundle of an agreement. The feed of a new one
// starts with the journal's first statement.
func (v *View) noteAgreement(ctx context.Context, tx *journal.Tx, st journal.Statement) error {
	o, err := st.Object()
	if err != nil {
		return err
	}
	a, err := stix.ReadAgreement(o)
	if err != nil {
		return err
	}
	ag, err := agreement.ParseBundle(a.Document)
	if err != nil {
		return err
	}
	other, ok := ag.Document.Other(v.self)
	if !ok {
		return errs.New("share", errs.Invalid, st.ID, "an agreement of others", "")
	}
	var old int64
	known := tx.QueryRow(ctx, `SELECT modified FROM share_agreement WHERE id=?`, st.ID).Scan(&old) == nil
	modified := max(micros(o.Modified), old+1)
	if !known {
		if err := v.recall(ctx, tx, st.ID); err != nil {
			return err
		}
	}
	return tx.Exec(ctx, `INSERT INTO share_agreement (id, partner, bundle, modified, next, since) VALUES (?,?,?,?,0,?)
		ON CONFLICT (id) DO UPDATE SET bundle=excluded.bundle, modified=excluded.modified`,
		st.ID, string(other.ID), a.Document, modified, micros(st.Time))
}

// recall reads back what is on an agreement's feed already, when the view is
// made anew over an old journal: nothing goes on a feed twice.
func (v *View) recall(ctx context.Context, tx *journal.Tx, id string) error {
	feed := feedOf(id)
	size, err := tx.Size(ctx, feed)
	for from := uint64(0); err == nil && from < size; {
		var batch []journal.Statement
		if batch, err = tx.Read(ctx, feed, from, fillAtOnce); err != nil || len(batch) == 0 {
			break
		}
		for _, st := range batch {
			if err = v.noteSent(ctx, tx, id, st.Entry, sentFrom{st.ID, st.Version}); err != nil {
				return err
			}
		}
		from += uint64(len(batch))
	}
	return err
}

// sentFrom is the statement that an entry of a feed stands for.
type sentFrom struct {
	statement, version string
}

// noteSent keeps that an entry of the feed stands for that statement.
func (v *View) noteSent(ctx context.Context, tx *journal.Tx, id string, e journal.Entry, from sentFrom) error {
	return tx.Exec(ctx, `INSERT OR IGNORE INTO share_sent (agreement, pos, statement, version, act, type, committed) VALUES (?,?,?,?,?,?,?)`,
		id, int64(e.Seq), from.statement, from.version, string(e.Act), e.Type, micros(e.Time))
}

// noteReceived keeps where a partner's statement came from, and takes its
// receipts into the counts.
func (v *View) noteReceived(ctx context.Context, tx *journal.Tx, st journal.Statement) error {
	answered := 0
	if st.Type == stix.TypeReceipt { // a receipt is not answered by a receipt
		answered = 1
	}
	err := tx.Exec(ctx, `INSERT OR IGNORE INTO share_received (org, log, pos, statement, version, seq, at, committed, answered) VALUES (?,?,?,?,?,?,?,?,?)`,
		string(st.From.Org), st.From.Log, int64(st.From.Seq), st.ID, st.Version, int64(st.Seq), micros(st.Time), micros(st.From.Time), answered)
	if err != nil || st.Type != stix.TypeReceipt {
		return err
	}
	o, err := st.Object()
	if err != nil {
		return err
	}
	r, err := stix.ReadReceipt(o)
	if err != nil || r.Feed != st.From.Log {
		return err // a receipt for another feed than the pair's own says nothing
	}
	return tx.Exec(ctx, `INSERT OR REPLACE INTO share_receipt (agreement, pos, state, org, statement, at, ms, reason, seq) VALUES (?,?,?,?,?,?,?,?,?)`,
		agreementOf(r.Feed), int64(r.Position), r.State, string(st.From.Org), r.Statement, micros(r.At), max(r.Ms, 0), r.Reason, int64(st.Seq))
}

// noteOwnReceipt keeps what we answered.
func (v *View) noteOwnReceipt(ctx context.Context, tx *journal.Tx, st journal.Statement) error {
	o, err := st.Object()
	if err != nil {
		return err
	}
	r, err := stix.ReadReceipt(o)
	if err != nil {
		return err
	}
	if err := tx.Exec(ctx, `INSERT OR IGNORE INTO share_answer (log, pos, state) VALUES (?,?,?)`, r.Feed, int64(r.Position), r.State); err != nil {
		return err
	}
	var partner string
	if tx.QueryRow(ctx, `SELECT partner FROM share_agreement WHERE id=?`, agreementOf(r.Feed)).Scan(&partner) != nil {
		return nil
	}
	return tx.Exec(ctx, `UPDATE share_received SET answered=1 WHERE org=? AND log=? AND pos=?`, partner, r.Feed, int64(r.Position))
}

// agreement parses a bundle once for each version of it. The signatures were
// verified before it was stated.
func (v *View) agreement(id string, modified int64, bundle []byte) (*agreement.Agreement, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p, ok := v.parsed[id]; ok && p.modified == modified {
		return p.ag, nil
	}
	ag, err := agreement.ParseBundle(bundle)
	if err != nil {
		return nil, err
	}
	v.parsed[id] = parsedBundle{modified, ag}
	return ag, nil
}

func feedOf(agreementID string) string { return journal.FeedPrefix + agreementID }

func agreementOf(feed string) string { return feed[min(len(journal.FeedPrefix), len(feed)):] }

func micros(t time.Time) int64 { return t.UnixMicro() }

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
