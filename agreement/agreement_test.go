package agreement_test

import (
	"strings"
	"testing"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"pgregory.net/rapid"
)

var day = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// pair is two organisations that agree.
type pair struct {
	seoul, europe *identity.Keys
}

func newPair(t testing.TB) pair {
	t.Helper()
	make := func(name string) *identity.Keys {
		k, err := identity.Create(t.TempDir(), name, day.Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	return pair{make("Seoul Agency"), make("Europe Exchange")}
}

func (p pair) orgs(id identity.OrgID) (identity.Org, error) {
	for _, k := range []*identity.Keys{p.seoul, p.europe} {
		if k.ID() == id {
			return k.Org(), nil
		}
	}
	return identity.Org{}, errs.New("org", errs.NotExist, string(id), "", "")
}

func (p pair) terms(t testing.TB, template string) agreement.Terms {
	t.Helper()
	party := func(k *identity.Keys) agreement.Party {
		return agreement.Party{ID: k.ID(), Name: k.Org().Name, Fingerprint: k.Org().Fingerprint()}
	}
	terms, err := agreement.FromTemplate(template, [2]agreement.Party{party(p.seoul), party(p.europe)})
	if err != nil {
		t.Fatal(err)
	}
	terms.ValidFrom, terms.ValidUntil = day.Add(-time.Minute), day.AddDate(1, 0, 0)
	return terms
}

func (p pair) signed(t testing.TB, terms agreement.Terms) *agreement.Agreement {
	t.Helper()
	doc, err := agreement.New(terms, day)
	if err != nil {
		t.Fatal(err)
	}
	a := &agreement.Agreement{Document: doc}
	for _, k := range []*identity.Keys{p.seoul, p.europe} {
		if err := a.Sign(k, day); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (p pair) question() agreement.Question {
	return agreement.Question{
		Statement: agreement.Statement{ID: "indicator--1", Kind: "indicator", TLP: stix.TLPAmber, Author: p.seoul.ID()},
		Recipient: p.europe.ID(), Purpose: "incident-response", At: day,
	}
}

func TestSignaturesAndStates(t *testing.T) {
	p := newPair(t)
	doc, err := agreement.New(p.terms(t, "threat-sharing"), day)
	if err != nil {
		t.Fatal(err)
	}
	a := &agreement.Agreement{Document: doc}
	state := func(at time.Time, want agreement.State) {
		t.Helper()
		if got := a.State(at); got != want {
			t.Errorf("state at %s is %s, want %s", at, got, want)
		}
	}
	if err := a.Verify(p.orgs); errs.Is(err) != errs.Forged {
		t.Errorf("an unsigned agreement verifies: %v", err)
	}
	if err := a.Sign(p.seoul, day); err != nil {
		t.Fatal(err)
	}
	state(day, agreement.Proposed)
	if err := a.Sign(p.seoul, day); errs.Is(err) != errs.Exist {
		t.Errorf("signed twice: %v", err)
	}
	stranger := newPair(t).seoul
	if err := a.Sign(stranger, day); errs.Is(err) != errs.Permission {
		t.Errorf("a stranger signed: %v", err)
	}
	if err := a.Sign(p.europe, day); err != nil {
		t.Fatal(err)
	}
	if err := a.Verify(p.orgs); err != nil {
		t.Error(err)
	}
	state(day, agreement.Active)
	state(day.Add(-time.Hour), agreement.Pending)
	state(day.AddDate(1, 0, 0), agreement.Expired)

	b := roundTrip(t, a)
	if err := b.Verify(p.orgs); err != nil {
		t.Errorf("after a round trip: %v", err)
	}
	if err := a.Close(p.europe, "no longer needed", day); err != nil {
		t.Fatal(err)
	}
	state(day, agreement.Ended)
	if err := a.Verify(p.orgs); err != nil {
		t.Error(err)
	}
	a.End.Reason = "another reason"
	if err := a.Verify(p.orgs); errs.Is(err) != errs.Forged {
		t.Errorf("a changed end verifies: %v", err)
	}
	if added, err := b.Merge(roundTrip(t, &agreement.Agreement{Document: doc, Signatures: a.Signatures, End: a.End})); err != nil || !added || b.State(day) != agreement.Ended {
		t.Errorf("merge of the end: %v %v", added, err)
	}
}

func roundTrip(t *testing.T, a *agreement.Agreement) *agreement.Agreement {
	t.Helper()
	raw, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := agreement.ParseBundle(raw)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestForgedSignatures(t *testing.T) {
	p := newPair(t)
	other := newPair(t)
	for name, forge := range map[string]func(*agreement.Agreement){
		"a bit of the signature": func(a *agreement.Agreement) { a.Signatures[1].Sig[3] ^= 1 },
		"another time":           func(a *agreement.Agreement) { a.Signatures[0].At = a.Signatures[0].At.Add(time.Second) },
		"another party":          func(a *agreement.Agreement) { a.Signatures[0].Party = p.europe.ID() },
		"a party twice":          func(a *agreement.Agreement) { a.Signatures[1] = a.Signatures[0] },
		"no party":               func(a *agreement.Agreement) { a.Signatures[0].Party = other.seoul.ID() },
		"another certificate":    func(a *agreement.Agreement) { a.Signatures[0].Serial++ },
		"another document": func(a *agreement.Agreement) {
			terms := p.terms(t, "investigation")
			a.Document = p.signed(t, terms).Document
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := roundTrip(t, p.signed(t, p.terms(t, "threat-sharing")))
			forge(a)
			if err := a.Verify(p.orgs); errs.Is(err) != errs.Forged && errs.Is(err) != errs.NotExist {
				t.Errorf("it verifies: %v", err)
			}
		})
	}
}

// TestWrongRoot: a document that names another root key for a party than the
// one that signed is refused.
func TestWrongRoot(t *testing.T) {
	p := newPair(t)
	terms := p.terms(t, "threat-sharing")
	terms.Parties[1].Fingerprint = newPair(t).seoul.Org().Fingerprint()
	if err := p.signed(t, terms).Verify(p.orgs); errs.Is(err) != errs.Forged {
		t.Errorf("it verifies: %v", err)
	}
}

func TestEvaluate(t *testing.T) {
	p := newPair(t)
	threat := p.signed(t, p.terms(t, "threat-sharing"))
	joint := p.signed(t, p.terms(t, "investigation"))
	community := p.signed(t, p.terms(t, "community"))
	for _, c := range []struct {
		name   string
		a      *agreement.Agreement
		change func(*agreement.Question)
		want   agreement.Reason
	}{
		{"an indicator", threat, func(*agreement.Question) {}, agreement.Allowed},
		{"the other direction", threat, func(q *agreement.Question) {
			q.Statement.Author, q.Recipient = p.europe.ID(), p.seoul.ID()
		}, agreement.Allowed},
		{"a revocation", threat, func(q *agreement.Question) { q.Statement.Revoked = true }, agreement.Allowed},
		{"a kind left out", threat, func(q *agreement.Question) { q.Statement.Kind = "note" }, agreement.KindLeftOut},
		{"AMBER+STRICT", threat, func(q *agreement.Question) { q.Statement.TLP = stix.TLPAmberStrict }, agreement.AboveTLP},
		{"no marking counts as AMBER+STRICT", threat, func(q *agreement.Question) { q.Statement.TLP = stix.TLPNone }, agreement.AboveTLP},
		{"RED", threat, func(q *agreement.Question) { q.Statement.TLP = stix.TLPRed }, agreement.AboveTLP},
		{"RED, named and sealed", threat, func(q *agreement.Question) {
			q.Statement.TLP, q.Statement.Named, q.Sealed = stix.TLPRed, []identity.OrgID{p.europe.ID()}, true
		}, agreement.AboveTLP},
		{"another purpose", threat, func(q *agreement.Question) { q.Purpose = "marketing" }, agreement.PurposeLeftOut},
		{"restricted to another purpose", threat, func(q *agreement.Question) { q.Statement.Purposes = []string{"research"} }, agreement.PurposeLeftOut},
		{"a stranger", threat, func(q *agreement.Question) { q.Recipient = newPair(t).seoul.ID() }, agreement.NotParty},
		{"back to its author", threat, func(q *agreement.Question) { q.Statement.Author = p.europe.ID() }, agreement.SentBack},
		{"another's, not onward", threat, func(q *agreement.Question) {
			q.Statement.Author, q.Statement.From, q.Statement.Onward = "identity--x", "identity--x", agreement.OnwardPartners
		}, agreement.Forbidden},
		{"another's, kept to itself", community, func(q *agreement.Question) {
			q.Statement.TLP, q.Statement.From, q.Statement.Onward = stix.TLPGreen, "identity--x", agreement.OnwardNone
		}, agreement.NotOnward},
		{"another's, onward", community, func(q *agreement.Question) {
			q.Statement.TLP, q.Statement.From, q.Statement.Onward = stix.TLPGreen, "identity--x", agreement.OnwardPartners
		}, agreement.Allowed},
		{"expired", threat, func(q *agreement.Question) { q.At = day.AddDate(2, 0, 0) }, agreement.NotActive},
		{"RED unnamed", joint, func(q *agreement.Question) { q.Statement.TLP, q.Sealed = stix.TLPRed, true }, agreement.NotNamed},
		{"RED unsealed", joint, func(q *agreement.Question) {
			q.Statement.TLP, q.Statement.Named = stix.TLPRed, []identity.OrgID{p.europe.ID()}
		}, agreement.NotSealed},
		{"RED named and sealed", joint, func(q *agreement.Question) {
			q.Statement.TLP, q.Statement.Named, q.Sealed = stix.TLPRed, []identity.OrgID{p.europe.ID()}, true
		}, agreement.Allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := p.question()
			c.change(&q)
			d := c.a.Evaluate(q)
			if d.Reason != c.want || d.Allowed != (c.want == agreement.Allowed) || d.Why == "" {
				t.Errorf("got %+v, want %s", d, c.want)
			}
		})
	}
}

func TestLegalBasis(t *testing.T) {
	p := newPair(t)
	terms := p.terms(t, "threat-sharing")
	terms.LegalBasis = []string{"art6-1-f"}
	a := p.signed(t, terms)
	q := p.question()
	if d := a.Evaluate(q); !d.Allowed {
		t.Errorf("none stated: %+v", d)
	}
	q.Statement.LegalBasis = "consent"
	if d := a.Evaluate(q); d.Reason != agreement.BasisLeftOut {
		t.Errorf("another basis: %+v", d)
	}
}

// TestUnsigned: what is not signed by both lets nothing through.
func TestUnsigned(t *testing.T) {
	p := newPair(t)
	doc, err := agreement.New(p.terms(t, "threat-sharing"), day)
	if err != nil {
		t.Fatal(err)
	}
	a := &agreement.Agreement{Document: doc}
	if err := a.Sign(p.seoul, day); err != nil {
		t.Fatal(err)
	}
	if d := a.Evaluate(p.question()); d.Allowed || d.Reason != agreement.NotActive {
		t.Errorf("%+v", d)
	}
}

// TestOwnPolicies: own Cedar text only narrows; what errs refuses.
func TestOwnPolicies(t *testing.T) {
	p := newPair(t)
	const all = "permit (principal, action, resource);\n"
	for _, c := range []struct {
		name, policies string
		want           agreement.Reason
	}{
		{"permit everything", all, agreement.Allowed},
		{"no permit", `forbid (principal, action, resource) when { resource.tlp > 4 };`, agreement.NoPermit},
		{"a forbid wins", all + `@id("no-indicators") forbid (principal, action, resource) when { resource.kind == "indicator" };`, agreement.Forbidden},
		{"an overflow in an unrelated forbid", all + `@id("sum") forbid (principal, action, resource) when { resource.tlp + 9223372036854775807 > 0 };`, agreement.PolicyError},
		{"a bad date", all + `@id("date") forbid (principal, action, resource) when { context.at > datetime("2026-01-01").offset(duration("9223372036854775807ms")) };`, agreement.PolicyError},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms := p.terms(t, "threat-sharing")
			terms.Policies, terms.Words = c.policies, "our own words"
			d := p.signed(t, terms).Evaluate(p.question())
			if d.Reason != c.want || d.Allowed != (c.want == agreement.Allowed) {
				t.Errorf("got %+v, want %s", d, c.want)
			}
			if (c.want == agreement.Forbidden || c.want == agreement.PolicyError) && d.Policy == "" {
				t.Errorf("the policy is not named: %+v", d)
			}
		})
	}
	t.Run("a permit beyond the terms", func(t *testing.T) {
		terms := p.terms(t, "threat-sharing")
		terms.Policies = all
		q := p.question()
		q.Statement.TLP, q.Statement.Named, q.Sealed = stix.TLPRed, []identity.OrgID{p.europe.ID()}, true
		if d := p.signed(t, terms).Evaluate(q); d.Allowed {
			t.Errorf("TLP:RED passed terms of TLP:AMBER: %+v", d)
		}
	})
}

func TestBadTerms(t *testing.T) {
	p := newPair(t)
	for name, spoil := range map[string]func(*agreement.Terms){
		"no title":            func(t *agreement.Terms) { t.Title = "" },
		"no words":            func(t *agreement.Terms) { t.Words = "" },
		"no end":              func(t *agreement.Terms) { t.ValidUntil = t.ValidFrom },
		"no kinds":            func(t *agreement.Terms) { t.Kinds = nil },
		"no purposes":         func(t *agreement.Terms) { t.Purposes = nil },
		"a kind that is none": func(t *agreement.Terms) { t.Kinds = []string{"Indicator!"} },
		"many kinds": func(t *agreement.Terms) {
			t.Kinds = strings.Split(strings.Repeat("a,", 9), ",")
			t.Kinds = append(t.Kinds, many(65)...)
		},
		"one party":             func(t *agreement.Terms) { t.Parties[1] = t.Parties[0] },
		"a party without a key": func(t *agreement.Terms) { t.Parties[1].Fingerprint = "" },
		"no marking":            func(t *agreement.Terms) { t.HighestTLP = stix.TLPNone },
		"onward to anybody":     func(t *agreement.Terms) { t.Onward = "everybody" },
		"negative retention":    func(t *agreement.Terms) { t.RetentionDays = -1 },
		"no policies":           func(t *agreement.Terms) { t.Policies = "" },
		"no Cedar":              func(t *agreement.Terms) { t.Policies = "let it pass" },
		"long Cedar":            func(t *agreement.Terms) { t.Policies += strings.Repeat(" ", agreement.MaxPolicyBytes) },
		"an attribute that is not": func(t *agreement.Terms) {
			t.Policies = `permit (principal, action, resource) when { resource.secret };`
		},
		"an optional one unasked": func(t *agreement.Terms) {
			t.Policies = `permit (principal, action, resource) when { resource.legal_basis == "x" };`
		},
		"an action that is not": func(t *agreement.Terms) { t.Policies = `permit (principal, action == Action::"read", resource);` },
		"a comparison of two types": func(t *agreement.Terms) {
			t.Policies = `permit (principal, action, resource) when { resource.tlp == "AMBER" };`
		},
		"two policies under one name": func(t *agreement.Terms) {
			t.Policies = `@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);`
		},
	} {
		t.Run(name, func(t *testing.T) {
			terms := p.terms(t, "threat-sharing")
			spoil(&terms)
			if _, err := agreement.New(terms, day); errs.Is(err) != errs.Invalid && errs.Is(err) != errs.Limit {
				t.Errorf("it was made: %v", err)
			}
		})
	}
}

func many(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = "kind-" + strings.Repeat("x", i%50+1) + string(rune('a'+i/50))
	}
	return list
}

