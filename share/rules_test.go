package share_test

import (
	"testing"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/share"
	"bongsu/stix"
)

func TestRedStaysHome(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	red := seoul.listing(1, stix.TLPRed)
	red.Recipients = []identity.OrgID{europe.keys.ID()}
	home := seoul.say(red, seoul.listing(2, stix.TLPAmberStrict))
	gone := seoul.say(seoul.listing(3, stix.TLPClear))[0]
	until(t, "what may leave arrives", func() bool { return europe.has(seoul, gone) })
	for _, e := range home {
		if europe.has(seoul, e) {
			t.Errorf("%s left, marked %s", e.ID, e.Marking)
		}
		answers, err := seoul.service.Preview(t.Context(), e.ID)
		if err != nil || len(answers) != 1 || answers[0].Decision.Reason != agreement.AboveTLP || answers[0].Shared {
			t.Errorf("preview: %+v %v", answers, err)
		}
	}
	answers, err := seoul.service.Preview(t.Context(), gone.ID)
	if err != nil || !answers[0].Decision.Allowed || !answers[0].Shared || answers[0].Agreement != terms.ID {
		t.Errorf("preview: %+v %v", answers, err)
	}
	st := seoul.status(europe)
	if st.Shared != 1 || st.Withheld != 2 || st.Reasons[agreement.AboveTLP] != 2 {
		t.Errorf("status: shared %d, withheld %d, %v", st.Shared, st.Withheld, st.Reasons)
	}
}

// TestRedSealed: under an agreement that allows it, TLP:RED leaves sealed, for
// who it names, and its envelope tells nothing.
func TestRedSealed(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	partners(t, seoul, europe)
	terms := agree(t, seoul, europe, share.Proposal{Template: "investigation"})
	unnamed := seoul.listing(1, stix.TLPRed)
	named := seoul.listing(2, stix.TLPRed)
	named.Recipients = []identity.OrgID{europe.keys.ID()}
	seoul.say(unnamed, named)
	var sealed string
	until(t, "a sealed statement arrives", func() bool {
		list, err := europe.journal.Read(t.Context(), "journal", 0, 1000)
		for _, st := range list {
			if st.Type == stix.TypeSealed {
				sealed = st.ID
			}
		}
		return err == nil && sealed != ""
	})
	o, err := europe.service.Open(t.Context(), sealed)
	if err != nil || o.ID != named.Object.ID {
		t.Errorf("opened %s: %v", o.ID, err)
	}
	if _, err := seoul.service.Open(t.Context(), sealed); err == nil {
		t.Error("the author has no key to open it, yet it opened")
	}
	feed, err := seoul.journal.Read(t.Context(), "feed/"+terms.ID, 0, 1000)
	if err != nil || len(feed) != 1 || feed[0].Type != stix.TypeSealed || feed[0].ID == named.Object.ID {
		t.Errorf("the feed holds %+v, %v", feed, err)
	}
	if st := seoul.status(europe); st.Reasons[agreement.NotNamed] != 1 {
		t.Errorf("withheld: %v", st.Reasons)
	}
}

func TestRevocationTravels(t *testing.T) {
	seoul, europe, _ := pair(t, nodeOptions{}, nodeOptions{})
	e := seoul.say(seoul.listing(1, stix.TLPAmber))[0]
	until(t, "the listing arrives", func() bool { return europe.has(seoul, e) })
	r, err := seoul.service.Revoke(t.Context(), e.ID, "analyst")
	if err != nil || !r.Revoked || r.Version <= e.Version {
		t.Fatalf("revoke: %+v %v", r, err)
	}
	until(t, "the revocation arrives", func() bool {
		st, err := europe.journal.GetBy(t.Context(), seoul.keys.ID(), e.ID)
		return err == nil && st.Revoked
	})
	if _, err := seoul.service.Revoke(t.Context(), e.ID, ""); errs.Is(err) != errs.Exist {
		t.Errorf("revoked twice: %v", err)
	}
	if _, err := europe.service.Revoke(t.Context(), e.ID, ""); errs.Is(err) != errs.NotExist {
		t.Errorf("another's statement was revoked: %v", err)
	}
}

func TestEndedAgreementStops(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	before := seoul.say(seoul.listing(1, stix.TLPAmber))[0]
	until(t, "the first arrives", func() bool { return europe.has(seoul, before) })
	if _, err := europe.service.End(t.Context(), terms.ID, "the case is closed", "analyst"); err != nil {
		t.Fatal(err)
	}
	until(t, "both know the end", func() bool {
		x, err := seoul.service.Show(t.Context(), terms.ID)
		return err == nil && x.State == agreement.Ended && x.EndReason == "the case is closed"
	})
	after := seoul.say(seoul.listing(2, stix.TLPAmber))[0]
	// A second agreement shows that the first one's silence is not slowness.
	agree(t, seoul, europe, share.Proposal{HighestTLP: "GREEN"})
	green := seoul.say(seoul.listing(3, stix.TLPGreen))[0]
	until(t, "the second agreement works", func() bool { return europe.has(seoul, green) })
	if europe.has(seoul, after) {
		t.Error("a statement passed under an ended agreement")
	}
	if n, err := seoul.journal.Size(t.Context(), "feed/"+terms.ID); err != nil || n > 2 {
		t.Errorf("the feed holds %d entries, %v", n, err)
	}
}

