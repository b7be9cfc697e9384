package agreement

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bongsu/identity"
	"bongsu/stix"

	"github.com/cedar-policy/cedar-go"
)

// Statement is what the rules can know of a statement: never its content.
type Statement struct {
	ID         string           // STIX id
	Kind       string           // STIX object type
	TLP        stix.TLP         // its marking; one without counts as stix.DefaultTLP
	Author     identity.OrgID   // who said it
	From       identity.OrgID   // the partner it came from; "" when this node said it itself
	Onward     Onward           // of the agreement it came under; "" when From is ""
	Named      []identity.OrgID // recipients it names; needed for TLP:RED
	Purposes   []string         // purposes it is restricted to; empty: not restricted
	LegalBasis string           // the legal basis its author stated, or ""
	Revoked    bool             // it takes an earlier statement back
}

// Reason is a stable code for the outcome of an evaluation. Append only: it
// crosses the wire and stands in status documents.
type Reason string

// The reasons.
const (
	Allowed        Reason = "allowed"
	NotActive      Reason = "not-active"       // not signed by both, not yet valid, expired or ended
	NotParty       Reason = "not-a-party"      // giver or recipient is not a party
	AboveTLP       Reason = "marking"          // marked above the highest TLP of the agreement
	NotNamed       Reason = "not-named"        // TLP:RED that does not name the recipient
	NotSealed      Reason = "not-sealed"       // TLP:RED that would travel unsealed
	KindLeftOut    Reason = "kind"             // a kind that the agreement does not list
	PurposeLeftOut Reason = "purpose"          // a purpose that the agreement or the statement does not list
	BasisLeftOut   Reason = "legal-basis"      // a legal basis that the agreement does not accept
	NotOnward      Reason = "onward"           // received from another, who does not let it go further
	SentBack       Reason = "origin"           // the recipient said it or gave it to us
	NoPermit       Reason = "no-permit"        // no policy permits it
	Forbidden      Reason = "forbidden"        // a policy forbids it
	PolicyError    Reason = "policy-error"     // a policy could not be evaluated
	NotAskedYet    Reason = "not-evaluated"    // never an outcome; the zero value of a Decision
	SchemaMismatch Reason = "schema-violation" // the entities or the request do not fit the schema
)

// Decision is the answer for one statement and one recipient.
type Decision struct {
	Allowed bool
	Reason  Reason
	Policy  string // @id of the policies that decided, ", " between them; "" when the terms did
	Why     string // one sentence for a person
}

func refuse(reason Reason, format string, args ...any) Decision {
	return Decision{Reason: reason, Why: fmt.Sprintf(format, args...)}
}

// Question is one thing to evaluate.
type Question struct {
	Statement Statement
	Recipient identity.OrgID // who would receive it
	Purpose   string         // what the recipient would use it for
	Sealed    bool           // it would travel sealed to the recipient's key
	At        time.Time
}

// Evaluate says whether the agreement lets q.Statement pass to q.Recipient. It
// never returns Allowed together with an error of any sort: whatever cannot be
// evaluated is a refusal.
func (a *Agreement) Evaluate(q Question) Decision {
	if s := a.State(q.At); s != Active {
		return refuse(NotActive, "the agreement %s is %s", a.Title(), s)
	}
	return a.Document.evaluate(q)
}

// evaluate leaves signatures and validity aside.
func (d *Document) evaluate(q Question) Decision {
	if q.Statement.TLP == stix.TLPNone {
		q.Statement.TLP = stix.DefaultTLP
	}
	giver, ok := d.Other(q.Recipient)
	if !ok {
		return refuse(NotParty, "%s is not a party to the agreement", q.Recipient)
	}
	if dec := d.withinTerms(q, giver); !dec.Allowed {
		return dec
	}
	return d.rules.authorize(q, giver.ID)
}

