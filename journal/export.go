package journal

import (
	"context"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"
)

// Problem is one thing that Check found wrong.
type Problem struct {
	Log   string // log name, for a mirror "<OrgID>/<name>"; "" for what belongs to no log
	Seq   int64  // the entry; -1 when it is not about one
	ID    string // the object's id, when known
	What  string // what is wrong, in a sentence
	Where string // "entry journal/17 (indicator--...)"
}

// Report is what Check saw.
type Report struct {
	Logs        int
	Entries     uint64
	Payloads    uint64 // present and matching their commitments
	Erased      uint64 // absent, with their tombstones
	Checkpoints uint64
	Checkpoint  []byte // newest signed note of LogJournal
	Problems    []Problem
}

// Check recomputes every hash, tree, checkpoint, signature, certificate and
// commitment from what is stored, over one snapshot. Problems are returned in
// the report; err is for what kept it from looking. A report with problems
// comes with an errs.Corrupt error from Report.Err.
func (j *Journal) Check(ctx context.Context) (Report, error) { return Report{}, todo() }

// Err is nil for a clean report, else errs.Corrupt naming the first problem.
func (r Report) Err() error { return nil }

// Export writes the newest versions of the objects (by STIX id, or
// "<log>/<seq>" for one entry) with their proofs as one JSON document that
// Verify reads offline.
func (j *Journal) Export(ctx context.Context, ids []string) ([]byte, error) { return nil, todo() }

// VerifyOptions bind a verification to what the caller knows already.
type VerifyOptions struct {
	Fingerprint string // the author's, as compared by voice; "" accepts any and says which
}

// Verified is one proven statement.
type Verified struct {
	Entry       Entry
	Object      stix.Object // zero when erased
	Erased      bool
	Author      identity.OrgID
	Name        string // the author's name, as its root signed it
	Fingerprint string // of the author's root key
	SignedAt    time.Time
	Log         string // the signed log it stands in
	Size        uint64 // of the tree that was signed
	ReceivedBy  identity.OrgID
	ReceivedAt  time.Time // by whose journal, when, for received statements
}

// Verify checks an exported document offline: it fails on any changed byte,
// and says who stated what, when.
func Verify(document []byte, opt VerifyOptions) ([]Verified, error) { return nil, todo() }

func todo() error { return errs.New("journal", errs.Internal, "", "not built yet", "") }
