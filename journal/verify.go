package journal

import (
	"bytes"
	"fmt"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"
)

// VerifyOptions bind a verification to what the caller knows already.
type VerifyOptions struct {
	Fingerprint string // the author's, as compared by voice; "" accepts any and says which
}

// Verified is one proven statement.
type Verified struct {
	Entry       Entry       // the author's own envelope
	Object      stix.Object // zero when erased
	Erased      bool
	ErasedAt    time.Time // when, and why, its payload was erased
	Reason      string
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
// and says who stated what, when. It proves that the organisation with the
// named fingerprint signed a log holding the statement; whether that
// organisation is who its name says is for people to compare by voice.
//
// A failure of a proof is errs.Forged, of the document's form errs.Invalid.
func Verify(document []byte, opt VerifyOptions) ([]Verified, error) {
	if len(document) > MaxExport+1 {
		return nil, errs.New("verify", errs.Limit, "", fmt.Sprintf("more than %d bytes", MaxExport), "ask for fewer statements at once")
	}
	var doc exported
	if err := json.Unmarshal(document, &doc, json.RejectUnknownMembers(true)); err != nil {
		return nil, &errs.Error{Op: "verify", Kind: errs.Invalid, Why: "not a document of exported statements, or a damaged one", Hint: "ask for it again", Err: err}
	}
	invalid := func(why string) error { return errs.New("verify", errs.Invalid, "", why, "ask for it again") }
	if doc.Kind != exportKind || doc.V != exportVersion {
		return nil, invalid(fmt.Sprintf("its kind is %.40q, version %d; this program reads %q, version %d", doc.Kind, doc.V, exportKind, exportVersion))
	}
	if len(doc.Statements) == 0 || len(doc.Statements) > MaxExported {
		return nil, invalid("it holds no statement, or too many")
	}
	// One document has one spelling: nothing unsigned can hide between.
	if again, err := json.Marshal(doc); err != nil || !bytes.Equal(append(again, '\n'), document) {
		return nil, invalid("it is not in the spelling in which it was exported")
	}
	v := &verifier{orgs: map[identity.OrgID]identity.Org{}, used: map[identity.OrgID]bool{}}
	if err := v.documents(doc); err != nil {
		return nil, err
	}
	out := make([]Verified, 0, len(doc.Statements))
	for i, one := range doc.Statements {
		s, err := v.statement(one, 0)
		if err != nil {
			return nil, errs.Wrap("verify", fmt.Sprintf("statement %d", i+1), err)
		}
		if opt.Fingerprint != "" && !identity.SameFingerprint(opt.Fingerprint, s.Fingerprint) {
			return nil, errs.New("verify", errs.Forged, s.Entry.ID, fmt.Sprintf("its author's fingerprint is %s, not %.60s", s.Fingerprint, opt.Fingerprint), "compare fingerprints by voice again")
		}
		out = append(out, s)
	}
	if len(v.used) != len(v.orgs) {
		return nil, invalid("it holds a document of an organisation that says nothing in it")
	}
	return out, nil
}

type verifier struct {
	orgs map[identity.OrgID]identity.Org
	used map[identity.OrgID]bool
}

func (v *verifier) documents(doc exported) error {
	var last identity.OrgID
	for _, raw := range doc.Orgs {
		o, err := identity.ParseOrg(raw)
		if err != nil {
			return err
		}
		if o.ID <= last {
			return errs.New("verify", errs.Invalid, string(o.ID), "organisations out of order", "ask for it again")
		}
		last = o.ID
		v.orgs[o.ID] = o
	}
	return nil
}

// leaf verifies one envelope's inclusion in a signed tree.
func (v *verifier) leaf(p proven) (Entry, Checkpoint, error) {
	org, ok := v.orgs[p.Org]
	if !ok {
		return Entry{}, Checkpoint{}, errs.New("proof", errs.Invalid, string(p.Org), "the document of the organisation is missing", "ask for it again")
	}
	v.used[p.Org] = true
	e, err := ParseEnvelope(p.Envelope)
	if err != nil {
		return e, Checkpoint{}, err
	}
	cp, err := OpenCheckpoint(org, e.Log, []byte(p.Checkpoint))
	if err != nil {
		return e, cp, err
	}
	proof := make(tlog.RecordProof, len(p.Proof))
	for i, h := range p.Proof {
		if len(h) != tlog.HashSize {
			return e, cp, errs.New("proof", errs.Invalid, e.ID, "a hash has the wrong length", "ask for it again")
		}
		proof[i] = tlog.Hash(h)
	}
	if e.Seq >= cp.Size || tlog.CheckRecord(proof, int64(cp.Size), cp.Root, int64(e.Seq), leafHash(p.Envelope)) != nil {
		return e, cp, errs.New("proof", errs.Forged, e.ID, "it is not in the log that "+org.Name+" signed", "do not trust it; ask "+org.Name+" by another way")
	}
	return e, cp, nil
}

// statement verifies one statement; a tombstone within one is at depth 1.
func (v *verifier) statement(one exportedOne, depth int) (Verified, error) {
	e, cp, err := v.leaf(one.Stated)
	if err != nil {
		return Verified{}, err
	}
	org := v.orgs[one.Stated.Org]
	out := Verified{
		Entry: e, Author: e.Author, Name: org.Name, Fingerprint: org.Fingerprint(),
		SignedAt: cp.Time, Log: e.Log, Size: cp.Size,
	}
	if e.Author != org.ID || e.From != nil {
		return out, forgedStatement(e, "its author is not the organisation whose log it stands in")
	}
	if one.Received != nil {
		r, _, err := v.leaf(*one.Received)
		if err != nil {
			return out, err
		}
		if !receiptOf(r, e, leafHash(one.Stated.Envelope)) {
			return out, forgedStatement(e, "the receiver's entry speaks of another statement")
		}
		out.ReceivedBy, out.ReceivedAt = one.Received.Org, r.Time
	}
	if one.Payload == nil {
		return v.erased(one, out, depth)
	}
	if one.Erased != nil || len(one.Salt) != len(Salt{}) || Commit(Salt(one.Salt), []byte(*one.Payload)) != e.Commit {
		return out, forgedStatement(e, "its content is not the one that its author committed to")
	}
	o, err := stix.Reparse([]byte(*one.Payload))
	if err != nil {
		return out, err
	}
	if o.ID != e.ID || o.Type != e.Type || o.Version() != e.Version || o.Revoked != e.Revoked {
		return out, forgedStatement(e, "its content is another object than its envelope names")
	}
	out.Object = o
	return out, nil
}

// receiptOf says whether r is the receiver's entry for the author's e.
func receiptOf(r, e Entry, leaf tlog.Hash) bool {
	f := r.From
	return f != nil && f.Org == e.Author && f.Log == e.Log && f.Seq == e.Seq && f.Leaf == leaf && f.Time.Equal(e.Time) &&
		r.Commit == e.Commit && r.Author == e.Author && r.ID == e.ID && r.Type == e.Type && r.Version == e.Version && r.Act == e.Act && r.Revoked == e.Revoked
}

// erased verifies the tombstone of a statement without content: by its author,
// or by the receiver.
func (v *verifier) erased(one exportedOne, out Verified, depth int) (Verified, error) {
	if one.Erased == nil || depth > 0 || len(one.Salt) != 0 {
		return out, errs.New("verify", errs.Invalid, out.Entry.ID, "it has neither content nor a tombstone", "ask for it again")
	}
	t, err := v.statement(*one.Erased, depth+1)
	if err != nil {
		return out, err
	}
	er, err := stix.ReadErasure(t.Object)
	if err != nil {
		return out, err
	}
	by := t.Author == out.Author || (out.ReceivedBy != "" && t.Author == out.ReceivedBy)
	if t.Entry.Act != Erase || er.Commitment != out.Entry.Commit.String() || !by {
		return out, forgedStatement(out.Entry, "the tombstone speaks of another statement")
	}
	out.Erased, out.ErasedAt, out.Reason = true, t.SignedAt, er.Reason
	return out, nil
}

func forgedStatement(e Entry, why string) error {
	return errs.New("verify", errs.Forged, e.ID, why, "do not trust it; ask its author by another way")
}

// tombstoneOf is the commitment that a tombstone names, or the zero.
func tombstoneOf(s Statement) (c Commitment) {
	o, err := s.Object()
	if err != nil {
		return c
	}
	er, err := stix.ReadErasure(o)
	if err != nil || !fromHex(c[:], er.Commitment) {
		return Commitment{}
	}
	return c
}
