package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"bongsu/errs"
	"bongsu/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// Item is one leaf of a feed on the wire.
type Item struct {
	Envelope []byte // canonical JSON, the leaf's data
	Payload  []byte // nil when erased at the author's
	Salt     Salt
	Refused  string // set by the receiver: why it does not take this statement; the leaf alone is kept
}

// Batch is a run of a feed that ends at a checkpoint.
type Batch struct {
	First      uint64 // sequence of Items[0]
	Items      []Item
	Size       uint64 // tree size of Checkpoint = First + len(Items)
	Checkpoint []byte // the author's signed note over the tree of that size
}

// batchBytes ends a batch that Batch reads, after at least one item.
const batchBytes = 8 << 20

// Batch reads up to limit items of an own log from sequence `from` on, fewer
// when they are large, with a checkpoint for exactly where they end. Empty
// when there is nothing.
func (j *Journal) Batch(ctx context.Context, log string, from uint64, limit int) (b Batch, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { b, err = tx.Batch(ctx, log, from, limit); return err })
	return b, err
}

// Batch is Journal.Batch in this transaction; a log that this transaction
// changed has no checkpoint for the change yet.
func (tx *Tx) Batch(ctx context.Context, log string, from uint64, limit int) (Batch, error) {
	l, err := tx.log(ctx, tx.j.own, log)
	if err != nil || l == nil || from >= l.size() || limit <= 0 {
		return Batch{First: from, Size: from}, err
	}
	b := Batch{First: from}
	if b.Items, err = tx.items(ctx, l, from, min(limit, MaxBatch)); err != nil {
		return Batch{}, err
	}
	b.Size = from + uint64(len(b.Items))
	b.Checkpoint, err = tx.checkpointAt(ctx, l, b.Size)
	return b, err
}

func (tx *Tx) items(ctx context.Context, l *logState, from uint64, limit int) ([]Item, error) {
	rows, err := tx.st.Query(ctx, selectStatements+"WHERE e.log=? AND e.seq>=? ORDER BY e.seq LIMIT ?", l.row, int64(from), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []Item
	for total := 0; total < batchBytes && rows.Next(); {
		var it Item
		var salt []byte
		if err := rows.Scan(&it.Envelope, &salt, &it.Payload); err != nil {
			return nil, err
		}
		if _, err := decodeStatement(it.Envelope, salt, it.Payload); err != nil {
			return nil, err // never pass on what the partner would refuse
		}
		copy(it.Salt[:], salt)
		total += len(it.Envelope) + len(it.Payload)
		items = append(items, it)
	}
	return items, rows.Err()
}

// checkpointAt is the stored checkpoint of a size, or one signed now over the
// same tree.
func (tx *Tx) checkpointAt(ctx context.Context, l *logState, size uint64) ([]byte, error) {
	var note []byte
	err := tx.st.QueryRow(ctx, "SELECT note FROM checkpoints WHERE log=? AND size=?", l.row, int64(size)).Scan(&note)
	if !errors.Is(err, sql.ErrNoRows) {
		return note, err
	}
	root, err := tlog.TreeHash(int64(size), storedHashes(ctx, tx.st, l.row))
	if err != nil {
		return nil, err
	}
	return signCheckpoint(tx.j.keys, Checkpoint{Org: l.org, Log: l.name, Size: size, Root: root, Time: tx.now})
}

// Checkpoint is the newest signed note of a log: an own one when org is
// ours, else the mirror of that partner's. errs.NotExist when it is empty.
func (j *Journal) Checkpoint(ctx context.Context, org identity.OrgID, log string) (note []byte, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { note, err = tx.newestNote(ctx, org, log); return err })
	return note, err
}

func (tx *Tx) newestNote(ctx context.Context, org identity.OrgID, log string) ([]byte, error) {
	l, err := tx.log(ctx, org, log)
	if err != nil {
		return nil, err
	}
	if l == nil || l.tree.size == 0 {
		return nil, errs.New("checkpoint", errs.NotExist, origin(org, log), "nothing stands in this log", "")
	}
	var note []byte
	err = tx.st.QueryRow(ctx, "SELECT note FROM checkpoints WHERE log=? AND size=?", l.row, l.tree.size).Scan(&note)
	return note, err
}

// ReceivedSize is how many leaves of a partner's feed are stored: the position
// from which to ask for more.
func (j *Journal) ReceivedSize(ctx context.Context, org identity.OrgID, log string) (n uint64, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { n, err = tx.ReceivedSize(ctx, org, log); return err })
	return n, err
}

// ReceivedSize is Journal.ReceivedSize in this transaction.
func (tx *Tx) ReceivedSize(ctx context.Context, org identity.OrgID, log string) (uint64, error) {
	l, err := tx.log(ctx, org, log)
	if err != nil || l == nil {
		return 0, err
	}
	return l.size(), nil
}

// ProveConsistency proves that an own log's tree of one size is the beginning
// of its tree of another (RFC 6962 section 2.1.2).
func (j *Journal) ProveConsistency(ctx context.Context, log string, older, newer uint64) (proof tlog.TreeProof, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error {
		l, err := tx.log(ctx, tx.j.own, log)
		if err != nil {
			return err
		}
		if l == nil || older == 0 || older > newer || newer > l.size() {
			return errs.New("consistency proof", errs.Usage, fmt.Sprintf("%s %d..%d", log, older, newer), "not two sizes of this log", "ask within its size")
		}
		proof, err = tlog.ProveTree(int64(newer), int64(older), storedHashes(ctx, tx.st, l.row))
		return err
	})
	return proof, err
}
