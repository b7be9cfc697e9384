package share

import (
	"bytes"
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// Proposal says what to propose: a built-in template, its terms changed where
// a field is given.
type Proposal struct {
	Partner    string        // as Service.Partner reads it
	Template   string        // "threat-sharing" when empty
	Title      string        // "" takes the template's
	ValidFrom  time.Time     // zero: now
	ValidFor   time.Duration // zero: one year
	HighestTLP string        // "" takes the template's
	Kinds      []string
	Purposes   []string
	LegalBasis []string
	Onward     agreement.Onward
	Retention  int    // days; 0 takes the template's
	Policies   string // own Cedar text; "" writes it from the terms
	Words      string // plain words; "" writes them from the terms; needed with Policies
	Actor      string
}

// storedBundle is one agreement as the journal has it.
type storedBundle struct {
	id      string
	partner identity.OrgID
	gone    bool // the partner is none any more
	raw     []byte
	ag      *agreement.Agreement
	sent    bool // the partner has this very bundle
}

// bundles lists all agreements, newest first.
func (s *Service) bundles(ctx context.Context) ([]storedBundle, error) {
	return s.selectBundles(ctx, "")
}

// bundle returns one agreement, or errs.NotExist.
func (s *Service) bundle(ctx context.Context, id string) (storedBundle, error) {
	list, err := s.selectBundles(ctx, id)
	if err == nil && len(list) == 0 {
		err = errs.New("agreement", errs.NotExist, printable(id), "there is no such agreement", "see the list of agreements")
	}
	if err != nil {
		return storedBundle{}, err
	}
	return list[0], nil
}

func (s *Service) selectBundles(ctx context.Context, id string) (list []storedBundle, err error) {
	err = s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		list, err = s.readBundles(ctx, tx, id)
		return err
	})
	return list, errs.Wrap("agreements", id, err)
}

func (s *Service) readBundles(ctx context.Context, tx *journal.Tx, id string) ([]storedBundle, error) {
	rows, err := tx.Query(ctx, `SELECT a.id, a.partner, coalesce(p.gone, 1), a.bundle, a.modified, coalesce(d.digest, x'')
		FROM share_agreement a LEFT JOIN share_partner p ON p.org = a.partner LEFT JOIN share_delivered d ON d.agreement = a.id
		WHERE ?='' OR a.id=? ORDER BY a.since DESC, a.id`, id, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []storedBundle
	for rows.Next() {
		var b storedBundle
		var partner string
		var gone int
		var modified int64
		var delivered []byte
		if err := rows.Scan(&b.id, &partner, &gone, &b.raw, &modified, &delivered); err != nil {
			return nil, err
		}
		b.partner, b.gone = identity.OrgID(partner), gone != 0
		b.sent = bytes.Equal(delivered, digest(b.raw))
		if b.ag, err = s.view.agreement(b.id, modified, b.raw); err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

func digest(raw []byte) []byte {
	d := sha256.Sum256(raw)
	return d[:]
}

// stateAgreement appends an agreement as it now stands.
func (s *Service) stateAgreement(ctx context.Context, tx *journal.Tx, ag *agreement.Agreement, actor string) error {
	raw, err := ag.Marshal()
	if err != nil {
		return err
	}
	t, now := ag.Document.Terms(), s.clock().UTC()
	state := string(agreement.Proposed)
	switch {
	case ag.End != nil:
		state = string(agreement.Ended)
	case ag.SignedBy(t.Parties[0].ID) && ag.SignedBy(t.Parties[1].ID):
		state = string(agreement.Active)
	}
	statement := stix.Agreement{
		Common: stix.Common{ID: ag.Document.ID(), Author: s.keys.ID(), Created: now, Modified: now, Marking: stix.TLPAmberStrict},
		Title:  t.Title, Parties: []identity.OrgID{t.Parties[0].ID, t.Parties[1].ID}, State: state,
		From: t.ValidFrom, To: t.ValidUntil, Document: raw,
	}
	return s.restate(ctx, tx, actor, &statement.Common, func() (stix.Object, error) { return statement.Object() })
}

// Propose makes an agreement, signs it, and sends it to the partner, at once
// when it answers, else as soon as it does while Run runs (Terms.Delivered
// says which).
func (s *Service) Propose(ctx context.Context, p Proposal) (Terms, error) {
	partner, err := s.findPeer(ctx, p.Partner)
	if err != nil {
		return Terms{}, err
	}
	terms, err := s.terms(p, partner)
	if err != nil {
		return Terms{}, err
	}
	now := s.clock()
	doc, err := agreement.New(terms, now)
	if err != nil {
		return Terms{}, err
	}
	ag := &agreement.Agreement{Document: doc}
	if err := ag.Sign(s.keys, now); err != nil {
		return Terms{}, err
	}
	err = s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		return s.stateAgreement(ctx, tx, ag, p.Actor)
	})
	if err != nil {
		return Terms{}, errs.Wrap("propose", doc.ID(), err)
	}
	return s.deliver(ctx, partner, doc.ID())
}

func (s *Service) terms(p Proposal, partner peer) (agreement.Terms, error) {
	own := s.journal.Org()
	parties := [2]agreement.Party{
		{ID: own.ID, Name: own.Name, Fingerprint: own.Fingerprint()},
		{ID: partner.ID, Name: partner.org.Name, Fingerprint: partner.org.Fingerprint()},
	}
	template := p.Template
	if template == "" {
		template = "threat-sharing"
	}
	t, err := agreement.FromTemplate(template, parties)
	if err != nil {
		return t, err
	}
	t.ValidFrom = p.ValidFrom
	if p.ValidFrom.IsZero() {
		t.ValidFrom = s.clock()
	}
	t.ValidUntil = t.ValidFrom.Add(p.ValidFor)
	if p.ValidFor == 0 {
		t.ValidUntil = t.ValidFrom.AddDate(1, 0, 0)
	}
	if p.HighestTLP != "" {
		if t.HighestTLP, err = stix.ParseTLP(p.HighestTLP); err != nil {
			return t, err
		}
	}
	replace(&t.Kinds, p.Kinds)
	replace(&t.Purposes, p.Purposes)
	replace(&t.LegalBasis, p.LegalBasis)
	if p.Title != "" {
		t.Title = p.Title
	}
	if p.Onward != "" {
		t.Onward = p.Onward
	}
	if p.Retention != 0 {
		t.RetentionDays = p.Retention
	}
	t.Policies, t.Words = agreement.Policies(t), agreement.Words(t)
	if p.Policies != "" {
		if p.Words == "" {
			return t, errs.New("propose", errs.Usage, "", "own policies need their plain words", "say in words what the policies let through")
		}
		t.Policies, t.Template = p.Policies, ""
	}
	if p.Words != "" {
		t.Words = p.Words
	}
	return t, nil
}

func replace(list *[]string, with []string) {
	if len(with) > 0 {
		*list = with
	}
}

// Sign countersigns an agreement that a partner proposed and sends it back.
// id is its id or an unambiguous start of it (with or without the type).
func (s *Service) Sign(ctx context.Context, id, actor string) (Terms, error) {
	return s.change(ctx, id, actor, func(ag *agreement.Agreement) error { return ag.Sign(s.keys, s.clock()) })
}

// End ends an agreement at once and tells the partner.
func (s *Service) End(ctx context.Context, id, reason, actor string) (Terms, error) {
	return s.change(ctx, id, actor, func(ag *agreement.Agreement) error { return ag.Close(s.keys, reason, s.clock()) })
}

// change changes an agreement in one transaction and delivers it.
func (s *Service) change(ctx context.Context, id, actor string, how func(*agreement.Agreement) error) (Terms, error) {
	full, err := s.findAgreement(ctx, id)
	if err != nil {
		return Terms{}, err
	}
	var partner identity.OrgID
	err = s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		list, err := s.readBundles(ctx, tx, full)
		if err != nil || len(list) == 0 {
			return err
		}
		partner = list[0].partner
		ag, err := agreement.ParseBundle(list[0].raw) // a copy: the parsed one is shared
		if err != nil {
			return err
		}
		if err := how(ag); err != nil {
			return err
		}
		return s.stateAgreement(ctx, tx, ag, actor)
	})
	if err != nil {
		return Terms{}, err
	}
	p, err := s.findPeer(ctx, string(partner))
	if err != nil {
		return Terms{}, err
	}
	return s.deliver(ctx, p, full)
}

