package journal

import (
	"context"

	"bongsu/identity"
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

// Received tells what became of one item.
type Received struct {
	Seq       uint64 // in the partner's feed
	Entry     *Entry // our entry in LogJournal; nil when refused
	Refused   string // why nothing was stored but the leaf
	Duplicate bool   // stored before, or stated before by the same author: Entry is the one that stands
}

// Batch reads up to limit items of an own log from sequence `from` on, with a
// checkpoint for exactly where they end. Empty when there is nothing.
func (j *Journal) Batch(ctx context.Context, log string, from uint64, limit int) (Batch, error) {
	return Batch{}, todo()
}

// Receive stores a partner's batch in one transaction: the mirror of his feed,
// his checkpoint, our statements (author: the partner, From: his feed), and
// the views. log is the feed's name at the author's.
//
// Exactly once: items below the mirror's size are compared and skipped; a gap
// is errs.Conflict with the position to ask for in its hint. When the leaves do not
// add up to a checkpoint signed by a certified key of org, errs.Forged and
// nothing is stored. An item that breaks its own rules (payload that does not
// match the commitment, malformed object, author other than org, the same
// version with another content) is refused by itself, with the reason in
// Received.
func (j *Journal) Receive(ctx context.Context, org identity.OrgID, log string, b Batch) ([]Received, error) {
	return nil, todo()
}

// ReceivedSize is how many leaves of a partner's feed are stored: the position
// from which to ask for more.
func (j *Journal) ReceivedSize(ctx context.Context, org identity.OrgID, log string) (uint64, error) {
	return 0, todo()
}

// Checkpoint is the newest signed note of a log: an own one when org is
// ours, else the mirror of that partner's. errs.NotExist when it is empty.
func (j *Journal) Checkpoint(ctx context.Context, org identity.OrgID, log string) ([]byte, error) {
	return nil, todo()
}

// Cosign signs a partner's checkpoint that we stored (C2SP cosignature/v1):
// our word that we saw this tree, which the author keeps as evidence.
func (j *Journal) Cosign(ctx context.Context, org identity.OrgID, log string) ([]byte, error) {
	return nil, todo()
}
