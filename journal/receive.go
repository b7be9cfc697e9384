package journal

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"golang.org/x/mod/sumdb/tlog"
)

// Received tells what became of one item.
type Received struct {
	Seq       uint64 // in the partner's feed
	Sent      Entry  // the author's envelope
	Entry     *Entry // our entry in LogJournal; nil when nothing but the leaf is stored
	Refused   string // why nothing was stored but the leaf
	Erased    bool   // the author erased it before it came here: nothing but the leaf
	Duplicate bool   // stored before, or stated before by the same author: Entry is the one that stands
}

// Receive stores a partner's batch in one transaction: the mirror of his feed,
// his checkpoint, our statements (author: the partner, From: his feed), and
// the views. log is the feed's name at the author's.
//
// Exactly once: items below the mirror's size are compared and skipped; a gap
// is errs.Conflict with the position to ask for in its hint. When the leaves do not
// add up to a checkpoint signed by a key of org that holds now, errs.Forged and
// nothing is stored. An item that breaks its own rules (payload that does not
// match the commitment, malformed object, another version under the same
// modified time) is refused by itself, with the reason in Received. A
// tombstone erases here what it erased at the author's.
func (j *Journal) Receive(ctx context.Context, org identity.OrgID, log string, b Batch) ([]Received, error) {
	var out []Received
	err := j.Update(ctx, func(ctx context.Context, tx *Tx) (err error) {
		out, err = tx.Receive(ctx, org, log, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range out {
		if r.Sent.Act != Erase || r.Refused != "" {
			continue
		}
		// The erasure stands; a long reader only delays the overwriting.
		if err := j.store.Scrub(ctx); err != nil && errs.Is(err) != errs.Unavailable {
			return out, err
		}
		break
	}
	return out, nil
}

// Receive is Journal.Receive in this transaction.
func (tx *Tx) Receive(ctx context.Context, org identity.OrgID, log string, b Batch) ([]Received, error) {
	r, err := tx.receiver(ctx, org, log, b)
	if err != nil {
		return nil, err
	}
	out := make([]Received, 0, len(b.Items))
	for i, it := range b.Items {
		got, err := r.item(ctx, b.First+uint64(i), it)
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, r.close(ctx, b)
}

// receiver is the state of one batch being received.
type receiver struct {
	tx   *Tx
	org  identity.Org
	log  *logState // the mirror
	head Checkpoint
	old  uint64 // the mirror's size before
}

// receiver checks what can be checked before any item is read.
func (tx *Tx) receiver(ctx context.Context, org identity.OrgID, log string, b Batch) (*receiver, error) {
	where := origin(org, log)
	switch {
	case org == tx.j.own:
		return nil, errs.New("receive", errs.Forged, where, "a partner presents our own feed", "check the partner's document")
	case len(b.Items) > MaxBatch:
		return nil, errs.New("receive", errs.Limit, where, fmt.Sprintf("more than %d statements in one batch", MaxBatch), "the partner must send smaller ones")
	case b.First > maxSeq || b.First+uint64(len(b.Items)) != b.Size:
		return nil, errs.New("receive", errs.Invalid, where, "the batch does not add up to its size", "ask for it again")
	}
	doc, err := tx.OrgByID(ctx, org)
	if err != nil {
		return nil, err
	}
	r := &receiver{tx: tx, org: doc}
	if r.head, err = OpenCheckpoint(doc, log, b.Checkpoint); err != nil {
		return nil, err
	}
	// A thief of an old key can write any time into a checkpoint; what counts
	// is that the key still holds when we see it.
	if cert, ok := doc.Certificate(r.head.Serial); !ok || !doc.Holds(cert, tx.now) {
		return nil, r.forged("it is signed by a key that is no longer valid")
	}
	if r.head.Size != b.Size {
		return nil, r.forged("its checkpoint is for another size")
	}
	if r.log, err = tx.log(ctx, org, log); err != nil {
		return nil, err
	}
	r.old = r.log.size()
	if b.First > r.old {
		return nil, errs.New("receive", errs.Conflict, where, fmt.Sprintf("it begins at %d; %d are stored", b.First, r.old), fmt.Sprintf("ask from %d on", r.old))
	}
	return r, nil
}

func (r *receiver) forged(why string) error {
	return errs.New("receive", errs.Forged, origin(r.org.ID, r.head.Log), why, "nothing of it was stored; ask "+r.org.Name+" by another way")
}

// item mirrors one leaf and states what it carries.
func (r *receiver) item(ctx context.Context, seq uint64, it Item) (Received, error) {
	e, err := ParseEnvelope(it.Envelope)
	if err != nil {
		return Received{}, errs.Wrap("receive", fmt.Sprintf("%s/%d", origin(r.org.ID, r.head.Log), seq), err)
	}
	if e.Log != r.head.Log || e.Seq != seq || e.Author != r.org.ID {
		return Received{}, r.forged(fmt.Sprintf("the envelope at %d speaks of another place or author", seq))
	}
	got := Received{Seq: seq, Sent: e}
	leaf := leafHash(it.Envelope)
	if seq < r.old {
		return r.again(ctx, got, leaf)
	}
	if err := insertLeaf(ctx, r.tx.st, r.log, e, it.Envelope); err != nil {
		return Received{}, err
	}
	if got.Refused = it.Refused; got.Refused != "" {
		return got, nil
	}
	if it.Payload == nil {
		got.Erased = true
		return got, nil
	}
	o, why := check(e, it)
	if got.Refused = why; why != "" {
		return got, nil
	}
	return r.state(ctx, got, o, it, leaf)
}

// check holds an item's payload to its envelope and returns what is wrong.
func check(e Entry, it Item) (stix.Object, string) {
	if Commit(it.Salt, it.Payload) != e.Commit {
		return stix.Object{}, "the payload is not the one its author committed to"
	}
	o, err := stix.Parse(it.Payload)
	if err != nil {
		return stix.Object{}, err.Error()
	}
	if o.ID != e.ID || o.Type != e.Type || o.Version() != e.Version || o.Revoked != e.Revoked {
		return stix.Object{}, "the payload is not the object that the envelope names"
	}
	if (e.Act == Erase) != (o.Type == stix.TypeErasure) {
		return stix.Object{}, "only a tombstone carries an erasure, and nothing else"
	}
	return o, ""
}

// state appends a checked item to our journal.
func (r *receiver) state(ctx context.Context, got Received, o stix.Object, it Item, leaf tlog.Hash) (Received, error) {
	e := got.Sent
	e.Marking = max(e.Marking, o.Marking)
	e.From = &Source{Org: r.org.ID, Log: e.Log, Seq: e.Seq, Leaf: leaf, Time: e.Time}
	l, err := r.tx.log(ctx, r.tx.j.own, LogJournal)
	if err != nil {
		return got, err
	}
	old, ok, err := r.tx.standing(ctx, l, e, it.Payload)
	switch {
	case errs.Is(err) == errs.Conflict:
		got.Refused = err.Error()
		return got, nil
	case err != nil:
		return got, err
	case ok:
		got.Entry, got.Duplicate = &old, true
		return got, nil
	}
	if e.Act == Erase {
		if why, err := r.erase(ctx, o); err != nil || why != "" {
			got.Refused = why
			return got, err
		}
	}
	e, err = r.tx.put(ctx, l, e, it.Salt, it.Payload)
	got.Entry = &e
	return got, err
}

// erase follows a partner's tombstone: only what he sent by this feed himself.
// What we passed on gets tombstones of ours in those feeds.
func (r *receiver) erase(ctx context.Context, o stix.Object) (refused string, err error) {
	er, err := stix.ReadErasure(o)
	if err != nil {
		return err.Error(), nil
	}
	var c Commitment
	var stored []byte
	if er.Log != r.head.Log || er.Seq >= r.log.size() || !fromHex(c[:], er.Commitment) {
		return "the tombstone names nothing in this feed", nil
	}
	if err := r.tx.st.QueryRow(ctx, "SELECT commitment FROM entries WHERE log=? AND seq=?", r.log.row, int64(er.Seq)).Scan(&stored); err != nil {
		return "", err
	}
	if !bytes.Equal(stored, c[:]) {
		return "the tombstone names another commitment than the entry's", nil
	}
	sites, err := r.tx.sites(ctx, c)
	if err != nil {
		return "", err
	}
	for _, s := range sites {
		if s.log == LogJournal {
			continue // the partner's own tombstone stands there
		}
		target := Entry{ID: er.Statement, Commit: c, Marking: o.Marking}
		if _, err := r.tx.bury(ctx, s, target, "", er.Reason); err != nil {
			return "", err
		}
	}
	return "", r.tx.st.Exec(ctx, "DELETE FROM payloads WHERE commitment=?", c[:])
}

// again compares an item with what is stored at its position.
func (r *receiver) again(ctx context.Context, got Received, leaf tlog.Hash) (Received, error) {
	h, err := storedHashes(ctx, r.tx.st, r.log.row).ReadHashes([]int64{tlog.StoredHashIndex(0, int64(got.Seq))})
	if err != nil {
		return got, err
	}
	if h[0] != leaf {
		return got, r.forged(fmt.Sprintf("entry %d is another than the one sent before: the feed was rewritten", got.Seq))
	}
	got.Duplicate = true
	l, err := r.tx.log(ctx, r.tx.j.own, LogJournal)
	if err != nil {
		return got, err
	}
	found, err := queryStatements(ctx, r.tx.st, selectStatements+"WHERE e.commitment=? AND e.log=? ORDER BY e.seq LIMIT 1", got.Sent.Commit[:], l.row)
	if err == nil && len(found) == 1 {
		got.Entry = &found[0].Entry
	}
	return got, err
}

// close compares the root and keeps the author's checkpoint.
func (r *receiver) close(ctx context.Context, b Batch) error {
	var root tlog.Hash
	var err error
	if b.Size == r.log.size() {
		root, err = r.log.tree.root()
	} else {
		root, err = tlog.TreeHash(int64(b.Size), storedHashes(ctx, r.tx.st, r.log.row))
	}
	if err != nil {
		return err
	}
	if root != r.head.Root {
		return r.forged("the statements do not add up to the signed checkpoint " + hex.EncodeToString(r.head.Root[:8]))
	}
	if b.Size != r.log.size() || !r.log.dirty {
		return nil
	}
	if r.head.Time.After(r.log.time) {
		r.log.time = r.head.Time
	}
	return saveLog(ctx, r.tx.st, r.log, b.Checkpoint)
}