func TestTemplates(t *testing.T) {
	p := newPair(t)
	for _, template := range agreement.Templates() {
		doc, err := agreement.New(p.terms(t, template.Name), day)
		if err != nil {
			t.Errorf("%s: %v", template.Name, err)
			continue
		}
		if !strings.Contains(doc.Terms().Words, "TLP:"+doc.Terms().HighestTLP.String()) {
			t.Errorf("%s: the words do not name the marking: %s", template.Name, doc.Terms().Words)
		}
	}
	if _, err := agreement.FromTemplate("nothing", [2]agreement.Party{}); errs.Is(err) != errs.NotExist || !strings.Contains(errs.Hint(err), "threat-sharing") {
		t.Errorf("an unknown template: %v", err)
	}
}

// TestHostileNames: whatever a party calls itself, the generated Cedar text
// parses and means the same.
func TestHostileNames(t *testing.T) {
	p := newPair(t)
	rapid.Check(t, func(rt *rapid.T) {
		terms := p.terms(t, "threat-sharing")
		terms.Parties[1].Name = rapid.StringN(1, 60, 200).Draw(rt, "name")
		terms.Policies, terms.Words = agreement.Policies(terms), "words"
		doc, err := agreement.New(terms, day)
		if err != nil {
			rt.Fatal(err)
		}
		a := &agreement.Agreement{Document: doc}
		for _, k := range []*identity.Keys{p.seoul, p.europe} {
			if err := a.Sign(k, day); err != nil {
				rt.Fatal(err)
			}
		}
		if d := a.Evaluate(p.question()); !d.Allowed {
			rt.Fatalf("%+v", d)
		}
	})
}

