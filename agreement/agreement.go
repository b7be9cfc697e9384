package agreement

import (
	"fmt"
	"time"

	"bongsu/errs"
	"bongsu/identity"
)

// State is where an agreement stands at a moment.
type State string

// The states. Only Active lets anything through.
const (
	Proposed State = "proposed" // signed by one party
	Pending  State = "pending"  // signed by both, not yet valid
	Active   State = "active"   // signed by both, valid now
	Expired  State = "expired"  // its time is over
	Ended    State = "ended"    // one party ended it
)

// SignContext and EndContext keep the two signatures of this room apart from
// each other and from every other use of the key.
const (
	SignContext = "bongsu-agreement-signature/1"
	EndContext  = "bongsu-agreement-end/1"
)

// Signature is one party's signature over a document, or over the end of it.
type Signature struct {
	Party  identity.OrgID `json:"party"`
	At     time.Time      `json:"at"`     // when, to the microsecond; part of what is signed
	Serial uint64         `json:"serial"` // of the certificate of the signing key
	Sig    []byte         `json:"sig"`    // over the message of FORMAT.md
}

// End is one party's word that an agreement is over.
type End struct {
	Reason    string    `json:"reason"`
	Signature Signature `json:"signature"`
}

// Agreement is a document with what its parties signed.
type Agreement struct {
	Document   *Document
	Signatures []Signature // at most one for each party
	End        *End        // nil while nobody ended it
}

// Signer signs with an organisation's certified signing key; *identity.Keys is
// one.
type Signer interface {
	ID() identity.OrgID
	SignAt(now time.Time, context string, message []byte) (identity.Signature, error)
}

// Orgs finds the public document of an organisation; an unknown one is
// errs.NotExist.
type Orgs func(identity.OrgID) (identity.Org, error)

// Title is the document's title.
func (a *Agreement) Title() string { return a.Document.terms.Title }

// State says where the agreement stands at now. Signatures are taken as
// verified (Verify).
func (a *Agreement) State(now time.Time) State {
	switch t := &a.Document.terms; {
	case a.End != nil:
		return Ended
	case !now.Before(t.ValidUntil):
		return Expired
	case !a.signedByBoth():
		return Proposed
	case now.Before(t.ValidFrom):
		return Pending
	}
	return Active
}

func (a *Agreement) signedByBoth() bool {
	return a.SignedBy(a.Document.terms.Parties[0].ID) && a.SignedBy(a.Document.terms.Parties[1].ID)
}

// SignedBy reports whether party has signed.
func (a *Agreement) SignedBy(party identity.OrgID) bool {
	for _, s := range a.Signatures {
		if s.Party == party {
			return true
		}
	}
	return false
}

// Sign adds signer's signature at now. It returns errs.Permission when the
// signer is no party, errs.Exist when it has signed, errs.Conflict when the
// agreement is ended or expired.
func (a *Agreement) Sign(signer Signer, now time.Time) error {
	const op = "sign agreement"
	if _, ok := a.Document.Other(signer.ID()); !ok {
		return errs.New(op, errs.Permission, a.Document.ID(), "you are not a party to it", "")
	}
	if a.SignedBy(signer.ID()) {
		return errs.New(op, errs.Exist, a.Document.ID(), "you have signed it", "wait for the partner's signature")
	}
	if s := a.State(now); s != Proposed {
		return errs.New(op, errs.Conflict, a.Document.ID(), "it is "+string(s), "propose a new one")
	}
	s, err := sign(signer, SignContext, now, func(s Signature) []byte { return signedMessage(a.Document, s) })
	if err != nil {
		return errs.Wrap(op, a.Document.ID(), err)
	}
	a.Signatures = append(a.Signatures, s)
	return nil
}

// Close ends the agreement at now, for a reason that both sides will read. It
// returns errs.Permission when the signer is no party and errs.Exist when the
// agreement is ended already.
func (a *Agreement) Close(signer Signer, reason string, now time.Time) error {
	const op = "end agreement"
	if _, ok := a.Document.Other(signer.ID()); !ok {
		return errs.New(op, errs.Permission, a.Document.ID(), "you are not a party to it", "")
	}
	if a.End != nil {
		return errs.New(op, errs.Exist, a.Document.ID(), "it is ended", "")
	}
	if len(reason) > MaxText {
		return errs.New(op, errs.Limit, a.Document.ID(), "the reason is too long", "at most 4 KiB")
	}
	s, err := sign(signer, EndContext, now, func(s Signature) []byte { return endMessage(a.Document, s, reason) })
	if err != nil {
		return errs.Wrap(op, a.Document.ID(), err)
	}
	a.End = &End{Reason: reason, Signature: s}
	return nil
}

func sign(signer Signer, context string, now time.Time, message func(Signature) []byte) (Signature, error) {
	s := Signature{Party: signer.ID(), At: now.UTC().Truncate(time.Microsecond)}
	sig, err := signer.SignAt(s.At, context, message(s))
	s.Serial, s.Sig = sig.Serial, sig.Sig
	return s, err
}

// Verify checks that every signature is a party's, at most one each, made
// with a key that was certified for signing at that time. A failure is
// errs.Forged.
func (a *Agreement) Verify(orgs Orgs) error {
	const op = "verify agreement"
	seen := map[identity.OrgID]bool{}
	for _, s := range a.Signatures {
		if seen[s.Party] {
			return errs.New(op, errs.Forged, a.Document.ID(), string(s.Party)+" signed twice", "")
		}
		seen[s.Party] = true
		if err := a.verifyOne(orgs, SignContext, s, signedMessage(a.Document, s)); err != nil {
			return err
		}
	}
	if len(a.Signatures) == 0 {
		return errs.New(op, errs.Forged, a.Document.ID(), "nobody signed it", "")
	}
	if a.End != nil {
		return a.verifyOne(orgs, EndContext, a.End.Signature, endMessage(a.Document, a.End.Signature, a.End.Reason))
	}
	return nil
}

func (a *Agreement) verifyOne(orgs Orgs, context string, s Signature, message []byte) error {
	const op = "verify agreement"
	if _, ok := a.Document.Other(s.Party); !ok {
		return errs.New(op, errs.Forged, a.Document.ID(), string(s.Party)+" signed and is not a party", "")
	}
	org, err := orgs(s.Party)
	if err != nil {
		return errs.Wrap(op, a.Document.ID(), err)
	}
	for _, p := range a.Document.terms.Parties {
		if p.ID == s.Party && p.Fingerprint != org.Fingerprint() {
			return errs.New(op, errs.Forged, a.Document.ID(), "it names another root key for "+string(s.Party), "compare the fingerprints by voice")
		}
	}
	if err := org.VerifySignature(context, message, identity.Signature{Serial: s.Serial, Sig: s.Sig}, s.At); err != nil {
		return &errs.Error{
			Op: op, Kind: errs.Forged, Where: a.Document.ID(), Why: "the signature of " + string(s.Party) + " does not hold",
			Hint: "ask the partner for the agreement again; do not sign it", Err: err,
		}
	}
	return nil
}

// signedMessage is what a party signs: who, when, and the document's digest
// (FORMAT.md, "Signature").
func signedMessage(d *Document, s Signature) []byte {
	return fmt.Appendf(nil, "%s\n%s\n%s\n", s.Party, s.At.UTC().Format(time.RFC3339Nano), d.Digest())
}

func endMessage(d *Document, s Signature, reason string) []byte {
	return fmt.Appendf(nil, "%s\n%s\n%s\n%q\n", s.Party, s.At.UTC().Format(time.RFC3339Nano), d.Digest(), reason)
}
