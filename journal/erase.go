package journal

import (
	"context"
	"fmt"

	"bongsu/errs"
	"bongsu/stix"
)

// Erase removes the payload and salt of every entry that commits to the same
// payload as the named one (sequence in LogJournal), own feeds included, and
// appends a tombstone to each of those own logs, in one transaction. It returns
// the tombstone in LogJournal. The bytes are overwritten in the database and
// its write-ahead log; when a long reader keeps the latter from being emptied,
// the erasure stands and Erase returns the tombstone with errs.Unavailable.
func (j *Journal) Erase(ctx context.Context, seq uint64, actor, reason string) (Entry, error) {
	var tombstone Entry
	err := j.Update(ctx, func(ctx context.Context, tx *Tx) (err error) {
		tombstone, err = tx.erase(ctx, seq, actor, reason)
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return tombstone, j.store.Scrub(ctx)
}

func (tx *Tx) erase(ctx context.Context, seq uint64, actor, reason string) (Entry, error) {
	l, err := tx.log(ctx, tx.j.own, LogJournal)
	if err != nil {
		return Entry{}, err
	}
	where := fmt.Sprintf("%s/%d", LogJournal, seq)
	found, err := statementsFrom(ctx, tx.st, l.row, seq, 1)
	switch {
	case err != nil:
		return Entry{}, err
	case len(found) == 0 || found[0].Seq != seq:
		return Entry{}, errs.New("erase", errs.NotExist, where, "there is no such entry", "check the position")
	case found[0].Erased:
		return Entry{}, errs.New("erase", errs.Exist, where, "it is erased already", "")
	case found[0].Act == Erase:
		return Entry{}, errs.New("erase", errs.Usage, where, "a tombstone cannot be erased: it is what keeps the proofs whole", "")
	}
	target := found[0].Entry
	sites, err := tx.sites(ctx, target.Commit)
	if err != nil {
		return Entry{}, err
	}
	var tombstone Entry
	for _, s := range sites {
		e, err := tx.bury(ctx, s, target, actor, reason)
		if err != nil {
			return Entry{}, err
		}
		if s.log == LogJournal && s.seq == seq {
			tombstone = e
		}
	}
	return tombstone, tx.st.Exec(ctx, "DELETE FROM payloads WHERE commitment=?", target.Commit[:])
}

// site is one own entry that commits to a payload.
type site struct {
	log string
	seq uint64
}

// sites finds the own entries of a commitment, in all own logs.
func (tx *Tx) sites(ctx context.Context, c Commitment) ([]site, error) {
	rows, err := tx.st.Query(ctx, "SELECT l.name, e.seq FROM entries e JOIN logs l ON l.id = e.log WHERE e.commitment=? AND l.org=? ORDER BY l.id, e.seq", c[:], string(tx.j.own))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []site
	for rows.Next() {
		var s site
		var seq int64
		if err := rows.Scan(&s.log, &seq); err != nil {
			return nil, err
		}
		s.seq = uint64(seq)
		out = append(out, s)
	}
	return out, rows.Err()
}

// bury appends the tombstone of one entry to that entry's log. A feed's
// tombstone does not name who erased it: that stays inside.
func (tx *Tx) bury(ctx context.Context, s site, target Entry, actor, reason string) (Entry, error) {
	o, err := stix.Erasure{
		Common:    stix.Common{Author: tx.j.own, Modified: tx.now, Marking: target.Marking},
		Statement: target.ID, Log: s.log, Seq: s.seq, Commitment: target.Commit.String(), Reason: reason,
	}.Object()
	if err != nil {
		return Entry{}, err
	}
	d := Draft{Log: s.log, Object: o, Actor: actor, Recipients: target.Recipients}
	if s.log != LogJournal {
		d.Actor = ""
	}
	e, err := d.entry(tx.j.own)
	if err != nil {
		return Entry{}, err
	}
	e.Act = Erase
	var salt Salt
	if err := tx.j.opt.Rand(salt[:]); err != nil {
		return Entry{}, errs.Wrap("erase", target.ID, err)
	}
	e.Commit = Commit(salt, o.Raw)
	l, err := tx.log(ctx, tx.j.own, s.log)
	if err != nil {
		return Entry{}, err
	}
	return tx.put(ctx, l, e, salt, o.Raw)
}