// TestTermsAreTheCeiling: with a policy that permits everything, what passes
// still lies within the terms.
func TestTermsAreTheCeiling(t *testing.T) {
	p := newPair(t)
	terms := p.terms(t, "threat-sharing")
	terms.Policies = "permit (principal, action, resource);"
	a := p.signed(t, terms)
	rapid.Check(t, func(rt *rapid.T) {
		q := p.question()
		q.Statement.Kind = rapid.SampledFrom([]string{"indicator", "incident", "note", "identity", ""}).Draw(rt, "kind")
		q.Statement.TLP = stix.TLP(rapid.IntRange(0, 9).Draw(rt, "tlp"))
		q.Purpose = rapid.SampledFrom([]string{"incident-response", "research", ""}).Draw(rt, "purpose")
		q.Sealed = rapid.Bool().Draw(rt, "sealed")
		q.Statement.From = rapid.SampledFrom([]identity.OrgID{"", "identity--x", p.europe.ID()}).Draw(rt, "from")
		q.At = day.Add(time.Duration(rapid.IntRange(-10, 500).Draw(rt, "days")) * 24 * time.Hour)
		d := a.Evaluate(q)
		within := (q.Statement.Kind == "indicator" || q.Statement.Kind == "incident") && q.Statement.TLP >= stix.TLPClear &&
			q.Statement.TLP <= stix.TLPAmber && q.Purpose == "incident-response" && q.Statement.From == "" &&
			!q.At.Before(terms.ValidFrom) && q.At.Before(terms.ValidUntil)
		if d.Allowed != within {
			rt.Fatalf("%+v: %+v", q, d)
		}
	})
}

