package share

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"bongsu/agreement"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"

	"github.com/google/uuid"
)

// TooLarge is the reason of a statement that is over Limits.StatementBytes.
const TooLarge agreement.Reason = "too-large"

// feed is one own feed while it is filled.
type feed struct {
	id      string
	ag      *agreement.Agreement
	partner identity.OrgID
	org     []byte // the partner's document, for sealing
	next    uint64 // sequence in the journal of the statement to look at next
}

// budget is how much one transaction still may put on feeds. The journal
// bounds a transaction; what is left over is done by the next (Service.Run).
type budget struct {
	entries, bytes int
}

// A transaction that appends more than half of that itself leaves the feeds to
// later ones: an import is not held up by its partners.
func newBudget(statements []journal.Statement) *budget {
	b := &budget{fillAtOnce, journal.MaxBatchBytes / 4}
	total := 0
	for _, st := range statements {
		total += len(st.Payload)
	}
	if len(statements) > b.entries/2 || total > b.bytes/2 {
		return &budget{}
	}
	return b
}

func (b *budget) spent() bool { return b.entries <= 0 || b.bytes <= 0 }

func (b *budget) spend(bytes int) { b.entries, b.bytes = b.entries-1, b.bytes-bytes }

// fill looks at what no active feed has looked at yet, within a budget, and
// reports whether any feed is still behind. recent are statements at hand, the
// journal's newest; may be nil.
func (v *View) fill(ctx context.Context, tx *journal.Tx, recent []journal.Statement, left *budget) (behind bool, err error) {
	size, err := tx.Size(ctx, journal.LogJournal)
	if err != nil {
		return false, err
	}
	feeds, err := v.feeds(ctx, tx, size)
	if err != nil {
		return false, err
	}
	for _, f := range feeds {
		if left.spent() {
			return true, nil
		}
		statements, err := ahead(ctx, tx, f.next, recent)
		if err != nil {
			return false, err
		}
		next, err := v.consider(ctx, tx, f, statements, left)
		if err != nil {
			return false, err
		}
		if next == f.next {
			continue
		}
		if err := tx.Exec(ctx, `UPDATE share_agreement SET next=? WHERE id=?`, int64(next), f.id); err != nil {
			return false, err
		}
		behind = behind || next < size
	}
	return behind, nil
}

// ahead returns the statements from next on: those at hand when they join on,
// else what the journal holds.
func ahead(ctx context.Context, tx *journal.Tx, next uint64, recent []journal.Statement) ([]journal.Statement, error) {
	if len(recent) > 0 && recent[0].Seq <= next {
		i, _ := slices.BinarySearchFunc(recent, next, func(s journal.Statement, n uint64) int {
			if s.Seq < n {
				return -1
			}
			return int(min(s.Seq-n, 1))
		})
		return recent[i:], nil
	}
	return tx.Read(ctx, journal.LogJournal, next, fillAtOnce)
}

// feeds lists the feeds that are active now and behind size.
func (v *View) feeds(ctx context.Context, tx *journal.Tx, size uint64) ([]feed, error) {
	rows, err := tx.Query(ctx, `SELECT a.id, a.partner, a.bundle, a.modified, a.next, p.document FROM share_agreement a
		JOIN share_partner p ON p.org = a.partner WHERE p.gone = 0 AND a.next < ? ORDER BY a.id`, int64(size))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []feed
	now := v.clock()
	for rows.Next() {
		var f feed
		var bundle []byte
		var modified, next int64
		var partner string
		if err := rows.Scan(&f.id, &partner, &bundle, &modified, &next, &f.org); err != nil {
			return nil, err
		}
		f.partner, f.next = identity.OrgID(partner), uint64(next)
		if f.ag, err = v.agreement(f.id, modified, bundle); err != nil {
			return nil, err
		}
		if f.ag.State(now) == agreement.Active {
			list = append(list, f)
		}
	}
	return list, rows.Err()
}

// consider puts on a feed what its agreement lets through, in order, and
// counts what it does not. next is where to go on.
func (v *View) consider(ctx context.Context, tx *journal.Tx, f feed, statements []journal.Statement, left *budget) (next uint64, err error) {
	var drafts []journal.Draft
	var sources []sentFrom
	next = f.next
	for i := range statements {
		st := &statements[i]
		if left.spent() {
			break
		}
		next = st.Seq + 1
		if passing(st, f) {
			continue
		}
		if sent, err := v.sent(ctx, tx, f.id, st); err != nil {
			return next, err
		} else if sent {
			continue
		}
		draft, refused, err := v.draft(st, f)
		if err != nil {
			return next, err
		}
		if refused != "" {
			if err := v.noteWithheld(ctx, tx, f.id, st, refused); err != nil {
				return next, err
			}
			continue
		}
		left.spend(max(len(st.Payload), len(draft.Object.Raw)))
		drafts, sources = append(drafts, draft), append(sources, sentFrom{st.ID, st.Version})
	}
	if len(drafts) == 0 {
		return next, nil
	}
	entries, err := tx.Append(ctx, drafts...)
	if err != nil {
		return next, err
	}
	v.noteFilled(f.id)
	for i, e := range entries {
		if err := v.noteSent(ctx, tx, f.id, e, sources[i]); err != nil {
			return next, err
		}
	}
	return next, nil
}