func TestExpiredAgreementStops(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	partners(t, seoul, europe)
	terms := agree(t, seoul, europe, share.Proposal{ValidFor: time.Hour})
	first := seoul.say(seoul.listing(1, stix.TLPAmber))[0]
	until(t, "the first arrives", func() bool { return europe.has(seoul, first) })
	until(t, "it is answered", func() bool { return seoul.status(europe).Receipts.Arrived == 1 })
	size, err := seoul.journal.Size(t.Context(), "feed/"+terms.ID)
	if err != nil {
		t.Fatal(err)
	}
	seoul.clock.move(2 * time.Hour)
	europe.clock.move(2 * time.Hour)
	late := seoul.say(seoul.listing(2, stix.TLPAmber))[0]
	if now, err := seoul.journal.Size(t.Context(), "feed/"+terms.ID); err != nil || now != size {
		t.Errorf("the feed grew from %d to %d after its agreement expired, %v", size, now, err)
	}
	answers, err := seoul.service.Preview(t.Context(), late.ID)
	if err != nil || answers[0].Decision.Reason != agreement.NotActive {
		t.Errorf("preview: %+v %v", answers, err)
	}
	if x, err := seoul.service.Show(t.Context(), terms.ID); err != nil || x.State != agreement.Expired {
		t.Errorf("state: %v %v", x.State, err)
	}
}

// TestPolicyErrorRefuses: a policy that fails for a statement keeps it home.
func TestPolicyErrorRefuses(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	partners(t, seoul, europe)
	agree(t, seoul, europe, share.Proposal{
		Words: "everything, unless a sum overflows",
		Policies: `permit (principal, action, resource);
@id("sum") forbid (principal, action, resource) when { resource.tlp + 9223372036854775805 < 0 };`,
	})
	seoul.say(seoul.listing(1, stix.TLPAmber), seoul.listing(2, stix.TLPClear))
	until(t, "one leaves, one does not", func() bool {
		st := seoul.status(europe)
		return st.Shared == 1 && st.Withheld == 1 && st.Reasons[agreement.PolicyError] == 1
	})
}

// TestLeave: a former partner neither gets nor gives anything.
func TestLeave(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{})
	if err := seoul.service.Leave(t.Context(), "europe exchange", "analyst"); err != nil {
		t.Fatal(err)
	}
	if list, err := seoul.service.Partners(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("partners: %v %v", list, err)
	}
	seoul.say(seoul.listing(1, stix.TLPClear))
	if n, err := seoul.journal.Size(t.Context(), "feed/"+terms.ID); err != nil || n != 0 {
		t.Errorf("the feed holds %d entries, %v", n, err)
	}
	until(t, "the former partner is refused", func() bool {
		_, err := europe.service.Ping(t.Context(), "seoul")
		return errs.Is(err) == errs.Permission
	})
}

// TestThreeNodes: what one partner gets is not on another's feed, and what was
// received is not passed on.
func TestThreeNodes(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	bank := newNode(t, "Bank", nodeOptions{})
	partners(t, seoul, europe)
	partners(t, seoul, bank)
	partners(t, bank, europe)
	agree(t, seoul, europe, share.Proposal{})
	green := agree(t, seoul, bank, share.Proposal{HighestTLP: "GREEN"})
	agree(t, bank, europe, share.Proposal{})
	amber := seoul.say(seoul.listing(1, stix.TLPAmber))[0]
	clear := seoul.say(seoul.listing(2, stix.TLPClear))[0]
	until(t, "each gets its own", func() bool {
		return europe.has(seoul, amber) && europe.has(seoul, clear) && bank.has(seoul, clear)
	})
	if bank.has(seoul, amber) {
		t.Error("TLP:AMBER passed an agreement of TLP:GREEN")
	}
	until(t, "the bank withholds what it received", func() bool {
		return bank.status(europe).Reasons[agreement.NotOnward] == 1
	})
	if n := bank.status(europe).Shared; n != 0 {
		t.Errorf("the bank passed %d statements on", n)
	}
	if x, err := europe.service.Show(t.Context(), green.ID); errs.Is(err) != errs.NotExist {
		t.Errorf("an agreement of others is known: %+v", x)
	}
}