// deliver tries to bring a changed agreement to its partner now. That it is
// not reached is no failure: Run goes on trying.
func (s *Service) deliver(ctx context.Context, p peer, id string) (Terms, error) {
	s.poke()
	if p.Address != "" {
		if err := s.syncOnce(ctx, p); err != nil {
			s.log.Info("the agreement is not delivered yet", "partner", p.ID, "agreement", id, "err", err)
		}
	}
	return s.Show(ctx, id)
}

// Agreements lists all agreements, newest first.
func (s *Service) Agreements(ctx context.Context) ([]Terms, error) {
	bundles, err := s.bundles(ctx)
	if err != nil {
		return nil, err
	}
	partners, err := s.everyPartner(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Terms, len(bundles))
	for i, b := range bundles {
		list[i] = s.describe(b, partners[b.partner])
	}
	return list, nil
}

// Show returns one agreement; id as for Sign.
func (s *Service) Show(ctx context.Context, id string) (Terms, error) {
	full, err := s.findAgreement(ctx, id)
	if err != nil {
		return Terms{}, err
	}
	b, err := s.bundle(ctx, full)
	if err != nil {
		return Terms{}, err
	}
	partners, err := s.everyPartner(ctx)
	if err != nil {
		return Terms{}, err
	}
	return s.describe(b, partners[b.partner]), nil
}

func (s *Service) describe(b storedBundle, p Partner) Terms {
	t := b.ag.Document.Terms()
	out := Terms{
		ID: b.id, Digest: b.ag.Document.Digest(), Title: t.Title, State: b.ag.State(s.clock()), Parties: t.Parties,
		ValidFrom: t.ValidFrom, ValidUntil: t.ValidUntil, HighestTLP: t.HighestTLP.String(), Kinds: t.Kinds, Purposes: t.Purposes,
		LegalBasis: t.LegalBasis, Onward: t.Onward, Retention: t.RetentionDays, Words: t.Words, Policies: t.Policies,
		Partner: p, Delivered: b.sent,
	}
	for _, sig := range b.ag.Signatures {
		out.SignedBy = append(out.SignedBy, sig.Party)
	}
	if b.ag.End != nil {
		out.EndReason = b.ag.End.Reason
	}
	return out
}

// findAgreement completes the start of an id.
func (s *Service) findAgreement(ctx context.Context, id string) (string, error) {
	bundles, err := s.bundles(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, b := range bundles {
		if id != "" && (strings.HasPrefix(b.id, id) || strings.HasPrefix(strings.TrimPrefix(b.id, stix.TypeAgreement+"--"), id)) {
			found = append(found, b.id)
		}
	}
	switch len(found) {
	case 0:
		return "", errs.New("agreement", errs.NotExist, printable(id), "there is no such agreement", "see the list of agreements")
	case 1:
		return found[0], nil
	}
	return "", errs.New("agreement", errs.Usage, printable(id), "that is the start of several agreements", "give more of the id")
}