func (v *View) noteWithheld(ctx context.Context, tx *journal.Tx, id string, st *journal.Statement, why agreement.Reason) error {
	return tx.Exec(ctx, `INSERT OR REPLACE INTO share_withheld (agreement, seq, statement, reason) VALUES (?,?,?,?)`,
		id, int64(st.Seq), st.ID, string(why))
}

// passing reports whether a statement is none of this feed's business: not
// shared, and not counted as withheld either.
func passing(st *journal.Statement, f feed) bool {
	switch {
	case st.Act != journal.State || st.Erased: // the journal itself puts erasures on the feeds
		return true
	case st.From != nil && st.From.Org == f.partner:
		return true
	case st.Type == stix.TypePartner || st.Type == stix.TypeAgreement || st.Type == stix.TypeErasure || st.Type == stix.TypeLabelList:
		return true
	case st.Type == stix.TypeReceipt:
		o, err := st.Object()
		if err != nil {
			return true
		}
		r, err := stix.ReadReceipt(o)
		return err != nil || st.From != nil || r.Feed != feedOf(f.id)
	}
	return false
}

// sent reports whether this version of a statement is on the feed, open or
// sealed.
func (v *View) sent(ctx context.Context, tx *journal.Tx, id string, st *journal.Statement) (bool, error) {
	const open = `SELECT EXISTS (SELECT 1 FROM share_sent INDEXED BY share_sent_statement WHERE statement=? AND agreement=? AND version=? AND act='state')`
	const sealed = `SELECT EXISTS (SELECT 1 FROM share_sent INDEXED BY share_sent_statement WHERE statement=? AND agreement=?)`
	var found bool
	err := tx.QueryRow(ctx, open, st.ID, id, st.Version).Scan(&found)
	if err == nil && !found && st.Marking == stix.TLPRed {
		err = tx.QueryRow(ctx, sealed, sealedID(st, id), id).Scan(&found)
	}
	return found, err
}

// draft makes the entry of the feed for a statement, or says why there is
// none. Receipts are part of the protocol and need no policy.
func (v *View) draft(st *journal.Statement, f feed) (journal.Draft, agreement.Reason, error) {
	d := journal.Draft{Log: feedOf(f.id), Of: &st.Entry, Marking: st.Marking, Basis: st.Basis, Purpose: st.Purpose}
	if st.Type == stix.TypeReceipt {
		return d, "", nil
	}
	if len(st.Payload) > v.limit {
		return d, TooLarge, nil
	}
	about := statementOf(st.Entry)
	decision, purpose := ask(f.ag, about, f.partner, about.TLP == stix.TLPRed, v.clock())
	if !decision.Allowed {
		return d, decision.Reason, nil
	}
	d.Purpose = purpose
	if about.TLP == stix.TLPRed {
		sealed, err := v.seal(st, f)
		if err != nil {
			return d, agreement.NotSealed, nil // no key to seal to: it stays home
		}
		d.Of, d.Object = nil, sealed
		d.Recipients = []identity.OrgID{f.partner}
	}
	return d, "", nil
}

// ask evaluates for each purpose of the agreement until one is allowed.
func ask(ag *agreement.Agreement, about agreement.Statement, to identity.OrgID, sealed bool, now time.Time) (agreement.Decision, string) {
	var first agreement.Decision
	purposes := ag.Document.Terms().Purposes
	for i, purpose := range purposes {
		d := ag.Evaluate(agreement.Question{Statement: about, Recipient: to, Purpose: purpose, Sealed: sealed, At: now})
		if d.Allowed {
			return d, purpose
		}
		if i == 0 {
			first = d
		}
	}
	return first, purposes[0]
}

// statementOf is what the rules may know of an entry. What came from another
// partner is not passed on: its author's signature would not travel with it.
func statementOf(e journal.Entry) agreement.Statement {
	s := agreement.Statement{
		ID: e.ID, Kind: e.Type, TLP: e.Marking, Author: e.Author, Named: e.Recipients, LegalBasis: e.Basis, Revoked: e.Revoked,
	}
	if e.Purpose != "" {
		s.Purposes = []string{e.Purpose}
	}
	if e.From != nil {
		s.From, s.Onward = e.From.Org, agreement.OnwardNone
	}
	return s
}

// seal puts a TLP:RED statement into an envelope that only the partner opens.
// Neither the new id nor the envelope's entry tells what is inside.
func (v *View) seal(st *journal.Statement, f feed) (stix.Object, error) {
	org, err := identity.ParseOrg(f.org)
	if err != nil {
		return stix.Object{}, err
	}
	now := v.clock()
	data, err := identity.Seal(now, st.Payload, org)
	if err != nil {
		return stix.Object{}, err
	}
	return stix.Sealed{
		Common: stix.Common{ID: sealedID(st, f.id), Author: v.self, Created: now, Modified: now, Marking: stix.TLPRed},
		To:     []identity.OrgID{f.partner}, Data: data,
	}.Object()
}

// sealedID names the envelope of a statement on one feed: always the same, so
// that it goes there once, and telling nothing to who has not the salt.
func sealedID(st *journal.Statement, agreementID string) string {
	h := sha256.New()
	h.Write([]byte("bongsu-sealed/1\n"))
	h.Write(st.Salt[:])
	h.Write([]byte(agreementID))
	id := uuid.UUID(h.Sum(nil)[:16])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // in the form of a random one
	return stix.TypeSealed + "--" + id.String()
}