func FuzzParse(f *testing.F) {
	dir := f.TempDir()
	k, err := identity.Create(dir, "Fuzz", day)
	if err != nil {
		f.Fatal(err)
	}
	party := agreement.Party{ID: k.ID(), Name: "Fuzz", Fingerprint: k.Org().Fingerprint()}
	other := agreement.Party{ID: "identity--5f2b9e3c-7b1f-4f43-9b1e-0a5b9a3f6f10", Name: "Other", Fingerprint: "12345"}
	terms, err := agreement.FromTemplate("investigation", [2]agreement.Party{party, other})
	if err != nil {
		f.Fatal(err)
	}
	terms.ValidFrom, terms.ValidUntil = day, day.AddDate(1, 0, 0)
	doc, err := agreement.New(terms, day)
	if err != nil {
		f.Fatal(err)
	}
	a := &agreement.Agreement{Document: doc}
	if err := a.Sign(k, day); err != nil {
		f.Fatal(err)
	}
	bundle, err := a.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(doc.Canonical()))
	f.Add(bundle)
	f.Add([]byte(`{"type":"bongsu-agreement","type":"bongsu-agreement"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if d, err := agreement.Parse(raw); err == nil && string(d.Canonical()) != string(raw) {
			t.Errorf("a document of two spellings: %q", raw)
		}
		b, err := agreement.ParseBundle(raw)
		if err != nil {
			return
		}
		again, err := b.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := agreement.ParseBundle(again); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	p := newPair(b)
	a := p.signed(b, p.terms(b, "threat-sharing"))
	q := p.question()
	b.ReportAllocs()
	for b.Loop() {
		if d := a.Evaluate(q); !d.Allowed {
			b.Fatal(d)
		}
	}
}