// withinTerms holds the ceiling that no policy can lift.
func (d *Document) withinTerms(q Question, giver Party) Decision {
	s, t := q.Statement, &d.terms
	switch {
	case s.Author == q.Recipient || s.From == q.Recipient:
		return refuse(SentBack, "it came from the recipient")
	case s.TLP > t.HighestTLP:
		return refuse(AboveTLP, "it is marked TLP:%s, above the agreement's TLP:%s", s.TLP, t.HighestTLP)
	case s.TLP == stix.TLPRed && !slices.Contains(s.Named, q.Recipient):
		return refuse(NotNamed, "it is marked TLP:RED and does not name the recipient")
	case s.TLP == stix.TLPRed && !q.Sealed:
		return refuse(NotSealed, "it is marked TLP:RED and would not be sealed")
	case !slices.Contains(t.Kinds, s.Kind):
		return refuse(KindLeftOut, "the agreement does not list the kind %q", s.Kind)
	case !slices.Contains(t.Purposes, q.Purpose):
		return refuse(PurposeLeftOut, "the agreement does not list the purpose %q", q.Purpose)
	case len(s.Purposes) > 0 && !slices.Contains(s.Purposes, q.Purpose):
		return refuse(PurposeLeftOut, "the statement may not be used for %q", q.Purpose)
	case s.LegalBasis != "" && len(t.LegalBasis) > 0 && !slices.Contains(t.LegalBasis, s.LegalBasis):
		return refuse(BasisLeftOut, "the agreement does not accept the legal basis %q", s.LegalBasis)
	case s.From != "" && (s.Onward != OnwardPartners || s.TLP >= stix.TLPAmberStrict):
		return refuse(NotOnward, "it was received from a partner, for that purpose alone")
	}
	return Decision{Allowed: true}
}

// authorize asks the policies.
func (r *rules) authorize(q Question, giver identity.OrgID) Decision {
	resource := cedar.NewEntityUID(typeStatement, cedar.String(q.Statement.ID))
	entity := cedar.Entity{UID: resource, Attributes: attributes(q.Statement)}
	req := cedar.Request{
		Principal: organisation(q.Recipient), Action: actionShare, Resource: resource,
		Context: cedar.NewRecord(cedar.RecordMap{
			"purpose": cedar.String(q.Purpose), "giver": organisation(giver),
			"at": cedar.NewDatetime(q.At), "sealed": cedar.Boolean(q.Sealed),
		}),
	}
	if err := r.validator.Entity(entity); err != nil {
		return refuse(SchemaMismatch, "the statement does not fit the policies' schema: %v", err)
	}
	if err := r.validator.Request(req); err != nil {
		return refuse(SchemaMismatch, "the question does not fit the policies' schema: %v", err)
	}
	allowed, diagnostic := cedar.Authorize(r.policies, cedar.EntityMap{resource: entity}, req)
	if len(diagnostic.Errors) > 0 {
		e := diagnostic.Errors[0]
		return Decision{Reason: PolicyError, Policy: r.names[e.PolicyID], Why: "a policy could not be evaluated: " + e.Message}
	}
	names, says := r.name(diagnostic.Reasons)
	switch {
	case bool(allowed):
		return Decision{Allowed: true, Reason: Allowed, Policy: names, Why: or(says, "permitted by "+names)}
	case names != "":
		return Decision{Reason: Forbidden, Policy: names, Why: or(says, "forbidden by "+names)}
	}
	return Decision{Reason: NoPermit, Why: "no policy of the agreement permits it"}
}

func attributes(s Statement) cedar.Record {
	m := cedar.RecordMap{
		"kind": cedar.String(s.Kind), "tlp": cedar.Long(s.TLP), "author": organisation(s.Author),
		"own": cedar.Boolean(s.From == ""), "onward": cedar.Boolean(s.Onward == OnwardPartners),
		"revoked": cedar.Boolean(s.Revoked), "purposes": set(s.Purposes, func(p string) cedar.Value { return cedar.String(p) }),
		"named": set(s.Named, func(p identity.OrgID) cedar.Value { return organisation(p) }),
	}
	if s.LegalBasis != "" {
		m["legal_basis"] = cedar.String(s.LegalBasis)
	}
	return cedar.NewRecord(m)
}

func organisation(id identity.OrgID) cedar.EntityUID {
	return cedar.NewEntityUID(typeOrganisation, cedar.String(id))
}

func set[T any](list []T, value func(T) cedar.Value) cedar.Set {
	values := make([]cedar.Value, len(list))
	for i, s := range list {
		values[i] = value(s)
	}
	return cedar.NewSet(values...)
}

func or(s, otherwise string) string {
	if strings.TrimSpace(s) != "" {
		return s
	}
	return otherwise
}
